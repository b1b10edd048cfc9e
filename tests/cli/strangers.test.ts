import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGallery } from '../../lib/gallery/index.js';
import { EventIds, EventLog } from '../../lib/pipeline/events/index.js';
import { Strangers } from '../../lib/pipeline/identity/index.js';
import type { PipelineEvent } from '../../lib/pipeline/types.js';
import { Faces } from '../gallery/faces.js';
import { type Finished, lineament } from './run.js';

const START = Date.now() - 86_400_000;
let folder = '';
let ids: string[] = [];
const data = (...parts: string[]): string => path.join(folder, 'data', ...parts);
const env = { LINEAMENT_DATA: '', LINEAMENT_GALLERY: '' };
const run = (...args: string[]): Promise<Finished> => lineament(['strangers', ...args, '--data', data()], { env });
const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const done = await run(...args, '--json');
  expect(done).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(done.stdout) as Record<string, unknown>;
};
/** What the log calls them. */
const logged = async (): Promise<(string | undefined)[]> => {
  await using log = await EventLog.open({ folder: data() });
  return await Promise.all(ids.map(async (id) => (await log.person(id))?.name ?? (await log.person(id))?.id));
};

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-strangers-cli-'));
  // Three strangers, of whom the first two are one person; two looks each.
  const faces = new Faces(3);
  const [ada, bob] = [faces.face(), faces.face()];
  await using gallery = await openGallery({ folder: data('gallery'), threads: 1 });
  await using strangers = await Strangers.open({ gallery, path: data('strangers.db'), match: { threshold: 0.6 } });
  await using log = await EventLog.open({ folder: data() });
  const eventIds = new EventIds();
  ids = [];
  for (const [i, face] of [ada, ada, bob].entries()) {
    const timestamp = START + i * 1000;
    const looks = [0, 1].map((n) => ({
      embedding: faces.like(face),
      weight: 0.7,
      timestamp: timestamp + n,
      votes: {},
    }));
    const { id } = await strangers.found(looks, 'door', async () => undefined, undefined);
    ids.push(id);
    const identity = { kind: 'stranger', id, looks: 2, weight: 1 };
    await log.append([
      { id: eventIds.next(timestamp), type: 'stranger', camera: 'door', timestamp, identity } as PipelineEvent,
    ]);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('strangers from the command line', { timeout: 120_000 }, () => {
  it('are listed and shown, named, merged, parted again and split', async () => {
    const [a, b, c] = ids as [string, string, string];
    const listed = await run('list');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    const names = listed.stdout.split('\n').flatMap((line) => /^Person_[0-9A-F]{8}/.exec(line)?.[0] ?? []);
    expect(names).toEqual([c, b, a]);
    expect(await json('list', '--inactive', '7')).toEqual({ strangers: [] });

    const named = await json('name', a, 'Ada L.');
    expect(named).toMatchObject({ stranger: a, name: 'Ada L.' });
    expect(await logged()).toEqual(['Ada L.', b, c]);
    const merged = await json('merge', a, b);
    expect(await logged()).toEqual(['Ada L.', 'Ada L.', c]);
    expect(await json('show', b)).toMatchObject({ id: a, name: 'Ada L.' });
    expect(await json('undo', String(merged['operation']))).toEqual({ undone: merged['operation'] });
    expect(await logged()).toEqual(['Ada L.', b, c]);
    await json('name', a);
    expect(await logged()).toEqual([a, b, c]);

    const { samples } = (await json('show', c)) as { samples: { id: string; source: string }[] };
    expect(samples).toHaveLength(2);
    expect(samples[0]?.source).toMatch(/^door@/);
    const split = await json('split', c, samples[0]!.id);
    expect(split['stranger']).toMatch(/^Person_/);
    expect(await json('show', String(split['stranger']))).toMatchObject({ samples: [{ id: samples[0]!.id }] });
    const history = (await json('history')) as { operations: { kind: string; undone: boolean }[] };
    expect(history.operations.map(({ kind }) => kind)).toEqual(['split', 'rename', 'merge', 'rename']);
    expect(history.operations.map(({ undone }) => undone)).toEqual([false, false, true, false]);
  });

  it('are clustered, which a dry run only says', async () => {
    const [a, b, c] = ids as [string, string, string];
    const dry = (await json('recluster', '--threshold', '0.6', '--dry-run')) as { merges: object[] };
    expect(dry).toMatchObject({ dryRun: true, persons: 3, merges: [{ into: a, from: b }] });
    expect(await logged()).toEqual(ids);
    const done = await run('recluster', '--threshold', '0.6');
    expect(done.stdout).toMatch(new RegExp(`3 strangers: 1 merged\\n {2}${b} into ${a}, .*operation \\d+`));
    expect(await logged()).toEqual([a, a, c]);
  });

  it('become known persons with their consent, or are erased, in the log too', async () => {
    const [a, , c] = ids as [string, string, string];
    expect(await run('enrol', a)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--consent/) });
    expect(await json('enrol', a, '--consent', 'form-17', '--person', 'ada', '--name', 'Ada')).toMatchObject({
      person: 'ada',
    });
    expect((await logged())[0]).toBe('ada');
    expect(await run('erase', c)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--yes/) });
    const receipt = path.join(folder, 'receipt.json');
    expect(await json('erase', c, '--yes', '-o', receipt)).toMatchObject({ persons: 1, samples: 2 });
    expect(await logged()).toEqual(['ada', ids[1], undefined]);
    expect(await run('show', c)).toMatchObject({ code: 2, stderr: expect.stringMatching(/there is no stranger/) });
    await using gallery = await openGallery({ folder: data('gallery'), create: false, threads: 1 });
    expect(await gallery.get('ada')).toMatchObject({ name: 'Ada' });
    expect(await gallery.get(c)).toBeUndefined();
  });

  it('says what is wrong', async () => {
    expect(await run('paint')).toMatchObject({ code: 2, stderr: expect.stringMatching(/no verb 'paint'/) });
    expect(await run('merge', 'x')).toMatchObject({ code: 2, stderr: expect.stringMatching(/merge takes INTO FROM/) });
    expect(await run('undo', 'x')).toMatchObject({ code: 2, stderr: expect.stringMatching(/no operation/) });
    expect(await run('name', 'Person_00000000', 'x')).toMatchObject({ code: 2 });
    const none = await lineament(['strangers', 'list', '-d', path.join(folder, 'none')], { env });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/no list of strangers/) });
    expect(await lineament(['strangers', 'list'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--data/),
    });
    expect((await lineament(['strangers', '--help'])).stdout).toContain('recluster');
  });
});
