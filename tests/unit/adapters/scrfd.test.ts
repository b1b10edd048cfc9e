import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectFaces } from '../../../lib/detection/detect.js';
import { CATALOGUE_PRESETS } from '../../../lib/engine/index.js';
import type { Frame } from '../../../lib/types.js';
import { linearNetwork, SCRFD_STRIDES, scrfdNetwork, scrfdScore, scrfdValue } from '../../support/small-networks.js';
import { type Bench, openBench, paint } from './bench.js';

const plan = CATALOGUE_PRESETS.buffalo_l.detection;
const id = 'insightface_scrfd_10g';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** A cell of one of the maps, filled with so much of its colour. */
interface Cell {
  readonly level: 0 | 1 | 2;
  readonly column: number;
  readonly row: number;
  readonly value: number;
}

const CELLS: readonly Cell[] = [
  { level: 0, column: 40, row: 7, value: 255 },
  { level: 1, column: 5, row: 20, value: 250 },
  { level: 2, column: 14, row: 10, value: 245 },
];

/** A black picture with the cells of an input that is `scale` times smaller. */
function picture(width: number, height: number, scale: number, cells: readonly Cell[]): Frame {
  return paint(width, height, (x, y) => {
    const colour = [0, 0, 0];
    for (const { level, column, row, value } of cells) {
      const side = SCRFD_STRIDES[level] * scale;
      if (Math.floor(x / side) === column && Math.floor(y / side) === row) colour[level] = value;
    }
    return colour;
  });
}

/** What the network says of a cell, in pixels of a picture that is `scale` times the input and moved by (left, top). */
function expected({ level, column, row, value }: Cell, scale: number, left = 0, top = 0) {
  const x = (value - 127.5) / 128;
  const side = SCRFD_STRIDES[level] * scale;
  const [cx, cy] = [column * side + left, row * side + top];
  const d = [0, 1, 2, 3].map((k) => scrfdValue('box', k, x) * side);
  return {
    score: scrfdScore(x),
    box: [cx - d[0]!, cy - d[1]!, d[0]! + d[2]!, d[1]! + d[3]!],
    points: Array.from({ length: 5 }, (_, p) => [
      cx + scrfdValue('points', 2 * p, x) * side,
      cy + scrfdValue('points', 2 * p + 1, x) * side,
    ]),
  };
}

function agree(
  found: Awaited<ReturnType<typeof detectFaces>>,
  wanted: ReturnType<typeof expected>[],
  points = 5,
): void {
  const sorted = [...wanted].sort((a, b) => b.score - a.score);
  expect(found).toHaveLength(sorted.length);
  for (const [i, { box, score, keypoints }] of found.entries()) {
    const want = sorted[i]!;
    expect(score).toBeCloseTo(want.score, 4);
    for (const [k, value] of box.entries()) expect(value).toBeCloseTo(want.box[k]!, 2);
    expect(keypoints?.length ?? 0).toBe(points);
    for (const [k, point] of (keypoints ?? []).entries()) {
      expect(point[0]).toBeCloseTo(want.points[k]![0]!, 2);
      expect(point[1]).toBeCloseTo(want.points[k]![1]!, 2);
    }
  }
}

describe('SCRFD', () => {
  it('finds boxes and key points at all strides where the arithmetic puts them', async () => {
    const networks = await bench.networks({ [id]: { bytes: scrfdNetwork() } });
    const wanted = CELLS.map((cell) => expected(cell, 1));
    agree(await detectFaces(networks, picture(640, 480, 1, CELLS), plan), wanted);
  });

  it('shrinks a large picture, also a portrait whose input is padded', async () => {
    const networks = await bench.networks({ [id]: { bytes: scrfdNetwork() } });
    const wide = CELLS.map((cell) => expected(cell, 2));
    agree(await detectFaces(networks, picture(1280, 900, 2, CELLS), plan), wide);
    const cells = CELLS.map((cell) => ({ ...cell, column: cell.row, row: cell.column }));
    const tall = cells.map((cell) => expected(cell, 2));
    agree(await detectFaces(networks, picture(720, 1280, 2, cells), plan), tall);
  });

  it('centres the picture on an input of fixed size', async () => {
    const bytes = scrfdNetwork({ size: [640, 640] });
    const wanted = CELLS.map((cell) => expected(cell, 1));
    // The card may say so or leave the size free: the file decides.
    for (const input of [{ dynamic: [], shape: [1, 3, 640, 640] }, {}]) {
      const networks = await bench.networks({ [id]: { bytes, input } });
      // 640 × 448 on 640 × 640: 96 pixels above, a multiple of every stride.
      agree(await detectFaces(networks, picture(640, 448, 1, CELLS), plan), wanted);
    }
  });

  it('goes without key points where the file has none', async () => {
    const networks = await bench.networks({ [id]: { bytes: scrfdNetwork({ keypoints: false }) } });
    const wanted = CELLS.map((cell) => expected(cell, 1));
    agree(await detectFaces(networks, picture(640, 480, 1, CELLS), plan), wanted, 0);
  });

  it('keeps the better of two that overlap, and drops what is weak', async () => {
    const networks = await bench.networks({ [id]: { bytes: scrfdNetwork() } });
    const twins: readonly Cell[] = [
      { level: 2, column: 8, row: 6, value: 255 },
      { level: 2, column: 12, row: 6, value: 180 },
    ];
    const found = await detectFaces(networks, picture(640, 480, 1, twins), plan);
    agree(found, [expected(twins[0]!, 1)]);
    const lax = await detectFaces(networks, picture(640, 480, 1, twins), { ...plan, minScore: 0.001 });
    expect(lax.length).toBeGreaterThan(1);
    // A box of 2 × 2.5 cells and its neighbour one cell further overlap by more than a third.
    const close = twins.map((cell, i) => ({ ...cell, column: 8 + i, value: 255 - i }));
    const both = await detectFaces(networks, picture(640, 480, 1, close), { ...plan, iou: 0.9 });
    agree(
      both,
      close.map((cell) => expected(cell, 1)),
    );
    agree(await detectFaces(networks, picture(640, 480, 1, close), { ...plan, iou: 0.2 }), [expected(close[0]!, 1)]);
  });

  it('finds nothing in a black picture, and takes one of a single pixel', async () => {
    const networks = await bench.networks({ [id]: { bytes: scrfdNetwork() } });
    expect(await detectFaces(networks, picture(64, 48, 1, []), plan)).toEqual([]);
    expect(await detectFaces(networks, picture(1, 1, 1, []), plan)).toEqual([]);
  });

  it('refuses a file that is none, and says what one has', async () => {
    const frame = picture(64, 64, 1, []);
    const weights = new Float32Array(3 * 8);
    const linear = linearNetwork({ channels: 3, size: 64, pool: 64, output: 'x', bias: new Float32Array(8), weights });
    const other = await bench.networks({ [id]: { bytes: linear, input: { width: 64, height: 64, dynamic: [] } } });
    const error = await detectFaces(other, frame, plan).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'MODEL_CORRUPT' });
    expect((error as Error).message).toMatch(
      /insightface_scrfd_10g needs nine float32 outputs.*has x \[\?, 8\] float32/,
    );
    const lacking = await bench.networks({ [id]: { bytes: scrfdNetwork({ without: 16 }) } });
    await expect(detectFaces(lacking, frame, plan)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    // Found when the sizes are known: the file itself leaves them open.
    const long = await bench.networks({ [id]: { bytes: scrfdNetwork({ twice: 16 }) } });
    await expect(detectFaces(long, frame, plan)).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringMatching(/: insightface_scrfd_10g: The scrfd decoder expects.*3200×1 scores/) as string,
      fix: expect.stringContaining('insightface_scrfd_10g') as string,
    });
    const gray = linearNetwork({
      channels: 1,
      size: 64,
      pool: 64,
      output: 'x',
      bias: [0],
      weights: new Float32Array(1),
    });
    const wrong = await bench.networks({ [id]: { bytes: gray } });
    await expect(detectFaces(wrong, frame, plan)).rejects.toThrow(
      /needs one input \[N, 3, \?, \?\] float32.*data \[\?, 1, 64, 64\]/,
    );
  });
});
