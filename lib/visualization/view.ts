/**
 * How a surface is looked at and lit. Plain code that the viewer's page and the renderer in Node share, so that both draw one
 * picture.
 *
 * Frame: millimetres, X to the picture's right, Y up, Z towards the viewer (glTF's axes); a camera frame (Y down, Z away) becomes it
 * by (x, −y, −z).
 */

/** A direction to look from, in degrees, as head poses are stated: `yaw` > 0 turns a face to the picture's right edge, `pitch` > 0 up. */
export interface View {
  readonly yaw: number;
  readonly pitch: number;
}

export type Vector3 = readonly [x: number, y: number, z: number];

/** A sphere around everything: the middle of the bounding box, and the distance of the furthest point from it. */
export interface Bounds {
  readonly centre: Vector3;
  readonly radius: number;
}

/** Angle between the upper and the lower edge of the picture, in degrees. */
export const FIELD_OF_VIEW = 30;

/** Room around the sphere, as a factor of its radius. */
const MARGIN = 1.04;

/** The sphere around points (n × 3); absent without a point. `flip` reads them from a camera frame. */
export function boundsOf(points: readonly Float32Array[], flip = false): Bounds | undefined {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const positions of points) {
    for (let i = 0; i < positions.length; i++) {
      const axis = i % 3;
      const value = positions[i]!;
      if (value < low[axis]!) low[axis] = value;
      if (value > high[axis]!) high[axis] = value;
    }
  }
  if (!(low[0]! <= high[0]!)) return undefined;
  const [x, y, z] = low.map((value, axis) => (value + high[axis]!) / 2) as [number, number, number];
  let furthest = 0;
  for (const positions of points) {
    for (let i = 0; i + 2 < positions.length; i += 3) {
      const square = (positions[i]! - x) ** 2 + (positions[i + 1]! - y) ** 2 + (positions[i + 2]! - z) ** 2;
      if (square > furthest) furthest = square;
    }
  }
  return { centre: flip ? [x, -y, -z] : [x, y, z], radius: Math.max(Math.sqrt(furthest), 1e-3) };
}

/** Distance from which a sphere just fits into a picture of this shape. */
export function fittingDistance(radius: number, width: number, height: number): number {
  const vertical = Math.tan((FIELD_OF_VIEW * Math.PI) / 360);
  const half = Math.atan(Math.min(vertical, (vertical * width) / height));
  return (radius * MARGIN) / Math.sin(half);
}

/** The turn of the surface for a view: three rows of a rotation matrix, first about the vertical axis, then up or down. */
export function viewRotation({ yaw, pitch }: View): readonly [Vector3, Vector3, Vector3] {
  const [sy, cy] = [Math.sin((yaw * Math.PI) / 180), Math.cos((yaw * Math.PI) / 180)];
  const [sp, cp] = [Math.sin((pitch * Math.PI) / 180), Math.cos((pitch * Math.PI) / 180)];
  return [
    [cy, 0, sy],
    [-sp * sy, cp, sp * cy],
    [-cp * sy, -sp, cp * cy],
  ];
}

/** The lights, fixed to the camera: one from above its left shoulder, one from beside its right. Directions have length 1. */
export const LIGHTS = {
  ambient: 0.3,
  key: { direction: normalised([-0.45, 0.55, 0.9]), strength: 0.62 },
  fill: { direction: normalised([0.8, -0.15, 0.6]), strength: 0.2 },
} as const;

/** Colours (sRGB, 0–1) of a surface without texture, and of its back, which must not pass for a face. */
export const CLAY: Vector3 = [0.83, 0.78, 0.74];
export const BACK: Vector3 = [0.36, 0.4, 0.48];

function normalised([x, y, z]: Vector3): Vector3 {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}
