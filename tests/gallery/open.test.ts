import { spawnSync } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Database } from '../../lib/gallery/database.js';
import { openGallery } from '../../lib/gallery/index.js';
import { APPLICATION_ID } from '../../lib/gallery/schema.js';
import { lastJson, root, runChild } from '../support/child.js';
import { codeOf, DIMS, Faces, gallery, MODEL, newFolder } from './support.js';

const snapshotsIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file.endsWith('.idx')).map((file) => join(folder, file));

/** A closed gallery with a snapshot of 100 faces. */
async function closedGallery(): Promise<{ folder: string; faces: Faces; all: ReturnType<Faces['face']>[] }> {
  const g = await gallery();
  const faces = new Faces(1);
  const all = Array.from({ length: 100 }, () => faces.face());
  await g.enrolMany(all.map((embedding, i) => ({ person: `p${i}`, samples: { embedding } })));
  await g.close();
  return { folder: g.folder, faces, all };
}

async function expectComplete(folder: string, all: readonly ReturnType<Faces['face']>[]): Promise<void> {
  const g = await gallery({ folder });
  const found = await g.identifyMany(all, { threshold: 0.99, k: 1 });
  expect(found.map(({ match }) => match?.person)).toEqual(all.map((_, i) => `p${i}`));
  expect(await g.check()).toMatchObject({ ok: true, samples: all.length });
  await g.close();
}

describe('opening', () => {
  it('takes the snapshot, and replays what came after it', async () => {
    const { folder, faces, all } = await closedGallery();
    const second = await gallery({ folder });
    expect(second.opened).toEqual({ created: false, index: 'snapshot', replayed: 0, repaired: [], damaged: [] });
    const more = [faces.face(), faces.face()];
    const { samples } = await second.enrol('p100', { embedding: more[0]! });
    await second.enrol('p101', { embedding: more[1]! });
    await second.merge('p100', 'p101');
    await second.split('p100', [samples[0]!], { id: 'p102' });
    await second.close();
    const third = await gallery({ folder });
    expect(third.opened).toMatchObject({ index: 'replayed', replayed: 2, repaired: [] });
    expect((await third.identify(more[0]!, { threshold: 0.9 })).match?.person).toBe('p102');
    expect((await third.identify(more[1]!, { threshold: 0.9 })).match?.person).toBe('p100');
    await third.save();
    await third.close();
    expect(await snapshotsIn(folder)).toHaveLength(1);
    expect((await (await gallery({ folder })).opened).index).toBe('snapshot');
    expect(all).toHaveLength(100);
  });

  it.each([
    ['cut short', async (file: string) => truncate(file, (await stat(file)).size - 100)],
    ['empty', async (file: string) => truncate(file, 0)],
    ['missing', async (file: string) => rm(file)],
    ['another file', async (file: string) => writeFile(file, 'not a snapshot')],
    [
      'changed in one byte',
      async (file: string) => {
        const bytes = await readFile(file);
        bytes[Math.floor(bytes.length / 2)]! ^= 1;
        await writeFile(file, bytes);
      },
    ],
    ['left beside it by a crash', async (file: string) => writeFile(file.replace('.idx', '.idx.tmp'), 'half')],
  ])('makes the index anew where the snapshot is %s', async (what, harm) => {
    const { folder, all } = await closedGallery();
    const [file] = await snapshotsIn(folder);
    await harm(file!);
    const g = await gallery({ folder });
    if (what.startsWith('left')) expect(g.opened).toMatchObject({ index: 'snapshot', repaired: [] });
    else expect(g.opened).toMatchObject({ index: 'rebuilt', repaired: [expect.stringContaining('could not be used')] });
    await g.close();
    await expectComplete(folder, all);
    expect((await readdir(folder)).filter((name) => name.includes('.idx'))).toHaveLength(1);
  });

  it('makes it anew where the snapshot is of another precision, or of another gallery', async () => {
    const { folder, all } = await closedGallery();
    const half = await gallery({ folder, precision: 'half' });
    expect(half.opened.index).toBe('rebuilt');
    await half.close();
    const other = await closedGallery();
    const extra = await gallery({ folder: other.folder });
    await extra.enrol('extra', { embedding: other.faces.face() });
    await extra.save();
    await extra.close();
    const [mine] = await snapshotsIn(folder);
    const [foreign] = await snapshotsIn(other.folder);
    await writeFile(mine!, await readFile(foreign!));
    const g = await gallery({ folder });
    expect(g.opened.index).toBe('rebuilt');
    await g.close();
    await expectComplete(folder, all);
  });

  it('says how far it is, and can be stopped', async () => {
    const { folder, all } = await closedGallery();
    for (const file of await snapshotsIn(folder)) await rm(file);
    const seen: number[] = [];
    const g = await gallery({
      folder,
      onProgress: ({ stage, done, total }) => seen.push(stage === 'index' ? done / total! : NaN),
    });
    expect(seen.at(-1)).toBe(1);
    await g.close();
    for (const file of await snapshotsIn(folder)) await rm(file);
    const stop = new AbortController();
    const opening = openGallery({ folder, signal: stop.signal, onProgress: () => stop.abort() });
    expect(await codeOf(opening)).toBe('ABORTED');
    expect(await codeOf(openGallery({ folder, signal: AbortSignal.abort() }))).toBe('ABORTED');
    await expectComplete(folder, all);
  });

  it('refuses galleries of newer releases, other files, and what is no folder', async () => {
    const { folder } = await closedGallery();
    const path = join(folder, 'gallery.db');
    const newer = await Database.open({
      path,
      applicationId: APPLICATION_ID,
      migrations: [[], ['CREATE TABLE from_the_future (x)']],
    });
    await newer.close();
    expect(await codeOf(openGallery({ folder }))).toBe('STORE_VERSION');
    await writeFile(path, 'This is not a database, and is long enough to be taken for one.'.repeat(20));
    expect(await codeOf(openGallery({ folder }))).toBe('STORE_CORRUPT');
    expect(await codeOf(openGallery({ folder: path }))).toBe('STORE_FAILED');
    expect(await codeOf(openGallery({ folder: await newFolder(), create: false }))).toBe('STORE_NOT_FOUND');
    expect(await codeOf(openGallery({ folder: '' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openGallery({ folder, colour: 'red' } as never))).toBe('INVALID_ARGUMENT');
  });

  it('pins the default collection to the model that is named', async () => {
    const first = await gallery({ model: MODEL, dims: DIMS });
    expect(await codeOf(first.enrol('a', { embedding: new Faces(1, 32, 'other').face() }))).toBe('EMBEDDING_MISMATCH');
    await first.close();
    expect(await codeOf(openGallery({ folder: first.folder, model: 'other', dims: 32 }))).toBe('EMBEDDING_MISMATCH');
    await (await openGallery({ folder: first.folder, model: MODEL, dims: DIMS })).close();
  });

  it.skipIf(process.platform === 'win32')('keeps its files to their owner', async () => {
    const { folder } = await closedGallery();
    for (const file of await readdir(folder)) expect((await stat(join(folder, file))).mode & 0o077).toBe(0);
    if (process.getuid?.() === 0) return;
    await chmod(folder, 0o500);
    expect(await codeOf(openGallery({ folder }))).toMatch(/ACCESS_DENIED|STORE_FAILED/);
    await chmod(folder, 0o700);
  });
});

describe('one process at a time', () => {
  it('refuses the second in this process, and lets it in when the first has closed', async () => {
    const g = await gallery();
    const second = openGallery({ folder: g.folder });
    await expect(second).rejects.toMatchObject({
      code: 'STORE_BUSY',
      message: expect.stringContaining('this process'),
    });
    await g.enrol('a', { embedding: new Faces(1).face() });
    await g.close();
    await (await openGallery({ folder: g.folder })).close();
  });

  it('refuses another process, names this one, and is not kept out by one that was killed', async () => {
    const g = await gallery();
    const script = `
      import { openGallery } from './lib/gallery/index.js';
      try {
        await openGallery({ folder: process.env.FOLDER });
        console.log('"open"');
        process.kill(process.pid, 'SIGKILL');
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, message: error.message }));
      }
    `;
    const refused = lastJson(await runChild(script, { FOLDER: g.folder }));
    expect(refused).toMatchObject({ code: 'STORE_BUSY', message: expect.stringContaining(`process ${process.pid}`) });
    await g.close();
    const killed = await runChild(script, { FOLDER: g.folder });
    expect([lastJson(killed), killed.signal]).toEqual(['open', 'SIGKILL']);
    const again = await gallery({ folder: g.folder });
    await again.enrol('a', { embedding: new Faces(2).face() });
  });

  it('lets go of the folder when opening fails', async () => {
    const folder = await newFolder();
    expect(await codeOf(openGallery({ folder, keys: { env: 'LINEAMENT_TEST_NO_SUCH_KEYS' } }))).toBe('KEY_NOT_FOUND');
    await gallery({ folder });
  });
});

describe.skipIf(process.platform === 'win32')('a full disk', () => {
  it('refuses what does not fit, keeps what it acknowledged, and goes on answering', async () => {
    const folder = await newFolder();
    // A limit on the length of files stands for the end of the disk.
    const script = `
      import { openGallery } from './lib/gallery/index.js';
      import { Faces } from './tests/gallery/faces.js';
      const faces = new Faces(77, 512, 'wide-net');
      const g = await openGallery({ folder: process.env.FOLDER, threads: 1 });
      const all = [];
      let code;
      while (code === undefined && all.length < 5000) {
        const face = faces.face();
        try {
          await g.enrol('p' + all.length, { embedding: face });
          all.push(face);
        } catch (error) {
          code = error.code;
        }
      }
      const found = await g.identifyMany(all, { threshold: 0.99, k: 1 });
      const right = found.filter(({ match }, i) => match?.person === 'p' + i).length;
      await g.close();
      console.log(JSON.stringify({ code, count: all.length, right }));
    `;
    const command = `ulimit -f 3000; exec "${process.execPath}" --import tsx --input-type=module --eval "$SCRIPT"`;
    const child = spawnSync('sh', ['-c', command], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, SCRIPT: script, FOLDER: folder, TSX_DISABLE_CACHE: '1' },
    });
    const { code, count, right } = JSON.parse(child.stdout.trim() || child.stderr) as Record<string, unknown>;
    expect(code).toBe('STORE_FULL');
    expect(count).toBeGreaterThan(5);
    expect(right).toBe(count);
    const g = await gallery({ folder });
    expect(await g.check()).toMatchObject({ ok: true, samples: count });
    expect((await g.enrol('later', { embedding: new Faces(78, 512, 'wide-net').face() })).created).toBe(true);
  });
});
