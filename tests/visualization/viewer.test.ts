// The viewer's page without a browser: what it carries, that nobody's text becomes markup, and what it refuses.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type DepthMap, encodeGlb, type PointCloud } from '../../lib/reconstruction/index.js';
import { readGlb } from '../../lib/visualization/glb-scene.js';
import { createViewer, type ViewerOptions } from '../../lib/visualization/index.js';
import { unpackCloud, unpackDepth } from '../../lib/visualization/viewer/unpack.js';
import type { ViewerSettings } from '../../lib/visualization/viewer.js';
import { packCloud, packDepth } from '../../lib/visualization/viewer-data.js';
import { bulge, container, flat, gridMesh, quadrantTexture, tinyGlb } from './meshes.js';

const texture = quadrantTexture();
const levels = [16, 8, 4].map((cells) => gridMesh(bulge, cells, texture));
const glb = tinyGlb(levels, undefined, [0, 0.4, 1.5]);

function depthMap(side: number): DepthMap {
  const depth = Float32Array.from({ length: side * side }, (_, i) => (i % 7 === 0 ? Number.NaN : 400 + i / side));
  const camera = { fx: 500, fy: 500, cx: side / 2, cy: side / 2 };
  return {
    width: side,
    height: side,
    depth,
    confidence: new Float32Array(side * side),
    camera,
    scale: { source: 'iris' },
  };
}

const blockOf = (html: string, id: string): Buffer => {
  const found = new RegExp(`<script type="application/octet-stream" id="data-${id}">([^<]*)</script>`).exec(html);
  return gunzipSync(Buffer.from(found?.[1] ?? '', 'base64'));
};

/** The page without its program, which is long and mentions everything. */
const page = async (options: ViewerOptions): Promise<string> =>
  (await createViewer(options)).replace(/<script>[\s\S]*?<\/script>/, '');

describe('createViewer', () => {
  it('carries the file as it is, and asks for nothing', async () => {
    const html = await page({ glb });
    expect(Buffer.compare(blockOf(html, 'glb'), glb)).toBe(0);
    expect(html).not.toMatch(/(src|href)=/);
    expect(html).not.toMatch(/@import|url\(/);
  });

  it('allows by its policy the program and the style that it holds, and no other', async () => {
    const html = await createViewer({ glb });
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const sha = (text: string): string => createHash('sha256').update(text).digest('base64');
    const program = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
    expect(program.length).toBeGreaterThan(100_000);
    const plain = policy.replaceAll('&#39;', "'");
    expect(plain).toBe(
      `default-src 'none'; script-src 'sha256-${sha(program)}'; style-src 'sha256-${sha(style)}'; base-uri 'none'; form-action 'none'`,
    );
    const rest = html.replace(program, '');
    expect(rest).not.toMatch(/ on\w+="| style="/);
    expect(rest.match(/<script/g)).toHaveLength(3);
  });

  it('keeps text text', async () => {
    const evil = `</title></script><script>alert("x")</script><img src=x onerror='y'>`;
    const html = await page({ glb, title: evil, facts: [[evil, evil]] });
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<img');
    const settings = /id="viewer-settings">([^<]*)<\/script>/.exec(html)?.[1] ?? '';
    expect((JSON.parse(settings) as { title: string }).title).toBe(evil);
  });

  it('has the licence of three.js with the program', async () => {
    const html = await createViewer({ glb });
    const licence = /<script>(\/\*[\s\S]*?\*\/)/.exec(html)?.[1];
    expect(licence).toMatch(/three\.js: The MIT License[\s\S]*three\.js authors[\s\S]*WITHOUT WARRANTY/);
  });

  it('offers what there is to choose: levels of a file with levels, none of one without', async () => {
    const several = await page({ glb });
    expect(several.match(/name="level"/g)).toHaveLength(4);
    const one = await page({ glb: tinyGlb([levels[0]!]) });
    expect(one).not.toMatch(/name="level"/);
    const cloud = await page({ cloud: { positions: levels[0]!.positions } });
    expect(cloud).not.toMatch(/name="(mesh|wireframe|level)"|save-glb"/);
    expect(cloud).toMatch(/name="points" checked/);
  });

  it('opens with what can be seen: the texture, the colours, or plain where there is neither', async () => {
    const first = async (options: ViewerOptions): Promise<string> =>
      /name="surface" value="(\w+)" checked/.exec(await page(options))?.[1] ?? '';
    const { positions, indices } = levels[2]!;
    const colours = new Uint8Array(positions.length);
    expect(await first({ glb: await encodeGlb(levels[2]!) })).toBe('texture');
    expect(await first({ glb: await encodeGlb({ positions, indices, colours }) })).toBe('texture');
    expect(await first({ glb: await encodeGlb({ positions, indices }) })).toBe('plain');
    expect(await first({ glb, surface: 'normals' })).toBe('normals');
  });

  it('shows a depth map that is alone as points in its colours', async () => {
    const map = depthMap(30);
    const html = await page({ depth: map });
    const settings = JSON.parse(/id="viewer-settings">([^<]*)</.exec(html)![1]!) as ViewerSettings;
    expect(settings.surface).toBe('depth');
    expect(settings.cloud!.count).toBe(map.depth.filter((value) => !Number.isNaN(value)).length);
    const { positions } = unpackCloud(settings.cloud!, blockOf(html, 'cloud'));
    // The second pixel: the first one's depth is not known.
    const z = map.depth[1]!;
    const expected = [((1.5 - 15) / 500) * z, ((15 - 0.5) / 500) * z, -z];
    for (const [k, value] of expected.entries()) expect(Math.abs(positions[k]! - value)).toBeLessThan(0.01);
    const huge = {
      ...depthMap(1),
      width: 1500,
      height: 1500,
      depth: new Float32Array(2.25e6).fill(500),
      confidence: new Float32Array(2.25e6),
    };
    const large = JSON.parse(/id="viewer-settings">([^<]*)</.exec(await page({ depth: huge }))![1]!) as ViewerSettings;
    expect(large.cloud!.count).toBe(750 * 750);
  });

  it('says where the shape comes from', async () => {
    const of = async (source: 'iris' | 'sensor'): Promise<string> => page({ glb, scale: { source } });
    expect(await of('iris')).toMatch(/is a prior[^<]*iris/);
    expect(await of('sensor')).toContain('measured by a depth camera');
    expect(await of('sensor')).not.toContain('is a prior');
  });

  it('reads the files of encodeGlb: levels, errors, millimetres, texture; quantised too', async () => {
    for (const quantised of [false, true]) {
      const bytes = await encodeGlb(
        levels.map((mesh, i) => ({ mesh, error: i })),
        { quantised },
      );
      expect(await page({ glb: bytes })).toContain('name="level"');
      const scene = readGlb(bytes);
      expect(scene.levels.map(({ error, triangles }) => [error, triangles])).toEqual([
        [0, 512],
        [1, 128],
        [2, 32],
      ]);
      const [part] = scene.levels[0]!.parts;
      const expected = levels[0]!.positions;
      for (let i = 0; i < expected.length; i++) {
        expect(Math.abs(part!.positions[i]! - (i % 3 === 0 ? 1 : -1) * expected[i]!)).toBeLessThan(0.01);
      }
      const { width, height } = await sharp(scene.images[part!.image!]!.bytes).metadata();
      expect([width, height]).toEqual([64, 64]);
    }
  });

  it('reads colours of encodeGlb as they were', async () => {
    const { positions, indices } = gridMesh(flat, 2);
    const colours = Uint8Array.from({ length: positions.length }, (_, i) => (i * 37) % 256);
    const [part] = readGlb(await encodeGlb({ positions, indices, colours })).levels[0]!.parts;
    for (const [i, value] of colours.entries()) expect(Math.abs(part!.colours![i]! * 255 - value)).toBeLessThan(0.6);
  });

  it('places nodes as they are turned, scaled and moved', () => {
    const position = Buffer.from(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1).buffer);
    const turned = Math.SQRT1_2;
    const bytes = container(
      {
        asset: { version: '2.0' },
        scenes: [{ nodes: [0] }],
        nodes: [
          { children: [1], translation: [0, 0, 5] },
          { mesh: 0, rotation: [0, 0, turned, turned], scale: [2, 2, 2] },
        ],
        meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
        accessors: [{ bufferView: 0, componentType: 5126, count: 3, type: 'VEC3' }],
        bufferViews: [{ buffer: 0, byteLength: 36 }],
        buffers: [{ byteLength: 36 }],
      },
      [position],
    );
    const [part] = readGlb(bytes).levels[0]!.parts;
    const expected = [0, 2000, 5000, -2000, 0, 5000, 0, 0, 7000];
    for (const [i, value] of expected.entries()) expect(part!.positions[i]).toBeCloseTo(value, 1);
  });

  it('keeps clouds and depth to a step of their range', async () => {
    const positions = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i * 12.9898) * 200 + (i % 3) * 100);
    const normals = Float32Array.from({ length: 3000 }, (_, i) => [0.6, 0, -0.8][i % 3]!);
    const colours = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) % 256);
    const cloud: PointCloud = { positions, normals, colours };
    const packed = await packCloud(cloud);
    const back = unpackCloud(packed.about, packed.bytes);
    for (let i = 0; i < 3000; i++) {
      const sign = i % 3 === 0 ? 1 : -1;
      expect(Math.abs(back.positions[i]! - sign * positions[i]!)).toBeLessThanOrEqual(
        packed.about.step[i % 3]! * 0.51 + 1e-4,
      );
      expect(Math.abs(back.normals![i]! - sign * normals[i]!)).toBeLessThan(0.005);
    }
    expect(Buffer.compare(back.colours!, colours)).toBe(0);
    const map = depthMap(50);
    const depth = await packDepth(map);
    const again = unpackDepth(depth.about, depth.bytes);
    for (const [i, value] of map.depth.entries()) {
      if (Number.isNaN(value)) expect(again[i]).toBeNaN();
      else expect(Math.abs(again[i]! - value)).toBeLessThan(0.001);
    }
  });

  const changed = (at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(glb);
    copy[at] = value;
    return copy;
  };

  it.each<[string, Partial<ViewerOptions>, string]>([
    ['nothing to show', {}, 'INVALID_ARGUMENT'],
    ['an unknown option', { glb, zoom: 1 } as object, 'INVALID_ARGUMENT'],
    ['bytes that are none', { glb: 'face.glb' as never }, 'INVALID_ARGUMENT'],
    ['an empty file', { glb: new Uint8Array(0) }, 'MESH_CORRUPT'],
    ['a file of another kind', { glb: new Uint8Array(400).fill(80) }, 'MESH_CORRUPT'],
    ['another version', { glb: changed(4, 1) }, 'MESH_CORRUPT'],
    ['a file that was cut', { glb: glb.subarray(0, glb.length - 100) }, 'MESH_CORRUPT'],
    ['a file without a scene', { glb: container({ asset: { version: '2.0' } }) }, 'MESH_CORRUPT'],
    ['JSON that is none', { glb: changed(20, 0x21) }, 'MESH_CORRUPT'],
    ['a cloud without points', { cloud: { positions: new Float32Array(0) } }, 'NO_SURFACE'],
    ['a cloud of NaN', { cloud: { positions: Float32Array.of(0, Number.NaN, 1) } }, 'INVALID_ARGUMENT'],
    [
      'a cloud with short colours',
      { cloud: { positions: new Float32Array(6), colours: new Uint8Array(3) } },
      'INVALID_ARGUMENT',
    ],
    [
      'depth that nobody knows',
      { depth: { ...depthMap(4), depth: new Float32Array(16).fill(Number.NaN) } },
      'NO_SURFACE',
    ],
    ['depth of another size', { depth: { ...depthMap(4), width: 5 } }, 'INVALID_ARGUMENT'],
    ['a title that is no text', { glb, title: 5 as never }, 'INVALID_ARGUMENT'],
    ['facts that are no pairs', { glb, facts: [['a']] as never }, 'INVALID_ARGUMENT'],
    ['errors below zero', { glb, errors: [-1] }, 'INVALID_ARGUMENT'],
    ['a view that is none', { glb, view: { yaw: Number.NaN, pitch: 0 } }, 'INVALID_ARGUMENT'],
    ['an aborted signal', { cloud: { positions: new Float32Array(3) }, signal: AbortSignal.abort() }, 'ABORTED'],
  ])('refuses %s', async (_, options, code) => {
    await expect(createViewer(options)).rejects.toMatchObject({ code });
  });

  it('ends with an answer or MESH_CORRUPT for any file that was changed', async () => {
    // A byte of the headers or of the JSON chunk.
    let random = 1;
    const next = (): number => {
      random = (random * 48271) % 2147483647;
      return random;
    };
    let [read, refused] = [0, 0];
    for (let i = 0; i < 1000; i++) {
      try {
        readGlb(changed(12 + (next() % 1600), next() % 256));
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(RangeError);
        refused++;
      }
    }
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(100);
  });
});
