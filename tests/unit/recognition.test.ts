import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../lib/engine/presets.js';
import { applyRegion, squareRegion } from '../../lib/image/geometry.js';
import { rank, similarity } from '../../lib/recognition/compare.js';
import { normalise } from '../../lib/recognition/embed.js';
import { embeddingDims } from '../../lib/recognition/plan.js';
import { chipRegion, chipTemplate } from '../../lib/recognition/template.js';
import type { Embedding, Point } from '../../lib/types.js';

const embedding = (values: readonly number[], model = 'm'): Embedding => ({
  model,
  dims: values.length,
  vector: Float32Array.from(values),
});

describe('chips', () => {
  const geometry = { size: 150, padding: 0.25, down: 0 };

  it('put the mean face where dlib puts it', () => {
    const { indices, points } = chipTemplate(geometry);
    const at = (landmark: number): Point => points[indices.indexOf(landmark)]!;
    // dlib: (padding + mean) / (1 + 2 padding) × size, here for the outer corner of the left eye and the tip of the nose.
    expect(at(36)[0]).toBeCloseTo(((0.25 + 0.121737) / 1.5) * 150, 9);
    expect(at(30)[1]).toBeCloseTo(((0.25 + 0.515625) / 1.5) * 150, 9);
    const lower = chipTemplate({ ...geometry, down: 0.1 }).points;
    expect(lower[0]![1] - points[0]![1]).toBeCloseTo(15, 9);
    expect(lower[0]![0]).toBe(points[0]![0]);
    expect(indices.some((i) => i < 27 || (i >= 55 && i <= 59) || (i >= 65 && i <= 67))).toBe(false);
  });

  it('follow a face that was moved, scaled and turned', () => {
    const { indices, points } = chipTemplate(geometry);
    const truth = squareRegion(400, 300, 90, 150, -0.4);
    const landmarks: Point[] = Array.from({ length: 68 }, () => [0, 0]);
    indices.forEach((index, i) => {
      landmarks[index] = applyRegion(truth, ...points[i]!);
    });
    const region = chipRegion(landmarks, geometry)!;
    truth.forEach((value, i) => {
      expect(region[i]).toBeCloseTo(value, 7);
    });
  });

  it('are absent for landmarks that are not numbers', () => {
    expect(
      chipRegion(
        Array.from({ length: 68 }, (): Point => [Number.NaN, 1]),
        geometry,
      ),
    ).toBeUndefined();
  });
});

describe('similarity', () => {
  it('is the cosine, whatever the lengths', () => {
    expect(similarity(embedding([1, 0, 0, 0, 0]), embedding([0, 2, 0, 0, 0]))).toBe(0);
    expect(similarity(embedding([1, 2, 3, 4, 5]), embedding([2, 4, 6, 8, 10]))).toBeCloseTo(1, 12);
    expect(similarity(embedding([1, 1]), embedding([-1, -1]))).toBeCloseTo(-1, 12);
  });

  it('refuses to compare recognisers, and what is no embedding', () => {
    const codeOf = (work: () => unknown): unknown => {
      try {
        work();
      } catch (error) {
        return (error as { code?: string }).code;
      }
      return undefined;
    };
    expect(codeOf(() => similarity(embedding([1, 0], 'a'), embedding([1, 0], 'b')))).toBe('EMBEDDING_MISMATCH');
    expect(codeOf(() => similarity(embedding([1, 0]), embedding([1, 0, 0])))).toBe('EMBEDDING_MISMATCH');
    expect(codeOf(() => similarity(embedding([0, 0]), embedding([1, 0])))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => similarity(embedding([Number.NaN, 0]), embedding([1, 0])))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => similarity({} as Embedding, embedding([1])))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => similarity({ ...embedding([1]), dims: 2 }, embedding([1])))).toBe('INVALID_ARGUMENT');
  });
});

describe('rank', () => {
  const angle = (degrees: number): Embedding =>
    embedding([Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]);
  const candidates = Array.from({ length: 2000 }, (_, i) => ({ id: `c${i}`, embedding: angle((i * 37) % 360) }));

  it('gives the best first and agrees with sorting everything', async () => {
    const probe = angle(10);
    const expected = candidates
      .map(({ id, embedding: e }) => ({ id, similarity: similarity(probe, e) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 7);
    const found = await rank(probe, candidates, 7, -1);
    expect(found.map((m) => m.similarity)).toEqual(expected.map((m) => m.similarity));
  });

  it('keeps to the threshold and to the signal', async () => {
    const found = await rank(angle(0), candidates, 5000, 0.9);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((m) => m.similarity >= 0.9)).toBe(true);
    const many = Array.from({ length: 200_000 }, (_, i) => candidates[i % candidates.length]!);
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await expect(rank(angle(0), many, 5, -1, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('plans', () => {
  it('normalise to length 1 and refuse what has no direction', () => {
    const v = Float32Array.of(3, 4);
    expect(normalise(v)).toBe(true);
    expect([...v].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([0.6, 0.8]);
    expect(normalise(Float32Array.of(0, 0))).toBe(false);
    expect(normalise(Float32Array.of(Number.NaN, 1))).toBe(false);
  });

  it('give different names to spaces that cannot be compared', () => {
    const spaces = new Map<string, string>();
    for (const { recognition } of Object.values(PRESETS)) {
      const space = JSON.stringify({ ...recognition, model: undefined });
      expect(spaces.get(recognition.model) ?? space).toBe(space);
      spaces.set(recognition.model, space);
      expect(embeddingDims(recognition)).toBeGreaterThanOrEqual(128);
    }
  });
});
