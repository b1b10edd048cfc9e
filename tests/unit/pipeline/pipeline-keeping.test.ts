import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../lib/engine/index.js';
import { openGallery } from '../../../lib/gallery/index.js';
import { EventIds, EventLog, openPipeline, type PipelineEvent, Strangers } from '../../../lib/pipeline/index.js';
import { followStrangers, withConsent } from '../../../lib/pipeline/keeping.js';
import { openScene, type Scene } from '../../support/scene.js';
import { ffmpeg } from './clips-support.js';
import { Faces } from './identity-support.js';
import { collect, MemoryCamera } from './pipeline-support.js';

const DAY = 86_400_000;
let engine: Engine;
let scene: Scene;
let folder = '';
beforeAll(async () => {
  engine = await openEngine({ preset: 'fast' });
  const size = { width: 640, height: 360, fps: 10, seconds: 6, sizes: [110, 130] } as const;
  scene = await openScene({ kind: 'doorway', heads: 2, ...size });
  folder = mkdtempSync(join(tmpdir(), 'lineament-keeping-'));
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A camera that keeps its pictures, as one with a buffer does. */
class KeepingCamera extends MemoryCamera {
  async *history(first: number, last: number) {
    for await (const frame of this.frames({})) if (frame.timestamp >= first && frame.timestamp <= last) yield frame;
  }
}
const camera = (): KeepingCamera =>
  new KeepingCamera({ id: 'door', picture: (i) => (i < scene.frames ? scene.render(i) : undefined) });
const gaps = (events: readonly PipelineEvent[], stage: string): PipelineEvent[] =>
  events.filter((one) => one.type === 'gap' && one.stage === stage);
const under = (path: string): string[] =>
  existsSync(path)
    ? (readdirSync(path, { recursive: true }) as string[]).filter((name) => /\.(mp4|jpg|json)$/.test(name))
    : [];

describe.skipIf(!ffmpeg)('clips in a folder of their own (needs ffmpeg with libx264)', () => {
  it("are the log's: retention and erasure delete them", async () => {
    const data = join(folder, 'own');
    const elsewhere = join(folder, 'elsewhere');
    const clips = { folder: elsewhere, preSeconds: 1, postSeconds: 1 };
    await using pipeline = await openPipeline({ cameras: [camera()], engine, identify: false, data, clips });
    const events = await collect(pipeline.events());
    const made = events.flatMap((one) => (one.type === 'clip' && one.path !== undefined ? [one] : []));
    expect(made.length).toBeGreaterThan(0);
    for (const { path } of made) expect(path?.startsWith(elsewhere)).toBe(true);
    expect(under(elsewhere)).toHaveLength(3 * made.length);
    const log = pipeline.log!;
    expect(log.clips).toBe(elsewhere);
    const { files } = await log.runRetention(Date.UTC(2026, 0, 1) + 365 * DAY, { policy: { clipsDays: 1 } });
    expect(files).toMatchObject({ deleted: made.length, problems: [] });
    expect(under(elsewhere)).toEqual([]);
  });
});

describe('what goes wrong beside the cameras', () => {
  it('is told where retention cannot delete something', async () => {
    const data = join(folder, 'retention');
    mkdirSync(join(data, 'clips'), { recursive: true });
    const path = join(data, 'clips', 'changed.mp4');
    writeFileSync(path, 'not what was recorded');
    const ids = new EventIds({ seed: 'keeping' });
    {
      await using log = await EventLog.open({ folder: data });
      const timestamp = Date.now() - 40 * DAY;
      const sha256 = '0'.repeat(64);
      const clip = { type: 'clip', event: ids.next(timestamp), path, sha256, from: timestamp, to: timestamp } as const;
      await log.append([{ id: ids.next(timestamp), camera: 'door', timestamp, ...clip }]);
    }
    await using pipeline = await openPipeline({ cameras: [camera()], engine, identify: false, data, retention: true });
    const told: PipelineEvent[] = [];
    pipeline.on('gap', (event) => void told.push(event));
    await expect.poll(() => gaps(told, 'retention'), { timeout: 30_000 }).toHaveLength(1);
    expect(told[0]).toMatchObject({ count: 1, message: expect.stringMatching(/changed\.mp4/) });
    expect(existsSync(path)).toBe(true);
  });

  it.skipIf(!ffmpeg)('is told at once where a recording fails (needs ffmpeg)', async () => {
    const record = { folder: join(folder, 'recorded'), storage: 'h264' } as const;
    await using pipeline = await openPipeline({ cameras: [camera()], engine, identify: false, record });
    const events = await collect(pipeline.events());
    expect(gaps(events, 'record')).toMatchObject([
      { count: 1, message: expect.stringMatching(/^door .*rgb pictures/) },
    ]);
  });

  it('is not begun: a recording of uncovered faces beside a policy that covers them', async () => {
    const options = { cameras: [camera()], engine, record: join(folder, 'refused') };
    const opening = openPipeline({ ...options, privacy: { mode: 'blur-all' } });
    await expect(opening).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/uncovered/),
    });
  });
});

describe('the log of a pipeline', () => {
  it('follows strangers in the order in which things happen to them, and says where it cannot', async () => {
    const data = join(folder, 'strangers');
    await using gallery = await openGallery({ folder: join(data, 'gallery'), threads: 1 });
    await using strangers = await Strangers.open({
      gallery,
      path: join(data, 'strangers.db'),
      match: { threshold: 0.6 },
    });
    const log = await EventLog.open({ folder: data });
    const faces = new Faces(7);
    const face = faces.face();
    const looks = [0, 1].map((i) => ({ embedding: faces.like(face), weight: 0.7, timestamp: 1000 + i, votes: {} }));
    const { id } = await strangers.found(looks, 'door', async () => undefined, undefined);
    const ids = new EventIds({ seed: 'strangers' });
    const identity = { kind: 'stranger', id, looks: 2, weight: 1 } as const;
    await log.append([
      { id: ids.next(2000), type: 'stranger', camera: 'door', timestamp: 2000, identity, returning: false },
    ]);
    const problems: string[] = [];
    const settle = followStrangers(log, strangers, (message) => problems.push(message));
    for (let i = 0; i < 25; i++) await strangers.rename(id, `name ${i}`);
    await settle();
    expect((await log.person(id))?.name).toBe('name 24');
    expect(problems).toEqual([]);
    const again = followStrangers(log, strangers, (message) => problems.push(message));
    await log.close();
    await strangers.rename(id, 'too late');
    await again();
    expect(problems).toEqual([expect.stringMatching(/renamed/)]);
  });

  it('covers those who withdraw at another desk, and everybody while it cannot be read', async () => {
    const data = join(folder, 'consent');
    const log = await EventLog.open({ folder: data });
    await using desk = await EventLog.open({ folder: data });
    const stop = new AbortController();
    const problems: string[] = [];
    const { consent } = withConsent({ mode: 'blur-without-consent' }, log, stop.signal, (one) => problems.push(one));
    const agreed = () => consent?.({ kind: 'known', id: 'ada', looks: 1, weight: 1 });
    try {
      await desk.setConsent('ada', { scope: 'recording', status: 'given', by: 'desk' });
      await expect.poll(agreed, { timeout: 30_000 }).toBe(true);
      await desk.setConsent('ada', { scope: 'recording', status: 'withdrawn', by: 'desk' });
      await expect.poll(agreed, { timeout: 30_000 }).toBe(false);
      await desk.setConsent('ada', { scope: 'recording', status: 'given', by: 'desk' });
      await expect.poll(agreed, { timeout: 30_000 }).toBe(true);
      await log.close();
      await expect.poll(agreed, { timeout: 30_000 }).toBe(false);
      expect(problems).toEqual([expect.stringMatching(/cannot be read/)]);
    } finally {
      stop.abort();
      await log.close();
    }
  });
});
