import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import {
  cleanMesh,
  createVolume,
  fillHoles,
  inspectMesh,
  type Mesh,
  type PointCloud,
  projectDepth,
  rebuildSurface,
  smoothMesh,
} from '../../../lib/reconstruction/index.js';
import { bust, depthOf, lookAtOrigin, rmsOf, sphere } from '../../support/surfaces.js';

let runtime: Runtime;
/** A cap of a ball: the volume ends at the blocks around z = −45, which is at z = −28. */
let half: Mesh;
beforeAll(async () => {
  runtime = await Runtime.open();
  const volume = await createVolume(runtime, { bounds: { low: [-60, -60, -60], high: [60, 60, -45] } });
  const pose = lookAtOrigin(300, 0);
  await volume.integrate(depthOf(sphere(50), pose, 112, 180), { pose });
  half = await volume.extract();
  await volume.close();
});
afterAll(() => runtime.close());

/** Fibonacci's points on a sphere, moved along their normals by what `off` says. */
function spherePoints(radius: number, count: number, off: (i: number) => number = () => 0): PointCloud {
  const positions = new Float32Array(3 * count);
  const normals = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const z = 1 - (2 * i + 1) / count;
    const angle = i * Math.PI * (3 - Math.sqrt(5));
    const n = [Math.sqrt(1 - z * z) * Math.cos(angle), Math.sqrt(1 - z * z) * Math.sin(angle), z];
    normals.set(n, 3 * i);
    positions.set(
      n.map((v) => v * (radius + off(i))),
      3 * i,
    );
  }
  return { positions, normals };
}

describe('a surface from points', () => {
  it('is closed, and near the points', async () => {
    const noise = (i: number): number => ((i * 7919) % 101) / 50 - 1;
    const { mesh, resolution, spacing, samples } = await rebuildSurface(runtime, spherePoints(60, 30_000, noise), {
      trim: 0,
      resolution: 64,
    });
    expect(resolution).toBe(64);
    expect(spacing).toBeGreaterThan(1.5);
    expect(samples).toBeGreaterThan(1000);
    expect(await inspectMesh(runtime, mesh)).toMatchObject({ watertight: true, eulerCharacteristic: 2 });
    // Noise of ±1 mm, RMS 0.58 mm.
    expect(rmsOf(mesh.positions, sphere(60))).toBeLessThan(0.25);
    expect(mesh.normals).toHaveLength(mesh.positions.length);
    expect(mesh.colours).toBeUndefined();
  });

  it('ends where a face ends', async () => {
    const pose = lookAtOrigin(350, 0);
    const cloud = await projectDepth(runtime, depthOf(bust, pose, 160, 260));
    const { mesh } = await rebuildSurface(runtime, cloud);
    const report = await inspectMesh(runtime, mesh);
    expect(report.watertight).toBe(false);
    expect(report.oriented).toBe(true);
    expect(rmsOf(mesh.positions, (x, y, z) => bust(x, y, z - 350))).toBeLessThan(1);
    // Towards the camera, which has to be outside.
    let towards = 0;
    for (let i = 2; i < mesh.normals!.length; i += 3) towards += mesh.normals![i]! < 0 ? 1 : 0;
    expect(towards / (mesh.normals!.length / 3)).toBeGreaterThan(0.95);
  });

  it('refuses what makes none', async () => {
    const two = { positions: Float32Array.of(0, 0, 1, 0, 0, 2), normals: Float32Array.of(0, 0, 1, 0, 0, 1) };
    await expect(rebuildSurface(runtime, two)).rejects.toMatchObject({ code: 'NO_SURFACE' });
    await expect(rebuildSurface(runtime, { positions: new Float32Array(0) })).rejects.toMatchObject({
      code: 'NO_SURFACE',
    });
    const cloud = spherePoints(60, 500);
    const nan = { ...cloud, positions: cloud.positions.map((v, i) => (i === 4 ? Number.NaN : v)) };
    await expect(rebuildSurface(runtime, nan)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const options of [{ resolution: 8 }, { screening: -1 }, { trim: 2 }, { iterations: 0 }, { depth: 8 }]) {
      await expect(rebuildSurface(runtime, cloud, options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(rebuildSurface(runtime, cloud, { maxBytes: 1000 })).rejects.toThrow(/bytes/);
    await expect(rebuildSurface(runtime, cloud, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('a mesh is repaired', () => {
  it('holes are closed up to a size', async () => {
    const before = await inspectMesh(runtime, half);
    expect(before).toMatchObject({ watertight: false, boundaryLoops: 1 });
    const left = await fillHoles(runtime, half, { maximumPerimeter: 20 });
    expect(left).toMatchObject({ found: 1, filled: 0, addedTriangles: 0 });
    const { mesh, filled } = await fillHoles(runtime, half, { maximumEdges: 4096 });
    expect(filled).toBe(1);
    expect(mesh.positions.subarray(0, half.positions.length)).toEqual(half.positions);
    expect(await inspectMesh(runtime, mesh)).toMatchObject({
      watertight: true,
      oriented: true,
      eulerCharacteristic: 2,
    });
  });

  it('noise is smoothed, and the texture stays', async () => {
    const texture = { data: new Uint8Array(3), width: 1, height: 1 };
    const uvs = new Float32Array((half.positions.length / 3) * 2);
    const noisy = half.positions.map((v, i) => v + ((i * 7919) % 101) / 100 - 0.5);
    const mesh = await smoothMesh(runtime, { ...half, positions: noisy, uvs, texture }, { border: 'fixed' });
    expect(rmsOf(mesh.positions, sphere(50))).toBeLessThan(0.6 * rmsOf(noisy, sphere(50)));
    expect(mesh.texture).toBe(texture);
    expect(mesh.indices).toEqual(half.indices);
    const same = await smoothMesh(runtime, half, { iterations: 0 });
    expect(same.positions).toEqual(half.positions);
  });

  it('what belongs to no surface goes', async () => {
    const n = half.positions.length / 3;
    const { colours: _, normals: __, ...bare } = half;
    const mesh = {
      ...bare,
      positions: Float32Array.of(...half.positions, 500, 0, 0, 501, 0, 0, 500, 1, 0),
      indices: Uint32Array.of(...half.indices, n, n + 1, n + 2, 7, 7, 8),
    };
    expect(await inspectMesh(runtime, mesh)).toMatchObject({ components: 3, degenerateTriangles: 1 });
    const cleaned = await cleanMesh(runtime, mesh, { minimumAreaShare: 0.01 });
    expect(cleaned).toMatchObject({
      degenerateTriangles: 1,
      smallComponents: 1,
      unusedVertices: 3,
      flippedTriangles: 0,
    });
    expect(cleaned.mesh.indices).toEqual(half.indices);
  });

  it('meshes and options that make no sense are refused', async () => {
    const refused = (work: Promise<unknown>): Promise<void> =>
      expect(work).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const broken: unknown[] = [
      undefined,
      {},
      { ...half, positions: new Float32Array(4) },
      { ...half, indices: undefined },
      { ...half, indices: new Uint32Array(0) },
      { ...half, indices: Uint32Array.of(0, 1, 4_000_000_000) },
      { ...half, positions: half.positions.map((v, i) => (i === 5 ? Number.NaN : v)) },
      { ...half, normals: new Float32Array(3) },
    ];
    for (const mesh of broken) {
      await refused(inspectMesh(runtime, mesh as Mesh));
      await refused(cleanMesh(runtime, mesh as Mesh));
      await refused(fillHoles(runtime, mesh as Mesh));
      await refused(smoothMesh(runtime, mesh as Mesh));
    }
    await refused(fillHoles(runtime, half, { maximumEdges: 2 }));
    await refused(fillHoles(runtime, half, { maximumPerimeter: Number.NaN }));
    await refused(smoothMesh(runtime, half, { lambda: 0 }));
    await refused(smoothMesh(runtime, half, { passBand: 1 }));
    await refused(smoothMesh(runtime, half, { border: 'open' as 'free' }));
    await refused(cleanMesh(runtime, half, { minimumAreaShare: 2 }));
    const signal = AbortSignal.abort();
    for (const work of [inspectMesh, cleanMesh, fillHoles, smoothMesh]) {
      await expect(work(runtime, half, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    }
  });
});
