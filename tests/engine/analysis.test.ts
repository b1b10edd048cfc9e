// What `analyze` measures beyond the networks: each part on request, and nothing unasked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { learnNeutralBaseline } from '../../lib/analysis/index.js';
import { type AnalyzedFace, type AnalyzeOptions, type Engine, openEngine } from '../../lib/index.js';
import { sample } from '../support/samples.js';

const PARTS = ['headPose', 'quality', 'geometry', 'symmetry', 'actionUnits', 'expressionReading'] as const;

describe('analyze', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openEngine();
  });
  afterAll(() => engine.close());

  it.each(PARTS)('gives %s where it is asked for, and nothing else', async (part) => {
    const options: AnalyzeOptions = { [part]: true };
    const faces = await engine.analyze(sample(1), options);
    expect(faces.length).toBeGreaterThan(0);
    for (const face of faces) {
      expect(face[part]).toBeDefined();
      const rest = part === 'quality' ? ['size', 'sharpness', 'exposure'] : [];
      expect(Object.keys(face).sort()).toEqual(['box', 'score', part, ...rest].sort());
    }
  });

  it('measures the same as its parts do by themselves', async () => {
    const options: AnalyzeOptions = { landmarks: true, pose: true, attributes: ['expression'] };
    for (const part of PARTS) Object.assign(options, { [part]: true });
    const [face] = (await engine.analyze(sample(1), options)) as [AnalyzedFace];
    const { headPose, quality, symmetry, geometry, actionUnits, expressionReading, pose, landmarks } = face;
    for (const angle of ['roll', 'yaw', 'pitch'] as const)
      expect(Math.abs(headPose![angle] - pose![angle])).toBeLessThan(10);
    expect(headPose!.translation[2]).toBeGreaterThan(20);
    expect(headPose!.confidence).toBeGreaterThan(0.5);
    expect(quality!.score).toBeGreaterThan(30);
    expect(quality!.components.sharpness).toBeDefined();
    expect(symmetry!.score).toBeGreaterThan(60);
    expect(Object.keys(geometry!.measures).length).toBeGreaterThan(50);
    expect(actionUnits!.baseline).toBe('population');
    expect(expressionReading!.agreement.networks).toBeGreaterThan(0);
    expect(expressionReading!.agreement.units).toBeGreaterThan(0);
    const own = learnNeutralBaseline(Array.from({ length: 5 }, () => ({ landmarks: landmarks! })));
    const [again] = await engine.analyze(sample(1), { actionUnits: true, baseline: own! });
    expect(again!.actionUnits!.baseline).toBe('person');
    expect(Math.max(...Object.values(again!.actionUnits!.intensity))).toBeLessThan(0.5);
  });

  it('stops at an abort', async () => {
    const controller = new AbortController();
    const running = engine.analyze(sample(2), { quality: true, expressionReading: true, signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await engine.analyze(sample(1), { symmetry: true })).length).toBeGreaterThan(0);
  });
});
