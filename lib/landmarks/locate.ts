import { applyRegion, type Region, squareRegion } from '../image/geometry.js';
import type { Network, Networks } from '../models/network.js';
import type { Box, Frame, Point } from '../types.js';
import { eyeAngle, POINT_COUNT, turnedBounds } from './points.js';

/** The landmark networks of the starter pack, by the ids of their cards. */
export const LANDMARKERS = { standard: 'faceapi_landmarks68', tiny: 'faceapi_landmarks68_tiny' } as const;

/** How landmarks are found: plain data. */
export interface LandmarkPlan {
  readonly network: keyof typeof LANDMARKERS;
  /** How often the network is run again on a square turned upright along the eyes. */
  readonly refine: number;
  /** Side of the turned square over the longer extent of the points found before. */
  readonly refineScale: number;
}

/**
 * 68 points for each box, in the pixels of the picture; `boxScale` is the side of the square that holds a whole face, over
 * the longer side of the box (detectors draw boxes differently). Dense blocks on a 112 × 112 square (the face-api network; Huang et
 * al., "Densely Connected Convolutional Networks", CVPR 2017). All boxes run as one batch. Points of a face that is cut
 * off lie where the network guesses them, also outside of the picture.
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
  let points = await run(
    network,
    frame,
    boxes.map((box) => boxRegion(box, boxScale, size)),
    signal,
  );
  for (let pass = 0; pass < plan.refine; pass++) {
    points = await run(
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

async function run(
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
