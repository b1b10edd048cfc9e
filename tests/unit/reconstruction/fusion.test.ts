import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import { headRotation } from '../../../lib/landmarks/head-pose.js';
import {
  createVolume,
  fuseFrames,
  inspectMesh,
  poseFromHead,
  type VolumeOptions,
} from '../../../lib/reconstruction/index.js';
import type { DepthMap } from '../../../lib/reconstruction/types.js';
import type { Frame } from '../../../lib/types.js';
import { bust, depthOf, lookAtOrigin, rmsOf, sphere, torus } from '../../support/surfaces.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open();
});
afterAll(() => runtime.close());

const cube = (half: number): VolumeOptions['bounds'] => ({ low: [-half, -half, -half], high: [half, half, half] });
const around = (views: number): Float64Array[] => [
  ...Array.from({ length: views }, (_, i) => lookAtOrigin(300, (360 * i) / views)),
  ...[-45, 45].flatMap((raise) => Array.from({ length: views }, (_, i) => lookAtOrigin(300, (360 * i) / views, raise))),
  lookAtOrigin(300, 0, 90),
  lookAtOrigin(300, 0, -90),
];
const plain = (width: number, height: number, colour: readonly [number, number, number]): Frame => ({
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => colour[i % 3]!),
  width,
  height,
  channels: 3,
  format: 'rgb',
});

describe('a volume', () => {
  it.each([
    ['sphere', sphere(50), 2, 4, 0.05],
    ['torus', torus(50, 20), 0, 6, 0.25],
  ] as const)('makes a closed %s of views all around, near the true one', async (_, distance, euler, views, bound) => {
    const poses = around(views);
    const { mesh } = await fuseFrames(
      runtime,
      poses.map((pose) => ({ depth: depthOf(distance, pose, 100, 160), pose })),
      { bounds: cube(80), voxelSize: 2 },
    );
    const report = await inspectMesh(runtime, mesh);
    expect(report).toMatchObject({ watertight: true, oriented: true, eulerCharacteristic: euler, components: 1 });
    expect(report.volume).toBeGreaterThan(0);
    expect(rmsOf(mesh.positions, distance)).toBeLessThan(bound);
  });

  it('mixes the colours of its frames', async () => {
    const depth = depthOf(sphere(50), lookAtOrigin(300, 0), 96, 150);
    const pose = lookAtOrigin(300, 0);
    const volume = await createVolume(runtime, { bounds: cube(60) });
    await volume.integrate(depth, { pose, frame: plain(96, 96, [200, 0, 40]) });
    const changed = await volume.integrate(depth, { pose, frame: plain(96, 96, [100, 0, 60]) });
    expect(changed.blocks).toBeGreaterThan(10);
    expect(changed.voxels).toBeGreaterThan(1000);
    const { colours } = await volume.extract();
    for (let i = 0; i < colours!.length; i += 3) {
      expect(Math.abs(colours![i]! - 150)).toBeLessThanOrEqual(1);
      expect(colours![i + 1]).toBe(0);
      expect(Math.abs(colours![i + 2]! - 50)).toBeLessThanOrEqual(1);
    }
    await volume.close();
  });

  it('takes colours of a map that is a part of a picture from that part', async () => {
    const depth = { ...depthOf(sphere(50), lookAtOrigin(300, 0), 96, 150), origin: [30, 20] as const };
    const picture = plain(200, 150, [10, 10, 10]);
    for (let y = 20; y < 116; y++) picture.data.fill(90, 3 * (y * 200 + 30), 3 * (y * 200 + 126));
    const volume = await createVolume(runtime, { bounds: cube(60) });
    await volume.integrate(depth, { pose: lookAtOrigin(300, 0), frame: picture });
    const { colours } = await volume.extract();
    expect(colours!.every((c) => c === 90)).toBe(true);
    await expect(
      volume.integrate({ ...depth, origin: undefined } as unknown as DepthMap, { frame: picture }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await volume.close();
  });

  it('leaves out what was seen too rarely', async () => {
    const volume = await createVolume(runtime, { bounds: cube(60), colour: false });
    const depth = depthOf(sphere(50), lookAtOrigin(300, 0), 96, 150);
    await volume.integrate(depth, { pose: lookAtOrigin(300, 0) });
    const once = await volume.extract();
    expect(once.colours).toBeUndefined();
    await expect(volume.extract({ minimumWeight: 1.5 })).rejects.toMatchObject({ code: 'NO_SURFACE' });
    await volume.integrate(depth, { pose: lookAtOrigin(300, 0) });
    expect((await volume.extract({ minimumWeight: 1.5 })).indices.length).toBeGreaterThan(100);
    await volume.close();
  });

  it('is closed once, and says so', async () => {
    const volume = await createVolume(runtime, { bounds: cube(60) });
    const depth = depthOf(sphere(50), lookAtOrigin(300, 0), 64, 100);
    const running = volume.integrate(depth, { pose: lookAtOrigin(300, 0) });
    await Promise.all([volume.close(), volume.close()]);
    await running;
    expect(volume.bytes).toBe(0);
    await expect(volume.integrate(depth)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(volume.extract()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('refuses what makes no sense', async () => {
    const make = (options: unknown): Promise<unknown> => createVolume(runtime, options as VolumeOptions);
    const bounds = cube(60);
    for (const options of [
      {},
      { bounds: { low: [0, 0, 0], high: [1, 0, 1] } },
      { bounds: { low: [0, 0, Number.NaN], high: [1, 1, 1] } },
      { bounds, voxelSize: 0 },
      { bounds, voxelSize: Number.NaN },
      { bounds, truncation: 1 },
      { bounds, carving: 1 },
      { bounds, maximumWeight: 0 },
      { bounds, colour: 'yes' },
      { bounds, maxBytes: -1 },
      { bounds, voxel: 1 },
    ]) {
      await expect(make(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    // Huge: the message has the bytes.
    await expect(make({ bounds: cube(1e6), voxelSize: 0.1 })).rejects.toThrow(/bytes/);
    const small = await createVolume(runtime, { bounds, maxBytes: 100_000 });
    const depth = depthOf(sphere(50), lookAtOrigin(300, 0), 64, 100);
    await expect(small.integrate(depth, { pose: lookAtOrigin(300, 0) })).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(/\d+ bytes/),
    });
    await small.close();
    const volume = await createVolume(runtime, { bounds });
    const nan = { ...depth, depth: depth.depth.map(() => Number.NaN) };
    await expect(volume.integrate(nan)).rejects.toMatchObject({ code: 'NO_SURFACE' });
    await expect(volume.integrate(depth)).rejects.toMatchObject({ code: 'NO_SURFACE' });
    await expect(volume.extract()).rejects.toMatchObject({ code: 'NO_SURFACE' });
    await expect(volume.extract({ minimumWeight: Number.NaN })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const scaled = lookAtOrigin(300, 0).map((v, i) => (i < 11 ? 2 * v : v));
    for (const pose of [[1, 2, 3], new Float64Array(16).fill(Number.NaN), scaled, 'pose']) {
      await expect(volume.integrate(depth, { pose: pose as ArrayLike<number> })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    const signal = AbortSignal.abort();
    await expect(volume.integrate(depth, { pose: lookAtOrigin(300, 0), signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await expect(volume.extract({ signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await volume.close();
  });
});

describe('frames of a head that turns', () => {
  const angles = [0, 12, 24, -10, -22];
  const frames = angles.map((turn) => ({ depth: depthOf(bust, lookAtOrigin(350, turn, turn / 6), 144, 260) }));
  /** What `frames` were seen from, when the first camera is the world. */
  const truth = (i: number): number[] => {
    const [first, now] = [lookAtOrigin(350, 0), lookAtOrigin(350, angles[i]!, angles[i]! / 6)];
    const rows = [0, 1, 2].map((r) =>
      [0, 1, 2].map((c) => [0, 1, 2].reduce((s, k) => s + now[4 * r + k]! * first[4 * c + k]!, 0)),
    );
    const shift = rows.map((row, r) => now[4 * r + 3]! - row.reduce((s, v, k) => s + v * first[4 * k + 3]!, 0));
    return [...rows.flatMap((row, r) => [...row, shift[r]!]), 0, 0, 0, 1];
  };
  const world = (x: number, y: number, z: number): number => bust(x, y, z - 350);

  it('are put together without knowing where they were taken from', async () => {
    const { mesh, frames: fused } = await fuseFrames(runtime, frames, { voxelSize: 2.5 });
    for (const [i, { pose, alignment }] of fused.entries()) {
      if (i > 0) expect(alignment!.fitness).toBeGreaterThan(0.6);
      // Millimetres at the nose, 80 mm in front of the middle.
      for (const point of [
        [0, 0, 270],
        [60, 0, 320],
        [0, 60, 320],
      ]) {
        const at = (m: ArrayLike<number>, r: number): number =>
          m[4 * r]! * point[0]! + m[4 * r + 1]! * point[1]! + m[4 * r + 2]! * point[2]! + m[4 * r + 3]!;
        const off = Math.hypot(...[0, 1, 2].map((r) => at(pose!, r) - at(truth(i), r)));
        expect(off).toBeLessThan(0.5);
      }
    }
    expect(rmsOf(mesh.positions, world)).toBeLessThan(0.35);
    expect((await inspectMesh(runtime, mesh)).oriented).toBe(true);
  });

  it('leave out one that shows something else', async () => {
    const other = depthOf(torus(60, 9), lookAtOrigin(500, 20, 10), 96, 150);
    const { frames: fused } = await fuseFrames(runtime, [frames[0]!, { depth: other }, frames[1]!], {
      voxelSize: 3,
      minimumFitness: 0.6,
    });
    expect(fused[1]!.pose).toBeUndefined();
    expect(fused[1]!.alignment!.fitness).toBeLessThan(0.6);
    expect(fused[2]!.pose).toBeDefined();
  });

  it('leave out those that show nothing, wherever they come', async () => {
    const { depth } = frames[0]!;
    const blank = {
      depth: { ...depth, depth: depth.depth.map(() => Number.NaN), confidence: depth.confidence.map(() => 0) },
    };
    const { frames: fused } = await fuseFrames(runtime, [blank, frames[0]!, blank, frames[1]!], {
      voxelSize: 3,
      bounds: { low: [-120, -150, 220], high: [120, 150, 480] },
    });
    expect(fused.map(({ pose }) => pose !== undefined)).toEqual([false, true, false, true]);
    await expect(fuseFrames(runtime, [blank])).rejects.toMatchObject({ code: 'NO_SURFACE' });
  });

  it('refuse what makes no sense', async () => {
    await expect(fuseFrames(runtime, [])).rejects.toMatchObject({ code: 'NO_SURFACE' });
    const bad = (list: unknown, options?: unknown): Promise<unknown> =>
      fuseFrames(runtime, list as never, options as never);
    await expect(bad({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(bad([{}])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(bad([{ ...frames[0], pose: [1] }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(bad(frames, { minimumFitness: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(bad(frames, { unknown: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const depth = { ...frames[0]!.depth, depth: frames[0]!.depth.depth.map(() => Number.NaN) };
    await expect(bad([{ depth }])).rejects.toMatchObject({ code: 'NO_SURFACE' });
    await expect(fuseFrames(runtime, frames, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

it('a pose from the head brings its points from the first frame to the other', () => {
  const first = { rotation: headRotation({ yaw: 5, pitch: 0, roll: 2 }), translation: [1, 2, 50] as const };
  const now = { rotation: headRotation({ yaw: -20, pitch: 8, roll: 0 }), translation: [-3, 1, 55] as const };
  const pose = poseFromHead(first, now);
  const seen = ({ rotation, translation }: typeof first, p: readonly number[]): number[] =>
    rotation.map((row, k) => row.reduce((sum, v, i) => sum + v * p[i]!, 0) * 10 + translation[k]! * 10);
  for (const point of [
    [0, 0, 0],
    [3, -4, 5],
  ]) {
    const before = seen(first, point);
    const after = seen(now as unknown as typeof first, point);
    for (let r = 0; r < 3; r++) {
      const moved = before.reduce((sum, v, k) => sum + pose[4 * r + k]! * v, pose[4 * r + 3]!);
      expect(moved).toBeCloseTo(after[r]!, 8);
    }
  }
});
