import { fitSimilarity, type Region } from '../image/geometry.js';
import type { Point } from '../types.js';

/**
 * Mean shape of points 17–67 of the 68, in units of its own extent: the numbers that dlib's face chips are cut by
 * (D. King, dlib, `image_transforms/interpolation.h`, Boost Software Licence).
 */
const MEAN_X = [
  0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991, 0.98004, 0.490127,
  0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737, 0.187122, 0.265825, 0.334606,
  0.260918, 0.182743, 0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335, 0.254149, 0.340985, 0.428858, 0.490127,
  0.551395, 0.639268, 0.726104, 0.642159, 0.556721, 0.490127, 0.423532, 0.338094, 0.290379, 0.428096, 0.490127,
  0.552157, 0.689874, 0.553364, 0.490127, 0.42689,
];
const MEAN_Y = [
  0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915, 0.106454, 0.203352,
  0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423, 0.178758, 0.179852,
  0.231733, 0.245099, 0.244077, 0.231733, 0.179852, 0.178758, 0.216423, 0.244077, 0.245099, 0.780233, 0.745405,
  0.727388, 0.742578, 0.727388, 0.745405, 0.780233, 0.864805, 0.902192, 0.909281, 0.902192, 0.864805, 0.784792,
  0.778746, 0.785343, 0.778746, 0.784792, 0.824182, 0.831803, 0.824182,
];
const FIRST = 17;

/** Points that the chip is aligned to: as dlib, without brows (17–26) and lower lip (55–59, 65–67), which move most. */
const ALIGNED = Array.from({ length: 68 - 27 }, (_, i) => i + 27).filter(
  (i) => !(i >= 55 && i <= 59) && !(i >= 65 && i <= 67),
);

/** Where a chip shows the mean face. */
export interface ChipGeometry {
  /** Side in pixels. */
  readonly size: number;
  /** Margin on each side, as a share of the mean shape's extent. */
  readonly padding: number;
  /** How far down the face sits from there, as a share of the side. */
  readonly down: number;
}

/** The mean shape inside a chip, for the landmark indices that take part in the alignment. */
export function chipTemplate({ size, padding, down }: ChipGeometry): {
  readonly indices: readonly number[];
  readonly points: Point[];
} {
  const place = (mean: number): number => ((padding + mean) / (1 + 2 * padding)) * size;
  return {
    indices: ALIGNED,
    points: ALIGNED.map((i): Point => [place(MEAN_X[i - FIRST]!), place(MEAN_Y[i - FIRST]!) + down * size]),
  };
}

/**
 * The part of the picture that becomes an aligned chip: the similarity that carries the template onto the landmarks with
 * the least squared error (Umeyama 1991). Absent when the landmarks are not finite.
 */
export function chipRegion(landmarks: readonly Point[], geometry: ChipGeometry): Region | undefined {
  const { indices, points } = chipTemplate(geometry);
  const region = fitSimilarity(
    points,
    indices.map((i) => landmarks[i]!),
  );
  return region?.every(Number.isFinite) === true ? region : undefined;
}
