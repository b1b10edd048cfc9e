import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import { canonicalFace } from '../../../lib/reconstruction/canonical.js';
import { depthNormals, estimateNormals, projectDepth } from '../../../lib/reconstruction/cloud.js';
import {
  downsampleVoxels,
  removeRadiusOutliers,
  removeStatisticalOutliers,
  samplePoissonDisk,
} from '../../../lib/reconstruction/cloud-filters.js';
import { type AlignCloudsOptions, alignClouds } from '../../../lib/reconstruction/icp.js';
import type { DepthMap, Mesh, PointCloud } from '../../../lib/reconstruction/types.js';
import { noise } from '../../native/support.js';
import { codeOf } from '../../support/code.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ threads: 2 });
});
afterAll(() => runtime.close());

const RADIUS = 90;
const MIDDLE = 500;

/** A ball before the camera; NaN around it. */
function ball(width = 160, height = 120): DepthMap {
  const camera = { fx: 300, fy: 300, cx: width / 2, cy: height / 2 };
  const depth = new Float32Array(width * height).fill(Number.NaN);
  for (let i = 0; i < depth.length; i++) {
    const x = ((i % width) + 0.5 - camera.cx) / camera.fx;
    const y = (Math.floor(i / width) + 0.5 - camera.cy) / camera.fy;
    const a = x * x + y * y + 1;
    const inside = MIDDLE ** 2 - a * (MIDDLE ** 2 - RADIUS ** 2);
    if (inside > 0) depth[i] = (MIDDLE - Math.sqrt(inside)) / a;
  }
  const confidence = depth.map((z) => (Number.isNaN(z) ? 0 : 0.5 + (z % 1) / 2));
  return { width, height, depth, confidence, camera, scale: { source: 'sensor' } };
}

const fromMiddle = (p: ArrayLike<number>, i: number): [number, number, number] => [
  p[3 * i]!,
  p[3 * i + 1]!,
  p[3 * i + 2]! - MIDDLE,
];

/** Points anywhere on a mesh, evenly. */
function sampled({ positions, indices }: Mesh, count: number, seed: number): Float32Array {
  const random = noise(3 * count, 0, 1, seed);
  const corner = (t: number, k: number) => positions.subarray(3 * indices[3 * t + k]!, 3 * indices[3 * t + k]! + 3);
  const areas: number[] = [];
  let total = 0;
  for (let t = 0; t < indices.length / 3; t++) {
    const [a, b, c] = [corner(t, 0), corner(t, 1), corner(t, 2)];
    const [u, v] = [b, c].map((p) => [p[0]! - a[0]!, p[1]! - a[1]!, p[2]! - a[2]!]) as [number[], number[]];
    const cross = [0, 1, 2].map((i) => u[(i + 1) % 3]! * v[(i + 2) % 3]! - u[(i + 2) % 3]! * v[(i + 1) % 3]!);
    total += Math.hypot(...cross);
    areas.push(total);
  }
  const out = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const t = areas.findIndex((sum) => sum >= random[3 * i]! * total);
    let [u, v] = [random[3 * i + 1]!, random[3 * i + 2]!];
    if (u + v > 1) [u, v] = [1 - u, 1 - v];
    for (let c = 0; c < 3; c++) {
      out[3 * i + c] = (1 - u - v) * corner(t, 0)[c]! + u * corner(t, 1)[c]! + v * corner(t, 2)[c]!;
    }
  }
  return out;
}

/** 4 × 4 numbers: a turn about an axis through the origin, then a shift. */
function motion(axis: readonly number[], degrees: number, shift: readonly number[]): number[] {
  const [x, y, z] = axis.map((v) => v / Math.hypot(...axis)) as [number, number, number];
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const k = 1 - c;
  return [
    ...[c + x * x * k, x * y * k - z * s, x * z * k + y * s, shift[0]!],
    ...[x * y * k + z * s, c + y * y * k, y * z * k - x * s, shift[1]!],
    ...[x * z * k - y * s, y * z * k + x * s, c + z * z * k, shift[2]!],
    ...[0, 0, 0, 1],
  ];
}

function moved(positions: Float32Array, m: ArrayLike<number>): Float32Array {
  return positions.map((_, i) => {
    const p = i - (i % 3);
    const r = 4 * (i % 3);
    return m[r]! * positions[p]! + m[r + 1]! * positions[p + 1]! + m[r + 2]! * positions[p + 2]! + m[r + 3]!;
  });
}

function rms(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum / (a.length / 3));
}

describe('projectDepth', () => {
  it('puts points on the ball, with normals that look back at the camera', async () => {
    const map = ball();
    const cloud = await projectDepth(runtime, map, { normals: true });
    expect(cloud.pixels.length).toBe(map.depth.filter((z) => z > 0).length);
    expect(cloud.positions.length).toBe(3 * cloud.pixels.length);
    let worst = 0;
    let squares = 0;
    for (let i = 0; i < cloud.pixels.length; i++) {
      const p = fromMiddle(cloud.positions, i);
      worst = Math.max(worst, Math.abs(Math.hypot(...p) - RADIUS));
      const n = cloud.normals!.subarray(3 * i, 3 * i + 3);
      squares += (n[0]! - p[0] / RADIUS) ** 2 + (n[1]! - p[1] / RADIUS) ** 2 + (n[2]! - p[2] / RADIUS) ** 2;
    }
    expect(worst).toBeLessThan(1e-3);
    expect(Math.sqrt(squares / cloud.pixels.length)).toBeLessThan(0.05);
    const grid = await depthNormals(runtime, map);
    expect(Array.from(cloud.pixels, (p) => grid[3 * p + 2])).toEqual(
      Array.from(cloud.pixels, (_, i) => cloud.normals![3 * i + 2]),
    );
    const sure = await projectDepth(runtime, map, { minConfidence: 0.75 });
    expect(sure.pixels.length).toBe(map.confidence.filter((v) => v >= 0.75).length);
  });

  it('takes colours from frames of any format, and from a camera of its own', async () => {
    const map = ball(40, 30);
    const rgb = Uint8Array.from(noise(3 * 40 * 30, 0, 256, 1));
    const frame = { data: rgb, width: 40, height: 30, channels: 3, format: 'rgb' } as const;
    const plain = await projectDepth(runtime, map, { picture: { frame } });
    for (const [i, pixel] of plain.pixels.entries()) {
      expect(plain.colours!.subarray(3 * i, 3 * i + 3)).toEqual(rgb.subarray(3 * pixel, 3 * pixel + 3));
    }
    const padded = new Uint8Array(30 * 170);
    for (let i = 0; i < 40 * 30; i++) {
      const at = Math.floor(i / 40) * 170 + 4 * (i % 40);
      padded.set([rgb[3 * i + 2]!, rgb[3 * i + 1]!, rgb[3 * i]!, 255], at);
    }
    const bgra = { data: padded, width: 40, height: 30, channels: 4, format: 'bgra', stride: 170 } as const;
    expect((await projectDepth(runtime, map, { picture: { frame: bgra } })).colours).toEqual(plain.colours);
    const own = { frame, camera: map.camera, transform: motion([0, 0, 1], 0, [0, 0, 0]) };
    expect((await projectDepth(runtime, map, { picture: own })).colours).toEqual(plain.colours);
  });

  it('says that there is no surface, and refuses what it cannot take', async () => {
    const map = ball(20, 20);
    const nothing = { ...map, depth: map.depth.map(() => Number.NaN), confidence: map.confidence.map(() => 0) };
    expect(await codeOf(projectDepth(runtime, nothing))).toBe('NO_SURFACE');
    expect(await codeOf(projectDepth(runtime, map, { minConfidence: 1 }))).toBe('NO_SURFACE');
    const frame = { data: new Uint8Array(300), width: 10, height: 10, channels: 3, format: 'rgb' } as const;
    const bad: [DepthMap, object][] = [
      [{ ...map, width: 21 }, {}],
      [{ ...map, width: 0, height: 0 }, {}],
      [{ ...map, width: 10_000, height: 10_000 }, {}],
      [{ ...map, camera: { ...map.camera, fx: Number.NaN } }, {}],
      [{ ...map, camera: { ...map.camera, cy: Number.POSITIVE_INFINITY } }, {}],
      [{ ...map, camera: { ...map.camera, fx: 1e-12 } }, {}],
      [map, { minConfidence: 2 }],
      [map, { normals: { radius: 17 } }],
      [map, { normals: { step: 0 } }],
      [map, { picture: { frame } }],
      [map, { picture: { frame: { ...frame, data: new Uint8Array(299) }, camera: map.camera } }],
      [map, { picture: { frame, camera: map.camera, transform: [1, 2, 3] } }],
      [map, { pictures: 1 }],
    ];
    for (const [wrong, options] of bad) {
      expect(await codeOf(projectDepth(runtime, wrong, options))).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('clouds', () => {
  /** A noisy sheet in front of the camera and strays all over. */
  function sheet(count: number): PointCloud {
    const random = noise(3 * count, -1, 1, 3);
    const positions = random.map((v, i) => {
      if (i > 3 * (count - 100)) return i % 3 === 2 ? 500 + 200 * v : 200 * v;
      return i % 3 === 2 ? 500 + 0.2 * v : 100 * v;
    });
    return { positions: Float32Array.from(positions), colours: Uint8Array.from(random, (v) => 255 * Math.abs(v)) };
  }

  it('are thinned, cleaned and given normals', async () => {
    const cloud = sheet(20_000);
    const before = cloud.positions.slice();
    const clean = await removeStatisticalOutliers(runtime, cloud);
    expect(clean.kept.length).toBeLessThan(19_960);
    expect(clean.kept.length).toBeGreaterThan(19_500);
    for (const [i, from] of [...clean.kept.entries()].filter((_, k) => k % 97 === 0)) {
      expect(clean.positions.subarray(3 * i, 3 * i + 3)).toEqual(cloud.positions.subarray(3 * from, 3 * from + 3));
      expect(clean.colours!.subarray(3 * i, 3 * i + 3)).toEqual(cloud.colours!.subarray(3 * from, 3 * from + 3));
    }
    const near = await removeRadiusOutliers(runtime, cloud, { radius: 5, neighbours: 4 });
    expect(Math.max(...near.positions.filter((_, i) => i % 3 === 2))).toBeLessThan(501);
    const thin = await downsampleVoxels(runtime, near, 10);
    expect(thin.positions.length / 3).toBeLessThan(2 * 21 * 21);
    expect(thin.colours).toHaveLength(thin.positions.length);
    const disks = await samplePoissonDisk(runtime, near, 10, { seed: 5 });
    expect(disks.kept.length).toBeGreaterThan(200);
    expect((await samplePoissonDisk(runtime, near, 10, { seed: 5 })).kept).toEqual(disks.kept);
    const shaded = await estimateNormals(runtime, near);
    const up = shaded.normals.filter((v, i) => i % 3 === 2 && v < -0.95).length;
    expect(up).toBeGreaterThan(0.99 * (near.positions.length / 3));
    expect(cloud.positions).toEqual(before);
  });

  it('of no points stay clouds of no points; two points are two points', async () => {
    const empty = { positions: new Float32Array(0) };
    const two = { positions: Float32Array.of(0, 0, 1, 10, 0, 1) };
    expect((await estimateNormals(runtime, empty)).normals).toHaveLength(0);
    expect((await estimateNormals(runtime, two)).normals).toEqual(new Float32Array(6));
    expect((await downsampleVoxels(runtime, empty, 1)).positions).toHaveLength(0);
    expect((await downsampleVoxels(runtime, two, 1)).positions).toHaveLength(6);
    for (const cloud of [empty, two]) {
      const count = cloud.positions.length / 3;
      expect((await removeStatisticalOutliers(runtime, cloud, { neighbours: 1000 })).kept).toHaveLength(count);
      expect((await removeRadiusOutliers(runtime, cloud, { radius: 1, neighbours: 1 })).kept).toHaveLength(0);
      expect((await samplePoissonDisk(runtime, cloud, 1)).kept).toHaveLength(count);
      expect(await codeOf(alignClouds(runtime, cloud, two))).toBe('NO_SURFACE');
    }
  });

  it('that are none are refused', async () => {
    const good = sheet(200);
    const faulty = [Number.NaN, Number.POSITIVE_INFINITY, 1e20].map((value) => {
      const positions = good.positions.slice();
      positions[100] = value;
      return { positions };
    });
    const shapes = [
      { positions: good.positions.subarray(1) },
      { positions: Array.from(good.positions) as unknown as Float32Array },
      { positions: good.positions, normals: new Float32Array(3) },
      { positions: good.positions, colours: new Uint8Array(1) },
      null as unknown as PointCloud,
    ];
    for (const cloud of [...faulty, ...shapes]) {
      expect(await codeOf(estimateNormals(runtime, cloud))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(downsampleVoxels(runtime, cloud, 1))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(samplePoissonDisk(runtime, cloud, 1))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(removeStatisticalOutliers(runtime, cloud))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(removeRadiusOutliers(runtime, cloud, { radius: 1 }))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(alignClouds(runtime, cloud, good))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(alignClouds(runtime, good, cloud))).toBe('INVALID_ARGUMENT');
    }
    const nan = Number.NaN;
    for (const size of [0, -1, nan, 1e-7]) {
      expect(await codeOf(downsampleVoxels(runtime, good, size))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(samplePoissonDisk(runtime, good, size))).toBe('INVALID_ARGUMENT');
    }
    for (const options of [
      { neighbours: 2 },
      { neighbours: 1025 },
      { radius: 0 },
      { viewpoint: [0, nan, 0] },
      { k: 1 },
    ]) {
      expect(await codeOf(estimateNormals(runtime, good, options as object))).toBe('INVALID_ARGUMENT');
    }
    for (const options of [{ neighbours: 0 }, { ratio: 0 }, { ratio: nan }]) {
      expect(await codeOf(removeStatisticalOutliers(runtime, good, options))).toBe('INVALID_ARGUMENT');
    }
    for (const options of [{ radius: 0 }, { radius: nan }, { radius: 1, neighbours: 1.5 }]) {
      expect(await codeOf(removeRadiusOutliers(runtime, good, options))).toBe('INVALID_ARGUMENT');
    }
    for (const seed of [-1, 0.5, nan]) {
      expect(await codeOf(samplePoissonDisk(runtime, good, 1, { seed }))).toBe('INVALID_ARGUMENT');
    }
    const alignments: object[] = [
      { levels: [] },
      { levels: [{ voxel: 1 }] },
      { levels: [{ voxel: nan, maxDistance: 1 }] },
      { levels: [{ voxel: 1, maxDistance: 0 }] },
      { loss: 'square' },
      { start: [1, 0, 0] },
      { start: motion([0, 0, 1], 0, [nan, 0, 0]) },
      { start: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] },
      { leastTurn: -1 },
    ];
    for (const options of alignments) {
      expect(await codeOf(alignClouds(runtime, good, good, options))).toBe('INVALID_ARGUMENT');
    }
  });

  it('are left alone when the signal fires', async () => {
    const cloud = sheet(400_000);
    const work: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => estimateNormals(runtime, cloud, { signal, neighbours: 100 }),
      (signal) => downsampleVoxels(runtime, cloud, 1, { signal }),
      (signal) => samplePoissonDisk(runtime, cloud, 1, { signal }),
      (signal) => removeStatisticalOutliers(runtime, cloud, { signal, neighbours: 100 }),
      (signal) => removeRadiusOutliers(runtime, cloud, { radius: 1, signal }),
      (signal) => alignClouds(runtime, cloud, cloud, { signal }),
      (signal) => projectDepth(runtime, ball(), { signal }),
      (signal) => depthNormals(runtime, ball(), { signal }),
    ];
    for (const once of work) {
      expect(await codeOf(once(AbortSignal.abort()))).toBe('ABORTED');
      const running = new AbortController();
      const promise = once(running.signal);
      running.abort();
      expect(await codeOf(promise)).toBe('ABORTED');
    }
    expect((await removeStatisticalOutliers(runtime, sheet(1000))).kept.length).toBeGreaterThan(800);
  });
});

describe('alignClouds', () => {
  it('brings the canonical face back from 15 degrees and 20 mm to within 0.5 mm', async () => {
    const face = await canonicalFace();
    const target = await estimateNormals(
      runtime,
      { positions: sampled(face, 20_000, 1) },
      { viewpoint: [0, 0, -1000] },
    );
    const truth = sampled(face, 8000, 2);
    const random = noise(100, -1, 1, 3);
    for (let round = 0; round < 6; round++) {
      const [a, b, c, x, y, z] = random.slice(6 * round, 6 * round + 6) as unknown as number[];
      const shift = [x!, y!, z!].map((v) => (20 * v) / Math.hypot(x!, y!, z!));
      const positions = moved(truth, motion([a!, b!, c!], 15, shift));
      const found = await alignClouds(runtime, { positions }, target);
      expect(rms(moved(positions, found.transform), truth)).toBeLessThan(0.5);
      expect(found.fitness).toBeGreaterThan(0.99);
      expect(found.inlierRmse).toBeLessThan(0.2);
      expect(found.converged).toBe(true);
    }
  });

  it('estimates normals that are missing, begins where it is told, and says when nothing is near', async () => {
    const face = await canonicalFace();
    const target = { positions: sampled(face, 10_000, 4) };
    const truth = sampled(face, 3000, 5);
    const there = motion([0, 1, 0], 70, [0, 0, 90]);
    const source = { positions: moved(truth, there) };
    const options: AlignCloudsOptions = {
      start: motion([0, 1, 0], -65, [90, 0, -30]),
      levels: [
        { voxel: 4, maxDistance: 60, maxIterations: 60 },
        { voxel: 0, maxDistance: 10, lossScale: 2 },
      ],
      loss: 'huber',
    };
    const found = await alignClouds(runtime, source, target, options);
    expect(rms(moved(source.positions, found.transform), truth)).toBeLessThan(0.5);
    const far = await alignClouds(runtime, { positions: source.positions.map((v) => v + 5000) }, target);
    expect(far).toMatchObject({ fitness: 0, converged: false, iterations: 0 });
    expect([...far.transform]).toEqual(motion([0, 0, 1], 0, [0, 0, 0]));
  });
});
