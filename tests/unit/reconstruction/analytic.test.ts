// Surfaces with known distances, seen with the noise of a sensor, through every stage: depth → cloud → volume → marching cubes →
// smoothing → simplification, and cloud → Poisson.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import {
  fuseFrames,
  inspectMesh,
  projectDepth,
  rebuildSurface,
  simplifyMesh,
  smoothMesh,
} from '../../../lib/reconstruction/index.js';
import type { DepthMap } from '../../../lib/reconstruction/types.js';
import { normal, random } from '../../support/random.js';
import { type Distance, depthOf, lookAtOrigin, rmsOf, sphere, torus } from '../../support/surfaces.js';

/** Standard deviation of depth, millimetres. */
const NOISE = 0.5;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ threads: 2 });
});
afterAll(() => runtime.close());

const around = [-50, 0, 50].flatMap((raise) =>
  [0, 60, 120, 180, 240, 300].map((turn) => lookAtOrigin(300, turn, raise)),
);
const above = [lookAtOrigin(300, 0, 90), lookAtOrigin(300, 0, -90)];
const before = [-30, 0, 30].flatMap((raise) => [-30, 0, 30].map((turn) => lookAtOrigin(300, turn, raise)));
/** Across the line of sight of a camera that is not turned. */
const plane: Distance = (_x, _y, z) => -z;

function noisy(map: DepthMap, seed: number): DepthMap {
  const next = random(seed);
  return { ...map, depth: map.depth.map((z) => z + NOISE * normal(next)) };
}

/** Points or directions of a camera in the world's frame. */
function inWorld(from: Float32Array, pose: Float64Array, shift: boolean): Float32Array {
  const out = new Float32Array(from.length);
  for (let i = 0; i < from.length; i += 3) {
    const p = [0, 1, 2].map((k) => from[i + k]! - (shift ? pose[4 * k + 3]! : 0));
    for (let k = 0; k < 3; k++) out[i + k] = pose[k]! * p[0]! + pose[4 + k]! * p[1]! + pose[8 + k]! * p[2]!;
  }
  return out;
}

function join(arrays: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const one of arrays) {
    out.set(one, at);
    at += one.length;
  }
  return out;
}

describe('what a noisy sensor sees of a known surface', () => {
  it.each([
    { name: 'sphere', distance: sphere(50), poses: [...around, ...above], closed: true, euler: 2 },
    { name: 'torus', distance: torus(50, 20), poses: [...around, ...above], closed: true, euler: 0 },
    { name: 'plane', distance: plane, poses: before, closed: false, euler: 1 },
  ])('comes nearer to the truth with every stage: a $name', async ({ distance, poses, closed, euler }) => {
    const frames = poses.map((pose, i) => ({ pose, depth: noisy(depthOf(distance, pose, 120, 180), i + 1) }));
    const clouds = await Promise.all(frames.map(({ depth }) => projectDepth(runtime, depth, { normals: true })));
    const cloud = {
      positions: join(clouds.map((c, i) => inWorld(c.positions, poses[i]!, true))),
      normals: join(clouds.map((c, i) => inWorld(c.normals!, poses[i]!, false))),
    };
    const seen = rmsOf(cloud.positions, distance);
    expect(seen).toBeGreaterThan(0.25);
    expect(seen).toBeLessThan(1.1 * NOISE);

    const half = closed ? 90 : 60;
    const bounds = { low: [-half, -half, -half], high: [half, half, half] } as const;
    const { mesh: fused } = await fuseFrames(runtime, frames, { bounds, voxelSize: 2 });
    expect(await inspectMesh(runtime, fused)).toMatchObject({ watertight: closed, eulerCharacteristic: euler });
    expect(rmsOf(fused.positions, distance)).toBeLessThan(0.6 * seen);

    const smooth = await smoothMesh(runtime, fused);
    expect(rmsOf(smooth.positions, distance)).toBeLessThan(0.9 * rmsOf(fused.positions, distance));

    const simple = await simplifyMesh(runtime, smooth, { error: 0.3 });
    expect(simple.mesh.indices.length).toBeLessThan(0.5 * smooth.indices.length);
    expect(rmsOf(simple.mesh.positions, distance)).toBeLessThan(rmsOf(smooth.positions, distance) + 0.1);

    const { mesh: solved } = await rebuildSurface(runtime, cloud, closed ? { trim: 0 } : {});
    if (closed)
      expect(await inspectMesh(runtime, solved)).toMatchObject({ watertight: true, eulerCharacteristic: euler });
    expect(rmsOf(solved.positions, distance)).toBeLessThan(0.6 * seen);
  });
});
