import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Embedding, type Engine, type Frame, openEngine, similarity } from '../../lib/index.js';
import { sample } from '../support/samples.js';

/** The photographs as they are, and brighter. */
let frames: Frame[];
let plain: Engine;
beforeAll(async () => {
  plain = await openEngine({ preset: 'fast' });
  const decoded = await Promise.all([1, 2, 3, 4, 5, 6].map((i) => plain.decode(sample(i))));
  frames = decoded.flatMap((frame): Frame[] => [frame, brighter(frame)]);
});
afterAll(() => plain.close());

const brighter = (frame: Frame): Frame => ({ ...frame, data: frame.data.map((value) => Math.min(255, value * 1.3)) });

const furthest = (a: Embedding, b: Embedding): number =>
  a.vector.reduce((most, value, i) => Math.max(most, Math.abs(value - b.vector[i]!)), 0);

describe('an engine that joins calls', () => {
  it.each(['fast', 'balanced'] as const)('gives the embeddings of one that does not: %s', async (preset) => {
    const sizes = new Map<string, number[]>();
    const onBatch = (network: string, items: number): void =>
      void sizes.set(network, [...(sizes.get(network) ?? []), items]);
    await using one = await openEngine({ preset });
    await using joined = await openEngine({ preset, batching: { maxItems: 6, waitMs: 1000, onBatch } });
    await joined.warm({ embedding: true });
    expect(sizes.size).toBe(0);
    const given = await Promise.all(frames.slice(0, 8).map((frame) => joined.embed(frame)));
    for (const [i, embedding] of given.entries()) {
      const expected = await one.embed(frames[i]!);
      expect(embedding!.model).toBe(expected!.model);
      expect(furthest(embedding!, expected!)).toBeLessThan(1e-5);
      expect(similarity(embedding!, expected!)).toBeGreaterThan(0.999999);
    }
    expect(sizes.size).toBe(one.preset.recognition.members.length);
    for (const items of sizes.values()) {
      expect(Math.max(...items)).toBeGreaterThan(1);
      expect(Math.max(...items)).toBeLessThanOrEqual(6);
    }
    const all = await Promise.all(frames.slice(0, 2).map((frame) => joined.embed(frame, { all: true })));
    for (const [i, embeddings] of all.entries()) {
      const expected = await one.embed(frames[i]!, { all: true });
      expect(embeddings).toHaveLength(expected.length);
      for (const [k, embedding] of embeddings.entries()) expect(furthest(embedding, expected[k]!)).toBeLessThan(1e-5);
    }
  });

  it('does not let one wait who is alone, nor for calls that want no embedding or find no face', async () => {
    const sizes: number[] = [];
    const onBatch = (_: string, items: number): void => void sizes.push(items);
    await using joined = await openEngine({ preset: 'fast', batching: { maxItems: 256, waitMs: 997, onBatch } });
    const empty: Frame = { data: new Uint8Array(96 * 96 * 3), width: 96, height: 96, channels: 3, format: 'rgb' };
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await joined.embed(frames[0]!);
    expect(timers.mock.calls.filter(([, ms]) => ms === 997)).toEqual([]);
    timers.mockRestore();
    const [, , none, face] = await Promise.all([
      joined.detect(frames[0]!),
      joined.embed('/no/such/picture.jpg').catch(() => undefined),
      joined.embed(empty),
      joined.embed(frames[2]!),
    ]);
    expect(none).toBeUndefined();
    expect(face).toBeDefined();
    expect(sizes).toEqual([1, 1]);
  });

  it('joins the two sides of a comparison, and faces that are looked at again', async () => {
    const sizes: number[] = [];
    const onBatch = (_: string, items: number): void => void sizes.push(items);
    await using joined = await openEngine({ preset: 'fast', batching: { maxItems: 256, waitMs: 1000, onBatch } });
    await joined.warm({ embedding: true });
    const [own, theirs] = await Promise.all([
      joined.verify(frames[0]!, frames[2]!, { threshold: 0.5 }),
      plain.verify(frames[0]!, frames[2]!, { threshold: 0.5 }),
    ]);
    expect(own.similarity).toBeCloseTo(theirs.similarity, 5);
    const faces = await plain.detect(frames[0]!);
    const [again] = await joined.analyzeFaces(frames[0]!, faces, { embedding: true });
    const [expected] = await plain.analyzeFaces(frames[0]!, faces, { embedding: true });
    expect(furthest(again!.embedding!, expected!.embedding!)).toBeLessThan(1e-5);
    expect(sizes.reduce((sum, items) => sum + items, 0)).toBe(2 + faces.length);
  });

  it('aborts one call and leaves the others alone', async () => {
    await using joined = await openEngine({ preset: 'fast', batching: { maxItems: 4, waitMs: 50 } });
    const controller = new AbortController();
    const calls = frames.map((frame, i) => joined.embed(frame, i % 3 === 0 ? { signal: controller.signal } : {}));
    setTimeout(() => controller.abort(), 30);
    for (const [i, call] of (await Promise.allSettled(calls)).entries()) {
      if (call.status === 'rejected') expect([i % 3, call.reason]).toMatchObject([0, { code: 'ABORTED' }]);
      else expect(furthest(call.value!, (await plain.embed(frames[i]!))!)).toBeLessThan(1e-5);
    }
  });

  it('closes while faces wait', async () => {
    const joined = await openEngine({ preset: 'fast', batching: { maxItems: 256, waitMs: 1000 } });
    await joined.warm({ embedding: true });
    const calls = frames.map((frame) =>
      joined.embed(frame).then(
        () => 'done',
        (e: { code: string }) => e.code,
      ),
    );
    setTimeout(() => void joined.close(), 20);
    for (const state of await Promise.all(calls)) expect(['done', 'CLOSED']).toContain(state);
    await joined.close();
    await expect(joined.embed(frames[0]!)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it.each([
    [{}, 'batching.maxItems'],
    [{ maxItems: 0 }, 'batching.maxItems'],
    [{ maxItems: 257 }, 'batching.maxItems'],
    [{ maxItems: 8, waitMs: -1 }, 'batching.waitMs'],
    [{ maxItems: 8, waitMs: Number.NaN }, 'batching.waitMs'],
    [{ maxItems: 8, onBatch: 'x' }, 'batching.onBatch'],
    [{ items: 8 }, "'items' for batching"],
    [8, 'batching'],
  ])('refuses %o', async (batching, said) => {
    const error = await openEngine({ batching: batching as never }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((error as Error).message).toContain(said);
  });
});
