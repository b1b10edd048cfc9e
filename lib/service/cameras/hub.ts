/** The cameras of the configuration, watched by one pipeline for as long as the service runs. */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CameraOptions } from '../../capture/index.js';
import type { Engine } from '../../engine/index.js';
import { LineamentError, wrapError } from '../../errors.js';
import { openPipeline, type Pipeline, type PipelineEvent, type PipelineOptions } from '../../pipeline/index.js';
import type { CameraConfig, ServiceParts } from '../types.js';
import { Pictures } from './pictures.js';

/** What the hub needs of the service. */
export type HubParts = Pick<ServiceParts, 'config' | 'engines' | 'gallery' | 'log' | 'closing'>;

/** How often it is looked whether another engine serves by now. */
const LOOK_MS = 1000;
/** After watching failed it is tried again. */
const AGAIN_MS = 10_000;

/**
 * Watching begins with the service, and a camera that is not there does not hold up its start. It is done with the engine that serves: after a switch the
 * pipeline is closed and another one opened, and who looks has to connect again. Safe for overlapping calls.
 */
export class CameraHub {
  /** The cameras of the configuration. */
  readonly cameras: readonly CameraConfig[];
  readonly #parts: HubParts;
  readonly #watching: Promise<void> | undefined;
  readonly #stop = new AbortController();
  readonly #pictures = new Pictures();
  #opening: Promise<Pipeline> | undefined;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.cameras = parts.config.cameras;
    if (this.cameras.length > 0) this.#watching = this.#watch(AbortSignal.any([parts.closing, this.#stop.signal]));
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { log, engines } = this.#parts;
    while (!signal.aborted) {
      let opened: (pipeline: Pipeline) => void = () => {};
      let failed: (error: unknown) => void = () => {};
      this.#opening = new Promise<Pipeline>((resolve, reject) => {
        opened = resolve;
        failed = reject;
      });
      this.#opening.catch(() => undefined);
      try {
        const name = engines.current;
        await engines.use((engine) => this.#watchWith(engine, name, opened, signal), { name, signal });
      } catch (error) {
        failed(error);
        if (signal.aborted) return;
        log.error({ error: wrapError(error).message }, 'no camera is watched; trying again');
        await wait(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Until the service stops, or another engine serves. */
  async #watchWith(
    engine: Engine,
    name: string,
    opened: (pipeline: Pipeline) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await using pipeline = await openPipeline({ ...pipelineOptions(this.#parts, engine), signal });
    pipeline.on('camera', (event) => tell(this.#parts, event));
    opened(pipeline);
    // Cameras that have ended can still be asked about.
    while (!signal.aborted && this.#parts.engines.current === name) {
      await wait(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The pipeline once it is open. `NOT_FOUND` where no camera is configured, else what opening rejected with. */
  async pipeline(): Promise<Pipeline> {
    if (this.#opening === undefined) {
      throw new LineamentError('NOT_FOUND', 'no camera is configured', {
        fix: "Name some under 'cameras' in the configuration.",
      });
    }
    return this.#opening;
  }

  /** `NOT_FOUND`. */
  config(id: string): CameraConfig {
    const found = this.cameras.find((camera) => camera.id === id);
    if (found === undefined) throw new LineamentError('NOT_FOUND', `there is no camera '${id}'`);
    return found;
  }

  /** JPEG pictures of the cameras, for all who look at them. */
  get pictures(): Pictures {
    return this.#pictures;
  }

  /** Ends the watching. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort(new LineamentError('CLOSED', 'the service stops'));
    await this.#watching;
    await this.#pictures.close();
  }
}

function pipelineOptions({ config, gallery }: HubParts, engine: Engine): PipelineOptions {
  const { watch } = config;
  return {
    cameras: config.cameras.map(cameraOptions),
    engine,
    gallery,
    data: path.join(config.data.folder, 'watched'),
    clips: watch.clips,
    retention: watch.retention,
    privacy: { mode: watch.privacy },
  };
}

function cameraOptions({ id, source, width, height, fps, loop }: CameraConfig): CameraOptions {
  return {
    id,
    source: loop === true ? { kind: 'file', path: source, loop } : source,
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(fps !== undefined && { fps }),
  };
}

function tell({ log }: HubParts, event: PipelineEvent & { type: 'camera' }): void {
  const { camera, state, code, message } = event;
  const fields = { camera, state, ...(code && { code }), ...(message && { error: message }) };
  if (state === 'running' || state === 'ended') log.info(fields, 'camera');
  else log.warn(fields, 'camera');
}
