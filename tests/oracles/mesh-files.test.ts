import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../lib/inference/index.js';
import { writeMesh } from '../../lib/reconstruction/files.js';
import { readMesh } from '../../lib/reconstruction/files-read.js';
import { root } from '../support/child.js';
import { picture, sheet } from '../support/meshes.js';
import { command, wanted } from './support.js';

/** A folder with trimesh and meshio from PyPI, as scripts/install-oracles.sh makes it. */
const python = path.join(root, 'out', 'oracles', 'meshes', 'bin', 'python');

interface Found {
  readonly vertices: number;
  readonly faces: number;
  readonly low: readonly [number, number, number];
  readonly high: readonly [number, number, number];
  readonly uv: readonly [number, number] | null;
  /** Points and triangles. */
  readonly meshio?: readonly [number, number];
}

const READ = `
import json, sys, numpy, trimesh, meshio
out = {}
for file in sys.argv[1:]:
    mesh = trimesh.load(file, process=False)
    if isinstance(mesh, trimesh.Scene):
        mesh = mesh.to_geometry() if hasattr(mesh, 'to_geometry') else mesh.dump(concatenate=True)
    faces = getattr(mesh, 'faces', numpy.zeros((0, 3)))
    visual = getattr(mesh, 'visual', None)
    uv = getattr(visual, 'uv', None)
    one = dict(vertices=len(mesh.vertices), faces=len(faces), low=mesh.vertices.min(0).tolist(), high=mesh.vertices.max(0).tolist(),
               uv=None if uv is None else uv[1].tolist())
    if file.endswith(('.ply', '.stl', '.obj')):
        other = meshio.read(file)
        one['meshio'] = [len(other.points), sum(len(block.data) for block in other.cells if block.type == 'triangle')]
    out[file.split('/')[-1]] = one
print(json.dumps(out))
`;

const WRITE = `
import sys, trimesh
folder = sys.argv[1]
ball = trimesh.creation.icosphere(subdivisions=2, radius=50)
ball.visual.vertex_colors = [200, 100, 50, 255]
for name in ['ball.ply', 'ball.stl', 'ball.obj', 'ball.glb', 'ball.xyz']:
    (trimesh.PointCloud(ball.vertices) if name.endswith('xyz') else ball).export(folder + '/' + name)
ball.export(folder + '/text.ply', encoding='ascii')
ball.export(folder + '/text.stl', file_type='stl_ascii')
`;

describe.skipIf(!wanted || !existsSync(python))('mesh files beside trimesh and meshio', () => {
  let runtime: Runtime;
  let folder: string;
  beforeAll(async () => {
    runtime = await Runtime.open();
    folder = mkdtempSync(path.join(tmpdir(), 'lineament-oracle-'));
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are read by them', async () => {
    const mesh = sheet(20);
    const textured = { ...mesh, texture: picture(16, 16) };
    const at = (name: string): string => path.join(folder, name);
    const variants: [string, Parameters<typeof writeMesh>[2], Parameters<typeof writeMesh>[3]?][] = [
      ['binary.ply', mesh],
      ['ascii.ply', mesh, { encoding: 'ascii' }],
      ['binary.stl', mesh],
      ['ascii.stl', mesh, { encoding: 'ascii' }],
      ['plain.obj', mesh, { frame: 'camera' }],
      ['textured.obj', textured],
      ['textured.glb', textured],
      ['levels.glb', [mesh, { ...sheet(7) }]],
    ];
    for (const [name, data, options] of variants) await writeMesh(runtime, at(name), data, options);
    writeFileSync(at('read.py'), READ);
    const { stdout } = await command(python, [at('read.py'), ...variants.map(([name]) => at(name))]);
    const found = JSON.parse(stdout) as Record<string, Found>;
    const reach = (axis: number) => {
      const values = mesh.positions.filter((_, i) => i % 3 === axis);
      return [Math.min(...values), Math.max(...values)] as const;
    };
    for (const [name] of variants) {
      const one = found[name]!;
      const corners = name.endsWith('stl');
      expect([name, one.faces]).toEqual([name, 722]);
      if (!corners) expect([name, one.vertices]).toEqual([name, 400]);
      if (one.meshio !== undefined) expect([name, one.meshio[1]]).toEqual([name, 722]);
      const unit = name.endsWith('glb') ? 1e-3 : 1;
      const turned = !name.endsWith('ply') && name !== 'plain.obj';
      expect(one.low[0] / unit).toBeCloseTo(reach(0)[0], 2);
      expect(one.high[0] / unit).toBeCloseTo(reach(0)[1], 2);
      const [near, far] = turned ? [-reach(2)[1], -reach(2)[0]] : reach(2);
      expect(one.low[2] / unit).toBeCloseTo(near, 2);
      expect(one.high[2] / unit).toBeCloseTo(far, 2);
    }
    for (const name of ['textured.obj', 'textured.glb']) {
      // From the bottom-left corner.
      expect(found[name]!.uv![0]).toBeCloseTo(1 / 19, 5);
      expect(found[name]!.uv![1]).toBeCloseTo(1, 5);
    }
  });

  it('of theirs are read', async () => {
    writeFileSync(path.join(folder, 'write.py'), WRITE);
    await command(python, [path.join(folder, 'write.py'), folder]);
    for (const name of ['ball.ply', 'text.ply', 'ball.stl', 'text.stl', 'ball.obj', 'ball.glb', 'ball.xyz']) {
      const format = (await readMesh(runtime, path.join(folder, name))).levels[0]!;
      const unit = name.endsWith('glb') ? 1000 : 1;
      expect([name, format.positions.length / 3]).toEqual([name, 162]);
      expect([name, format.indices.length / 3]).toEqual([name, name.endsWith('xyz') ? 0 : 320]);
      for (let i = 0; i < 162; i++) {
        expect(Math.hypot(...format.positions.subarray(3 * i, 3 * i + 3)) / unit).toBeCloseTo(50, 3);
      }
      if (/ply|glb/.test(name)) expect([...format.colours!.subarray(0, 3)]).toHaveLength(3);
      if (name.endsWith('ply')) expect([...format.colours!.subarray(0, 3)]).toEqual([200, 100, 50]);
    }
  });
});
