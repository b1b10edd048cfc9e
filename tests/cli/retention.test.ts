import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGallery } from '../../lib/gallery/index.js';
import { EventIds, EventLog } from '../../lib/pipeline/events/index.js';
import type { PipelineEvent } from '../../lib/pipeline/types.js';
import { type Finished, lineament } from './run.js';

const DAY = 86_400_000;
const NOW = Date.now();
const ids = new EventIds();
let folder = '';
const data = (...parts: string[]): string => path.join(folder, 'data', ...parts);
const run = (...args: string[]): Promise<Finished> => lineament(['retention', ...args, '--data', data()]);
const open = () => EventLog.open({ folder: data(), now: () => NOW - 1000 * DAY });

const made = (daysAgo: number, fields: object): PipelineEvent => {
  const timestamp = NOW - daysAgo * DAY;
  return { id: ids.next(timestamp), camera: 'door', timestamp, ...fields } as PipelineEvent;
};
const seen = (person: string, daysAgo: number): PipelineEvent =>
  made(daysAgo, { type: 'recognised', identity: { kind: 'known', id: person, looks: 1, weight: 1 } });

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-retention-cli-'));
  mkdirSync(data('clips'), { recursive: true });
  writeFileSync(data('clips', 'a.mp4'), 'a clip');
  await using log = await open();
  await log.append([
    seen('old', 400),
    seen('ada', 1),
    made(500, { type: 'appeared' }),
    made(20, { type: 'clip', event: ids.next(NOW), path: 'a.mp4' }),
  ]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('retention from the command line', { timeout: 60_000 }, () => {
  it('says what would go and changes nothing, then does it', async () => {
    const dry = await run('dry-run', '--clips', '7');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    const lines = dry.stdout.split('\n').map((line) => line.replace(/\s+/g, ' ').trim());
    const day = (ago: number): string => new Date(NOW - ago * DAY).toISOString().slice(0, 10);
    expect(lines).toContain(`clips deleted after 7 days 1 ${day(20)}`);
    expect(lines).toContain(`events deleted after 365 days 2 ${day(500)}`);
    expect(lines).toContain(`persons archived after 180 days 1 ${day(400)}`);
    expect(lines).toContain('archived persons deleted after 730 days 0');
    expect(lines).toContain('nothing was changed: this is a dry run');
    expect(existsSync(data('clips', 'a.mp4'))).toBe(true);

    const done = await run('run', '--clips', '7', '--json', '--quiet');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({
      dryRun: false,
      clips: { count: 1 },
      events: { count: 2 },
      archive: { count: 1 },
      delete: { count: 0 },
      files: { deleted: 1, problems: [] },
    });
    expect(existsSync(data('clips', 'a.mp4'))).toBe(false);
    await using log = await open();
    expect((await log.persons({ state: 'archived' })).map(({ id }) => id)).toEqual(['old']);
    expect((await log.audit()).map(({ actor }) => actor)).toEqual(['lineament retention', 'lineament retention']);
  });

  it('deletes archived persons from their gallery', async () => {
    const gallery = await openGallery({ folder: path.join(folder, 'staff') });
    const vector = new Float32Array(64).fill(1 / 8);
    await gallery.enrol('old', { embedding: { model: 'm', dims: 64, vector } });
    await gallery.close();
    const staff = ['-g', path.join(folder, 'staff')];
    // Enrolled today: nobody is archived but for a policy of no days.
    expect(JSON.parse((await run('dry-run', '--json', ...staff)).stdout)).toMatchObject({ archive: { count: 0 } });
    expect((await run('run', '--archive-after', '0', ...staff)).code).toBe(0);
    const last = await run('run', '--delete-after', '0', '--archive-after', 'never', '--json', ...staff);
    expect(JSON.parse(last.stdout)).toMatchObject({ delete: { count: 2 }, failed: [] });
    await using again = await openGallery({ folder: path.join(folder, 'staff') });
    expect((await again.list()).persons).toEqual([]);
  });

  it('ends with 1 where a file was left alone, and with 2 where it is misused', async () => {
    const foreign = path.join(folder, 'foreign.mp4');
    writeFileSync(foreign, 'not ours');
    await using log = await open();
    await log.append([made(50, { type: 'clip', event: ids.next(NOW), path: foreign })]);
    await log.close();
    const left = await run('run');
    expect(left.code).toBe(1);
    expect(left.stdout).toContain(`left alone: ${foreign}: it does not lie in the folder of clips`);
    expect(existsSync(foreign)).toBe(true);
    for (const args of [['walk'], ['run', '--clips', 'soon'], ['run', '--clips', '-1'], ['run', 'more']]) {
      expect((await run(...args)).code, args.join(' ')).toBe(2);
    }
    const none = await lineament(['retention', 'run', '--json', '--data', path.join(folder, 'none')]);
    expect(JSON.parse(none.stderr)).toMatchObject({ error: { code: 'STORE_NOT_FOUND' } });
    const unnamed = await lineament(['retention', 'run'], { env: { LINEAMENT_DATA: '' } });
    expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining('--data') as string });
    expect((await lineament(['retention', '--help'])).stdout).toContain('--delete-after DAYS');
  });
});
