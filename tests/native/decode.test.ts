import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decoder, NativeSession, OutputTensor, PixelInput, TensorSpec } from '../../lib/native/addon.js';
import { root } from '../support/child.js';
import { type Bench, havePack, openBench } from './support.js';

const photograph = join(root, 'node_modules', '@vladmandic', 'face-api', 'demo', 'sample1.jpg');

function spec(side: number, scale: number, offset: number): TensorSpec {
  return {
    width: side,
    height: side,
    colour: 'rgb',
    layout: 'nchw',
    type: 'float32',
    scale: [scale, scale, scale],
    offset: [offset, offset, offset],
  };
}

type Row = readonly number[];

function rows(detections: { count: number; stride: number; data: Float32Array } | undefined): Row[] {
  if (detections === undefined) throw new Error('no detections');
  const { count, stride, data } = detections;
  expect(data.length).toBe(count * stride);
  return Array.from({ length: count }, (_, i) => [...data.subarray(i * stride, (i + 1) * stride)]);
}

function overlap(a: Row, b: Row): number {
  const [ax1 = 0, ay1 = 0, ax2 = 0, ay2 = 0] = a;
  const [bx1 = 0, by1 = 0, bx2 = 0, by2 = 0] = b;
  const w = Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1));
  const h = Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1));
  return (w * h) / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - w * h);
}

function output(outputs: readonly OutputTensor[] | undefined, name: string): OutputTensor {
  const found = outputs?.find((o) => o.name === name);
  if (found === undefined) throw new Error(`no output ${name}`);
  return found;
}

describe.skipIf(!havePack || !existsSync(photograph))('decoders in a job', () => {
  let bench: Bench;
  let source: PixelInput['source'];
  let ssd: NativeSession;
  const detect: Decoder = { kind: 'ssd', minScore: 0.5, iou: 0.5, max: 100 };

  /** The whole picture in the top-left part of a square, as the SSD detector was trained. */
  const whole = (side: number): PixelInput => {
    const scale = Math.max(source.width, source.height) / side;
    return {
      source,
      regions: Float64Array.from([scale, 0, 0, 0, scale, 0]),
      tensor: spec(side, 1 / 127.5, -1),
      sampling: { filter: 'area', border: 'zero' },
    };
  };

  beforeAll(async () => {
    bench = await openBench();
    const { data, info } = await sharp(photograph).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    source = { data, width: info.width, height: info.height, format: 'rgb' };
    ssd = await bench.session('faceapi_ssd');
  });
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]();
  });

  it('give the boxes that the raw outputs mean', async () => {
    const input = whole(512);
    const found = rows((await ssd.run({ input, decode: detect })).detections);
    expect(found.length).toBeGreaterThan(0);
    const raw = (await ssd.run({ input })).outputs;
    const scores = output(raw, 'scores').data as Float32Array;
    const best = scores.reduce((at, score, i) => (score > (scores[at] ?? 0) ? i : at), 0);
    expect(found[0]?.[4]).toBeCloseTo(scores[best] ?? 0, 6);
    for (const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0, region] of found) {
      expect(x2).toBeGreaterThan(x1);
      expect(y2).toBeGreaterThan(y1);
      expect(score).toBeGreaterThanOrEqual(0.5);
      expect(region).toBe(0);
    }
    expect(found.map((r) => r[4])).toEqual([...found.map((r) => r[4] ?? 0)].sort((a, b) => b - a));
  });

  it('find the same faces mirrored, at other sizes, and once over tiles', async () => {
    const reference = rows((await ssd.run({ input: whole(512), decode: detect })).detections);
    const same = (found: readonly Row[], least: number): void => {
      expect(found.length).toBe(reference.length);
      for (const face of reference) expect(Math.max(...found.map((f) => overlap(f, face)))).toBeGreaterThan(least);
    };
    const both = await ssd.run({ input: { ...whole(512), mirror: 'both' }, decode: { ...detect, iou: 0.3 } });
    same(rows(both.detections), 0.7);
    same(rows((await ssd.run({ input: whole(416), decode: detect })).detections), 0.6);
    // The picture twice: suppression runs over all regions, so each face is there once.
    const input = whole(512);
    const twice = { ...input, regions: Float64Array.from([...input.regions, ...input.regions]) };
    same(rows((await ssd.run({ input: twice, decode: detect, maxBatch: 1 })).detections), 0.99);
    const tensor = await bench.addon.toTensor(bench.executor, source, input.regions, input.tensor, input.sampling);
    const apart = await ssd.run({
      input: { tensors: { [ssd.inputs[0]?.name ?? '']: { data: tensor, shape: [1, 3, 512, 512] } } },
      decode: detect,
    });
    const scale = input.regions[0] ?? 1;
    const scaled = rows(apart.detections).map((r) => r.map((v, i) => (i < 4 ? v * scale : v)));
    same(scaled, 0.99);
  });

  it('agree across detectors, keypoints inside the box', async () => {
    const [face] = rows((await ssd.run({ input: whole(512), decode: { ...detect, max: 1 } })).detections);
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = face ?? [];
    const side = 3 * Math.max(x2 - x1, y2 - y1);
    const around = (size: number): Float64Array =>
      Float64Array.from([side / size, 0, (x1 + x2 - side) / 2, 0, side / size, (y1 + y2 - side) / 2]);
    const blaze = await bench.session('human_blazeface');
    const found = rows(
      (
        await blaze.run({
          input: { ...whole(256), regions: around(256), tensor: spec(256, 1 / 127.5, -1) },
          decode: {
            kind: 'blaze',
            minScore: 0.5,
            iou: 0.3,
            max: 1,
            strides: [
              [16, 2],
              [32, 6],
            ],
            keypoints: 6,
            logits: false,
          },
        })
      ).detections,
    );
    expect(found.length).toBe(1);
    const [row = []] = found;
    expect(row.length).toBe(18);
    expect(overlap(row, face ?? [])).toBeGreaterThan(0.4);
    const [leftEyeX = 0, leftEyeY = 0, rightEyeX = 0, , , noseY = 0] = row.slice(6);
    expect(leftEyeX).toBeLessThan(rightEyeX);
    expect(leftEyeY).toBeLessThan(noseY);
    expect(leftEyeX).toBeGreaterThan(row[0] ?? 0);
    expect(rightEyeX).toBeLessThan(row[2] ?? 0);

    const tiny = await bench.session('faceapi_tiny');
    const grid = rows(
      (
        await tiny.run({
          input: {
            ...whole(416),
            regions: around(416),
            tensor: {
              ...spec(416, 1 / 255, 0),
              offset: [-117.001 / 255, -114.697 / 255, -97.404 / 255],
            },
          },
          decode: { kind: 'tiny', minScore: 0.5, iou: 0.4, max: 5 },
        })
      ).detections,
    );
    expect(Math.max(...grid.map((r) => overlap(r, face ?? [])))).toBeGreaterThan(0.4);
  });
});
