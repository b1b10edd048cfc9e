/** The cameras of the configuration, watched by one pipeline for as long as the service runs. */
import path from 'node:path';
import type { CameraOptions } from '../../capture/index.js';
import type { Engine } from '../../engine/index.js';
import { LineamentError, wrapError } from '../../errors.js';
import { openPipeline, type Pipeline, type PipelineEvent, type PipelineOptions } from '../../pipeline/index.js';
import type { CameraConfig, ServiceParts } from '../types.js';
import { Pictures } from './pictures.js';

/** What the hub needs of the service. */
export type HubParts = Pick<ServiceParts, 'config' | 'engines' | 'gallery' | 'log' | 'closing'>;

/**
 * Watching begins with the service, and a camera that is not there does not hold up its start. The engine that is the current one then watches until the
 * service stops, whatever is switched to meanwhile. Safe for overlapping calls.
 */
export class CameraHub {
  /** The cameras of the configuration. */
  readonly cameras: readonly CameraConfig[];
  readonly #opening: Promise<Pipeline> | undefined;
  readonly #watching: Promise<unknown> | undefined;
  readonly #stop = new AbortController();
  readonly #pictures = new Pictures();

  constructor(parts: HubParts) {
    this.cameras = parts.config.cameras;
    if (this.cameras.length === 0) return;
    let opened: (pipeline: Pipeline) => void = () => {};
    let failed: (error: unknown) => void = () => {};
    this.#opening = new Promise<Pipeline>((resolve, reject) => {
      opened = resolve;
      failed = reject;
    });
    this.#opening.catch((error) => parts.log.error({ error: wrapError(error).message }, 'no camera is watched'));
    const signal = AbortSignal.any([parts.closing, this.#stop.signal]);
    this.#watching = parts.engines
      .use(
        async (engine) => {
          await using pipeline = await openPipeline({ ...pipelineOptions(parts, engine), signal });
          pipeline.on('camera', (event) => tell(parts, event));
          opened(pipeline);
          await pipeline.done;
          // Cameras that have ended can still be asked about.
          if (!signal.aborted)
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        },
        { signal },
      )
      .catch(failed);
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
