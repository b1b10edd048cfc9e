import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { decodeImage } from '../image/decode.js';
import { boundsOf, intersectionOverUnion } from '../image/geometry.js';
import type { Box, Frame, Point } from '../types.js';
import type { AnnotatedFace, AnnotatedPicture, LandmarkDataset } from './dataset.js';
import { fault } from './fault.js';

/** Finds the boxes of faces in a picture, in its pixels. */
export type FaceFinder = (frame: Frame, signal?: AbortSignal) => Promise<readonly Box[]>;

/**
 * Where the boxes of the faces come from: `given` as the file has them (300-W has none: bounds of the points), `points` the
 * bounds of the points, or a detector of the caller's. A model learns how its boxes lie about a face: train it on boxes of the
 * kind that it will be given.
 */
export type BoxSource = 'given' | 'points' | FaceFinder;

/** A box from a detector belongs to a face where it overlaps the bounds of its points this much (intersection over union). */
const SAME_FACE = 0.3;

export interface LoadedPicture {
  readonly picture: AnnotatedPicture;
  readonly frame: Frame;
  readonly faces: readonly {
    readonly face: AnnotatedFace;
    /** Absent where the detector did not find the face. */
    readonly box: Box | undefined;
  }[];
}

/**
 * The pictures of a data set in their order, the next being read while one is worked on. Rejects with the codes of
 * `decodeImage`, the message naming the annotation file and line; `INVALID_ARGUMENT` for a picture of another size than stated.
 */
export async function* loadPictures(
  dataset: LandmarkDataset,
  boxes: BoxSource,
  signal?: AbortSignal,
): AsyncGenerator<LoadedPicture> {
  const wanted = dataset.pictures.filter(({ faces }) => faces.length > 0);
  const read = (i: number): Promise<LoadedPicture> | undefined => {
    const picture = wanted[i];
    if (picture === undefined) return undefined;
    const loading = load(picture, boxes, signal);
    loading.catch(() => undefined);
    return loading;
  };
  let next = read(0);
  try {
    for (let i = 0; next !== undefined; i++) {
      const loaded = await next;
      next = read(i + 1);
      throwIfAborted(signal);
      yield loaded;
    }
  } finally {
    await next?.catch(() => undefined);
  }
}

async function load(picture: AnnotatedPicture, boxes: BoxSource, signal?: AbortSignal): Promise<LoadedPicture> {
  const { source, line, size } = picture;
  const frame = await decodeImage(picture.path, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    const { code, message } = wrapError(error);
    if (code === 'ABORTED') throw error;
    throw new LineamentError(code, `${source}:${line}: ${message}`, { cause: error });
  });
  if (size !== undefined && (size.width !== frame.width || size.height !== frame.height)) {
    const turned = size.width === frame.height && size.height === frame.width;
    throw fault(
      source,
      line,
      `${picture.path} has ${frame.width}×${frame.height} pixels where ${size.width}×${size.height} are stated`,
      turned ? 'Points of a photograph with an EXIF orientation must be those of the upright picture.' : undefined,
    );
  }
  if (boxes === 'given') return { picture, frame, faces: picture.faces.map((face) => ({ face, box: face.box })) };
  const bounds = picture.faces.map((face) => pointBounds(face, source));
  if (boxes === 'points') {
    return { picture, frame, faces: picture.faces.map((face, i) => ({ face, box: bounds[i] })) };
  }
  const found = matchBoxes(bounds, await boxes(frame, signal));
  return { picture, frame, faces: picture.faces.map((face, i) => ({ face, box: found[i] })) };
}

function pointBounds({ points, line }: AnnotatedFace, source: string): Box {
  const box = boundsOf(points.filter((p): p is Point => p !== undefined));
  if (!(box[2] > 0 && box[3] > 0)) throw fault(source, line, 'the points of this face span no area');
  return box;
}

/** For each of the `wanted` its own of the boxes that were `found`, best overlap first; `undefined` where there is none. */
export function matchBoxes(wanted: readonly Box[], found: readonly Box[]): (Box | undefined)[] {
  const pairs = wanted.flatMap((a, i) => found.map((b, j) => ({ i, j, overlap: intersectionOverUnion(a, b) })));
  pairs.sort((a, b) => b.overlap - a.overlap);
  const result: (Box | undefined)[] = wanted.map(() => undefined);
  const used = new Set<number>();
  for (const { i, j, overlap } of pairs) {
    if (overlap < SAME_FACE) break;
    if (result[i] !== undefined || used.has(j)) continue;
    result[i] = found[j];
    used.add(j);
  }
  return result;
}
