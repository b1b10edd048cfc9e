import validator from 'gltf-validator';
import type { BufferAttribute, Object3D, Mesh as ThreeMesh } from 'three';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
import { describe, expect, it } from 'vitest';
import { sniffFormat } from '../../../lib/image/format.js';
import { encodeGlb, type GlbLevels, type GlbOptions } from '../../../lib/reconstruction/glb.js';
import type { Mesh, PointCloud } from '../../../lib/reconstruction/types.js';
import { codeOf } from '../../support/code.js';
import { picture, sheet } from '../../support/meshes.js';

const only = (mesh: Mesh, ...keep: (keyof Mesh)[]): Mesh =>
  Object.fromEntries(Object.entries(mesh).filter(([key]) => ['positions', 'indices', ...keep].includes(key))) as never;
const json = (glb: Uint8Array): Record<string, unknown[]> & { asset: unknown } => {
  const length = new DataView(glb.buffer, glb.byteOffset).getUint32(12, true);
  return JSON.parse(Buffer.from(glb.subarray(20, 20 + length)).toString());
};
const load = (glb: Uint8Array): Promise<{ scene: Object3D }> =>
  new GLTFLoader().parseAsync(glb.slice().buffer as ArrayBuffer, '') as never;

const full = sheet(12);
const textured: Mesh = { ...full, texture: picture(32, 24) };
const triangle: Mesh = {
  positions: new Float32Array([0, 0, 500, 10, 0, 500, 0, 10, 500]),
  indices: new Uint32Array([0, 2, 1]),
};
const coarse: Mesh = { ...sheet(5), texture: textured.texture as never };
const cloud: PointCloud = { positions: full.positions, normals: full.normals, colours: full.colours };

const variants: [string, Mesh | PointCloud | GlbLevels, GlbOptions?][] = [
  ['positions alone', only(full)],
  ['normals', only(full, 'normals')],
  ['texture coordinates', only(full, 'uvs')],
  ['colours', only(full, 'colours')],
  ['everything', full],
  ['a texture as JPEG', textured],
  ['a texture as PNG, lit', textured, { texture: 'png', unlit: false }],
  ['colours, lit from one side', full, { unlit: false, doubleSided: false }],
  ['a point cloud', cloud],
  ['levels of detail', [textured, { mesh: coarse, error: 0.25, screenCoverage: 0.1 }, triangle]],
  ['one level', [textured]],
  ['quantisation', textured, { quantised: true }],
  ['quantisation of levels', [full, coarse, triangle], { quantised: true }],
  ['quantised coordinates beyond the texture', { ...full, uvs: full.uvs.map((u) => 2 * u - 0.5) }, { quantised: true }],
  ['quantisation of a point cloud', cloud, { quantised: true }],
  ['one triangle', triangle],
  ['one point', { positions: new Float32Array([1, 2, 3]) }, { quantised: true }],
  ['normals that are not 1 long, or 0', { ...full, normals: full.normals.map((v, i) => (i < 3 ? 0 : 7 * v)) }],
  ['those quantised', { ...full, normals: full.normals.map((v, i) => (i < 3 ? 0 : 7 * v)) }, { quantised: true }],
  ['65 536 vertices and more', sheet(257)],
  ['those quantised', sheet(257), { quantised: true }],
];

describe('encodeGlb', () => {
  it.each(variants)('satisfies the Khronos validator with %s', async (_, mesh, options) => {
    const glb = await encodeGlb(mesh, options);
    const { issues } = await validator.validateBytes(glb);
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([]);
    expect(issues.numErrors + issues.numWarnings).toBe(0);
    expect(Buffer.compare(glb, await encodeGlb(mesh, options))).toBe(0);
  });

  it('is read by three.js: metres, Y up, Z to the viewer, linear colours', async () => {
    for (const quantised of [false, true]) {
      const { scene } = await load(await encodeGlb(full, { quantised, name: 'a sheet' }));
      const meshes = scene.getObjectsByProperty('isMesh' as never, true) as ThreeMesh[];
      expect(meshes).toHaveLength(1);
      const [mesh] = meshes as [ThreeMesh];
      mesh.updateMatrixWorld();
      const { position, normal, uv, color } = mesh.geometry.attributes as Record<string, BufferAttribute>;
      const worst = { position: 0, normal: 0, uv: 0, colour: 0 };
      const point = mesh.position.clone();
      for (let i = 0; i < position!.count; i++) {
        point.fromBufferAttribute(position!, i).applyMatrix4(mesh.matrixWorld);
        const [x, y, z] = full.positions.subarray(3 * i) as unknown as [number, number, number];
        worst.position = Math.max(
          worst.position,
          1000 * Math.hypot(point.x - x / 1e3, point.y + y / 1e3, point.z + z / 1e3),
        );
        point.fromBufferAttribute(normal!, i);
        const [nx, ny, nz] = full.normals.subarray(3 * i) as unknown as [number, number, number];
        worst.normal = Math.max(worst.normal, Math.hypot(point.x - nx, point.y + ny, point.z + nz));
        worst.uv = Math.max(worst.uv, Math.hypot(uv!.getX(i) - full.uvs[2 * i]!, uv!.getY(i) - full.uvs[2 * i + 1]!));
        const linear = color!.getX(i);
        const share = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
        worst.colour = Math.max(worst.colour, Math.abs(255 * share - full.colours[3 * i]!));
      }
      // A step of the box of 220 mm is 0.0034 mm; of normals 1/127.
      expect(worst.position).toBeLessThan(quantised ? 0.004 : 1e-4);
      expect(worst.normal).toBeLessThan(quantised ? 0.01 : 1e-6);
      expect(worst.uv).toBeLessThan(quantised ? 1e-4 : 1e-6);
      expect(worst.colour).toBeLessThan(0.1);
      expect([...mesh.geometry.index!.array]).toEqual([...full.indices]);
    }
  });

  it('shows only the finest level to viewers without MSFT_lod', async () => {
    const glb = await encodeGlb([only(full), { mesh: only(coarse), error: 0.5 }, triangle], { name: 'f' });
    const { scene } = await load(glb);
    const meshes = scene.getObjectsByProperty('isMesh' as never, true) as ThreeMesh[];
    expect(meshes.map((one) => [one.name, one.geometry.index!.count])).toEqual([['f_LOD0', full.indices.length]]);
    const { nodes, scenes } = json(glb) as never as { nodes: Record<string, unknown>[]; scenes: unknown };
    expect(scenes).toEqual([{ nodes: [0] }]);
    expect(nodes.map(({ name }) => name)).toEqual(['f_LOD0', 'f_LOD1', 'f_LOD2']);
    expect(nodes[0]).toMatchObject({ extensions: { MSFT_lod: { ids: [1, 2] } } });
    const coverage = (nodes[0]!['extras'] as { MSFT_screencoverage: number[] }).MSFT_screencoverage;
    expect(coverage).toEqual([coarse.indices.length / full.indices.length, 3 / full.indices.length, 0]);
    expect(nodes[1]).toMatchObject({ extras: { errorMillimetres: 0.5 } });
  });

  it('writes once what levels share, and indices as short as they can be', async () => {
    const shared = await encodeGlb([textured, { ...textured, indices: textured.indices.slice(0, 30) }]);
    const { accessors, images, materials } = json(shared);
    expect(accessors).toHaveLength(5);
    expect([images!.length, materials!.length]).toEqual([1, 1]);
    const type = async (mesh: Mesh) =>
      (json(await encodeGlb(mesh))['accessors'] as never as { type: string; componentType: number }[]).find(
        (one) => one.type === 'SCALAR',
      )?.componentType;
    expect(await type(sheet(255))).toBe(5123);
    expect(await type(sheet(256))).toBe(5125);
  });

  it('states unit and scale, and leaves colours out under a texture', async () => {
    const glb = await encodeGlb(textured, { scale: { source: 'iris', millimetresPerPixel: 0.4 } });
    const { asset, meshes, bufferViews, images } = json(glb);
    expect(asset).toMatchObject({
      generator: expect.stringMatching(/^Lineament \d/),
      extras: { unit: 'metre', sourceUnit: 'millimetre', scaleSource: 'iris', millimetresPerPixel: 0.4 },
    });
    expect(JSON.stringify(meshes)).not.toContain('COLOR_0');
    const view = bufferViews![(images![0] as { bufferView: number }).bufferView] as { byteOffset: number };
    const start = 28 + new DataView(glb.buffer).getUint32(12, true) + view.byteOffset;
    expect(sniffFormat(glb.subarray(start))).toBe('jpeg');
  });

  it.each<[string, unknown, GlbOptions?]>([
    ['no mesh', undefined],
    ['no levels', []],
    ['a mesh without points', { positions: new Float32Array(), indices: new Uint32Array() }],
    ['a mesh without triangles', { ...full, indices: new Uint32Array() }],
    ['a position that is not finite', { ...triangle, positions: new Float32Array([0, 0, 0, 1, NaN, 0, 0, 1, 0]) }],
    ['a normal that is not finite', { ...full, normals: full.normals.map(() => Infinity) }],
    ['a coordinate that is not finite', { ...full, uvs: full.uvs.map(() => NaN) }],
    ['an index that names no vertex', { ...triangle, indices: new Uint32Array([0, 1, 3]) }],
    ['too few normals', { ...full, normals: new Float32Array(3) }],
    ['numbers that are no typed array', { positions: [0, 0, 0], indices: new Uint32Array(3) }],
    ['a texture without coordinates', { ...triangle, texture: picture(4, 4) }],
    ['a texture of another size', { ...full, texture: { ...picture(4, 4), width: 5 } }],
    ['an unknown option', full, { quantized: true } as never],
    ['a coverage above one', [{ mesh: full, screenCoverage: 2 }]],
    ['a negative error', [{ mesh: full, error: -1 }]],
  ])('refuses %s', async (_, mesh, options) => {
    expect(await codeOf(encodeGlb(mesh as never, options))).toBe('INVALID_ARGUMENT');
  });

  it('stops when it is told to', async () => {
    expect(await codeOf(encodeGlb(full, { signal: AbortSignal.abort() }))).toBe('ABORTED');
  });
});
