/** What the drawings need to know of a face, and how it is drawn: contours, colours, axes. */
import type { Face, Point, Pose } from '../types.js';

/** A face to draw; the engine's `Face` is one. Only the box is needed: what is absent is not drawn. */
export type DrawableFace = Pick<Face, 'box'> & Partial<Pick<Face, 'score' | 'landmarks' | 'pose'>>;

/** One line of the 68-point scheme (iBUG 300-W order, counted from 0). */
export interface Contour {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly closed: boolean;
}

/**
 * The lines that join the 68 points: Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV workshops 2013. Left and right
 * are those of the picture.
 */
export const CONTOURS_68: readonly Contour[] = [
  { name: 'jaw', from: 0, to: 16, closed: false },
  { name: 'left brow', from: 17, to: 21, closed: false },
  { name: 'right brow', from: 22, to: 26, closed: false },
  { name: 'nose bridge', from: 27, to: 30, closed: false },
  { name: 'nose base', from: 31, to: 35, closed: false },
  { name: 'left eye', from: 36, to: 41, closed: true },
  { name: 'right eye', from: 42, to: 47, closed: true },
  { name: 'outer lips', from: 48, to: 59, closed: true },
  { name: 'inner lips', from: 60, to: 67, closed: true },
];

/** Colours that tell faces apart on photographs and on light and dark pages alike; face n takes colour n modulo 8. */
export const PALETTE: readonly string[] = [
  '#22d3ee',
  '#f59e0b',
  '#a3e635',
  '#f472b6',
  '#818cf8',
  '#fb7185',
  '#34d399',
  '#facc15',
];

/** The colour of the face with this index, counted from 0. */
export function faceColour(index: number): string {
  return PALETTE[((index % PALETTE.length) + PALETTE.length) % PALETTE.length] ?? '#22d3ee';
}

/** Directions of the head's axes on the picture (x right, y down), for length 1 seen head on. */
export interface PoseAxes {
  /** Towards the picture's right side for a head that looks at the camera. */
  readonly x: Point;
  /** Towards the chin. */
  readonly y: Point;
  /** Out of the face; [0, 0] for a head that looks straight at the camera. */
  readonly z: Point;
}

/**
 * Projects the head's axes on the picture (orthographic). As `Pose` and its estimate have it, the head is rolled in the picture
 * first, then lifted by the pitch, then turned by the yaw: where the nose points is said by yaw and pitch alone, in the picture's own
 * directions. Signs: positive roll turns the head clockwise on the picture, positive yaw turns the nose to the picture's
 * right, positive pitch lifts the nose.
 */
export function poseAxes(pose: Pose): PoseAxes {
  const radians = Math.PI / 180;
  const [sr, cr] = [Math.sin(pose.roll * radians), Math.cos(pose.roll * radians)];
  const [sy, cy] = [Math.sin(pose.yaw * radians), Math.cos(pose.yaw * radians)];
  const [sp, cp] = [Math.sin(pose.pitch * radians), Math.cos(pose.pitch * radians)];
  return {
    x: [cr * cy + sr * sp * sy, sr * cp],
    y: [-sr * cy + cr * sp * sy, cr * cp],
    z: [sy * cp, -sp],
  };
}
