import { cancellable } from '../inference/cancel.js';
import type { NativeAddon, NativeExecutor, PixelView, ShapeTrainingSet } from '../native/addon.js';
import type { Box, Frame, Point } from '../types.js';
import { mirrorBox, mirrorGray, mirrorPoint } from './mirror.js';

/** A gray picture, tight rows. */
export interface GrayPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A face to learn from. */
export interface TrainingFace {
  readonly box: Box;
  readonly points: readonly (Point | undefined)[];
}

/** Luma of a picture, as the addon computes it. */
export async function grayPicture(
  addon: NativeAddon,
  executor: NativeExecutor,
  frame: Frame,
  signal?: AbortSignal,
): Promise<GrayPicture> {
  const { width, height } = frame;
  const data = await cancellable(addon, signal, (token) => addon.convert(executor, frame, 'gray', token));
  return { data, width, height };
}

/** How far around a face pixels are kept, in longer sides of its box: no feature of a sensible shape lies further out. */
const MARGIN = 1;

/**
 * The part of a picture that its faces need, so that a large photograph of a small face costs little memory; the picture
 * itself where that would not save a quarter.
 */
export function cropToFaces(
  picture: GrayPicture,
  faces: readonly TrainingFace[],
): { picture: GrayPicture; faces: TrainingFace[] } {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { box, points } of faces) {
    const margin = Math.max(box[2], box[3]) * MARGIN;
    const corners: (Point | undefined)[] = [[box[0], box[1]], [box[0] + box[2], box[1] + box[3]], ...points];
    for (const corner of corners) {
      if (corner === undefined) continue;
      x0 = Math.min(x0, corner[0] - margin);
      y0 = Math.min(y0, corner[1] - margin);
      x1 = Math.max(x1, corner[0] + margin);
      y1 = Math.max(y1, corner[1] + margin);
    }
  }
  const left = Math.max(0, Math.floor(x0));
  const top = Math.max(0, Math.floor(y0));
  const width = Math.min(picture.width, Math.ceil(x1)) - left;
  const height = Math.min(picture.height, Math.ceil(y1)) - top;
  if (!(width > 0 && height > 0) || width * height > 0.75 * picture.width * picture.height) {
    return { picture, faces: [...faces] };
  }
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * picture.width + left;
    data.set(picture.data.subarray(from, from + width), y * width);
  }
  const moved = faces.map(
    ({ box: [x, y, w, h], points }): TrainingFace => ({
      box: [x - left, y - top, w, h],
      points: points.map((p): Point | undefined => p && [p[0] - left, p[1] - top]),
    }),
  );
  return { picture: { data, width, height }, faces: moved };
}

/** Gathers faces into what the native trainer takes. */
export class SampleSet {
  readonly #points: number;
  readonly #images: PixelView[] = [];
  readonly #faces: { image: number; face: TrainingFace }[] = [];

  /** @param points number of points of each face */
  constructor(points: number) {
    this.#points = points;
  }

  get pictures(): number {
    return this.#images.length;
  }

  get faces(): number {
    return this.#faces.length;
  }

  /** Adds a picture and its faces; with `order` also their mirror image, point i of which is point order[i]. */
  add(picture: GrayPicture, faces: readonly TrainingFace[], order?: readonly number[]): void {
    if (faces.length === 0) return;
    this.#add(picture, faces);
    if (order === undefined) return;
    const { width, height } = picture;
    const mirrored = faces.map(
      ({ box, points }): TrainingFace => ({
        box: mirrorBox(box, width),
        points: order.map((from) => {
          const point = points[from];
          return point && mirrorPoint(point, width);
        }),
      }),
    );
    this.#add({ data: mirrorGray(picture.data, width, height), width, height }, mirrored);
  }

  #add({ data, width, height }: GrayPicture, faces: readonly TrainingFace[]): void {
    const image = this.#images.push({ data, width, height, format: 'gray' }) - 1;
    for (const face of faces) this.#faces.push({ image, face });
  }

  /** The set as arrays; NaN where a point is not annotated. */
  pack(): ShapeTrainingSet {
    const count = this.#faces.length;
    const boxes = new Float64Array(count * 4);
    const points = new Float64Array(count * this.#points * 2).fill(Number.NaN);
    this.#faces.forEach(({ face }, n) => {
      boxes.set(face.box, n * 4);
      face.points.forEach((point, i) => {
        if (point !== undefined) points.set(point, (n * this.#points + i) * 2);
      });
    });
    return { images: this.#images, imageOf: Uint32Array.from(this.#faces, ({ image }) => image), boxes, points };
  }
}
