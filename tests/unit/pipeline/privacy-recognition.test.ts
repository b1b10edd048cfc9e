import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CameraFrame } from '../../../lib/capture/types.js';
import { type AnalyzedFace, type Engine, openEngine } from '../../../lib/engine/index.js';
import { type PrivacyPolicy, Redactor } from '../../../lib/pipeline/privacy/index.js';
import type { Track } from '../../../lib/pipeline/types.js';
import { SAMPLE_FACES, sample } from '../../support/samples.js';

// Whether our own detector and recogniser know a covered face again: photographs of real people, the real networks.
let engine: Engine;
let frame: CameraFrame;
let faces: AnalyzedFace[];
let threshold: number;

beforeAll(async () => {
  engine = await openEngine();
  const picture = await engine.decode(sample(5));
  frame = { ...picture, camera: 'gate', sequence: 0, timestamp: 1_800_000_000_000 };
  faces = await engine.analyze(frame, { embedding: true, landmarks: true });
  threshold = (await engine.verify(faces[0]!.embedding!, faces[0]!.embedding!)).threshold;
});
afterAll(() => engine.close());

const tracks = (of: readonly AnalyzedFace[]): Track[] =>
  of.map(({ box }, i) => ({
    id: i,
    camera: 'gate',
    state: 'confirmed',
    face: box,
    seen: true,
    velocity: [0, 0],
    first: frame.timestamp,
    last: frame.timestamp,
    hits: 1,
  }));

async function covered(policy: PrivacyPolicy): Promise<CameraFrame> {
  await using redactor = new Redactor(policy);
  const { camera, timestamp, width, height } = frame;
  redactor.look({ camera, timestamp, width, height, tracks: tracks(faces) });
  return redactor.apply(frame);
}

describe('a covered face', () => {
  it.each([
    { method: 'pixelate', shape: 'ellipse' },
    { method: 'blur', shape: 'ellipse' },
    { method: 'pixelate', shape: 'box' },
    { method: 'blur', shape: 'box' },
  ] as const)('is not known again ($method, $shape)', async (how) => {
    expect(faces).toHaveLength(SAMPLE_FACES[5]!);
    const shown = await covered({ mode: 'blur-all', ...how });
    // With the landmarks of the picture as it was, which nobody has who only sees this one, and whatever the detector still finds.
    const told = await engine.analyzeFaces(shown, faces, { embedding: true });
    const found = await engine.analyze(shown, { embedding: true });
    for (const face of [...told, ...found]) {
      const best = Math.max(...faces.map((original) => engine.compare(original.embedding!, face.embedding!)));
      expect(best).toBeLessThan(threshold);
    }
    // The same measure knows them in the picture as it was.
    const again = await engine.analyzeFaces(frame, faces, { embedding: true });
    for (const [i, face] of again.entries()) {
      expect(engine.compare(face.embedding!, faces[i]!.embedding!)).toBeGreaterThan(threshold);
    }
  });

  it('leaves the rest of the picture to the bit', async () => {
    const margin = 0.35;
    const shown = await covered({ mode: 'blur-all', margin });
    let outside = 0;
    for (let y = 0; y < frame.height; y++) {
      for (let x = 0; x < frame.width; x++) {
        const near = faces.some(
          ({ box: [a, b, w, h] }) =>
            x >= a - margin * w - 1 &&
            x < a + (1 + margin) * w + 1 &&
            y >= b - 1.2 * margin * h - 1 &&
            y < b + (1 + margin) * h + 1,
        );
        const i = (y * frame.width + x) * frame.channels;
        if (!near) for (let c = 0; c < frame.channels; c++) outside += shown.data[i + c] === frame.data[i + c] ? 0 : 1;
      }
    }
    expect(outside).toBe(0);
  });
});
