import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCamera } from '../../../lib/capture/index.js';
import { type Engine, openEngine } from '../../../lib/engine/index.js';
import { sample } from '../../support/samples.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-best-'));
const nobody = mkdtempSync(join(tmpdir(), 'lineament-nobody-'));
const GOOD = 3;
let engine: Engine;

/** One photograph over and over: blurred, dark, small, as it is, overexposed. */
beforeAll(async () => {
  engine = await openEngine({ preset: 'fast' });
  const photograph = await sharp(sample(5)).resize(900).png().toBuffer();
  const { width, height } = await sharp(photograph).metadata();
  const variants = [
    sharp(photograph).blur(6),
    sharp(photograph).linear(0.2, 0),
    sharp(photograph)
      .resize(Math.round(width / 4))
      .extend({ right: width - Math.round(width / 4), bottom: height - Math.round(height / 4) }),
    sharp(photograph),
    sharp(photograph).linear(2.2, 60),
    sharp(photograph).blur(3),
  ];
  await Promise.all(variants.map((one, i) => one.jpeg({ quality: 95 }).toFile(join(folder, `${i}.jpg`))));
  await sharp({ create: { width: 320, height: 240, channels: 3, background: '#456' } })
    .jpeg()
    .toFile(join(nobody, '0.jpg'));
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
  rmSync(nobody, { recursive: true, force: true });
});

describe('the best frame of a while', () => {
  it('is the sharp, well lit and large one, and says why', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: folder, fps: 10, pace: 'fast' } });
    const best = await camera.bestFrame({ within: 60_000, engine });
    expect(best?.frame.sequence).toBe(GOOD);
    expect(best).toMatchObject({ looked: 6 });
    expect(best!.faces).toBeGreaterThanOrEqual(4);
    expect(best!.merits.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['sharpness', 'exposure', 'size', 'pose', 'detection']),
    );
    expect(best!.score).toBeGreaterThan(0.5);
    expect(best!.box[2]).toBeGreaterThan(30);
    // Its own memory: the picture is still there.
    expect(await engine.detect(best!.frame)).not.toHaveLength(0);
  });

  it('is looked for only as long as asked', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: folder, fps: 10, pace: 'fast' } });
    const best = await camera.bestFrame({ within: 150, engine });
    expect(best?.looked).toBeLessThanOrEqual(2);
  });

  it('is absent where nobody is', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: nobody, pace: 'fast' } });
    expect(await camera.bestFrame({ within: 60_000, engine })).toBeUndefined();
  });

  it('is not found when it is aborted', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: nobody, fps: 1 } });
    const abort = new AbortController();
    const looking = camera.bestFrame({ within: 60_000, engine, signal: abort.signal });
    setTimeout(() => abort.abort(), 100);
    await expect(looking).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
