// Depth maps and volumes on a CUDA device through the library: on the reference, which is the processor in the device's place,
// and on a device where there is one.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../lib/inference/index.js';
import {
  createVolume,
  type DepthMap,
  depthNormals,
  filterDepth,
  fuseFrames,
  type Mesh,
  type ProjectDepthOptions,
  projectDepth,
} from '../../lib/reconstruction/index.js';
import { depthOf, lookAtOrigin, rmsOf, sphere } from '../support/surfaces.js';
import { compileReference, compiler, places, real } from './cuda-support.js';
import { codeOf, noise } from './support.js';

const before = process.env['LINEAMENT_CUDA'];
const folder = mkdtempSync(join(os.tmpdir(), 'lineament-cuda-geometry-'));
const reference = join(folder, 'liblineament_cuda_reference.so');
let runtime: Runtime;

beforeAll(async () => {
  runtime = await Runtime.open({ threads: 2 });
  if (compiler !== undefined) compileReference(reference);
});
afterEach(() => {
  if (before === undefined) delete process.env['LINEAMENT_CUDA'];
  else process.env['LINEAMENT_CUDA'] = before;
});
afterAll(async () => {
  await runtime?.close();
  rmSync(folder, { recursive: true, force: true });
});

const bounds = { low: [-70, -70, -70], high: [70, 70, 70] } as const;
const poses = [0, 90, 180, 270].map((turn) => lookAtOrigin(300, turn));
const views = (): { depth: DepthMap; pose: Float64Array }[] =>
  poses.map((pose) => ({ depth: depthOf(sphere(50), pose, 80, 130), pose }));

/** Bumpy, noisy and with holes. */
function bumpy(): DepthMap {
  const map = depthOf(sphere(50), lookAtOrigin(300, 0), 80, 130);
  const off = noise(map.depth.length, -1, 1, 11);
  return { ...map, depth: map.depth.map((z, i) => (i % 13 === 0 ? Number.NaN : z + off[i]!)) };
}

/** The reference gives the processor's bits; a device is allowed some units of the last place. */
function expectSame(place: string, found: ArrayLike<number>, wanted: ArrayLike<number>, scale: number): void {
  expect(found.length).toBe(wanted.length);
  const worst = Array.from(found).reduce((most, x, i) => Math.max(most, Math.abs(x - wanted[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(place === 'reference' ? 0 : 2e-6 * scale);
}

function expectSameMesh(place: string, found: Mesh, wanted: Mesh): void {
  expect(found.indices.length).toBe(wanted.indices.length);
  expectSame(place, found.positions, wanted.positions, 100);
  expectSame(place, found.normals ?? [], wanted.normals ?? [], 100);
}

for (const { place, skip, name } of places) {
  describe.skipIf(skip)(`geometry ${name}`, () => {
    const use = (): void => {
      process.env['LINEAMENT_CUDA'] = place === 'reference' ? reference : real.path;
    };

    it('projects depth maps as the processor', async () => {
      use();
      const map = bumpy();
      const { width, height } = map;
      const frame = { data: new Uint8Array(width * height * 3).map((_, i) => i % 251), width, height } as const;
      const picture = { frame: { ...frame, channels: 3, format: 'rgb' } } as const;
      const asked: ProjectDepthOptions[] = [{}, { normals: true }, { normals: { radius: 5 }, picture }];
      for (const options of asked) {
        const wanted = await projectDepth(runtime, map, options);
        const found = await projectDepth(runtime, map, { ...options, device: 'cuda' });
        expect(found.pixels).toEqual(wanted.pixels);
        expect(found.colours).toEqual(wanted.colours);
        expectSame(place, found.positions, wanted.positions, 400);
        expectSame(place, found.normals ?? [], wanted.normals ?? [], 400);
        expect(found.normals === undefined).toBe(options.normals === undefined);
      }
      const wanted = await depthNormals(runtime, map, { radius: 3 });
      expectSame(place, await depthNormals(runtime, map, { radius: 3, device: 'cuda:0' }), wanted, 400);
    });

    it('filters as the processor, but for where its vectors round', async () => {
      use();
      const map = bumpy();
      const wanted = await filterDepth(runtime, map, { spatial: 2, range: 4 });
      const found = await filterDepth(runtime, map, { spatial: 2, range: 4, device: 'cuda' });
      expect(found.depth).not.toEqual(map.depth);
      for (const [i, z] of found.depth.entries()) {
        if (Number.isNaN(wanted.depth[i])) expect(z).toBeNaN();
        else expect(Math.abs(z - wanted.depth[i]!)).toBeLessThan(2e-6 * 400);
      }
    });

    it('fuses frames as the processor', async () => {
      use();
      const options = { bounds, voxelSize: 4 };
      const wanted = await fuseFrames(runtime, views(), options);
      const found = await fuseFrames(runtime, views(), { ...options, device: 'cuda' });
      expectSameMesh(place, found.mesh, wanted.mesh);
      expect(rmsOf(found.mesh.positions, sphere(50))).toBeLessThan(0.5); // four views, voxels of 4 mm
    });

    it('gives the surface between frames, and goes on', async () => {
      use();
      await using host = await createVolume(runtime, { bounds, voxelSize: 4 });
      await using there = await createVolume(runtime, { bounds, voxelSize: 4, device: 'cuda' });
      for (const { depth, pose } of views()) {
        expect(await there.integrate(depth, { pose })).toEqual(await host.integrate(depth, { pose }));
        expectSameMesh(place, await there.extract(), await host.extract());
      }
    });

    it('refuses what is wrong with the codes of the processor', async () => {
      use();
      const map = bumpy();
      const unknown = { ...map, depth: map.depth.map(() => Number.NaN) };
      expect(await codeOf(() => projectDepth(runtime, unknown, { device: 'cuda' }))).toBe('NO_SURFACE');
      const signal = AbortSignal.abort();
      expect(await codeOf(() => projectDepth(runtime, map, { device: 'cuda', signal }))).toBe('ABORTED');
      await using volume = await createVolume(runtime, { bounds, device: 'cuda' });
      expect(await codeOf(() => volume.integrate(unknown))).toBe('NO_SURFACE');
      expect(await codeOf(() => volume.extract())).toBe('NO_SURFACE');
      expect(await codeOf(() => projectDepth(runtime, map, { device: 'cuda:900' }))).toBe('PROVIDER_UNAVAILABLE');
    });
  });
}

describe('geometry without CUDA', () => {
  it('says what is missing, and never takes the processor instead', async () => {
    process.env['LINEAMENT_CUDA'] = join(folder, 'none.so');
    const map = bumpy();
    for (const work of [
      () => projectDepth(runtime, map, { device: 'cuda' }),
      () => depthNormals(runtime, map, { device: 'cuda' }),
      () => filterDepth(runtime, map, { device: 'cuda' }),
      () => createVolume(runtime, { bounds, device: 'cuda' }),
      () => fuseFrames(runtime, views(), { bounds, device: 'cuda' }),
    ]) {
      const asking = work();
      await expect(asking).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      await expect(asking).rejects.toThrow(join(folder, 'none.so'));
      await expect(asking).rejects.toThrow('LINEAMENT_CUDA');
    }
    expect((await projectDepth(runtime, map, { device: 'cpu' })).positions.length).toBeGreaterThan(0);
  });

  it.each(['gpu', 'cuda:', 'cuda:-1', 'cuda:1.5', 'CUDA', 0, null])('refuses the device %j', async (device) => {
    expect(await codeOf(() => projectDepth(runtime, bumpy(), { device } as never))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => createVolume(runtime, { bounds, device } as never))).toBe('INVALID_ARGUMENT');
  });
});
