import { applyRegion, type Region, squareRegion } from '../image/geometry.js';
import { checkLength, outputOfLength } from '../models/contract.js';
import type { Network, Networks } from '../models/network.js';
import type { Box, Frame, Point } from '../types.js';
import { from106, POINTS_106, VALUES_3D68 } from './insightface.js';
import { eyeAngle, POINT_COUNT, turnedBounds } from './points.js';

/** The landmark networks of the starter pack, and of the catalogue (`2d106`, `3d68`), by the ids of their cards. */
export const LANDMARKERS = {
  standard: 'faceapi_landmarks68',
  tiny: 'faceapi_landmarks68_tiny',
  '2d106': 'insightface_2d106',
  '3d68': 'insightface_3d68',
} as const;
export type LandmarkerName = keyof typeof LANDMARKERS;

/** How landmarks are found: plain data. */
export interface LandmarkPlan {
  readonly network: LandmarkerName;
  /** Side of the square that is looked at first, over that of the square that holds a whole face; 1 when absent. */
  readonly boxScale?: number;
  /** How often the network is run again on a square turned upright along the eyes. */
  readonly refine: number;
  /** Side of the turned square over the longer extent of the points found before. */
  readonly refineScale: number;
}

/**
 * 68 points for each box, in the pixels of the picture; `boxScale` is the side of the square that holds a whole face, over
 * the longer side of the box (detectors draw boxes differently). Dense blocks on a 112 × 112 square (the face-api network; Huang et
 * al., "Densely Connected Convolutional Networks", CVPR 2017), or InsightFace's networks. All boxes run as one batch. Points of a face that is cut
 * off lie where the network guesses them, also outside of the picture. Rejects with `MODEL_CORRUPT` where a network is not what its card says.
 */
export async function locateLandmarks(
  networks: Networks,
  frame: Frame,
  boxes: readonly Box[],
  boxScale: number,
  plan: LandmarkPlan,
  signal?: AbortSignal,
): Promise<Point[][]> {
  if (boxes.length === 0) return [];
  const network = await networks.get(LANDMARKERS[plan.network]);
  const size = network.card.input.width;
  const scale = boxScale * (plan.boxScale ?? 1);
  const read = READERS[plan.network];
  let points = await read(
    network,
    frame,
    boxes.map((box) => boxRegion(box, scale, size)),
    signal,
  );
  for (let pass = 0; pass < plan.refine; pass++) {
    points = await read(
      network,
      frame,
      points.map((p) => uprightRegion(p, plan.refineScale, size)),
      signal,
    );
  }
  return points;
}

function boxRegion([x, y, w, h]: Box, scale: number, size: number): Region {
  return squareRegion(x + w / 2, y + h / 2, Math.max(w, h) * scale, size);
}

/** The square around a face turned upright: its side is `scale` × the longer extent of the points along the turned axes. */
export function uprightRegion(points: readonly Point[], scale: number, size: number): Region {
  const angle = eyeAngle(points);
  const { centre, width, height } = turnedBounds(points, angle);
  return squareRegion(centre[0], centre[1], Math.max(width, height) * scale, size, angle);
}

type Reader = (
  network: Network,
  frame: Frame,
  regions: readonly Region[],
  signal: AbortSignal | undefined,
) => Promise<Point[][]>;

const READERS: Readonly<Record<LandmarkerName, Reader>> = {
  standard: readStandard,
  tiny: readStandard,
  '2d106': read106,
  '3d68': read3d,
};

async function readStandard(
  network: Network,
  frame: Frame,
  regions: readonly Region[],
  signal: AbortSignal | undefined,
): Promise<Point[][]> {
  const { width, height } = network.card.input;
  const values = await network.output(frame, regions, 'landmarks', { signal });
  return regions.map((region, n) =>
    Array.from({ length: POINT_COUNT }, (_, i): Point => {
      const at = (n * POINT_COUNT + i) * 2;
      return applyRegion(region, values[at]! * width, values[at + 1]! * height);
    }),
  );
}

/** InsightFace's networks: coordinates from −1 to 1 across the square. */
async function read106(
  network: Network,
  frame: Frame,
  regions: readonly Region[],
  signal: AbortSignal | undefined,
): Promise<Point[][]> {
  const values = await readValues(network, frame, regions, 2 * POINTS_106, signal);
  return regions.map((region, n) => {
    const all = placed(network, region, values, n * 2 * POINTS_106, 2, POINTS_106);
    return from106(all);
  });
}

async function read3d(
  network: Network,
  frame: Frame,
  regions: readonly Region[],
  signal: AbortSignal | undefined,
): Promise<Point[][]> {
  const values = await readValues(network, frame, regions, VALUES_3D68, signal);
  // The dense points of the face come first, the 68 last.
  const first = VALUES_3D68 - 3 * POINT_COUNT;
  return regions.map((region, n) => placed(network, region, values, n * VALUES_3D68 + first, 3, POINT_COUNT));
}

async function readValues(
  network: Network,
  frame: Frame,
  regions: readonly Region[],
  count: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const output = outputOfLength(network, count, 'the landmarks');
  const values = await network.output(frame, regions, output, { signal });
  checkLength(network, values, regions.length, count);
  return values;
}

function placed(
  { card }: Network,
  region: Region,
  values: Float32Array,
  start: number,
  step: number,
  count: number,
): Point[] {
  const { width, height } = card.input;
  return Array.from({ length: count }, (_, i): Point => {
    const at = start + i * step;
    return applyRegion(region, ((values[at]! + 1) * width) / 2, ((values[at + 1]! + 1) * height) / 2);
  });
}
