import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../lib/engine/index.js';
import type { Frame } from '../../lib/types.js';
import { SAMPLE_FACES, sample } from '../support/samples.js';

let engine: Engine;
let frame: Frame;

beforeAll(async () => {
  engine = await openEngine({ preset: 'fast' });
  frame = await engine.decode(sample(3));
});
afterAll(() => engine.close());

describe('analyzeFaces', () => {
  it('says of known faces what analyze says', async () => {
    const ask = { landmarks: true, pose: true, quality: true, embedding: true, attributes: ['expression'] } as const;
    const whole = await engine.analyze(frame, ask);
    expect(whole).toHaveLength(SAMPLE_FACES[3]!);
    const boxes = await engine.detect(frame);
    const [last, ...rest] = [...boxes].reverse();
    const again = await engine.analyzeFaces(frame, [last!, ...rest], ask);
    expect(again).toHaveLength(whole.length);
    for (const [i, face] of [...again].reverse().entries()) {
      expect(face.box).toEqual(whole[i]!.box);
      expect(engine.compare(face.embedding!, whole[i]!.embedding!)).toBeGreaterThan(0.9999);
      expect(face.expression!.label).toBe(whole[i]!.expression!.label);
      expect(face.pose!.yaw).toBeCloseTo(whole[i]!.pose!.yaw, 1);
      expect(face.quality!.score).toBeCloseTo(whole[i]!.quality!.score, 0);
    }
  });

  it('takes landmarks that are given, and adds only what is asked', async () => {
    const [face] = await engine.detect(frame, { landmarks: true });
    const [again] = await engine.analyzeFaces(frame, [face!], { embedding: true });
    expect(again).toEqual({ ...face, embedding: again!.embedding });
    const [all] = await engine.analyze(frame, { embedding: true });
    expect(engine.compare(again!.embedding!, all!.embedding!)).toBeGreaterThan(0.99999);
  });

  it('measures the box alone where that is all that is asked', async () => {
    const [face] = await engine.detect(frame);
    const [measured] = await engine.analyzeFaces(frame, [face!], { statistics: true });
    const [whole] = await engine.analyze(frame, { quality: true });
    const { sharpness, size, exposure } = whole!;
    expect(measured).toEqual({ ...face, sharpness, size, exposure });
    expect(sharpness).toBeGreaterThan(0);
  });

  it('knows nothing of no faces, and refuses what is none', async () => {
    expect(await engine.analyzeFaces(frame, [], { embedding: true })).toEqual([]);
    const refused = { code: 'INVALID_ARGUMENT' };
    await expect(engine.analyzeFaces(frame, [{ box: [0, 0, Number.NaN, 9], score: 1 }])).rejects.toMatchObject(refused);
    await expect(engine.analyzeFaces(frame, [{ box: [0, 0, 0, 9], score: 1 }])).rejects.toMatchObject(refused);
    await expect(
      engine.analyzeFaces(frame, [{ box: [0, 0, 9, 9], score: 1, landmarks: [[1, 2]] }]),
    ).rejects.toMatchObject(refused);
    await expect(engine.analyzeFaces(frame, [], { maxFaces: 2 } as object)).rejects.toMatchObject(refused);
  });
});
