/** Faces made from the mean head with known movements, seen by a camera with known turn and noise. */
import { POPULATION_BASELINE } from '../../../lib/analysis/expression/index.js';
import { MEAN_HEAD } from '../../../lib/landmarks/head.js';
import type { Point, Pose } from '../../../lib/types.js';
import { project } from '../../support/head.js';
import { normal } from '../../support/random.js';

/** How far each movement has gone, 0 neutral to 1 full. */
export interface Movement {
  readonly smile?: number;
  readonly frown?: number;
  readonly brows?: number;
  readonly wide?: number;
  readonly close?: number;
  readonly jaw?: number;
  readonly corners?: number;
  readonly pucker?: number;
  readonly stretch?: number;
}

type Vector = [x: number, y: number, z: number];

/** The mean head with its mouth at rest; `build` makes another person of it: broader, higher brows, lower and wider mouth. */
export function neutralHead(build = 0): Vector[] {
  const shape = POPULATION_BASELINE.shape;
  return MEAN_HEAD.map(([, , z], i): Vector => {
    let [x, y] = [shape[2 * i]!, shape[2 * i + 1]!];
    x *= 1 + 0.05 * build;
    if (i >= 17 && i <= 26) y += 0.3 * build;
    if (i >= 48) {
      x *= 1 + 0.08 * build;
      y -= 0.25 * build;
    }
    if (i <= 16) y -= 0.3 * build * (i > 3 && i < 13 ? 1 : 0);
    return [x, y, z];
  });
}

/** A head with its face moved; centimetres. */
export function moved(head: readonly Vector[], movement: Movement): Vector[] {
  const out = head.map(([x, y, z]): Vector => [x, y, z]);
  const shift = (indices: readonly number[], dx: number, dy: number): void => {
    for (const i of indices) {
      // Outward is away from the middle of the face.
      out[i]![0] += Math.sign(head[i]![0]) * dx;
      out[i]![1] += dy;
    }
  };
  const {
    smile = 0,
    frown = 0,
    brows = 0,
    wide = 0,
    close = 0,
    jaw = 0,
    corners = 0,
    pucker = 0,
    stretch = 0,
  } = movement;
  shift([48, 54, 60, 64], 0.7 * smile, 0.5 * smile);
  shift([49, 53, 59, 55], 0.35 * smile, 0.2 * smile);
  shift([40, 41, 46, 47], 0, 0.17 * smile);
  shift([17, 18, 25, 26, 19, 24, 20, 21, 22, 23], 0, 0.75 * brows);
  shift([19, 20, 21, 22, 23, 24], 0, -0.4 * frown);
  shift([21, 22], -0.2 * frown, 0);
  shift([37, 38, 43, 44], 0, 0.2 * wide);
  for (const [upper, lower] of [
    [37, 41],
    [38, 40],
    [43, 47],
    [44, 46],
  ] as const) {
    out[upper]![1] += close * (head[lower]![1] + 0.06 - head[upper]![1]);
  }
  shift([6, 7, 8, 9, 10], 0, -2.8 * jaw);
  shift([4, 5, 11, 12], 0, -1.6 * jaw);
  shift([55, 56, 57, 58, 59, 65, 66, 67], 0, -2.7 * jaw);
  shift([48, 54, 60, 64], -0.3 * jaw, -1.3 * jaw);
  shift([48, 54, 60, 64], 0, -0.4 * corners);
  shift([48, 54, 60, 64], -0.7 * pucker, 0);
  shift([49, 53, 55, 59], -0.3 * pucker, 0);
  shift([48, 54, 60, 64], 0.7 * stretch, 0);
  return out;
}

/** Scaled-orthographic picture of a head, with the signs of `Pose`. */
export function picture(
  head: readonly Vector[],
  pose: Pose = { roll: 0, yaw: 0, pitch: 0 },
  scale = 14,
  centre: Point = [320, 240],
): Point[] {
  return project(pose, scale, centre, head);
}

/** The points with normally distributed noise, `sigma` pixels in x and y. */
export function noisy(points: readonly Point[], sigma: number, next: () => number): Point[] {
  return points.map(([x, y]): Point => [x + sigma * normal(next), y + sigma * normal(next)]);
}

/** A smooth rise and fall from 0 at `from` over 1 in the middle to 0 at `to`. */
export function swell(time: number, from: number, to: number): number {
  return time <= from || time >= to ? 0 : Math.sin((Math.PI * (time - from)) / (to - from)) ** 2;
}

/** A head that moves slowly all the time. */
export function sway(time: number): Pose {
  return { roll: 6 * Math.sin(0.9 * time), yaw: 18 * Math.sin(0.6 * time + 1), pitch: 9 * Math.sin(0.75 * time + 2) };
}
