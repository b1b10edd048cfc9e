import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BufferGeometry, Mesh as ThreeMesh } from 'three';
import { OBJLoader } from 'three/examples/jsm/loaders/OBJLoader.js';
import { PLYLoader } from 'three/examples/jsm/loaders/PLYLoader.js';
import { STLLoader } from 'three/examples/jsm/loaders/STLLoader.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../../lib/image/index.js';
import { Runtime } from '../../../lib/inference/index.js';
import { writeMesh } from '../../../lib/reconstruction/files.js';
import { readMesh } from '../../../lib/reconstruction/files-read.js';
import { encodeGlb } from '../../../lib/reconstruction/glb.js';
import { encodeObj } from '../../../lib/reconstruction/obj.js';
import { encodePly } from '../../../lib/reconstruction/ply.js';
import { encodeStl } from '../../../lib/reconstruction/stl.js';
import type { Mesh } from '../../../lib/reconstruction/types.js';
import { encodeXyz } from '../../../lib/reconstruction/xyz.js';
import { codeOf } from '../../support/code.js';
import { picture, sheet } from '../../support/meshes.js';

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open();
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-mesh-'));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const full = sheet(12);
const { indices: _, uvs: __, ...cloud } = full;
const bare: Mesh = { positions: full.positions, indices: full.indices };
const textured: Mesh = { ...full, texture: picture(32, 24) };
const at = (name: string): string => path.join(folder, name);
const exactly = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** The same numbers; what was turned over or stored in other units, nearly. */
function close(found: Mesh, wanted: Mesh, within: number): void {
  expect(found.indices).toEqual(wanted.indices);
  for (const key of ['positions', 'normals', 'uvs', 'colours'] as const) {
    const [a, b] = [found[key], wanted[key]];
    expect(a?.length, key).toBe(b?.length);
    let worst = 0;
    for (let i = 0; i < (b?.length ?? 0); i++) worst = Math.max(worst, Math.abs(a![i]! - b![i]!));
    expect(worst, key).toBeLessThanOrEqual(key === 'positions' ? within : key === 'colours' ? 0 : 1e-6);
  }
}

describe('PLY', () => {
  it.each(['binary', 'ascii'] as const)('comes back bit for bit (%s)', async (encoding) => {
    for (const mesh of [full, bare, { ...bare, colours: full.colours }]) {
      const file = await readMesh(runtime, await encodePly(runtime, mesh, { encoding, comment: 'A sheet' }));
      expect(file).toMatchObject({ format: 'ply', images: [] });
      close(file.levels[0]!, mesh, 0);
    }
    const points = await readMesh(runtime, await encodePly(runtime, cloud, { encoding }));
    close(points.levels[0]!, { ...cloud, indices: new Uint32Array() }, 0);
  });

  it.each(['binary', 'ascii'] as const)('is read by three.js (%s)', async (encoding) => {
    const geometry = new PLYLoader().parse(exactly(await encodePly(runtime, full, { encoding })));
    const { position, normal, uv, color } = geometry.attributes as Record<
      string,
      { array: Float32Array; count: number }
    >;
    expect(Float32Array.from(position!.array)).toEqual(full.positions);
    expect(Float32Array.from(normal!.array)).toEqual(full.normals);
    expect(uv!.array[1]).toBeCloseTo(1 - full.uvs[1]!, 6);
    expect(color!.count).toBe(144);
    expect([...geometry.index!.array]).toEqual([...full.indices]);
  });

  it('turns about X where Y shall be up', async () => {
    const up = await encodePly(runtime, full, { frame: 'y-up' });
    const asIs = (await readMesh(runtime, up)).levels[0]!;
    expect(asIs.positions[1]).toBe(-full.positions[1]!);
    expect(asIs.positions[2]).toBe(-full.positions[2]!);
    close((await readMesh(runtime, up, { frame: 'y-up' })).levels[0]!, full, 0);
  });
});

describe('OBJ', () => {
  it('comes back, and is read by three.js', async () => {
    for (const mesh of [full, bare, { ...bare, uvs: full.uvs }, { ...bare, normals: full.normals }]) {
      const { obj, mtl, texture } = await encodeObj(runtime, mesh);
      expect([mtl, texture]).toEqual([undefined, undefined]);
      close((await readMesh(runtime, obj, { format: 'obj' })).levels[0]!, mesh, 0);
      const group = new OBJLoader().parse(text(obj));
      const { geometry } = group.children[0] as ThreeMesh;
      expect(geometry.attributes['position']!.count).toBe(mesh.indices.length);
      expect(geometry.attributes['position']!.getY(0)).toBeCloseTo(-mesh.positions[3 * mesh.indices[0]! + 1]!, 3);
      expect(geometry.attributes['uv'] !== undefined).toBe(mesh.uvs !== undefined);
    }
  });

  it('brings its material and texture', async () => {
    const files = await encodeObj(runtime, textured, { name: 'my face', texture: 'png' });
    expect(text(files.obj)).toMatch(/^mtllib my_face\.mtl\nv /);
    expect(files.mtl!.name).toBe('my_face.mtl');
    expect(text(files.mtl!.data)).toContain('map_Kd my_face_texture.png\n');
    const { data } = await decodeImage(files.texture!.data);
    expect(Buffer.compare(data, textured.texture!.data)).toBe(0);
    const file = await readMesh(runtime, files.obj, { format: 'obj' });
    expect(file.library).toBe('my_face.mtl');
    expect(file.levels[0]!.colours).toBeUndefined();
  });
});

describe('STL', () => {
  it.each(['binary', 'ascii'] as const)(
    'comes back with shared corners, and is read by three.js (%s)',
    async (encoding) => {
      const stl = await encodeStl(runtime, full, { encoding });
      const { levels } = await readMesh(runtime, stl, { format: 'stl' });
      const found = levels[0]!;
      expect(found.positions.length).toBe(full.positions.length);
      const corners = (mesh: Mesh): number[] =>
        [...mesh.indices].flatMap((i) => [...mesh.positions.subarray(3 * i, 3 * i + 3)]);
      expect(corners(found)).toEqual(corners(full));
      const geometry: BufferGeometry = new STLLoader().parse(exactly(stl));
      expect(geometry.attributes['position']!.count).toBe(full.indices.length);
      expect(geometry.attributes['position']!.getZ(0)).toBeCloseTo(-full.positions[3 * full.indices[0]! + 2]!, 2);
      // A sheet that looks at the camera looks at the viewer.
      expect(geometry.attributes['normal']!.getZ(0)).toBeGreaterThan(0);
    },
  );
});

describe('XYZ', () => {
  it('comes back with colours', async () => {
    const bytes = await encodeXyz(runtime, cloud);
    expect(text(bytes).split('\n')).toHaveLength(145);
    const { levels } = await readMesh(runtime, bytes, { format: 'xyz' });
    const { normals: ___, ...rest } = cloud;
    close(levels[0]!, { ...rest, indices: new Uint32Array() }, 0);
  });
});

describe('GLB', () => {
  it('comes back in millimetres of the camera frame', async () => {
    for (const [quantised, within] of [
      [false, 1e-4],
      [true, 0.004],
    ] as const) {
      const file = await readMesh(runtime, await encodeGlb([full, { mesh: bare, error: 1 }], { quantised }));
      expect(file.levels).toHaveLength(2);
      if (!quantised) close(file.levels[0]!, full, within);
      expect(file.levels[0]!.colours).toEqual(full.colours);
      expect(file.levels[1]!.normals).toBeUndefined();
      let worst = 0;
      for (const [i, value] of full.positions.entries()) {
        worst = Math.max(worst, ...file.levels.map(({ positions }) => Math.abs(positions[i]! - value)));
      }
      expect(worst).toBeLessThan(within);
    }
    const points = await readMesh(runtime, await encodeGlb(cloud));
    close(points.levels[0]!, { ...cloud, indices: new Uint32Array() }, 1e-4);
  });

  it('hands its texture on', async () => {
    const { image, images } = await readMesh(runtime, await encodeGlb(textured, { texture: 'png' }));
    expect(images).toEqual([image]);
    expect(image!.mimeType).toBe('image/png');
    const { data } = await decodeImage(image!.data);
    expect(Buffer.compare(data, textured.texture!.data)).toBe(0);
  });
});

describe('writeMesh and readMesh', () => {
  it('go by the ending of the name', async () => {
    for (const ending of ['ply', 'glb', 'obj', 'stl', 'xyz', 'GLB']) {
      const written = await writeMesh(runtime, at(`a.${ending}`), bare);
      expect(written).toEqual([at(`a.${ending}`)]);
      const { format, levels } = await readMesh(runtime, at(`a.${ending}`));
      expect(format).toBe(ending.toLowerCase());
      expect(levels[0]!.positions.length).toBe(bare.positions.length);
    }
  });

  it('write what belongs to a file beside it, under names that are no photograph’s', async () => {
    writeFileSync(at('anna.jpg'), 'a photograph');
    expect(await writeMesh(runtime, at('anna.obj'), textured)).toEqual(
      ['anna.obj', 'anna_texture.jpg', 'anna.mtl'].map(at),
    );
    expect(await writeMesh(runtime, at('anna.ply'), textured, { texture: 'png' })).toEqual(
      ['anna.ply', 'anna_texture.png'].map(at),
    );
    expect(readFileSync(at('anna.jpg'), 'utf8')).toBe('a photograph');
    expect((await readMesh(runtime, at('anna.ply'))).library).toBe('anna_texture.png');
    await writeMesh(runtime, at('levels.glb'), [textured, { mesh: bare, error: 2 }], { glb: { name: 'anna' } });
    expect((await readMesh(runtime, at('levels.glb'))).levels).toHaveLength(2);
  });

  it('replace a file whole or leave it as it is', async () => {
    writeFileSync(at('old.ply'), 'old');
    const nan = { ...bare, positions: bare.positions.map(() => NaN) };
    expect(await codeOf(writeMesh(runtime, at('old.ply'), nan))).toBe('INVALID_ARGUMENT');
    const aborted = { signal: AbortSignal.abort() };
    for (const ending of ['ply', 'glb']) {
      expect(await codeOf(writeMesh(runtime, at(`old.${ending}`), bare, aborted))).toBe('ABORTED');
    }
    expect(readFileSync(at('old.ply'), 'utf8')).toBe('old');
    await writeMesh(runtime, at('old.ply'), bare);
    expect((await readMesh(runtime, at('old.ply'))).levels[0]!.indices).toEqual(bare.indices);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('refuse what cannot be written', async () => {
    const code = (file: string, mesh: unknown, options?: object) =>
      codeOf(writeMesh(runtime, file, mesh as never, options));
    for (const name of ['face', 'face.fbx', 'face.', '']) expect(await code(name, bare)).toBe('INVALID_ARGUMENT');
    expect(await code(at('none/face.ply'), bare)).toBe('STORE_FAILED');
    expect(await code('/proc/face.ply', bare)).toMatch(/STORE_FAILED|ACCESS_DENIED/);
    writeFileSync(at('file'), '');
    expect(await code(at('file/face.glb'), bare)).toBe('STORE_FAILED');
    for (const ending of ['ply', 'obj', 'stl', 'glb', 'xyz']) {
      const file = at(`bad.${ending}`);
      expect(await code(file, { positions: new Float32Array() })).toBe('INVALID_ARGUMENT');
      expect(await code(file, { ...bare, indices: new Uint32Array() })).toBe('INVALID_ARGUMENT');
      expect(await code(file, { ...bare, indices: bare.indices.map(() => 144) })).toBe('INVALID_ARGUMENT');
      expect(await code(file, { ...bare, positions: bare.positions.map(() => NaN) })).toBe('INVALID_ARGUMENT');
      expect(await code(file, { ...bare, normals: new Float32Array(3) })).toBe('INVALID_ARGUMENT');
      if (ending !== 'glb') expect(await code(file, [bare, bare])).toBe('INVALID_ARGUMENT');
    }
    expect(await code(at('a.stl'), cloud)).toBe('INVALID_ARGUMENT');
    expect(await code(at('a.glb'), bare, { frame: 'camera' })).toBe('INVALID_ARGUMENT');
    expect(await code(at('a.ply'), bare, { encoding: 'utf8' })).toBe('INVALID_ARGUMENT');
    expect(await code(at('a.ply'), bare, { comment: 'two\nlines' })).toBe('INVALID_ARGUMENT');
    expect(readdirSync(folder).filter((name) => name.startsWith('bad') || name.endsWith('.tmp'))).toEqual([]);
  });

  it('say what is wrong with a file', async () => {
    expect(await codeOf(readMesh(runtime, at('missing.ply')))).toBe('NOT_FOUND');
    expect(await codeOf(readMesh(runtime, folder))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(readMesh(runtime, new Uint8Array(9)))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(readMesh(runtime, 7 as never))).toBe('INVALID_ARGUMENT');
    const ply = await encodePly(runtime, full);
    expect(await codeOf(readMesh(runtime, ply, { maxVertices: 143 }))).toBe('MESH_CORRUPT');
    expect(await codeOf(readMesh(runtime, ply, { signal: AbortSignal.abort() }))).toBe('ABORTED');
    writeFileSync(at('cut.ply'), ply.subarray(0, 2000));
    await expect(readMesh(runtime, at('cut.ply'))).rejects.toMatchObject({
      code: 'MESH_CORRUPT',
      message: expect.stringMatching(/cut\.ply: .*144 elements vertex, but from byte \d+ on there is room for/),
    });
    for (const format of ['ply', 'glb', 'stl', 'obj', 'xyz'] as const) {
      expect(await codeOf(readMesh(runtime, new Uint8Array(), { format }))).toBe('MESH_CORRUPT');
      expect(await codeOf(readMesh(runtime, Buffer.from('not a mesh'), { format }))).toBe('MESH_CORRUPT');
    }
  });

  it('never crash on a GLB that is cut short anywhere', async () => {
    const glb = await encodeGlb([bare, bare].map((mesh) => ({ mesh })));
    for (let size = 0; size < glb.length; size += size < 2400 ? 1 : 97) {
      expect(await codeOf(readMesh(runtime, glb.slice(0, size), { format: 'glb' })), `${size}`).toBe('MESH_CORRUPT');
    }
  });

  it('give the same bytes for any number of threads', async () => {
    const big = sheet(300);
    const alone = await Runtime.open({ threads: 1 });
    try {
      for (const encoding of ['binary', 'ascii'] as const) {
        const [a, b] = await Promise.all([alone, runtime].map((one) => encodePly(one, big, { encoding })));
        expect(Buffer.compare(a!, b!)).toBe(0);
      }
    } finally {
      await alone.close();
    }
  });
});
