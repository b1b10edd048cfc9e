// Crops and chips: the geometry under test.
import { apply, fitSimilarity, squareCrop, warp } from '../image.mjs';
import { landmarks68 } from './nets.mjs';

// Mean face of points 17..67 (dlib image_transforms/interpolation.h, Boost licence).
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
const range = (a, b) => Array.from({ length: b - a + 1 }, (_, i) => a + i);
/** Point sets used for the similarity. */
export const POINTS = {
  dlib68: range(27, 67).filter((i) => !(i >= 55 && i <= 59) && !(i >= 65)),
  inner: range(27, 67),
  all51: range(17, 67),
  five: [36, 39, 42, 45, 33],
  eyesNose: [...range(27, 35), ...range(36, 47)],
};

/** Similarity from chip pixels to source pixels for a chip of `size` with `padding` (dlib's definition). */
export function chipSimilarity(points, { size = 150, padding = 0.25, set = 'dlib68', dy = 0 } = {}) {
  const use = POINTS[set];
  const to = use.map((i) => points[i]);
  const from = use.map((i) => [
    ((padding + MEAN_X[i - 17]) / (2 * padding + 1)) * size,
    ((padding + MEAN_Y[i - 17]) / (2 * padding + 1) + dy) * size,
  ]);
  return fitSimilarity(from, to);
}

/** Mean of a set of points. */
export const centre = (points, from, to) => {
  let x = 0;
  let y = 0;
  for (let i = from; i <= to; i++) {
    x += points[i][0];
    y += points[i][1];
  }
  return [x / (to - from + 1), y / (to - from + 1)];
};

/** Roll of the line between the eyes, radians. */
export function eyeRoll(points) {
  const l = centre(points, 36, 41);
  const r = centre(points, 42, 47);
  return Math.atan2(r[1] - l[1], r[0] - l[0]);
}

/** Landmarks from a box: square crop around its centre, side = factor * max(w, h). */
export async function landmarksFromBox(frame, box, { factor = 1, filter = 'area', roll = 0, dy = 0 } = {}) {
  const side = Math.max(box[2], box[3]) * factor;
  const s = squareCrop(box[0] + box[2] / 2, box[1] + box[3] / 2 + dy * side, side, 112, roll);
  const [points] = await landmarks68([warp(frame, s, 112, 112, filter)]);
  return points.map(([x, y]) => apply(s, [x * 112, y * 112]));
}

/** Runs the landmarks again on the crop turned by the eye line, side = factor * larger extent of the first points. */
export async function refineLandmarks(frame, points, { factor = 1.35, filter = 'area', dy = 0 } = {}) {
  const roll = eyeRoll(points);
  const turned = { a: Math.cos(-roll), b: Math.sin(-roll), tx: 0, ty: 0 };
  const q = points.map((p) => apply(turned, p));
  const xs = q.map((p) => p[0]);
  const ys = q.map((p) => p[1]);
  const w = Math.max(...xs) - Math.min(...xs);
  const h = Math.max(...ys) - Math.min(...ys);
  const side = Math.max(w, h) * factor;
  const c = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2 + dy * side];
  const back = { a: Math.cos(roll), b: Math.sin(roll), tx: 0, ty: 0 };
  const [cx, cy] = apply(back, c);
  const s = squareCrop(cx, cy, side, 112, roll);
  const [again] = await landmarks68([warp(frame, s, 112, 112, filter)]);
  return again.map(([x, y]) => apply(s, [x * 112, y * 112]));
}

/** face-api's descriptor crop: square, unrotated, side floor(mean eye-to-mouth distance / 0.45). */
export function faceApiCrop(points) {
  const mean = (a, b) => centre(points, a, b);
  const eyes = [mean(36, 41), mean(42, 47)];
  const mouth = mean(48, 67);
  const distance = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
  const size = Math.floor((distance(eyes[0], mouth) + distance(eyes[1], mouth)) / 2 / 0.45);
  const cx = (eyes[0][0] + eyes[1][0] + mouth[0]) / 3;
  const cy = (eyes[0][1] + eyes[1][1] + mouth[1]) / 3;
  const x = Math.floor(Math.max(0, cx - 0.5 * size));
  const y = Math.floor(Math.max(0, cy - 0.43 * size));
  return { x, y, size };
}
