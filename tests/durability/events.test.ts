import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LineamentError } from '../../lib/errors.js';
import { EventIds, EventLog } from '../../lib/pipeline/events/index.js';
import { EventSink } from '../../lib/pipeline/sink.js';
import type { PipelineEvent } from '../../lib/pipeline/types.js';
import { killRepeatedly } from './kill.js';

it('loses no acknowledged event when it is killed', { timeout: 300_000 }, async () => {
  const report = await killRepeatedly({
    kills: 8,
    worker: fileURLToPath(new URL('./events-worker.ts', import.meta.url)),
    async check(folder, acknowledged) {
      await using log = await EventLog.open({ folder });
      expect(await log.check()).toEqual([]);
      const there = new Map<string, Set<string>>();
      const found = new Set<string>();
      for (let after: string | undefined; ; ) {
        const page = await log.query({ limit: 1000, ...(after !== undefined && { after }) });
        for (const { id, type, camera, timestamp, track } of page.events) {
          found.add(id);
          const key = `${camera} ${timestamp} ${track}`;
          there.set(key, (there.get(key) ?? new Set()).add(type));
        }
        after = page.next;
        if (after === undefined) break;
      }
      const events = acknowledged.filter((line) => !line.startsWith('audit'));
      expect(events.filter((id) => !found.has(id))).toEqual([]);
      for (const [key, types] of there) expect(types.size, `half of ${key}`).toBe(2);
      expect((await log.verifyAudit()).ok).toBe(true);
      const trail = new Set<string>();
      for (let before: number | undefined; before !== 1; ) {
        const entries = await log.audit({ limit: 1000, ...(before !== undefined && { before }) });
        if (entries.length === 0) break;
        for (const { hash } of entries) trail.add(`audit ${hash}`);
        before = entries.at(-1)!.number;
      }
      expect(acknowledged.filter((line) => line.startsWith('audit') && !trail.has(line))).toEqual([]);
    },
  });
  expect(report.early).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(16);
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountable();

function mountable(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'lineament-mount-'));
  const good = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', place]).status === 0;
  if (good) spawnSync('umount', [place]);
  rmSync(place, { recursive: true });
  return good;
}

describe.skipIf(!canMount)('events on a disk of two megabytes (needs root)', () => {
  let folder = '';
  let small = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lineament-full-'));
    small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', small]);
  });
  afterAll(() => {
    spawnSync('umount', [small]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('are refused with STORE_FULL, kept, counted, and written when there is space', async () => {
    await using log = await EventLog.open({ folder: small });
    const ids = new EventIds();
    let time = 1_780_000_000_000;
    const batch = (): PipelineEvent[] =>
      Array.from({ length: 20 }, () => {
        const message = 'x'.repeat(500);
        return { id: ids.next(++time), camera: 'door', timestamp: time, type: 'gap', stage: 'test', count: 1, message };
      });
    // What the log refuses is not there, what it acknowledged is.
    const acknowledged: PipelineEvent[] = [];
    let failure: LineamentError | undefined;
    while (failure === undefined) {
      const some = batch();
      await log.append(some).then(
        () => acknowledged.push(...some),
        (error: LineamentError) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ code: 'STORE_FULL', fix: expect.stringContaining('Free space') as string });
    expect(await log.count()).toEqual([{ count: acknowledged.length }]);
    // The pipeline's way to the log: events wait, the oldest of too many are given up and counted.
    const told: PipelineEvent[] = [];
    const notices: (string | undefined)[] = [];
    const sink = new EventSink({
      store: {
        append: async (events) => {
          await log.append(events);
          return events;
        },
      },
      tell: (event) => told.push(event),
      notice: (error) => notices.push(error?.code),
      committed: () => undefined,
      capacity: 200,
      retryMs: [5, 20],
    });
    for (let i = 0; i < 40; i++) {
      sink.submit(batch());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(notices).toEqual(['STORE_FULL']);
    expect(sink.waiting).toBeLessThanOrEqual(200);
    expect(sink.lost).toBeGreaterThan(0);
    execFileSync('mount', ['-o', 'remount,size=16m', small]);
    await expect.poll(() => sink.waiting, { timeout: 30_000 }).toBe(0);
    expect(notices).toEqual(['STORE_FULL', undefined]);
    expect(told.length + sink.lost).toBe(800);
    expect(await log.count()).toEqual([{ count: acknowledged.length + told.length }]);
    for (const { id } of [...acknowledged.slice(-3), ...told.slice(-3)]) expect(await log.get(id)).toBeDefined();
    expect(await log.check()).toEqual([]);
  });
});
