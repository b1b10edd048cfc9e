// The regression trees that are trained when the starter pack is built.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/index.js';
import { openStarterTrees, type ShapePredictor, squareBox } from '../../lib/landmarks/index.js';
import { openPack } from '../../lib/models/index.js';
import { sample } from '../support/samples.js';

describe('the trees of the starter pack', () => {
  let engine: Engine;
  let runtime: Runtime;
  let trees: ShapePredictor;
  beforeAll(async () => {
    engine = await openEngine();
    runtime = await Runtime.open();
    trees = await openStarterTrees(runtime);
  });
  afterAll(async () => {
    await trees.close();
    await runtime.close();
    await engine.close();
  });

  it('are small, and stay on disk', async () => {
    expect(trees.info).toMatchObject({ points: 68, format: 'compact' });
    expect(statSync(path.join((await openPack()).folder, 'landmarks68.lmk')).size).toBeLessThanOrEqual(8 * 2 ** 20);
  });

  it('find the points of faces near where the network does', async () => {
    const errors: number[] = [];
    for (const i of [1, 2, 3, 4, 5, 6]) {
      const frame = await engine.decode(sample(i));
      const faces = await engine.detect(frame, { landmarks: true });
      const points = await trees.predict(
        frame,
        faces.map(({ box }) => squareBox(box)),
      );
      for (const [k, { landmarks }] of faces.entries()) {
        const unit = Math.hypot(landmarks![36]![0] - landmarks![45]![0], landmarks![36]![1] - landmarks![45]![1]);
        const sum = points[k]!.reduce(
          (s, [x, y], n) => s + Math.hypot(x - landmarks![n]![0], y - landmarks![n]![1]),
          0,
        );
        errors.push(sum / 68 / unit);
      }
    }
    errors.sort((a, b) => a - b);
    expect(errors.length).toBeGreaterThan(15);
    // These photographs were learned from: this says that the file belongs to the code, not how good it is.
    expect(errors[errors.length >> 1]).toBeLessThan(0.06);
  });

  it('say how to get them where they are missing', async () => {
    const empty = mkdtempSync(path.join(tmpdir(), 'lineament-trees-'));
    await expect(openStarterTrees(runtime, empty)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      fix: expect.stringContaining('npm run setup'),
    });
    rmSync(empty, { recursive: true });
  });
});
