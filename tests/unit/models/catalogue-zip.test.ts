import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractEntry, findEntry, listZip, ZipError } from '../../../lib/models/catalogue/zip.js';
import { codeOf } from '../../support/code.js';
import { random } from '../../support/random.js';
import { Bench, file, noise, sha256, zipOf } from './catalogue-support.js';

const A = noise(90_000);
const B = Buffer.alloc(300_000, 'text that compresses well ');
const LIMIT = 2 ** 20;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineament-zip-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What the reader takes out of an archive. */
async function unzip(archive: Buffer, member: string, limit = LIMIT): Promise<Buffer> {
  const path = join(folder, 'archive.zip');
  await writeFile(path, archive);
  const handle = await open(path, 'r');
  const entries = await listZip(handle).finally(() => handle.close());
  const chunks: Buffer[] = [];
  await extractEntry(path, findEntry(entries, member), limit, async (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

const refused = async (archive: Buffer, member: string, limit?: number): Promise<string> =>
  unzip(archive, member, limit).then(
    () => expect.fail('it was taken'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ZipError);
      return (error as Error).message;
    },
  );

describe('the zip reader', () => {
  it('takes out stored and deflated files, by path or by name', async () => {
    const archive = zipOf(
      [
        { name: 'pack/', data: new Uint8Array(0), stored: true },
        { name: 'pack/a.onnx', data: A, stored: true },
        { name: 'pack/b.onnx', data: B },
        { name: 'empty', data: new Uint8Array(0) },
      ],
      'a comment',
    );
    expect((await unzip(archive, 'pack/a.onnx')).equals(A)).toBe(true);
    expect((await unzip(archive, 'b.onnx')).equals(B)).toBe(true);
    expect((await unzip(archive, 'other/b.onnx')).equals(B)).toBe(true);
    expect(await unzip(archive, 'empty')).toHaveLength(0);
  });

  it('reads a large file in pieces', async () => {
    const data = noise(3_000_000);
    expect((await unzip(zipOf([{ name: 'a', data }]), 'a', 4e6)).equals(data)).toBe(true);
  });

  it('refuses what is missing, ambiguous, encrypted or too large', async () => {
    expect(await refused(zipOf([{ name: 'a', data: A }]), 'b')).toBe("has no file 'b'");
    const twice = [
      { name: 'x/a', data: A },
      { name: 'y/a', data: B },
    ];
    expect(await refused(zipOf(twice), 'a')).toContain('several');
    expect(await refused(zipOf([...twice.slice(1), ...twice.slice(1)]), 'y/a')).toContain('several');
    expect(await refused(zipOf([{ name: 'a', data: A, flags: 1 }]), 'a')).toBe("has no file 'a'");
    expect(await refused(zipOf([{ name: 'a', data: B }]), 'a', 1000)).toContain('more than 1000');
  });

  it('stops a bomb at the size that it declared', async () => {
    const bomb = zipOf([{ name: 'a', data: Buffer.alloc(50 * 2 ** 20), size: 1000 }]);
    expect(bomb.length).toBeLessThan(60_000);
    expect(await refused(bomb, 'a')).toContain('unpacks to more than its 1000 bytes');
    expect(await refused(zipOf([{ name: 'a', data: B, size: B.length + 1 }]), 'a')).toContain('damaged');
  });

  it.each([0, 1, 21, 22, 23, 100])('refuses %i bytes of nothing', async (length) => {
    expect(await refused(Buffer.alloc(length), 'a')).toBe('is no zip archive');
  });

  it('refuses an archive cut anywhere', async () => {
    const archive = zipOf([
      { name: 'a', data: A.subarray(0, 500) },
      { name: 'b', data: B.subarray(0, 2000) },
    ]);
    for (let length = 0; length < archive.length; length += length < 560 ? 9 : 1)
      await refused(archive.subarray(0, length), 'b');
  });

  it('never gives wrong bytes, whatever is damaged', async () => {
    const next = random(7);
    const data = Buffer.concat([B.subarray(0, 3000), A.subarray(0, 3000)]);
    const archive = zipOf([
      { name: 'pack/a', data, stored: true },
      { name: 'pack/b', data },
    ]);
    let unharmed = 0;
    for (let i = 0; i < 600; i++) {
      const damaged = Buffer.from(archive);
      // Headers and lists more often than data: that is where the reader decides.
      const where = i % 3 === 0 ? damaged.length : 200;
      for (let n = 1 + Math.floor(next() * 4); n > 0; n--) {
        const at = i % 2 === 0 ? damaged.length - 1 - Math.floor(next() * where) : Math.floor(next() * where);
        damaged[at] = Math.floor(next() * 256);
      }
      const member = i % 2 === 0 ? 'pack/a' : 'pack/b';
      try {
        expect((await unzip(damaged, member)).equals(data)).toBe(true);
        unharmed++;
      } catch (error) {
        expect(error, `damage ${i}`).toBeInstanceOf(ZipError);
      }
    }
    expect(unharmed).toBeGreaterThan(0);
    expect(unharmed).toBeLessThan(600);
  });
});

describe('a model in an archive', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  const hash = (data: Buffer) => ({ sha256: sha256(data), bytes: data.length });
  const offer = async (archive: Buffer): Promise<void> => {
    const url = bench.server.url('/pack.zip');
    await bench.write(
      { id: 'a', ...hash(A), sources: [{ url, member: 'pack/first.onnx', sha256: sha256(archive) }] },
      { id: 'b', ...hash(B), sources: [{ url, member: 'second.onnx' }] },
      { id: 'c', ...hash(B), sources: [{ url, member: 'third.onnx' }], licenceId: 'strict' },
      { id: 'd', sources: [{ url, member: 'second.onnx' }] },
    );
    bench.server.on('/pack.zip', file(archive, { cut: { 1: 20_000 } }));
  };
  const pack = zipOf([
    { name: 'pack/first.onnx', data: A },
    { name: 'pack/second.onnx', data: B },
    { name: 'pack/third.onnx', data: B },
    { name: '../../escape.onnx', data: B },
  ]);

  it('comes with the others of the archive that are known and accepted', async () => {
    await offer(pack);
    const catalogue = await bench.catalogue();
    expect(await catalogue.download('a')).toMatchObject({ state: 'present', ...hash(A) });
    expect((await readFile(join(bench.cache, 'a.onnx'))).equals(A)).toBe(true);
    expect((await readFile(join(bench.cache, 'b.onnx'))).equals(B)).toBe(true);
    const states = await Promise.all(['b', 'c', 'd'].map(async (id) => (await catalogue.get(id)).state));
    // Not what a licence forbids, and nothing on trust that was not asked for.
    expect(states).toEqual(['present', 'absent', 'absent']);
    expect(bench.server.count('/pack.zip')).toBe(2);
    expect((await readdir(bench.cache)).sort()).toEqual(['a.onnx', 'b.onnx', 'downloads']);
    expect((await readdir(join(bench.cache, 'downloads'))).every((name) => name.endsWith('.lock'))).toBe(true);
  });

  it('is fetched once for all who ask at once', async () => {
    await offer(pack);
    const catalogue = await bench.catalogue();
    await Promise.all([catalogue.download('a'), catalogue.download('b')]);
    // One from the card with a hash of the archive; cut once.
    expect(bench.server.count('/pack.zip')).toBe(2);
  });

  it('is refused where the archive is not the one, lacks it, or holds another', async () => {
    const without = zipOf([{ name: 'x', data: A }]);
    await offer(pack);
    bench.server.on('/pack.zip', file(without));
    const catalogue = await bench.catalogue();
    expect(await codeOf(catalogue.download('a'))).toBe('MODEL_HASH_MISMATCH');
    await expect(catalogue.download('b')).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining("has no file 'second.onnx'") as string,
    });
    const other = Buffer.from(B);
    other[5] = 0;
    bench.server.on('/pack.zip', file(zipOf([{ name: 'second.onnx', data: other }])));
    expect(await codeOf(catalogue.download('b'))).toBe('MODEL_HASH_MISMATCH');
    bench.server.on('/pack.zip', file(noise(5000)));
    await expect(catalogue.download('b')).rejects.toThrow('is no zip archive');
    expect(await readdir(bench.cache)).toEqual(['downloads']);
  });
});
