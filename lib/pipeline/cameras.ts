import type { CameraNotice, CameraOptions } from '../capture/types.js';
import { LineamentError, wrapError } from '../errors.js';
import { bufferSecondsFor } from './clips/index.js';
import { LatencyHistogram } from './histogram.js';
import { type CheckedPipeline, isCamera, type PipelineCamera, type PipelineOptions } from './options.js';
import type { WatchedCamera } from './stats.js';

type Closers = (() => Promise<unknown>)[];

interface Cameras {
  readonly cameras: PipelineCamera[];
  /** Those that were not there at first, by their ids; why. */
  readonly lost: Map<string, CameraNotice>;
  readonly refused: { readonly id: string; readonly error: LineamentError }[];
}

/**
 * Opens what is not open yet, side by side. Devices and streams that are not there are tried again, as one that was lost is. Rejects where
 * arguments are wrong, and where none could be opened.
 */
export async function camerasOf(options: CheckedPipeline, closers: Closers): Promise<Cameras> {
  const { cameras, signal, clips = false } = options;
  const kept = clips === false ? 0 : bufferSecondsFor(clips === true ? undefined : clips.preSeconds);
  const asked = cameras.map((camera) =>
    isCamera(camera) ? camera : typeof camera === 'object' ? camera : { source: camera },
  );
  const lost = new Map<string, CameraNotice>();
  const open = async (one: CameraOptions): Promise<PipelineCamera> => {
    const { openCameraPatiently } = await import('../capture/open.js');
    const bufferSeconds = Math.max(kept, one.bufferSeconds ?? 0);
    const camera = await openCameraPatiently({ ...one, bufferSeconds, ...(signal !== undefined && { signal }) });
    const { lastNotice } = camera;
    if (lastNotice?.state === 'lost') lost.set(camera.id, lastNotice);
    return camera;
  };
  const settled = await Promise.allSettled(asked.map(async (one) => (isCamera(one) ? one : open(one))));
  const found: Cameras = { cameras: [], lost, refused: [] };
  for (const [i, result] of settled.entries()) {
    const one = asked[i]!;
    if (result.status === 'fulfilled') {
      const camera = result.value;
      found.cameras.push(camera);
      if (!isCamera(one)) closers.push(() => camera.close());
    } else {
      const error = wrapError(result.reason);
      found.refused.push({ id: nameOf(one, i), error });
    }
  }
  const [first] = found.refused;
  const wrong = found.refused.find(({ error }) => error.code === 'INVALID_ARGUMENT' || error.code === 'ABORTED');
  if (wrong !== undefined) throw wrong.error;
  if (found.cameras.length === 0 && first !== undefined) throw first.error;
  const ids = found.cameras.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) {
    throw new LineamentError('INVALID_ARGUMENT', `two cameras are named '${twice}'`, { fix: "Give each an 'id'." });
  }
  return found;
}

/** What a camera that could not be opened is called: an address may hold a password, and is not repeated. */
const nameOf = (one: PipelineOptions['cameras'][number], i: number): string =>
  typeof one === 'object' && 'id' in one && one.id !== undefined ? one.id : `camera ${i + 1}`;

export const refusedCamera = (camera: string): WatchedCamera => ({
  camera,
  state: 'failed',
  taken: 0,
  overtaken: 0,
  detected: 0,
  predicted: 0,
  failed: 0,
  tracks: 0,
  latency: new LatencyHistogram().summary(),
});
