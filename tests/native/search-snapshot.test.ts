// Snapshots of the vector index through the library.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeExecutor } from '../../lib/native/addon.js';
import { loadAddon } from '../../lib/native/index.js';
import { createVectorIndex, createVectorSnapshot, INDEX_PRECISIONS, openVectorIndex } from '../../lib/search/index.js';
import { root } from '../support/child.js';
import { expectSame, type Model, row, unit, vectors } from './search-support.js';
import { codeOf } from './support.js';

const DIMS = 24;
const COUNT = 5000;
const keys = Array.from({ length: COUNT }, (_, i) => 3 * i);
const groups = keys.map((key) => key % 4);
const values = vectors(COUNT, DIMS, 1);

describe('snapshots of a vector index', () => {
  let folder = '';
  let executor: NativeExecutor;
  const file = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(os.tmpdir(), 'lineament-search-'));
    executor = loadAddon().createExecutor(2);
    await using index = await createVectorIndex({ dims: DIMS, executor });
    await index.add(keys, values, groups);
    await index.remove([0]);
    await index.save(file('good'));
  });
  afterAll(async () => {
    await executor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const modelOf = (): Model => {
    const model: Model = new Map(
      keys.map((key, i) => [key, { vector: unit(row(values, i, DIMS)), group: groups[i]! }]),
    );
    model.delete(0);
    return model;
  };

  it('come back mapped and loaded, take changes, and are saved over the file they came from', async () => {
    for (const mode of ['map', 'load'] as const) {
      const path = file(`changing-${mode}`);
      writeFileSync(path, readFileSync(file('good')));
      const model = modelOf();
      for (let round = 0; round < 3; round++) {
        await using index = await openVectorIndex(path, { mode, executor });
        expect(index).toMatchObject({ dims: DIMS, precision: 'exact', size: model.size, revision: 2 + 3 * round });
        expect(index.mappedBytes > 0).toBe(mode === 'map');
        if (mode === 'map' && round === 0) expect(index.bytes).toBeLessThan(10_000);
        const queries = vectors(5, DIMS, 70 + round);
        await expectSame(index, model, queries);
        await expectSame(index, model, queries, { groups: [2], except: [6, 30] });
        expect(await codeOf(() => index.add([999], vectors(1, DIMS, 1)))).toBe(
          model.has(999) ? 'DUPLICATE_ID' : 'resolved',
        );
        model.set(999, model.get(999) ?? { vector: unit(vectors(1, DIMS, 1)), group: 0 });
        const gone = keys.filter((key) => key % 10 === round && model.has(key));
        expect(await index.remove([...gone, ...gone])).toBe(gone.length);
        for (const key of gone) model.delete(key);
        const changed = [...model.keys()].filter((key) => key % 7 === round);
        const fresh = vectors(changed.length, DIMS, 80 + round);
        await index.update(changed, fresh);
        for (const [i, key] of changed.entries()) {
          model.set(key, { vector: unit(row(fresh, i, DIMS)), group: model.get(key)!.group });
        }
        await index.add([100_000 + round], vectors(1, DIMS, 90 + round), [2]);
        model.set(100_000 + round, { vector: unit(vectors(1, DIMS, 90 + round)), group: 2 });
        await expectSame(index, model, queries);
        await expectSame(index, model, queries, { groups: [2], except: [6, 30] });
        await expectSame(index, model, queries, { only: [...changed.slice(0, 9), ...gone.slice(0, 9)] });
        await index.verify();
        await index.save(path);
        await expectSame(index, model, queries);
      }
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('keep every precision', async () => {
    for (const precision of INDEX_PRECISIONS) {
      await using index = await createVectorIndex({ dims: DIMS, precision, executor });
      await index.add(keys, values);
      await index.save(file(precision));
      const expected = await index.search(vectors(5, DIMS, 3));
      for (const mode of ['map', 'load'] as const) {
        await using copy = await openVectorIndex(file(precision), { mode, threads: 2 });
        expect(copy.precision).toBe(precision);
        expect(await copy.search(vectors(5, DIMS, 3))).toEqual(expected);
      }
    }
  });

  it('are refused where they are truncated, damaged, foreign or of another version', async () => {
    const good = readFileSync(file('good'));
    const changed = (name: string, change: (bytes: Buffer) => Buffer | undefined): string => {
      const bytes = Buffer.from(good);
      writeFileSync(file(name), change(bytes) ?? bytes);
      return file(name);
    };
    const flip = (at: number) => (bytes: Buffer) => {
      bytes[at] = bytes[at]! ^ 0x10;
      return undefined;
    };
    const cases = [
      changed('empty', () => Buffer.alloc(0)),
      changed('text', () => Buffer.from('this is not an index, is it?')),
      changed('zeros', () => Buffer.alloc(good.length)),
      changed('cut', (bytes) => bytes.subarray(0, bytes.length - 1)),
      changed('page less', (bytes) => bytes.subarray(0, bytes.length - 4096)),
      changed('page more', (bytes) => Buffer.concat([bytes, Buffer.alloc(4096)])),
      changed('magic', flip(2)),
      changed('dims', flip(16)),
      changed('keys', flip(4096 + 80)),
      changed('trailer', flip(good.length - 4000)),
    ];
    for (const path of cases) {
      for (const mode of ['map', 'load'] as const) {
        await expect(openVectorIndex(path, { mode, executor }), path).rejects.toMatchObject({
          code: 'STORE_CORRUPT',
          message: expect.stringContaining(path) as string,
        });
      }
    }
    // Of the vectors themselves only a full reading knows.
    const vector = changed('vector', flip(good.length - 4096 * 5));
    expect(await codeOf(() => openVectorIndex(vector, { mode: 'load', executor }))).toBe('STORE_CORRUPT');
    await using mapped = await openVectorIndex(vector, { executor });
    expect(await codeOf(() => mapped.verify())).toBe('STORE_CORRUPT');
    expect(await codeOf(() => openVectorIndex(file('no such file'), { executor }))).toBe('STORE_NOT_FOUND');
    expect(await codeOf(() => openVectorIndex(folder, { executor }))).toBe('STORE_CORRUPT');
    for (const path of ['', 'a\0b', 3]) {
      expect(await codeOf(() => openVectorIndex(path as string))).toBe('INVALID_ARGUMENT');
    }
    for (const options of [{ mode: 'read' }, { threads: -1 }, { precision: 'exact' }, { signal: 'now' }]) {
      expect(await codeOf(() => openVectorIndex(file('good'), options as object))).toBe('INVALID_ARGUMENT');
    }
  });

  it('stay as they were where writing fails or is aborted', async () => {
    await using index = await openVectorIndex(file('good'), { executor });
    writeFileSync(file('old'), 'old');
    const stopped = { signal: AbortSignal.abort() };
    expect(await codeOf(() => index.save(file('old'), stopped))).toBe('ABORTED');
    expect(await codeOf(() => index.save(file('no/such/folder')))).toBe('STORE_FAILED');
    expect(await codeOf(() => index.save(folder))).toBe('STORE_FAILED');
    expect(await codeOf(() => index.save(''))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => openVectorIndex(file('good'), { ...stopped, executor }))).toBe('ABORTED');
    expect(readFileSync(file('old'), 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('are STORE_FULL where the disk is (a limit on the length of files)', () => {
    writeFileSync(file('kept'), 'kept');
    const script = `
      import { openVectorIndex } from './lib/search/index.js';
      const index = await openVectorIndex(${JSON.stringify(file('good'))});
      await index.save(${JSON.stringify(file('kept'))}).then(() => console.log('saved'), (e) => console.log(e.code));
      await index.close();
    `;
    const command = `ulimit -f 200; exec "${process.execPath}" --import tsx --input-type=module --eval "$SCRIPT"`;
    const env = { ...process.env, SCRIPT: script, TSX_DISABLE_CACHE: '1' };
    const child = spawnSync('sh', ['-c', command], { cwd: root, env, encoding: 'utf8' });
    expect(child.stdout.trim(), child.stderr).toBe('STORE_FULL');
    expect(readFileSync(file('kept'), 'utf8')).toBe('kept');
  });

  it('may be replaced while they are mapped, by renaming', async () => {
    const path = file('replaced');
    writeFileSync(path, readFileSync(file('good')));
    await using first = await openVectorIndex(path, { executor });
    await using other = await createVectorIndex({ dims: 3, executor });
    await other.add([1], Float32Array.of(1, 2, 3));
    await other.save(path);
    await expectSame(first, modelOf(), vectors(3, DIMS, 4));
    await using second = await openVectorIndex(path, { executor });
    expect(second).toMatchObject({ dims: 3, size: 1, revision: 1 });
    truncateSync(file('cut'), 4097);
    expect(await codeOf(() => openVectorIndex(file('cut'), { executor }))).toBe('STORE_CORRUPT');
  });

  it('are written block by block as well, without an index', async () => {
    for (const precision of INDEX_PRECISIONS) {
      await using index = await createVectorIndex({ dims: DIMS, precision, executor });
      await using written = await createVectorSnapshot(file('streamed'), { dims: DIMS, precision, executor });
      // More than one segment, in calls that do not end where segments do.
      let key = 0;
      for (const count of [1, 16_000, 0, 5_000, 700]) {
        const some = Array.from({ length: count }, () => (key += 2));
        const block = vectors(count, DIMS, key);
        const of = some.map((one) => one % 3);
        await written.add(some, block, of);
        await index.add(some, block, of);
      }
      expect(await written.finish()).toBe(21_701);
      expect(await codeOf(() => written.add([key + 1], vectors(1, DIMS, 1)))).toBe('CLOSED');
      expect(await codeOf(() => written.finish())).toBe('CLOSED');
      await using opened = await openVectorIndex(file('streamed'), { mode: 'load', executor });
      expect(opened.size).toBe(21_701);
      const queries = vectors(4, DIMS, 5);
      for (const options of [{}, { groups: [1], k: 40 }, { threshold: 0.6 }]) {
        expect(await opened.search(queries, options)).toEqual(await index.search(queries, options));
      }
      // The same vectors make the same segments, whichever way they came.
      await index.save(file('saved'));
      const saved = readFileSync(file('saved'));
      expect(readFileSync(file('streamed')).subarray(0, -4096).equals(saved.subarray(0, -4096))).toBe(true);
    }
  });

  it('that are not finished, or fail, leave the old file', async () => {
    writeFileSync(file('before'), 'before');
    const begin = () => createVectorSnapshot(file('before'), { dims: DIMS, executor });
    const refused = async (code: string, bad: number[], block: Float32Array): Promise<void> => {
      await using written = await begin();
      await written.add([5, 6], vectors(2, DIMS, 1));
      expect(await codeOf(() => written.add(bad, block))).toBe(code);
      expect(await codeOf(() => written.finish())).toBe(code);
    };
    await refused('INVALID_ARGUMENT', [7, 6], vectors(2, DIMS, 1));
    await refused('INVALID_ARGUMENT', [6], vectors(1, DIMS, 1));
    await refused('INVALID_ARGUMENT', [7], new Float32Array(DIMS));
    await refused('INVALID_ARGUMENT', [7], new Float32Array(DIMS).fill(Number.NaN));
    {
      await using written = await begin();
      await written.add([1], vectors(1, DIMS, 1));
      expect(await codeOf(() => written.add([2], vectors(1, DIMS + 1, 1)))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(() => written.add([-2], vectors(1, DIMS, 1)))).toBe('INVALID_ARGUMENT');
      const stopped = { signal: AbortSignal.abort() };
      expect(await codeOf(() => written.add([2], vectors(1, DIMS, 1), undefined, stopped))).toBe('ABORTED');
      await written.close();
      expect(await codeOf(() => written.finish())).toBe('CLOSED');
    }
    expect(readFileSync(file('before'), 'utf8')).toBe('before');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(await codeOf(() => createVectorSnapshot(file('no/folder'), { dims: DIMS, executor }))).toBe('STORE_FAILED');
    expect(await codeOf(() => createVectorSnapshot('', { dims: DIMS }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => createVectorSnapshot(file('x'), { dims: 1 }))).toBe('INVALID_ARGUMENT');
    await using empty = await createVectorSnapshot(file('empty snapshot'), { dims: DIMS, executor });
    expect(await empty.finish()).toBe(0);
    await using opened = await openVectorIndex(file('empty snapshot'), { executor });
    expect(opened.size).toBe(0);
    expect(await opened.search(vectors(1, DIMS, 1))).toEqual([[]]);
  });
});
