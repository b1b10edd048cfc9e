import { wrapError } from '../errors.js';
import type { ClipOptions, ClipRecorder, FrameSource, Recording } from './clips/index.js';
import type { EventIds } from './events/index.js';
import type { PipelineCamera } from './options.js';
import type { PipelineEvent, PipelineEventType } from './types.js';

/** Clips of events. */
export interface ClipRule extends Omit<ClipOptions, 'folder' | 'redactor'> {
  /** Where they go; default `clips` in the pipeline's folder. */
  readonly folder?: string;
  /** Which events; default `appeared`, `recognised`, `stranger`, `zone`, `line`, `liveness`, `gesture`. Those that follow each other share a clip. */
  readonly events?: readonly PipelineEventType[];
}

/** Events that clips are made of unless it is said otherwise. */
const CLIPPED: readonly PipelineEventType[] = [
  'appeared',
  'recognised',
  'stranger',
  'zone',
  'line',
  'liveness',
  'gesture',
];

/** Makes clips of events and tells of them, whether they came to be or not. */
export class EventClips {
  readonly #recorder: ClipRecorder;
  readonly #types: ReadonlySet<PipelineEventType>;
  readonly #sources: ReadonlyMap<string, FrameSource>;
  readonly #ids: EventIds;
  readonly #tell: (event: PipelineEvent) => void;
  readonly #pending = new Set<Promise<void>>();
  readonly #told = new WeakSet<Recording>();
  #unfinished = 0;

  constructor(
    recorder: ClipRecorder,
    cameras: readonly PipelineCamera[],
    types: readonly PipelineEventType[] | undefined,
    ids: EventIds,
    tell: (event: PipelineEvent) => void,
  ) {
    this.#recorder = recorder;
    this.#types = new Set(types ?? CLIPPED);
    this.#sources = new Map(cameras.map((camera) => [camera.id, sourceOf(camera)]));
    this.#ids = ids;
    this.#tell = tell;
  }

  /** An event was told: it gets a clip where it is one that does. */
  event(event: PipelineEvent): void {
    const source = this.#sources.get(event.camera);
    if (source === undefined || event.type === 'clip' || !this.#types.has(event.type)) return;
    let recording: Recording;
    try {
      recording = this.#recorder.event({ source, timestamp: event.timestamp, event: event.id });
    } catch (error) {
      this.#failed(event, error);
      return;
    }
    // Events that follow each other share a clip, which is told of once: its facts name them all.
    if (this.#told.has(recording)) return;
    this.#told.add(recording);
    const done = recording.done.then(
      (clip) => {
        const { path, sha256, thumbnail, failure, first, last } = clip;
        this.#tell({
          ...this.#base(event, last.timestamp),
          from: first.timestamp,
          to: last.timestamp,
          path,
          sha256,
          ...(thumbnail !== undefined && { thumbnail }),
          ...failure,
        });
      },
      (error: unknown) => this.#failed(event, error),
    );
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  /** Finishes what a killed process has left, and tells of it; `report` of what came to nothing. */
  recover(report: (count: number, message: string) => void): void {
    const done = this.#recorder.recover().then(({ clips, removed, failed }) => {
      for (const { path, sha256, thumbnail, camera, events, from, to } of clips) {
        const [event] = events;
        if (camera === undefined || event === undefined || from === undefined || to === undefined) {
          report(1, `a clip that was cut off is whole again, but nothing says of what it is: ${path}`);
          continue;
        }
        const timestamp = Math.max(to, 0);
        const facts = { path, sha256, from, to, ...(thumbnail !== undefined && { thumbnail }) };
        const message = 'it was cut off by the end of the process that recorded it';
        const id = this.#ids.next(timestamp);
        this.#tell({ id, type: 'clip', camera, timestamp, event, ...facts, code: 'RECORDING_FAILED', message });
      }
      if (removed.length > 0)
        report(removed.length, `nothing could be played of a clip that was cut off: ${removed[0]}`);
      const [first] = failed;
      if (first !== undefined) report(failed.length, `a clip that was cut off cannot be finished: ${first.message}`);
    });
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  /** Waits for recordings that are under way; with `stop` they end with the pictures that they have. Gives how many came to nothing so far. */
  async finish(stop: boolean): Promise<number> {
    if (stop) await this.#recorder.close();
    await Promise.all([...this.#pending]);
    return this.#unfinished;
  }

  #base(event: PipelineEvent, timestamp: number) {
    const { camera, track, identity } = event;
    return {
      id: this.#ids.next(timestamp),
      type: 'clip',
      camera,
      timestamp,
      event: event.id,
      ...(track !== undefined && { track }),
      ...(identity !== undefined && { identity }),
    } as const;
  }

  #failed(event: PipelineEvent, error: unknown): void {
    this.#unfinished++;
    const { code, message } = wrapError(error);
    this.#tell({ ...this.#base(event, event.timestamp), code, message });
  }
}

/** A camera that keeps no pictures gives clips that begin with the event. */
export const sourceOf = (camera: PipelineCamera): FrameSource => ({
  id: camera.id,
  history: (first, last) => camera.history?.(first, last) ?? [],
  frames: (options = {}) => camera.frames(options),
});
