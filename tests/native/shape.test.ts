// The shape predictor through the addon and the library, on models written here byte by byte.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShapePredictor } from '../../lib/landmarks/shape-predictor.js';
import type { NativeAddon, NativeExecutor, NativeShapeModel, PixelView } from '../../lib/native/addon.js';
import { loadAddon } from '../../lib/native/index.js';
import type { Box, Frame } from '../../lib/types.js';
import { lastJson, runChild } from '../support/child.js';
import { codeOf, noise, picture } from './support.js';

/** Bytes as dlib packs them. */
class Packer {
  readonly bytes: number[] = [];
  integer(value: number): this {
    const digits: number[] = [];
    let rest = Math.abs(value);
    do {
      digits.push(rest % 256);
      rest = Math.floor(rest / 256);
    } while (rest > 0);
    this.bytes.push(digits.length + (value < 0 ? 128 : 0), ...digits);
    return this;
  }
  /** Values are whole multiples of 2^-20, which keeps this short. */
  number(value: number): this {
    return this.integer(Math.round(value * 2 ** 20)).integer(-20);
  }
  matrix(values: readonly number[]): this {
    this.integer(-values.length).integer(-1);
    for (const v of values) this.number(v);
    return this;
  }
}

interface Shape {
  readonly points: number;
  readonly cascades: number;
  readonly trees: number;
  readonly depth: number;
  readonly features: number;
}

/** A model that looks at pixels and moves points by up to a few hundredths of the box. */
function dlibModel(n: Shape): Uint8Array {
  const random = noise(200_000, -1, 1, n.points);
  let at = 0;
  const next = (scale: number): number => (random[at++] ?? 0) * scale;
  const index = (below: number): number => Math.min(below - 1, Math.floor(((next(1) + 1) / 2) * below));
  const packer = new Packer().integer(1);
  packer.matrix(Array.from({ length: 2 * n.points }, () => 0.5 + next(0.4)));
  packer.integer(n.cascades);
  for (let c = 0; c < n.cascades; c++) {
    packer.integer(n.trees);
    for (let t = 0; t < n.trees; t++) {
      packer.integer(2 ** n.depth - 1);
      for (let i = 0; i < 2 ** n.depth - 1; i++)
        packer.integer(index(n.features)).integer(index(n.features)).number(next(30));
      packer.integer(2 ** n.depth);
      for (let i = 0; i < 2 ** n.depth; i++) packer.matrix(Array.from({ length: 2 * n.points }, () => next(0.01)));
    }
  }
  packer.integer(n.cascades);
  for (let c = 0; c < n.cascades; c++) {
    packer.integer(n.features);
    for (let i = 0; i < n.features; i++) packer.integer(index(n.points));
  }
  packer.integer(n.cascades);
  for (let c = 0; c < n.cascades; c++) {
    packer.integer(n.features);
    for (let i = 0; i < 2 * n.features; i++) packer.number(next(0.15));
  }
  return Uint8Array.from(packer.bytes);
}

const COUNTS: Shape = { points: 9, cascades: 3, trees: 8, depth: 3, features: 20 };
const WIDTH = 160;
const HEIGHT = 120;
const rgb: PixelView = { data: picture(WIDTH, HEIGHT), width: WIDTH, height: HEIGHT, format: 'rgb' };
const frame: Frame = { ...rgb, channels: 3 };
const BOXES = Float64Array.of(20, 15, 80, 80, -30, 40.5, 90.25, 100, 500, 500, 50, 50);

describe('shape models', () => {
  let folder = '';
  let addon: NativeAddon;
  let executor: NativeExecutor;
  let model: NativeShapeModel;
  const file = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(os.tmpdir(), 'lineament-shape-'));
    addon = loadAddon();
    executor = addon.createExecutor(2);
    writeFileSync(file('model.dat'), dlibModel(COUNTS));
    model = await addon.openShapeModel(executor, file('model.dat'));
  });
  afterAll(async () => {
    await model.close();
    await executor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tell what they are', () => {
    expect(model).toMatchObject({ ...COUNTS, format: 'dlib', leafError: 0 });
    expect(model.bytes).toBeGreaterThan(3 * 8 * 8 * 18 * 4);
  });

  it('place points for each box, as each by itself', async () => {
    const all = await model.predict(executor, rgb, BOXES);
    expect(all.length).toBe(3 * 9 * 2);
    expect([...all].every(Number.isFinite)).toBe(true);
    for (let i = 0; i < 3; i++) {
      const one = await model.predict(executor, rgb, BOXES.slice(4 * i, 4 * i + 4));
      expect(one).toEqual(all.slice(18 * i, 18 * i + 18));
    }
    expect((await model.predict(executor, rgb, new Float64Array(0))).length).toBe(0);
  });

  it('look at the luma of the picture', async () => {
    const data = await addon.convert(executor, rgb, 'gray');
    const gray: PixelView = { data, width: WIDTH, height: HEIGHT, format: 'gray' };
    const bgr: PixelView = { ...rgb, data: await addon.convert(executor, rgb, 'bgr'), format: 'bgr' };
    const expected = await model.predict(executor, rgb, BOXES);
    expect(await model.predict(executor, gray, BOXES)).toEqual(expected);
    expect(await model.predict(executor, bgr, BOXES)).toEqual(expected);
    const black: PixelView = { ...gray, data: new Uint8Array(WIDTH * HEIGHT) };
    expect(await model.predict(executor, black, BOXES)).not.toEqual(expected);
  });

  it('respect byteOffset and stride', async () => {
    const stride = 3 * WIDTH + 7;
    const loose = new Uint8Array(11 + stride * HEIGHT);
    for (let y = 0; y < HEIGHT; y++) loose.set(rgb.data.subarray(3 * WIDTH * y, 3 * WIDTH * (y + 1)), 11 + stride * y);
    const view = { ...rgb, data: loose.subarray(11), stride };
    expect(await model.predict(executor, view, BOXES)).toEqual(await model.predict(executor, rgb, BOXES));
  });

  it('are saved to both formats and opened again', async () => {
    await model.save(executor, file('copy.dat'), 'dlib');
    await model.save(executor, file('model.lmsm'), 'compact');
    const copy = await addon.openShapeModel(executor, file('copy.dat'));
    const compact = await addon.openShapeModel(executor, file('model.lmsm'));
    expect(copy).toMatchObject({ ...COUNTS, format: 'dlib', leafError: 0 });
    expect(compact).toMatchObject({ ...COUNTS, format: 'compact' });
    expect(compact.leafError).toBeGreaterThan(0);
    expect(compact.leafError).toBeLessThan(1e-4);
    const expected = await model.predict(executor, rgb, BOXES);
    expect(await copy.predict(executor, rgb, BOXES)).toEqual(expected);
    const near = await compact.predict(executor, rgb, BOXES);
    // The box off the picture sees only black: there, rounding the leaves is all the difference there is.
    for (let k = 36; k < 54; k++) expect(Math.abs(near[k]! - expected[k]!)).toBeLessThan(50 * compact.leafError + 1e-4);
    await model.save(executor, file('again.dat'), 'dlib');
    expect(readFileSync(file('again.dat'))).toEqual(readFileSync(file('copy.dat')));
    await Promise.all([copy.close(), compact.close()]);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('refuse impossible arguments', async () => {
    const code = (boxes: unknown, source: unknown = rgb): Promise<string> =>
      codeOf(async () => model.predict(executor, source as PixelView, boxes as Float64Array));
    for (const bad of [
      Float64Array.of(1, 2, 3),
      Float64Array.of(1, 2, Number.NaN, 4),
      Float64Array.of(1, Infinity, 3, 4),
      Float64Array.of(1, 2, 0, 4),
      Float64Array.of(1, 2, 3, -4),
      Float64Array.of(1e300, 2, 3, 4),
      new Float32Array(4).fill(5),
      [1, 2, 3, 4],
      undefined,
    ])
      expect(await code(bad)).toBe('INVALID_ARGUMENT');
    expect(await code(BOXES, { ...rgb, data: rgb.data.subarray(1) })).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => model.predict({} as NativeExecutor, rgb, BOXES))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => model.save(executor, 'x', 'tiff' as 'dlib'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => model.save(executor, '', 'dlib'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => model.save(executor, file('no/such/folder'), 'dlib'))).toBe('INVALID_ARGUMENT');
  });

  it('refuse damaged files by name', async () => {
    const good = dlibModel(COUNTS);
    await model.save(executor, file('good.lmsm'), 'compact');
    const compact = new Uint8Array(readFileSync(file('good.lmsm')));
    const flipped = compact.slice();
    flipped[600] = flipped[600]! ^ 4;
    const cases: Record<string, Uint8Array> = {
      empty: new Uint8Array(0),
      text: new TextEncoder().encode('this is not a model, is it?'),
      'cut.dat': good.subarray(0, good.length - 1),
      'long.dat': Uint8Array.from([...good, 0]),
      'cut.lmsm': compact.subarray(0, compact.length - 1),
      'flipped.lmsm': flipped,
      'reversed.lmsm': Uint8Array.from([...compact.subarray(0, 4)].reverse().concat([...compact.subarray(4)])),
    };
    for (const [name, bytes] of Object.entries(cases)) {
      writeFileSync(file(name), bytes);
      await expect(addon.openShapeModel(executor, file(name)), name).rejects.toMatchObject({
        code: 'MODEL_CORRUPT',
        message: expect.stringContaining(name) as string,
      });
    }
    expect(await codeOf(() => addon.openShapeModel(executor, file('absent')))).toBe('MODEL_CORRUPT');
    expect(await codeOf(() => addon.openShapeModel(executor, folder))).toBe('MODEL_CORRUPT');
  });

  it('are cancelled by their token', async () => {
    const token = addon.createToken();
    token.cancel();
    expect(await codeOf(() => addon.openShapeModel(executor, file('model.dat'), token))).toBe('ABORTED');
    expect(await codeOf(() => model.predict(executor, rgb, BOXES, token))).toBe('ABORTED');
    expect(await codeOf(() => model.save(executor, file('never.dat'), 'dlib', token))).toBe('ABORTED');
    expect(readdirSync(folder)).not.toContain('never.dat');

    // In the middle: very many boxes, and a token that is cancelled once the work has begun.
    const many = new Float64Array(4 * 200_000);
    for (let i = 0; i < many.length; i += 4) many.set([20, 15, 80, 80], i);
    const late = addon.createToken();
    const work = codeOf(() => model.predict(executor, rgb, many, late));
    setTimeout(() => late.cancel(), 5);
    expect(await work).toBe('ABORTED');
  });

  it('close once and for all, and let calls that run end', async () => {
    const other = await addon.openShapeModel(executor, file('model.dat'));
    const running = other.predict(executor, rgb, BOXES);
    await Promise.all([other.close(), other.close()]);
    expect((await running).length).toBe(54);
    expect(await codeOf(() => other.predict(executor, rgb, BOXES))).toBe('CLOSED');
    expect(await codeOf(() => other.save(executor, file('x.dat'), 'dlib'))).toBe('CLOSED');
  });

  it('give the same bits at every SIMD level and on any number of threads', async () => {
    await model.save(executor, file('levels.lmsm'), 'compact');
    const script = `
      import { loadAddon } from './lib/native/index.js';
      import { picture } from './tests/native/support.js';
      const addon = loadAddon();
      const source = { data: picture(${WIDTH}, ${HEIGHT}), width: ${WIDTH}, height: ${HEIGHT}, format: 'rgb' };
      const out = { simd: addon.cpu().simd };
      for (const threads of [1, 3]) {
        const executor = addon.createExecutor(threads);
        for (const name of ['model.dat', 'levels.lmsm']) {
          const model = await addon.openShapeModel(executor, ${JSON.stringify(folder)} + '/' + name);
          out[name + threads] = [...await model.predict(executor, source, Float64Array.from(${JSON.stringify([...BOXES])}))];
          await model.close();
        }
        await executor.close();
      }
      console.log(JSON.stringify(out));
    `;
    const results: Record<string, unknown>[] = [];
    for (const level of ['scalar', 'avx2', 'native'])
      results.push(lastJson(await runChild(script, { LINEAMENT_SIMD: level })) as Record<string, unknown>);
    expect(results[0]?.['simd']).toBe('scalar');
    const expected = [...(await model.predict(executor, rgb, BOXES))];
    for (const result of results) {
      expect(result['model.dat1']).toEqual(expected);
      expect(result['model.dat3']).toEqual(expected);
      expect(result['levels.lmsm1']).toEqual(results[0]?.['levels.lmsm1']);
      expect(result['levels.lmsm3']).toEqual(results[0]?.['levels.lmsm1']);
    }
  });

  describe('ShapePredictor', () => {
    const boxes: Box[] = [
      [20, 15, 80, 80],
      [-30, 40.5, 90.25, 100],
    ];

    it('gives points by face, saves and converts', async () => {
      const predictor = await ShapePredictor.open({ addon, executor }, file('model.dat'));
      expect(predictor.info).toMatchObject({ ...COUNTS, format: 'dlib', leafError: 0 });
      const found = await predictor.predict(frame, boxes);
      const raw = await model.predict(executor, rgb, BOXES);
      expect(found.length).toBe(2);
      expect(found.flat(2)).toEqual([...raw.slice(0, 36)]);
      expect(found[1]?.[8]).toEqual([raw[34], raw[35]]);
      expect(await predictor.predict(frame, [])).toEqual([]);
      await predictor.save(file('saved.lmsm'), 'compact');
      const compact = await ShapePredictor.open(executor, file('saved.lmsm'));
      expect(compact.info.format).toBe('compact');
      await compact.close();
      const info = await ShapePredictor.convert(executor, file('saved.lmsm'), file('converted.dat'), 'dlib');
      expect(info).toMatchObject({ ...COUNTS, format: 'dlib' });
      await predictor[Symbol.asyncDispose]();
      expect(await codeOf(() => predictor.predict(frame, boxes))).toBe('CLOSED');
      expect(await codeOf(() => predictor.save(file('x'), 'dlib'))).toBe('CLOSED');
    });

    it('finds one point as well', async () => {
      writeFileSync(file('one.dat'), dlibModel({ points: 1, cascades: 2, trees: 4, depth: 2, features: 6 }));
      const predictor = await ShapePredictor.open(executor, file('one.dat'));
      const found = await predictor.predict(frame, boxes);
      expect(found.map((points) => points.length)).toEqual([1, 1]);
      await predictor.close();
    });

    it('refuses what it cannot use', async () => {
      const predictor = await ShapePredictor.open(executor, file('model.dat'));
      const refused = (value: unknown): Promise<string> => codeOf(() => predictor.predict(frame, value as Box[]));
      for (const bad of [
        undefined,
        [[1, 2, 3]],
        [[1, 2, 3, Number.NaN]],
        [[1, 2, 3, Infinity]],
        [[1, 2, 0, 4]],
        [[1, 2, 3, -4]],
        ['abcd'],
        [undefined],
      ])
        expect(await refused(bad)).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => predictor.save('', 'dlib'))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => predictor.save(file('x'), 'png' as 'dlib'))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => ShapePredictor.open(executor, file('absent')))).toBe('MODEL_NOT_FOUND');
      expect(await codeOf(() => ShapePredictor.open(executor, file('text')))).toBe('MODEL_CORRUPT');
      expect(await codeOf(() => ShapePredictor.open(executor, ''))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => ShapePredictor.open(executor, 'a\0b'))).toBe('INVALID_ARGUMENT');
      const stopped = AbortSignal.abort(new Error('enough'));
      expect(await codeOf(() => predictor.predict(frame, boxes, { signal: stopped }))).toBe('ABORTED');
      expect(await codeOf(() => ShapePredictor.open(executor, file('model.dat'), { signal: stopped }))).toBe('ABORTED');
      await predictor.close();
    });
  });
});
