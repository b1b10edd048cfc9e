import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../lib/inference/index.js';
import { compareMeshes, levelsOfDetail, meshFromDepth, simplifyMesh } from '../../lib/reconstruction/index.js';
import type { Mesh } from '../../lib/reconstruction/types.js';
import { root } from '../support/child.js';
import { bust, type Distance, depthOf, lookAtOrigin, sphere, torus } from '../support/surfaces.js';
import { command, wanted } from './support.js';

/** A folder with trimesh, SciPy and Rtree from PyPI, as scripts/install-oracles.sh makes it. */
const python = path.join(root, 'out', 'oracles', 'meshes', 'bin', 'python');

/** Distances between surfaces by trimesh: its places on them, its nearest points. */
const MEASURE = `
import json, sys, numpy, trimesh
def mesh(name):
    at = numpy.fromfile(name + '.positions', dtype=numpy.float32).reshape(-1, 3)
    of = numpy.fromfile(name + '.indices', dtype=numpy.uint32).reshape(-1, 3)
    return trimesh.Trimesh(at, of, process=False)
def away(a, b):
    places, _ = trimesh.sample.sample_surface_even(a, 8000, seed=1)
    places = numpy.concatenate([places, a.vertices[numpy.unique(a.faces)]])
    return numpy.concatenate([trimesh.proximity.closest_point(b, part)[1] for part in numpy.array_split(places, 20)])
whole = mesh(sys.argv[1])
out = []
for name in sys.argv[2:]:
    other = mesh(name)
    forth, back = away(whole, other), away(other, whole)
    out.append(dict(forth=forth.max(), back=back.max(), rms=numpy.sqrt((forth ** 2).mean())))
print(json.dumps(out))
`;

interface Measured {
  readonly forth: number;
  readonly back: number;
  readonly rms: number;
}

describe.skipIf(!wanted || !existsSync(python))('simplified surfaces measured by trimesh', () => {
  let runtime: Runtime;
  let folder: string;
  beforeAll(async () => {
    runtime = await Runtime.open();
    folder = mkdtempSync(path.join(tmpdir(), 'lineament-oracle-'));
    writeFileSync(path.join(folder, 'measure.py'), MEASURE);
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function measure(meshes: readonly Mesh[]): Promise<Measured[]> {
    const names = meshes.map((mesh, i) => {
      const name = path.join(folder, `mesh-${i}`);
      writeFileSync(`${name}.positions`, mesh.positions);
      writeFileSync(`${name}.indices`, mesh.indices);
      return name;
    });
    const { stdout } = await command(python, [path.join(folder, 'measure.py'), ...names]);
    return JSON.parse(stdout) as Measured[];
  }

  const seen = async (distance: Distance): Promise<Mesh> =>
    meshFromDepth(runtime, depthOf(distance, lookAtOrigin(400, 15, 10), 150, 300));

  it.each([
    ['a sphere', sphere(70)],
    ['a torus', torus(60, 25)],
    ['a head', bust],
  ] as const)('%s stays within the budget', async (_, distance) => {
    const mesh = await seen(distance);
    const budgets = [0.1, 0.4, 1.6];
    const simple = await Promise.all(budgets.map((error) => simplifyMesh(runtime, mesh, { error })));
    const found = await measure([mesh, ...simple.map((one) => one.mesh)]);
    for (const [i, { forth, back }] of found.entries()) {
      const { error, mesh: fewer } = simple[i]!;
      expect(fewer.indices.length).toBeLessThan(mesh.indices.length / 2);
      expect(forth).toBeLessThanOrEqual(budgets[i]! * 1.001);
      expect(back).toBeLessThanOrEqual(budgets[i]! * 1.001);
      // What is said of it is what is measured.
      expect(error).toBeGreaterThan(forth * 0.8);
      expect(error).toBeLessThanOrEqual(budgets[i]!);
    }
  });

  it('is as far away as compareMeshes and the levels say', async () => {
    const mesh = await seen(bust);
    const levels = await levelsOfDetail(runtime, mesh, { levels: 4 });
    const found = await measure([mesh, ...levels.slice(1).map((level) => level.mesh)]);
    for (const [i, { forth, back, rms }] of found.entries()) {
      const ours = await compareMeshes(runtime, mesh, levels[i + 1]!.mesh);
      expect(ours.forth.max / forth).toBeCloseTo(1, 1);
      expect(ours.back.max / back).toBeCloseTo(1, 0);
      expect(ours.forth.rms / rms).toBeCloseTo(1, 0);
      expect(levels[i + 1]!.error / forth).toBeCloseTo(1, 1);
    }
  });
});
