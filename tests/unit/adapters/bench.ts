import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from '../../../lib/inference/runtime.js';
import { Networks } from '../../../lib/models/network.js';
import type { Frame, Point } from '../../../lib/types.js';
import { type SmallModel, type SmallPack, smallPack } from '../../support/small-networks.js';

export interface Bench extends AsyncDisposable {
  /** Networks of a new pack with these models. */
  networks(models: Readonly<Record<string, SmallModel>>): Promise<Networks>;
  pack(models: Readonly<Record<string, SmallModel>>): Promise<SmallPack>;
}

/** A runtime and temporary folders for packs. */
export async function openBench(): Promise<Bench> {
  const runtime = await Runtime.open({ threads: 1 });
  const folders: string[] = [];
  const pack = async (models: Readonly<Record<string, SmallModel>>): Promise<SmallPack> => {
    const folder = await mkdtemp(join(tmpdir(), 'lineament-adapters-'));
    folders.push(folder);
    return smallPack(folder, models);
  };
  return {
    pack,
    networks: async (models) => new Networks(runtime, await pack(models)),
    [Symbol.asyncDispose]: async () => {
      await runtime.close();
      await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
    },
  };
}

/** An RGB picture from a formula for the colour at a point of the plane, taken at the centres of the pixels. */
export function paint(width: number, height: number, colour: (x: number, y: number) => readonly number[]): Frame {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(colour(x + 0.5, y + 0.5).map(Math.round), (y * width + x) * 3);
  }
  return { data, width, height, channels: 3, format: 'rgb' };
}

/** Colours that change slowly everywhere, and differently in each channel. */
export const waves = (x: number, y: number): readonly number[] => [
  128 + 60 * Math.sin(x / 37) + 50 * Math.cos(y / 29),
  120 + 70 * Math.cos((x + y) / 41),
  130 + 50 * Math.sin((x - 2 * y) / 53) + 40 * Math.cos(x / 31),
];

/** The similarity that scales by `scale`, turns by `angle` and then moves by (x, y). */
export const similarity =
  (scale: number, angle: number, x: number, y: number) =>
  ([u, v]: Point): Point => [
    x + scale * (u * Math.cos(angle) - v * Math.sin(angle)),
    y + scale * (u * Math.sin(angle) + v * Math.cos(angle)),
  ];

/** Means over squares of `pool` pixels of the chip whose pixel at (u, v) shows the picture at `map(u, v)`; channel by channel, row by row. */
export function chipMeans(
  size: number,
  pool: number,
  map: (chip: Point) => Point,
  value: (x: number, y: number) => readonly number[],
): number[] {
  const side = size / pool;
  const means = new Array<number>(3 * side * side).fill(0);
  for (let v = 0; v < size; v++) {
    for (let u = 0; u < size; u++) {
      const cell = Math.floor(v / pool) * side + Math.floor(u / pool);
      value(...map([u + 0.5, v + 0.5])).forEach((one, channel) => {
        means[channel * side * side + cell]! += one / (pool * pool);
      });
    }
  }
  return means;
}

export const unit = (values: readonly number[]): number[] => {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
};

/** Largest difference between two lists of the same length. */
export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}
