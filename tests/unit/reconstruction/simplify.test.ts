import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import {
  compareMeshes,
  computeNormals,
  levelsOfDetail,
  type MeshFromDepthOptions,
  meshFromDepth,
  optimiseMesh,
  type SimplifyMeshOptions,
  simplifyMesh,
} from '../../../lib/reconstruction/index.js';
import type { DepthMap, Mesh } from '../../../lib/reconstruction/types.js';
import { codeOf } from '../../support/code.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ threads: 2 });
});
afterAll(() => runtime.close());

/** A relief of about the size of a face, with a nose, in a picture. */
function relief(width = 150, height = 200): DepthMap {
  const focal = width * 2.9;
  const depth = new Float32Array(width * height).fill(Number.NaN);
  for (let i = 0; i < depth.length; i++) {
    const x = (((i % width) + 0.5 - width / 2) / focal) * 600;
    const y = ((Math.floor(i / width) + 0.5 - height / 2) / focal) * 600;
    const r = (x / 80) ** 2 + (y / 110) ** 2;
    if (r > 0.97) continue;
    depth[i] = 600 - 90 * Math.sqrt(1 - r) - 22 * Math.exp(-(x * x) / 160 - ((y - 5) * (y - 5)) / 650);
  }
  const confidence = depth.map((z) => (Number.isNaN(z) ? 0 : 1));
  const camera = { fx: focal, fy: focal, cx: width / 2, cy: height / 2 };
  return { width, height, depth, confidence, camera, scale: { source: 'sensor' } };
}

const triangles = (mesh: Mesh): number => mesh.indices.length / 3;

describe('meshFromDepth', () => {
  it('gives vertices where the pixels say, turned to the camera', async () => {
    const map = relief();
    const mesh = await meshFromDepth(runtime, map);
    const known = map.depth.reduce((sum, z) => sum + (Number.isNaN(z) ? 0 : 1), 0);
    expect(mesh.pixels.length).toBeGreaterThan(0.98 * known);
    expect(triangles(mesh)).toBeGreaterThan(1.9 * mesh.pixels.length);
    for (let v = 0; v < mesh.pixels.length; v += 97) {
      const pixel = mesh.pixels[v] as number;
      const [x, y, z] = mesh.positions.subarray(3 * v) as unknown as [number, number, number];
      const column = (pixel % map.width) + 0.5;
      const row = Math.floor(pixel / map.width) + 0.5;
      expect(z).toBe(map.depth[pixel]);
      expect((map.camera.fx * x) / z + map.camera.cx).toBeCloseTo(column, 3);
      expect((map.camera.fy * y) / z + map.camera.cy).toBeCloseTo(row, 3);
      expect(mesh.uvs[2 * v]).toBeCloseTo(column / map.width, 6);
      expect(mesh.uvs[2 * v + 1]).toBeCloseTo(row / map.height, 6);
      expect(mesh.normals?.[3 * v + 2]).toBeLessThan(0);
    }
  });

  it('takes steps, colours and a texture', async () => {
    const map = relief();
    const data = Uint8Array.from({ length: 3 * map.width * map.height }, (_, i) => (i * 7) % 256);
    const texture = { data, width: map.width, height: map.height };
    const picture = { ...texture, format: 'rgb' as const, channels: 3 as const };
    const mesh = await meshFromDepth(runtime, map, { step: 2, normals: false, picture, texture });
    expect(mesh.normals).toBeUndefined();
    expect(mesh.texture).toBe(texture);
    mesh.pixels.forEach((pixel, v) => {
      expect(mesh.colours?.[3 * v + 1]).toBe(data[3 * pixel + 1]);
    });
  });

  it('says what cannot be meshed', async () => {
    const map = relief(20, 20);
    const of = (change: Partial<DepthMap>, options?: MeshFromDepthOptions) =>
      codeOf(meshFromDepth(runtime, { ...map, ...change }, options));
    expect(await of({ depth: new Float32Array(400).fill(Number.NaN) })).toBe('NO_SURFACE');
    expect(await of({}, { step: 15 })).toBe('NO_SURFACE');
    expect(await of({}, { minConfidence: 2 })).toBe('INVALID_ARGUMENT');
    expect(await of({}, { step: 0 })).toBe('INVALID_ARGUMENT');
    expect(await of({}, { angle: 90 })).toBe('INVALID_ARGUMENT');
    expect(await of({}, { steps: 2 } as MeshFromDepthOptions)).toBe('INVALID_ARGUMENT');
    expect(await of({ depth: new Float32Array(0) })).toBe('INVALID_ARGUMENT');
    expect(await of({ width: 10_000, height: 10_000 })).toBe('INVALID_ARGUMENT');
    expect(await of({ camera: { ...map.camera, fx: Number.NaN } })).toBe('INVALID_ARGUMENT');
    expect(await of({}, { signal: AbortSignal.abort() })).toBe('ABORTED');
  });
});

describe('simplifyMesh', () => {
  it('keeps to a number of triangles and to an error', async () => {
    const texture = { data: new Uint8Array(3), width: 1, height: 1 };
    const mesh = await meshFromDepth(runtime, relief(), { texture });
    const fewer = await simplifyMesh(runtime, mesh, { triangles: 2000 });
    expect(triangles(fewer.mesh)).toBeLessThanOrEqual(2000);
    expect(triangles(fewer.mesh)).toBeGreaterThan(1990);
    expect(fewer.mesh.texture).toBe(texture);
    fewer.sources.forEach((from, v) => {
      expect(fewer.mesh.positions[3 * v]).toBe(mesh.positions[3 * from]);
      expect(fewer.mesh.uvs?.[2 * v]).toBe(mesh.uvs[2 * from]);
    });
    const found = await compareMeshes(runtime, mesh, fewer.mesh);
    expect(found.forth.max).toBeLessThan(1.2 * fewer.error);
    expect(fewer.rms).toBeLessThan(fewer.error);
    const within = await simplifyMesh(runtime, mesh, { error: 0.5 });
    expect(within.error).toBeLessThanOrEqual(0.5);
    expect((await compareMeshes(runtime, mesh, within.mesh)).hausdorff).toBeLessThanOrEqual(0.5);
    expect(triangles(within.mesh)).toBeLessThan(triangles(mesh) / 10);
  });

  it('refuses what cannot be', async () => {
    const mesh = await meshFromDepth(runtime, relief(20, 20));
    const of = (change: Partial<Mesh>, options: SimplifyMeshOptions = { triangles: 10 }) =>
      codeOf(simplifyMesh(runtime, { ...mesh, ...change }, options));
    expect(await of({}, {})).toBe('INVALID_ARGUMENT');
    expect(await of({}, { triangles: 0 })).toBe('INVALID_ARGUMENT');
    expect(await of({}, { error: Number.NaN })).toBe('INVALID_ARGUMENT');
    expect(await of({}, { triangles: 5, uvWeight: -1 })).toBe('INVALID_ARGUMENT');
    expect(await of({ indices: Uint32Array.of(0, 1, 1e9) })).toBe('INVALID_ARGUMENT');
    expect(await of({ positions: mesh.positions.map(() => Number.NaN) })).toBe('INVALID_ARGUMENT');
    expect(await of({ uvs: new Float32Array(4) })).toBe('INVALID_ARGUMENT');
    expect(await of({ indices: new Uint32Array(0) })).toBe('NO_SURFACE');
    expect(await of({ indices: Uint32Array.of(1, 1, 1) })).toBe('NO_SURFACE');
    expect(await of({}, { triangles: 10, signal: AbortSignal.abort() })).toBe('ABORTED');
  });
});

describe('levelsOfDetail', () => {
  it('makes levels of its own vertices, the same for any number of threads', async () => {
    const mesh = await meshFromDepth(runtime, relief());
    const levels = await levelsOfDetail(runtime, mesh, { levels: 4, ratio: 0.25 });
    const all = triangles(mesh);
    expect(triangles((levels[0] as (typeof levels)[0]).mesh)).toBe(all);
    levels.forEach(({ mesh: level, error, cacheMissRatio }, i) => {
      expect(Math.abs(triangles(level) - Math.round(all * 0.25 ** i))).toBeLessThanOrEqual(1);
      expect(error).toBeGreaterThanOrEqual(i === 0 ? 0 : (levels[i - 1]?.rms as number));
      // A small level is mostly rim.
      expect(cacheMissRatio).toBeLessThan(triangles(level) > 500 ? 0.9 : 1);
      expect(Math.max(...level.indices.subarray(0, 30_000))).toBeLessThan(level.positions.length / 3);
    });
    await using single = await Runtime.open({ threads: 1 });
    const again = await levelsOfDetail(single, mesh, { levels: 4, ratio: 0.25 });
    expect(again.map((level) => level.mesh.indices)).toEqual(levels.map((level) => level.mesh.indices));
    expect(again.map((level) => level.error)).toEqual(levels.map((level) => level.error));
  });

  it('takes numbers of triangles and refuses rising ones', async () => {
    const mesh = await meshFromDepth(runtime, relief(60, 80));
    const levels = await levelsOfDetail(runtime, mesh, { triangles: [1000, 200] });
    expect(levels.map((level) => triangles(level.mesh))).toEqual([expect.closeTo(1000, -1), expect.closeTo(200, -1)]);
    const refused = (options: object) => codeOf(levelsOfDetail(runtime, mesh, options));
    expect(await refused({ triangles: [200, 1000] })).toBe('INVALID_ARGUMENT');
    expect(await refused({ triangles: [] })).toBe('INVALID_ARGUMENT');
    expect(await refused({ triangles: [0] })).toBe('INVALID_ARGUMENT');
    expect(await refused({ levels: 17 })).toBe('INVALID_ARGUMENT');
    expect(await refused({ levels: 2, triangles: [5] })).toBe('INVALID_ARGUMENT');
    expect(await refused({ ratio: 1 })).toBe('INVALID_ARGUMENT');
  });
});

describe('optimiseMesh, computeNormals, compareMeshes', () => {
  it('order, normals and distances of a relief', async () => {
    const mesh = await meshFromDepth(runtime, relief(80, 100));
    const ordered = await optimiseMesh(runtime, mesh);
    expect(ordered.cacheMissRatio.after).toBeLessThan(ordered.cacheMissRatio.before);
    expect((await compareMeshes(runtime, mesh, ordered.mesh, { samples: 1000 })).hausdorff).toBeLessThan(1e-3);
    const { normals } = await computeNormals(runtime, mesh);
    let agreement = 0;
    normals.forEach((value, i) => {
      agreement += value * (mesh.normals as Float32Array)[i]!;
    });
    expect(agreement / (normals.length / 3)).toBeGreaterThan(0.995);
    const moved = { ...mesh, positions: mesh.positions.map((value, i) => value + (i % 3 === 2 ? 2 : 0)) };
    const found = await compareMeshes(runtime, mesh, moved, { samples: 5000 });
    expect(found.hausdorff).toBeGreaterThan(1.5);
    expect(found.hausdorff).toBeLessThanOrEqual(2.001);
    expect(await codeOf(compareMeshes(runtime, mesh, moved, { samples: -1 }))).toBe('INVALID_ARGUMENT');
  });
});
