// The vector index through the addon: against a double-precision oracle and a plain map, and with bad input.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeExecutor } from '../../lib/native/addon.js';
import { loadAddon } from '../../lib/native/index.js';
import { createVectorIndex, INDEX_PRECISIONS, type VectorIndex } from '../../lib/search/index.js';
import { lastJson, runChild } from '../support/child.js';
import { random } from '../support/random.js';
import { expectSame, type Model, oracle, row, unit, vectors } from './search-support.js';
import { codeOf } from './support.js';

const DIMS = 40;
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** Adds to the index and to the model. */
async function put(
  index: VectorIndex,
  model: Model,
  keys: number[],
  values: Float32Array,
  groups?: number[],
  update = false,
): Promise<void> {
  await (update ? index.update(keys, values, groups) : index.add(keys, values, groups));
  for (const [i, key] of keys.entries()) {
    const group = groups?.[i] ?? model.get(key)?.group ?? 0;
    model.set(key, { vector: unit(row(values, i, index.dims)), group });
  }
}

describe('vector index', () => {
  let executor: NativeExecutor;
  beforeAll(() => {
    executor = loadAddon().createExecutor(2);
  });
  afterAll(() => executor.close());

  it('finds what a comparison with every vector finds, on random and on clustered data', async () => {
    for (const clusters of [0, 9]) {
      await using index = await createVectorIndex({ dims: DIMS, executor });
      const model: Model = new Map();
      await put(index, model, range(0, 3000), vectors(3000, DIMS, 1, clusters));
      await put(
        index,
        model,
        range(9000, 2000),
        vectors(2000, DIMS, 2, clusters),
        range(0, 2000).map((i) => i % 5),
      );
      const queries = vectors(30, DIMS, 3, clusters);
      await expectSame(index, model, queries);
      await expectSame(index, model, queries, { k: 1 });
      await expectSame(index, model, queries, { k: 300, threshold: 0.2 });
      await expectSame(index, model, queries, { threshold: 0.35 });
      await expectSame(index, model, queries, { threshold: 0.35, limit: 3 });
      await expectSame(index, model, queries, { groups: [3] });
      await expectSame(index, model, queries, { groups: [1, 4, 77], k: 50 });
      await expectSame(index, model, queries, { groups: [] });
      await expectSame(index, model, queries, { only: [5, 9100, 9999, 123456, 5] });
      await expectSame(index, model, queries, { only: [] });
      await expectSame(index, model, queries, { except: range(0, 2999), k: 4 });
      await expectSame(index, model, queries, { except: [9001], only: [9001, 9002], groups: [2, 1] });
      const own = row(queries, 0, DIMS);
      await put(index, model, [50_000], own);
      const [[best]] = (await index.search(own)) as [[{ key: number; similarity: number }]];
      expect(best).toMatchObject({ key: 50_000 });
      expect(best.similarity).toBeGreaterThan(1 - 1e-6);
      expect(best.similarity).toBeLessThanOrEqual(1);
    }
  });

  it('agrees with a map after thousands of random changes', async () => {
    await using index = await createVectorIndex({ dims: 8, executor });
    const model: Model = new Map();
    const next = random(5);
    const some = (below: number): number => Math.floor(next() * below);
    let revision = 0;
    for (let step = 0; step < 2500; step++) {
      const keys = [...new Set(Array.from({ length: 1 + some(8) }, () => some(300)))];
      const there = keys.filter((key) => model.has(key));
      const values = vectors(keys.length, 8, 1000 + step);
      const groups = some(2) === 0 ? keys.map(() => some(3)) : undefined;
      const kind = some(9);
      if (kind < 3) {
        expect(await index.remove(keys)).toBe(there.length);
        for (const key of keys) model.delete(key);
        revision += there.length > 0 ? 1 : 0;
      } else if (kind < 5 && there.length > 0) {
        expect(await codeOf(() => index.add(keys, values, groups))).toBe('DUPLICATE_ID');
      } else {
        await put(index, model, keys, values, groups, there.length > 0);
        revision++;
      }
      expect(index.size).toBe(model.size);
      expect(index.revision).toBe(revision);
      if (step % 25 === 0) {
        const options =
          step % 50 === 0 ? { groups: [some(3)], k: 7 } : { except: [...model.keys()].slice(0, 3), k: 20 };
        await expectSame(index, model, vectors(2, 8, step), options);
      }
    }
    const groups = await index.lookup([...range(0, 300), 7]);
    expect(groups).toEqual(new Map([...model].map(([key, { group }]) => [key, group])));
  });

  it('is exact after rounding to 16 bits, and near with 8', async () => {
    for (const precision of INDEX_PRECISIONS) {
      await using index = await createVectorIndex({ dims: 256, precision, executor });
      expect(index.precision).toBe(precision);
      const values = vectors(2000, 256, 6, 40);
      const model: Model = new Map();
      await put(index, model, range(0, 2000), values);
      const queries = vectors(20, 256, 7, 40);
      const found = await index.search(queries, { k: 10 });
      const tolerance = precision === 'exact' ? 1e-7 : precision === 'half' ? 1e-3 : 0.02;
      let agree = 0;
      for (const [q, hits] of found.entries()) {
        const wanted = oracle(model, row(queries, q, 256), { k: 10 });
        agree += hits.filter((hit) => wanted.some((one) => one.key === hit.key)).length;
        for (const [i, hit] of hits.entries()) {
          expect(Math.abs(hit.similarity - wanted[i]!.similarity)).toBeLessThan(tolerance);
        }
      }
      expect(agree).toBeGreaterThanOrEqual(precision === 'exact' ? 200 : precision === 'half' ? 195 : 180);
      // Half a power of two of room at most.
      const perVector = { exact: 5, half: 3, int8: 1 }[precision] * 256 + 36;
      expect(index.bytes / 2000).toBeLessThan(2.1 * perVector + 100);
    }
  });

  it('keeps searches whole while several promises add and remove', async () => {
    await using index = await createVectorIndex({ dims: 16, executor });
    // Keys 2i and 2i + 1 come and go together and have one vector: half a pair is a state that never was.
    const twin = (pair: number, seed: number): [number[], Float32Array] => {
      const one = vectors(1, 16, seed);
      return [[2 * pair, 2 * pair + 1], Float32Array.from([...one, ...one])];
    };
    for (let i = 0; i < 200; i++) await index.add(...twin(i, i));
    let changing = true;
    const change = async (seed: number): Promise<void> => {
      const next = random(seed);
      for (let i = 0; i < 150; i++) {
        const pair = Math.floor(next() * 250);
        if (next() < 0.4) await index.remove([2 * pair + 1, 2 * pair]);
        else await index.update(...twin(pair, Math.floor(next() * 1e6)));
      }
    };
    const search = async (seed: number): Promise<number> => {
      let searches = 0;
      for (; changing || searches === 0; searches++) {
        const [hits] = await index.search(vectors(1, 16, seed + searches), { k: 1000 });
        const scores = new Map(hits!.map((hit) => [hit.key, hit.similarity]));
        expect(scores.size).toBe(hits!.length);
        for (const [key, similarity] of scores) expect(scores.get(key ^ 1)).toBe(similarity);
      }
      return searches;
    };
    const searches = [search(1), search(2000), search(4000)];
    await Promise.all([change(1), change(2), change(3)]);
    changing = false;
    for (const count of await Promise.all(searches)) expect(count).toBeGreaterThan(0);
    expect(index.size % 2).toBe(0);
  });

  it('shows a change to every search that is asked for after it', async () => {
    await using index = await createVectorIndex({ dims: 4, threads: 2 });
    const query = Float32Array.of(1, 2, 3, 4);
    for (let key = 0; key < 100; key++) {
      await index.add([key], query);
      expect((await index.search(query, { k: 200 }))[0]?.map((hit) => hit.key)).toEqual(range(0, key + 1));
    }
    expect(await index.remove(range(10, 80))).toBe(80);
    expect((await index.search(query, { k: 200 }))[0]?.map((hit) => hit.key)).toEqual([
      ...range(0, 10),
      ...range(90, 10),
    ]);
  });

  it('refuses vectors that are wrong, and nothing has changed then', async () => {
    await using index = await createVectorIndex({ dims: DIMS, executor });
    const model: Model = new Map();
    await put(index, model, range(0, 500), vectors(500, DIMS, 1));
    const good = vectors(300, DIMS, 2);
    const spoilt = (at: number, value: number): Float32Array => {
      const bad = good.slice();
      if (value === 0) bad.fill(0, DIMS * at, DIMS * (at + 1));
      else bad[DIMS * at + 7] = value;
      return bad;
    };
    for (const value of [Number.NaN, Infinity, -Infinity, 0]) {
      const bad = spoilt(299, value);
      await expect(index.add(range(1000, 300), bad)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('Vector 299 (key 1299)') as string,
      });
      expect(await codeOf(() => index.update(range(0, 300), bad))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.search(bad))).toBe('INVALID_ARGUMENT');
    }
    expect(await codeOf(() => index.add([...range(1000, 299), 499], good))).toBe('DUPLICATE_ID');
    expect(await codeOf(() => index.add([...range(1000, 299), 1000], good))).toBe('DUPLICATE_ID');
    expect(await codeOf(() => index.update([...range(0, 299), 0], good))).toBe('DUPLICATE_ID');
    const moved = good.slice();
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    expect(await codeOf(() => index.add(range(1000, 300), moved))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => index.search(moved))).toBe('INVALID_ARGUMENT');
    for (const keys of [[-1], [0.5], [2 ** 53], [Number.NaN], ['1'], [1n], 7, undefined] as number[][]) {
      expect(await codeOf(() => index.add(keys, vectors(1, DIMS, 3)))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.remove(keys))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.search(good, { only: keys ?? null }))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.search(good, { except: keys ?? null }))).toBe('INVALID_ARGUMENT');
    }
    expect(await codeOf(() => index.add([1000], vectors(1, DIMS + 1, 3)))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => index.add([1000], new Float64Array(DIMS) as unknown as Float32Array))).toBe(
      'INVALID_ARGUMENT',
    );
    for (const groups of [[1, 2], [-1], [2 ** 32], [0.5], ['a']] as number[][]) {
      expect(await codeOf(() => index.add([1000], vectors(1, DIMS, 3), groups))).toBe('INVALID_ARGUMENT');
    }
    expect(await codeOf(() => index.search(vectors(1, DIMS - 1, 3)))).toBe('INVALID_ARGUMENT');
    for (const options of [
      { k: 0 },
      { k: 1.5 },
      { k: 1_000_001 },
      { threshold: Number.NaN },
      { threshold: 2 },
      { limit: 0, threshold: 0 },
      { groups: 3 },
      { topK: 3 },
      { signal: 1 },
      null,
    ]) {
      expect(await codeOf(() => index.search(good, options as object))).toBe('INVALID_ARGUMENT');
    }
    expect(index.revision).toBe(1);
    expect(index.size).toBe(500);
    await expectSame(index, model, good.subarray(0, 5 * DIMS));
    await index.add([], new Float32Array(0));
    expect(await index.remove([])).toBe(0);
    expect(await index.search(new Float32Array(0))).toEqual([]);
    expect(index.revision).toBe(1);
  });

  it('refuses options that are wrong', async () => {
    for (const options of [
      {},
      { dims: 1 },
      { dims: 4097 },
      { dims: 2.5 },
      { dims: '512' },
      { dims: 8, precision: 'int4' },
      { dims: 8, threads: 0 },
      { dims: 8, threads: 1, executor },
      { dims: 8, executor: 3 },
      { dims: 8, metric: 'l2' },
      undefined,
    ]) {
      expect(await codeOf(() => createVectorIndex(options as { dims: number }))).toBe('INVALID_ARGUMENT');
    }
    await using foreign = await createVectorIndex({ dims: 2, executor: {} as NativeExecutor });
    expect(await codeOf(() => foreign.add([1], Float32Array.of(1, 0)))).toBe('INVALID_ARGUMENT');
  });

  it('respects byteOffset, takes shared memory, and keeps its own copy', async () => {
    await using index = await createVectorIndex({ dims: 3, executor });
    const view = new Float32Array(new Float32Array([9, 9, 1, 0, 0, 0, 1, 0]).buffer, 8, 6);
    const shared = new Float32Array(new SharedArrayBuffer(12));
    shared.set([0, 0, 5]);
    await index.add([1, 2], view);
    await index.add([3], shared);
    view.fill(7);
    shared.fill(7);
    const [a, b] = await index.search(Float32Array.of(0, 3, 0.1, 1, 0, 2), { k: 3 });
    expect(a!.map((hit) => hit.key)).toEqual([2, 3, 1]);
    expect(b!.map((hit) => hit.key)).toEqual([3, 1, 2]);
  });

  it('stops when its signal fires', async () => {
    await using index = await createVectorIndex({ dims: 128, executor });
    await index.add(range(0, 20_000), vectors(20_000, 128, 4));
    const stopped = { signal: AbortSignal.abort(new Error('enough')) };
    const values = vectors(20_000, 128, 5);
    expect(await codeOf(() => index.add(range(50_000, 20_000), values, undefined, stopped))).toBe('ABORTED');
    expect(await codeOf(() => index.remove([1], stopped))).toBe('ABORTED');
    expect(await codeOf(() => index.search(values, stopped))).toBe('ABORTED');
    // As soon as it has begun, and the longer one in the middle.
    const change = new AbortController();
    const changing = codeOf(() => index.update(range(10_000, 20_000), values, undefined, { signal: change.signal }));
    change.abort();
    expect(await changing).toBe('ABORTED');
    const search = new AbortController();
    const searching = codeOf(() => index.search(values, { k: 100, signal: search.signal }));
    setTimeout(() => search.abort(), 3);
    expect(await searching).toBe('ABORTED');
    expect(index.size).toBe(20_000);
    expect(index.revision).toBe(1);
  });

  it('closes once and for all, and lets calls that run end', async () => {
    const index = await createVectorIndex({ dims: 64 });
    await index.add(range(0, 5000), vectors(5000, 64, 4));
    const running = [
      index.search(vectors(50, 64, 5)),
      index.add(range(6000, 500), vectors(500, 64, 6)),
      index.remove([3]),
    ];
    const closed = index.close();
    expect(await codeOf(() => index.search(vectors(1, 64, 5)))).toBe('CLOSED');
    await Promise.all([closed, index.close(), index[Symbol.asyncDispose]()]);
    expect((await Promise.all(running))[0]).toHaveLength(50);
    for (const late of [
      () => index.add([9], vectors(1, 64, 7)),
      () => index.remove([9]),
      () => index.lookup([9]),
      () => index.save('/nowhere'),
      () => index.verify(),
    ]) {
      expect(await codeOf(late)).toBe('CLOSED');
    }
  });

  it('gives the same bits at every SIMD level and on any number of threads', async () => {
    const script = `
      import { createVectorIndex } from './lib/search/index.js';
      import { vectors } from './tests/native/search-support.js';
      const out = [];
      for (const threads of [1, 3]) for (const precision of ['exact', 'half', 'int8']) {
        const index = await createVectorIndex({ dims: 70, precision, threads });
        await index.add(Array.from({ length: 1500 }, (_, i) => i), vectors(1500, 70, 1, 6));
        out.push(await index.search(vectors(4, 70, 2, 6)));
        await index.close();
      }
      console.log(JSON.stringify(out));
    `;
    const results: unknown[][] = [];
    for (const level of ['scalar', 'avx2', 'avx512', 'native']) {
      results.push(lastJson(await runChild(script, { LINEAMENT_SIMD: level })) as unknown[]);
    }
    for (const result of results) {
      expect(result).toEqual(results[0]);
      expect(result.slice(3)).toEqual(result.slice(0, 3));
    }
  });

  it('does not keep a process or a worker from ending', async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      import { addonPath, loadAddon } from './lib/native/index.js';
      import { createVectorIndex } from './lib/search/index.js';
      import { vectors } from './tests/native/search-support.js';
      loadAddon();
      const work = async (addon, post) => {
        const executor = addon.createExecutor(2);
        const index = addon.createIndex(64, 'exact');
        const values = new Float32Array(64 * 4000).map(() => Math.random() - 0.5);
        const keys = Float64Array.from({ length: 4000 }, (_, i) => i);
        await index.add(executor, keys, values, undefined, false);
        for (let i = 0; i < 20; i++) {
          index.search(executor, values, { k: 10 }).catch(() => undefined);
          index.add(executor, keys, values, undefined, true).catch(() => undefined);
        }
        post('busy');
      };
      const code = '(' + work + ')(require(' + JSON.stringify(addonPath()) + '), (m) => require("node:worker_threads").parentPort.postMessage(m))';
      const worker = new Worker(code, { eval: true, execArgv: [] });
      await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
      await worker.terminate();
      const index = await createVectorIndex({ dims: 64 });
      await index.add([1, 2], vectors(2, 64, 1));
      index.search(vectors(500, 64, 2)).catch(() => undefined);
      console.log(JSON.stringify('done'));
    `;
    const result = await runChild(script);
    expect(result.code, result.stderr).toBe(0);
    expect(lastJson(result)).toBe('done');
  });
});
