import type { AnalyzedFace } from '../engine/index.js';
import { onAbort } from '../errors/abort.js';
import { abortError, LineamentError } from '../errors.js';
import { type FaceMerits, rateFace } from './merits.js';
import type { BestFrame, BestFrameOptions, CameraFrame, FramesOptions } from './types.js';

interface Best {
  readonly frame: CameraFrame;
  readonly face: AnalyzedFace;
  readonly rated: FaceMerits;
}

/** The frame with the best face of a while; see `Camera.bestFrame`. */
export async function lookForBest(
  camera: { frames(options: FramesOptions): AsyncIterable<CameraFrame> },
  { within, engine, signal }: BestFrameOptions,
  lossless: boolean,
): Promise<BestFrame | undefined> {
  const time = new AbortController();
  // Where pictures wait to be taken, their own times are the only clock.
  const timer = lossless ? undefined : setTimeout(() => time.abort(), within);
  const forget = signal?.aborted === true ? undefined : signal && onAbort(signal, () => time.abort());
  if (signal?.aborted === true) time.abort();
  let best: Best | undefined;
  let first: number | undefined;
  let looked = 0;
  let faces = 0;
  try {
    for await (const frame of camera.frames({ signal: time.signal })) {
      first ??= frame.timestamp;
      if (frame.timestamp - first > within) break;
      // A look that has begun is ended: the picture was taken in time.
      const found = await engine.analyze(frame, {
        pose: true,
        quality: true,
        maxFaces: 1,
        ...(signal === undefined ? {} : { signal }),
      });
      looked++;
      const [face] = found;
      if (face === undefined) continue;
      faces++;
      const rated = rateFace(face);
      if (best === undefined || rated.score > best.rated.score) best = { frame, face, rated };
    }
  } catch (error) {
    const over = error instanceof LineamentError && error.code === 'ABORTED' && time.signal.aborted;
    if (!over || signal?.aborted === true) throw signal?.aborted === true ? abortError(signal) : error;
  } finally {
    clearTimeout(timer);
    forget?.();
  }
  if (best === undefined) return undefined;
  const { frame, face, rated } = best;
  return { frame, box: face.box, ...(face.pose && { pose: face.pose }), ...rated, looked, faces };
}
