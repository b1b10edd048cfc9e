import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../../lib/native/index.js';
import { readDataset } from '../../../lib/training/index.js';
import { Random } from '../../../lib/training/random.js';
import type { Box, Frame, Point } from '../../../lib/types.js';
import { AUGMENTATION, augment } from '../../../models/train/augment.js';
import { type LabelledPicture, withoutPersons } from '../../../models/train/label.js';
import { root } from '../../support/child.js';
import { sample } from '../../support/samples.js';

const execute = promisify(execFile);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-recipe-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('random numbers', () => {
  const many = (seed: string, count = 20_000): number[] => {
    const random = new Random(seed);
    return Array.from({ length: count }, () => random.uniform());
  };

  it('are the same for a seed and others for another', () => {
    expect(many('a', 50)).toEqual(many('a', 50));
    expect(many('a', 50)).not.toEqual(many('b', 50));
    expect(new Set(many('a')).size).toBeGreaterThan(19_900);
  });

  it('have the distributions that they say', () => {
    const even = many('x');
    expect(even.every((v) => v >= 0 && v < 1)).toBe(true);
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    // Five deviations of the mean of so many.
    expect(Math.abs(mean(even) - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(even.length));
    const random = new Random('y');
    const normal = Array.from({ length: 20_000 }, () => random.normal(2));
    expect(Math.abs(mean(normal))).toBeLessThan((5 * 2) / Math.sqrt(normal.length));
    // Cut at three deviations: the variance is 0.973 of the whole one.
    expect(Math.sqrt(mean(normal.map((v) => v * v)))).toBeCloseTo(2 * Math.sqrt(0.9733), 1);
    expect(Math.max(...normal.map(Math.abs))).toBeLessThanOrEqual(6);
  });
});

describe('augment', () => {
  // A picture whose brightness is a ramp in x and another one in y: each point has a value of its own.
  const [width, height] = [400, 300];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 40 + (x * 100) / width + (y * 60) / height;
  });
  const frame: Frame = { data, width, height, channels: 3, format: 'rgb' };
  const box: Box = [140, 90, 100, 120];
  const points = Array.from({ length: 68 }, (_, i): Point => [150 + (i % 10) * 8, 100 + Math.floor(i / 10) * 12]);
  const still = { ...AUGMENTATION, contrast: 0, brightness: 0, light: 0, noise: 0 };
  const valueAt = (x: number, y: number): number => 40 + ((x - 0.5) * 100) / width + ((y - 0.5) * 60) / height;

  it('moves points with the pixels that they lie on, mirrored or not', async () => {
    const addon = loadAddon();
    const executor = addon.createExecutor(1);
    try {
      const samples = await augment(addon, executor, frame, { box, points }, 8, new Random('s'), still);
      expect(samples).toHaveLength(8);
      const order = (await import('../../../lib/landmarks/mirror.js')).MIRROR;
      for (const [n, { picture, face }] of samples.entries()) {
        expect(picture.data).toHaveLength(picture.width * picture.height);
        for (const i of [0, 8, 30, 36, 67]) {
          const [x, y] = face.points[i]!;
          const [px, py] = points[n % 2 === 1 ? order[i]! : i]!;
          const seen = picture.data[Math.floor(y) * picture.width + Math.floor(x)]!;
          // A pixel of the sample covers a few of the picture, where the ramp climbs by less than one a pixel.
          expect(Math.abs(seen - valueAt(px, py))).toBeLessThan(2.5);
        }
        // The box lies about the middle of the sample.
        expect(Math.abs(face.box[0] + face.box[2] / 2 - picture.width / 2)).toBeLessThan(0.15 * face.box[2]);
        expect(face.box[2]).toBe(face.box[3]);
      }
    } finally {
      await executor.close();
    }
  });

  it('gives the same samples for the same seed, and changes light where that is asked for', async () => {
    const addon = loadAddon();
    const executor = addon.createExecutor(1);
    try {
      const run = (seed: string) => augment(addon, executor, frame, { box, points }, 2, new Random(seed));
      const [a, b, c] = [await run('1'), await run('1'), await run('2')];
      expect(a).toEqual(b);
      expect(a).not.toEqual(c);
      const plain = await augment(addon, executor, frame, { box, points }, 1, new Random('1'), still);
      expect(plain[0]!.picture.data).not.toEqual(a[0]!.picture.data);
    } finally {
      await executor.close();
    }
  });
});

describe('holding out persons', () => {
  const face = (...vector: number[]): LabelledPicture['faces'][number] => ({
    path: '',
    box: [0, 0, 1, 1],
    points: [],
    spread: 0,
    embedding: { model: 'm', dims: 2, vector: Float32Array.from(vector) },
  });
  const picture = (...faces: LabelledPicture['faces']): LabelledPicture => ({
    path: '',
    frame: { data: new Uint8Array(), width: 0, height: 0, channels: 1, format: 'gray' },
    faces,
  });

  it('leaves out the faces of those that are measured on', () => {
    const [a, b, near] = [face(1, 0), face(0, 1), face(0.995, Math.sqrt(1 - 0.995 ** 2))];
    const rest = withoutPersons([picture(near, b), picture(b)], [picture(a)], 0.99);
    expect(rest.map(({ faces }) => faces)).toEqual([[b], [b]]);
  });
});

describe('the recipe', () => {
  it('labels, trains and gives the same model again', async () => {
    const run = async (name: string): Promise<string> => {
      const args = [sample(1), sample(5), '-o', path.join(folder, name), '--labels', path.join(folder, `${name}.xml`)];
      const small = ['--cascades', '3', '--trees', '20', '--variants', '6', '--quick'];
      const tsx = path.join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
      const recipe = path.join(root, 'models', 'train', 'landmarks68.ts');
      const { stdout } = await execute(process.execPath, [tsx, recipe, ...args, ...small], { cwd: root });
      return stdout;
    };
    const said = await run('one.lmk');
    expect(said).toContain('labelled 8 faces on 2 photographs');
    expect(said).toContain('made 48 samples');
    expect(said).toContain('3 × 20 trees of depth 3');
    await run('two.lmk');
    expect(readFileSync(path.join(folder, 'one.lmk')).equals(readFileSync(path.join(folder, 'two.lmk')))).toBe(true);
    const labels = await readDataset(path.join(folder, 'one.lmk.xml'));
    expect(labels.pictures.map(({ faces }) => faces.length)).toEqual([3, 5]);
  });
});
