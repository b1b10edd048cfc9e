// `lineament mesh`: files that programs open, names, several faces, what it says where there is nothing to rebuild.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../lib/inference/index.js';
import { readMesh } from '../../lib/reconstruction/index.js';
import { lineament, sample } from './run.js';

interface FaceJson {
  readonly files: readonly string[];
  readonly levels: readonly { readonly triangles: number; readonly errorMillimetres: number }[];
  readonly measures: Readonly<Record<string, number>>;
}
interface Document {
  readonly images: readonly { readonly faces: readonly FaceJson[] }[];
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-mesh-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (name: string): string => path.join(folder, name);

describe('lineament mesh', () => {
  it('writes a face, a page to look at it, its depth, its points and a report', async () => {
    const more = ['--lod', '3', '--viewer', '--depth', '--cloud', '--report', inFolder('report.html')];
    const { code, stdout } = await lineament(['mesh', sample(3), '-o', inFolder('face.glb'), '--json', ...more]);
    expect(code).toBe(0);
    const [face] = (JSON.parse(stdout) as Document).images[0]!.faces;
    const names = ['face.glb', 'face.cloud.ply', 'face.depth.png', 'face.html'];
    expect(face?.files).toEqual(names.map(inFolder));
    expect(face?.levels.map(({ triangles }) => triangles)).toEqual(
      [...(face?.levels ?? [])].map(({ triangles }) => triangles).sort((a, b) => b - a),
    );
    expect(face?.levels).toHaveLength(3);
    expect(face?.measures['biocular-width']).toBeGreaterThan(70);
    expect(readFileSync(inFolder('face.glb')).subarray(0, 4).toString()).toBe('glTF');
    expect(readFileSync(inFolder('face.cloud.ply')).subarray(0, 3).toString()).toBe('ply');
    expect((await sharp(inFolder('face.depth.png')).metadata()).format).toBe('png');
    for (const page of ['face.html', 'report.html']) {
      expect(readFileSync(inFolder(page), 'utf8')).toMatch(/^<!doctype html>/i);
    }
  });

  it('writes every face of several photographs into a folder, in another format', async () => {
    const place = `${inFolder('all')}${path.sep}`;
    const { code, stdout } = await lineament([
      'mesh',
      sample(1),
      sample(3),
      '--all',
      '--format',
      'stl',
      '-o',
      place,
      '--json',
      '--lod',
      '1',
    ]);
    expect(code).toBe(0);
    const faces = (JSON.parse(stdout) as Document).images.flatMap((image) => image.faces);
    expect(faces.length).toBeGreaterThanOrEqual(3);
    for (const { files } of faces) expect(files.every((file) => existsSync(file) && file.endsWith('.stl'))).toBe(true);
    expect(new Set(faces.flatMap(({ files }) => files)).size).toBe(faces.length);
  });

  it('takes an ending in capitals for the same format', async () => {
    const place = inFolder('FACE.GLB');
    expect((await lineament(['mesh', sample(3), '-o', place, '--lod', '2'])).code).toBe(0);
    await using runtime = await Runtime.open({ threads: 1 });
    expect((await readMesh(runtime, place)).levels).toHaveLength(2);
  });

  it('says where there is no face, and refuses places that do not fit', async () => {
    const grey = inFolder('grey.png');
    await sharp({ create: { width: 200, height: 150, channels: 3, background: '#808080' } })
      .png()
      .toFile(grey);
    const none = await lineament(['mesh', grey, '-o', inFolder('none.glb')]);
    expect([none.code, existsSync(inFolder('none.glb'))]).toEqual([0, false]);
    expect(none.stdout).toContain('no face');
    const several = await lineament(['mesh', sample(1), sample(3), '-o', inFolder('one.glb')]);
    expect(several.code).toBe(2);
    expect(several.stderr).toMatch(/folder for several faces/);
    const unknown = await lineament(['mesh', sample(3), '-o', inFolder('face.xyz3')]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/\.glb/);
  });
});
