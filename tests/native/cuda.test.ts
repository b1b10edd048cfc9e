// The index on a CUDA device through the addon and the library. Everything runs on the plugin that has the processor in the
// device's place, compiled here from the plugin's own sources; and again on a device where there is one.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cudaLibrary, cudaStatus } from '../../lib/native/index.js';
import {
  createCudaVectorIndex,
  createVectorIndex,
  openCudaVectorIndex,
  openVectorIndex,
  type VectorSearchOptions,
} from '../../lib/search/index.js';
import { lastJson, runChild } from '../support/child.js';
import { compile, compileReference, compiler, device, places, real } from './cuda-support.js';
import { codeOf, noise } from './support.js';

const before = process.env['LINEAMENT_CUDA'];
const folder = mkdtempSync(join(os.tmpdir(), 'lineament-cuda-'));
const reference = join(folder, 'liblineament_cuda_reference.so');

beforeAll(() => {
  if (compiler !== undefined) compileReference(reference);
});
afterEach(() => {
  if (before === undefined) delete process.env['LINEAMENT_CUDA'];
  else process.env['LINEAMENT_CUDA'] = before;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dims = 48;
const keysTo = (count: number, first = 0): number[] => Array.from({ length: count }, (_, i) => first + i);

/** Gives the plugin that is named so to every call until the test ends. */
function use(place: 'reference' | 'device'): void {
  process.env['LINEAMENT_CUDA'] = place === 'reference' ? reference : real.path;
}

for (const { place, skip, name } of places) {
  describe.skipIf(skip)(`CUDA index ${name}`, () => {
    it('answers as the index on the processor, bit for bit', async () => {
      use(place);
      await using onHost = await createVectorIndex({ dims, threads: 2 });
      await using onDevice = await createCudaVectorIndex({ dims, threads: 2 });
      expect(onDevice.precision).toBe('exact');
      const vectors = noise(3000 * dims, -1, 1, 3);
      const groups = keysTo(3000).map((i) => i % 7);
      for (const index of [onHost, onDevice]) {
        await index.add(keysTo(3000, 50), vectors, groups);
        await index.update([50, 9_007_199_254_740_991], noise(2 * dims, -1, 1, 4));
        expect(await index.remove([51, 52, 1])).toBe(2);
      }
      expect(onDevice.size).toBe(onHost.size);
      expect(onDevice.revision).toBe(onHost.revision);
      expect(onDevice.deviceBytes).toBeGreaterThan(3000 * dims * 5);
      expect(onDevice.mappedBytes).toBe(0);
      const queries = noise(20 * dims, -1, 1, 5);
      const asked: VectorSearchOptions[] = [
        {},
        { k: 1 },
        { threshold: 0.2 },
        { k: 4, threshold: 0.3 },
        { k: 9000 },
        { groups: [3, 5] },
        { groups: [] },
        { only: [50, 60, 70, 51, 4] },
        { except: keysTo(1000), k: 3 },
      ];
      for (const options of asked) {
        expect(await onDevice.search(queries, options)).toEqual(await onHost.search(queries, options));
      }
      expect(await onDevice.search(new Float32Array(0))).toEqual([]);
      expect(await onDevice.lookup([60, 51, 50])).toEqual(await onHost.lookup([60, 51, 50]));
      await onDevice.verify();
    });

    it('saves what the processor opens, and opens what it saved', async () => {
      use(place);
      const path = join(folder, `${place}.index`);
      const vectors = noise(500 * dims, -1, 1, 6);
      await using made = await createCudaVectorIndex({ dims });
      await made.add(keysTo(500), vectors);
      await made.save(path);
      await using onHost = await openVectorIndex(path);
      const queries = noise(3 * dims, -1, 1, 7);
      expect(await onHost.search(queries)).toEqual(await made.search(queries));
      await using again = await openCudaVectorIndex(path, { dims });
      expect(again.size).toBe(500);
      expect(await again.search(queries)).toEqual(await made.search(queries));
      expect(await codeOf(() => openCudaVectorIndex(path, { dims: dims + 1 }))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => openCudaVectorIndex(`${path}.none`, { dims }))).toBe('STORE_NOT_FOUND');
      writeFileSync(path, readFileSync(path).subarray(0, 9000));
      expect(await codeOf(() => openCudaVectorIndex(path, { dims }))).toBe('STORE_CORRUPT');
    });

    it('refuses what is wrong with the codes of the other index', async () => {
      use(place);
      const index = await createCudaVectorIndex({ dims });
      await index.add([1], noise(dims, -1, 1, 8));
      expect(await codeOf(() => index.add([1], noise(dims, -1, 1, 9)))).toBe('DUPLICATE_ID');
      expect(await codeOf(() => index.add([2], new Float32Array(dims)))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.add([2], new Float32Array(dims).fill(Number.NaN)))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.add([2], new Float32Array(dims - 1)))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.search(new Float32Array(dims)))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => index.search(noise(dims), { signal: AbortSignal.abort() }))).toBe('ABORTED');
      expect(index.size).toBe(1);
      expect(index.revision).toBe(1);
      for (const options of [{ dims: 1 }, { dims: 4097 }, { dims, device: -1 }, { dims, device: 0.5 }]) {
        expect(await codeOf(() => createCudaVectorIndex(options))).toBe('INVALID_ARGUMENT');
      }
      expect(await codeOf(() => createCudaVectorIndex({ dims, device: 900 }))).toBe('PROVIDER_UNAVAILABLE');
      await index.close();
      await index.close();
      expect(await codeOf(() => index.search(noise(dims)))).toBe('CLOSED');
    });

    it('says when the memory that was allowed is not enough, and goes on', async () => {
      use(place);
      await using index = await createCudaVectorIndex({ dims, deviceMemory: 100_000 });
      const adding = index.add([1], noise(dims, -1, 1, 10));
      await expect(adding).rejects.toMatchObject({ code: 'OUT_OF_MEMORY', message: /limit of 100000/ });
      expect(index.size).toBe(0);
      expect(await index.search(noise(dims))).toEqual([[]]);
    });

    it('describes its devices', async () => {
      use(place);
      const status = await cudaStatus();
      expect(status.state).toBe('ready');
      expect(status.problem).toBeUndefined();
      expect(status.reference).toBe(place === 'reference');
      expect(status.devices.length).toBeGreaterThan(0);
      expect(status.devices[0]!.name).toMatch(/\S/);
    });
  });
}

describe('without CUDA', () => {
  async function refusal(): Promise<{ state: string; problem: string }> {
    const status = await cudaStatus();
    expect(status.devices).toEqual([]);
    expect(status.fix).toMatch(/\w/);
    const asking = createCudaVectorIndex({ dims });
    await expect(asking).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await expect(asking).rejects.toThrow(status.problem);
    await expect(asking).rejects.toThrow(status.fix);
    return { state: status.state, problem: status.problem ?? '' };
  }

  it('reports a library that is not there', async () => {
    process.env['LINEAMENT_CUDA'] = join(folder, 'none.so');
    expect(await refusal()).toEqual({
      state: 'no library',
      problem: `There is no library at ${join(folder, 'none.so')}`,
    });
  });

  it('reports a file that is no library', async () => {
    const path = join(folder, 'text.so');
    writeFileSync(path, 'text');
    process.env['LINEAMENT_CUDA'] = path;
    expect((await refusal()).state).toBe('unloadable');
  });

  it.skipIf(compiler === undefined)('reports a foreign library and one of another version', async () => {
    const source = join(folder, 'stub.cpp');
    for (const [text, state] of [
      ['int other() { return 1; }', 'unloadable'],
      [
        'static unsigned t[64] = {999, 8}; extern "C" __attribute__((visibility("default"))) void* lineament_cuda_table() { return t; }',
        'wrong version',
      ],
    ] as const) {
      const path = join(folder, `${state.replace(' ', '-')}.so`);
      writeFileSync(source, text);
      compile([source], path);
      process.env['LINEAMENT_CUDA'] = path;
      expect((await refusal()).state).toBe(state);
    }
  });

  const missing = !existsSync(real.path) || device || real.reference;
  it.skipIf(missing)('reports that there is no driver (needs liblineament_cuda, and no device)', async () => {
    process.env['LINEAMENT_CUDA'] = real.path;
    const { state, problem } = await refusal();
    expect(['no driver', 'no device']).toContain(state);
    expect(problem).toMatch(/driver/);
  });

  it('is beside the addon unless it is named', () => {
    delete process.env['LINEAMENT_CUDA'];
    expect(cudaLibrary()).toMatch(/liblineament_cuda\.so$|lineament_cuda\.dll$/);
    process.env['LINEAMENT_CUDA'] = 'some/where.so';
    expect(cudaLibrary()).toMatch(/^\/.*some\/where\.so$|^[A-Z]:.*where\.so$/);
  });

  it.skipIf(process.platform !== 'linux' || compiler === undefined)(
    'is not loaded before it is asked for',
    async () => {
      const child = await runChild(
        `import { readFileSync } from 'node:fs';
       import { cudaStatus } from './lib/native/index.js';
       import { createVectorIndex } from './lib/search/index.js';
       const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('lineament_cuda');
       const index = await createVectorIndex({ dims: 4 });
       await index.add([1], new Float32Array([1, 2, 3, 4]));
       await index.search(new Float32Array([1, 2, 3, 4]));
       const early = loaded();
       await cudaStatus();
       await index.close();
       console.log(JSON.stringify({ early, late: loaded() }));`,
        { LINEAMENT_CUDA: reference },
      );
      expect(lastJson(child)).toEqual({ early: false, late: true });
    },
  );
});
