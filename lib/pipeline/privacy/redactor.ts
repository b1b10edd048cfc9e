import type { CameraFrame } from '../../capture/types.js';
import { onAbort } from '../../errors/abort.js';
import { LineamentError, wrapError } from '../../errors.js';
import { loadAddon, type NativeAddon, type NativeExecutor, type PixelView } from '../../native/index.js';
import type { Box, Frame } from '../../types.js';
import { type CheckedPolicy, checkPolicy, type PrivacyMode, type PrivacyPolicy } from './policy.js';
import { HeadTimeline, type Look } from './timeline.js';

/** How long where heads were is remembered: as long as clips may look back. */
const KEEP_MS = 180_000;
/** Clips wait this long for a look before they go on with what is known. */
const PATIENCE_MS = 3000;
const EVERYTHING = Float64Array.of(Number.NaN, 0, 0, 0);

export interface RedactOptions {
  /** As in `PrivacyPolicy`. */
  readonly method?: 'pixelate' | 'blur';
  readonly shape?: 'ellipse' | 'box';
  readonly blocks?: number;
  /** Overwrites `frame.data` instead of a copy. Never for pictures that were borrowed from a camera. Default false. */
  readonly inPlace?: boolean;
}

/**
 * Covers faces as a policy says. Tell it what was found (`look`), then let pictures through it (`apply`). It fails closed: where it is not
 * known where the faces are, or who they are, they are covered, if need be with the whole picture.
 * Belongs to the thread that made it; calls may overlap.
 */
export class Redactor implements AsyncDisposable {
  readonly #policy: CheckedPolicy;
  readonly #timelines = new Map<string, HeadTimeline>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #ended = new Set<string>();
  #kernels: { readonly addon: NativeAddon; readonly executor: NativeExecutor } | undefined;
  #closed = false;

  /** Throws `INVALID_ARGUMENT`. */
  constructor(policy: PrivacyPolicy) {
    this.#policy = checkPolicy(policy);
  }

  get mode(): PrivacyMode {
    return this.#policy.mode;
  }

  /** Tells what was found in a picture. In the order of time for each camera. */
  look(look: Look): void {
    if (this.#policy.mode === 'none') return;
    this.#ended.delete(look.camera);
    this.#timeline(look.camera).add(look);
    this.#wake(look.camera);
  }

  /** Says that no more looks will come from a camera, so that nothing waits for them. */
  end(camera: string): void {
    this.#ended.add(camera);
    this.#wake(camera);
  }

  /**
   * Waits until enough is known of what came after that time (`aheadMs`, the policy's when absent; 0: until the detector has seen that picture
   * or a later one), for pictures that can wait. Never rejects; goes on after three seconds, when the camera has ended, or when `signal` fires.
   */
  async settled(
    camera: string,
    timestamp: number,
    signal?: AbortSignal,
    aheadMs: number = this.#policy.aheadMs,
  ): Promise<void> {
    if (this.#policy.mode === 'none') return;
    const deadline = performance.now() + PATIENCE_MS;
    const enough = (): boolean =>
      this.#closed ||
      signal?.aborted === true ||
      this.#ended.has(camera) ||
      this.#timelines.get(camera)?.settled(timestamp, aheadMs) === true;
    while (!enough()) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await this.#next(camera, left, signal);
    }
  }

  /**
   * What would be covered, in pixels of a picture of that size; `everything` where it is not known where faces are. Of a picture that `waited`
   * (`settled`) that is only known where the detector has looked soon after it.
   */
  async regions(
    picture: Pick<CameraFrame, 'camera' | 'timestamp' | 'width' | 'height'>,
    { waited = false }: { readonly waited?: boolean } = {},
  ): Promise<readonly Box[] | 'everything'> {
    if (this.#policy.mode === 'none') return [];
    const { width, height } = picture;
    const cover = await this.#timelines.get(picture.camera)?.cover(picture.timestamp, waited);
    if (cover === undefined || cover === 'everything') return 'everything';
    return cover.map(([x, y, w, h]): Box => [x * width, y * height, w * width, h * height]);
  }

  /**
   * The picture as it may be shown: itself where nothing has to be covered, otherwise a copy. Rejects with `CLOSED`, `OUT_OF_MEMORY`,
   * `INVALID_ARGUMENT` (no such picture); it must then not be shown.
   */
  async apply<F extends CameraFrame>(
    frame: F,
    { inPlace = false, waited = false }: { readonly inPlace?: boolean; readonly waited?: boolean } = {},
  ): Promise<F> {
    if (this.#closed) throw new LineamentError('CLOSED', 'the redactor is closed');
    const regions = await this.regions(frame, { waited });
    if (regions !== 'everything' && regions.length === 0) return frame;
    const { method, shape, blocks } = this.#policy;
    return redactFrame(frame, regions, { inPlace, method, shape, blocks }, this.#kernel());
  }

  #kernel(): { readonly addon: NativeAddon; readonly executor: NativeExecutor } {
    if (this.#kernels === undefined) {
      const addon = loadAddon();
      this.#kernels = { addon, executor: addon.createExecutor(1) };
    }
    return this.#kernels;
  }

  #timeline(camera: string): HeadTimeline {
    let timeline = this.#timelines.get(camera);
    if (timeline === undefined) {
      timeline = new HeadTimeline(this.#policy, KEEP_MS);
      this.#timelines.set(camera, timeline);
    }
    return timeline;
  }

  #wake(camera: string): void {
    for (const go of [...(this.#waiting.get(camera) ?? [])]) go();
  }

  #next(camera: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const all = this.#waiting.get(camera) ?? new Set();
      this.#waiting.set(camera, all);
      const go = (): void => {
        all.delete(go);
        clearTimeout(timer);
        forget?.();
        resolve();
      };
      const timer = setTimeout(go, ms);
      const forget = signal === undefined ? undefined : onAbort(signal, go);
      all.add(go);
    });
  }

  /** Waits for pictures that are being covered. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const camera of this.#waiting.keys()) this.#wake(camera);
    await this.#kernels?.executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @internal A picture with regions covered; `everything` is the whole of it. */
export async function redactFrame<F extends Frame>(
  frame: F,
  regions: readonly Box[] | 'everything',
  options: RedactOptions,
  { addon, executor }: { readonly addon: NativeAddon; readonly executor: NativeExecutor },
): Promise<F> {
  // Not `slice`: that of a Buffer shares its memory.
  const data = options.inPlace === true ? frame.data : new Uint8Array(frame.data);
  const { width, height, format, stride } = frame;
  const view: PixelView = { data, width, height, format, ...(stride === undefined ? {} : { stride }) };
  try {
    await addon.redact(executor, view, regions === 'everything' ? EVERYTHING : Float64Array.from(regions.flat()), {
      method: options.method ?? 'pixelate',
      shape: options.shape ?? 'ellipse',
      blocks: options.blocks ?? 8,
    });
  } catch (error) {
    throw wrapError(error);
  }
  return options.inPlace === true ? frame : { ...frame, data };
}
