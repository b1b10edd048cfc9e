import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../lib/engine/index.js';
import { LineamentError } from '../../../lib/errors.js';
import { openGallery } from '../../../lib/gallery/index.js';
import { EventLog, openPipeline, type PipelineEvent, type PipelineOptions } from '../../../lib/pipeline/index.js';
import { openScene, type Scene } from '../../support/scene.js';
import { bare, collect, MemoryCamera } from './pipeline-support.js';

let engine: Engine;
let scene: Scene;
let folder = '';

beforeAll(async () => {
  engine = await openEngine({ preset: 'fast' });
  scene = await openScene({
    kind: 'doorway',
    heads: 2,
    width: 640,
    height: 360,
    fps: 10,
    seconds: 6,
    sizes: [110, 130],
  });
  folder = await mkdtemp(join(tmpdir(), 'lineament-pipeline-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const camera = (id: string, more: object = {}): MemoryCamera =>
  new MemoryCamera({ id, picture: (i) => (i < scene.frames ? scene.render(i) : undefined), ...more });
const forever = (id: string, more: object = {}): MemoryCamera =>
  camera(id, { picture: (i: number) => scene.render(i % scene.frames), live: true, ...more });

const types = (events: readonly PipelineEvent[]): string[] => events.map(({ type }) => type);
const run = async (options: PipelineOptions): Promise<PipelineEvent[]> => {
  await using pipeline = await openPipeline(options);
  return await collect(pipeline.events());
};

describe('openPipeline', () => {
  it('tells of people who come and go, in order, and ends with its cameras', async () => {
    await using pipeline = await openPipeline({ cameras: [camera('door')], engine });
    const events = await collect(pipeline.events());
    expect(types(events)[0]).toBe('camera');
    expect(events.at(-1)).toMatchObject({ type: 'camera', state: 'ended', camera: 'door' });
    const appeared = events.filter(({ type }) => type === 'appeared');
    const left = events.filter(({ type }) => type === 'left');
    expect(appeared.length).toBeGreaterThanOrEqual(2);
    expect(left.map(({ track }) => track).sort()).toEqual(appeared.map(({ track }) => track).sort());
    for (const [i, { track }] of events.entries()) {
      if (events[i]!.type !== 'left') continue;
      expect(events.findIndex((one) => one.type === 'appeared' && one.track === track)).toBeLessThan(i);
    }
    expect(await pipeline.done).toEqual({ events: 0, untold: 0, frames: 0, clips: 0 });
    const { cameras, stages } = pipeline.stats();
    expect(cameras[0]).toMatchObject({ state: 'ended', taken: scene.frames, detected: scene.frames, overtaken: 0 });
    expect(stages.detect.count).toBe(scene.frames);
    expect(stages.detect.p50).toBeGreaterThan(0);
  });

  it('looks at every n-th frame and predicts the others', async () => {
    await using pipeline = await openPipeline({ cameras: [camera('door')], engine, detectEvery: 3 });
    const snapshots: boolean[] = [];
    const watching = (async () => {
      for await (const { detected } of pipeline.tracks('door')) snapshots.push(detected);
    })();
    const events = await collect(pipeline.events());
    await watching;
    expect(types(events)).toContain('appeared');
    expect(pipeline.stats().cameras[0]).toMatchObject({ detected: 20, predicted: 40 });
    expect(new Set(snapshots)).toEqual(new Set([true, false]));
    expect(() => pipeline.tracks('window')).toThrow("there is no camera 'window'");
  });

  it('gives the same events, ids included, whenever the same is seen in order', async () => {
    const session = async (n: number): Promise<PipelineEvent[]> => {
      const cameras = [camera('a'), camera('b', { start: Date.UTC(2026, 0, 1, 0, 0, 2), fps: 15 })];
      const gallery = await openGallery({ folder: join(folder, `order-${n}`) });
      try {
        return await run({ cameras, engine, gallery, data: join(folder, `data-${n}`), inOrder: true, seed: 'x' });
      } finally {
        await gallery.close();
      }
    };
    const [first, second] = [await session(1), await session(2)];
    expect(types(first)).toContain('stranger');
    expect(new Set(first.map((one) => one.camera))).toEqual(new Set(['a', 'b']));
    expect(second).toEqual(first);
    // What was told is what is in the log.
    await using log = await EventLog.open({ folder: join(folder, 'data-1') });
    const { events } = await log.query({ order: 'oldest', limit: 1000 });
    expect(events.map(({ id }) => id).sort()).toEqual(first.map(({ id }) => id).sort());
  });

  it('knows who is enrolled, and by what name while it watches', async () => {
    await using gallery = await openGallery({ folder: join(folder, 'staff') });
    const [first] = scene.truth(20);
    const still = scene.render(20);
    const [face] = await engine.analyze(still, { embedding: true, maxFaces: 1 });
    expect(first).toBeDefined();
    await gallery.enrol({ id: 'ada', name: 'Ada' }, { embedding: face!.embedding! });
    let renamed = false;
    const picture = (i: number) => (i < 40 ? still : undefined);
    await using pipeline = await openPipeline({ cameras: [camera('door', { picture })], engine, gallery });
    const names = new Set<string>();
    pipeline.on('recognised', async ({ identity }) => {
      expect(identity).toMatchObject({ kind: 'known', id: 'ada', name: 'Ada' });
      await gallery.update('ada', { name: 'Countess' });
      renamed = true;
    });
    for await (const { tracks } of pipeline.tracks()) {
      for (const { identity } of tracks) if (identity?.id === 'ada') names.add(identity.name!);
    }
    expect(renamed).toBe(true);
    expect([...names]).toEqual(['Ada', 'Countess']);
  });

  it('goes on when one of its cameras fails, and says why', async () => {
    const broken = new LineamentError('CAMERA_LOST', 'unplugged');
    const events = await run({ cameras: [camera('bad', { failAt: [4, broken] }), camera('good')], engine });
    expect(events.find((one) => one.type === 'camera' && one.state === 'failed')).toMatchObject({
      camera: 'bad',
      code: 'CAMERA_LOST',
      message: 'Camera gives no pictures: unplugged',
    });
    expect(events.at(-1)).toMatchObject({ camera: 'good', state: 'ended' });
    expect(types(events.filter((one) => one.camera === 'good'))).toContain('left');
  });

  it('tells of a camera that is lost and comes back', async () => {
    const source = forever('door');
    await using pipeline = await openPipeline({ cameras: [source], engine });
    const states: string[] = [];
    for await (const event of pipeline.events({ types: ['camera'] })) {
      if (event.type !== 'camera') continue;
      states.push(event.state);
      if (states.length === 1) source.tell({ state: 'lost', timestamp: Date.now(), code: 'CAMERA_LOST', message: 'x' });
      if (states.length === 3) break;
    }
    expect(states).toEqual(['running', 'lost', 'running']);
  });

  it('looks at attributes and asks the hook, and lives with its faults', async () => {
    let calls = 0;
    const events = await run({
      cameras: [camera('door')],
      engine,
      rules: { expression: { high: 0.3, low: 0.1, holdMs: 0 } },
      analyze: {
        attributes: ['expression'],
        everyMs: 200,
        inspect: ({ face, frame, track }) => {
          calls++;
          expect(frame.data.length).toBe(640 * 360 * 3);
          expect(face.expression).toBeDefined();
          expect(face.landmarks).toHaveLength(68);
          if (calls === 5) throw new Error('mine');
          return { gestures: [{ gesture: `wave ${track.id}`, score: 0.9 }], liveness: { live: true, score: 0.8 } };
        },
      },
    });
    expect(calls).toBeGreaterThan(5);
    expect(calls).toBeLessThan(60);
    expect(new Set(types(events))).toEqual(
      new Set(['camera', 'appeared', 'gesture', 'liveness', 'expression', 'gap', 'left']),
    );
    expect(events.find(({ type }) => type === 'gap')).toMatchObject({
      stage: 'inspect',
      message: 'Internal error: mine',
    });
  });

  it('tells of zones and lines', async () => {
    const events = await run({
      cameras: [camera('door')],
      engine,
      zones: [
        {
          name: 'middle',
          corners: [
            [0.3, 0],
            [0.7, 0],
            [0.7, 1],
            [0.3, 1],
          ],
        },
      ],
      lines: [{ name: 'sill', from: [0.5, 1], to: [0.5, 0] }],
    });
    expect(types(events)).toContain('zone');
    expect(types(events)).toContain('line');
  });
});

describe('a slow listener', () => {
  it('loses events, is told how many, and delays neither cameras nor others', async () => {
    await using pipeline = await openPipeline({
      cameras: [camera('door')],
      engine,
      rules: { appeared: { afterMs: 0 } },
    });
    const others: PipelineEvent[] = [];
    pipeline.on('*', (event) => void others.push(event));
    let letGo = (): void => {};
    const slow: PipelineEvent[] = [];
    pipeline.on(
      '*',
      async (event) => {
        slow.push(event);
        if (slow.length === 1) await new Promise<void>((resolve) => (letGo = resolve));
      },
      { capacity: 2 },
    );
    for await (const { type } of pipeline.events()) if (type === 'left') break;
    while (others.length < 5) await wait(5);
    letGo();
    const report = await pipeline.done;
    expect(others.length).toBeGreaterThanOrEqual(5);
    const gap = slow.find(({ type }) => type === 'gap');
    expect(gap).toMatchObject({ stage: 'listener' });
    expect(slow.length - 1 + (gap as { count: number }).count).toBe(others.length);
    expect(report.untold).toBe((gap as { count: number }).count);
  });
});

describe('closing', () => {
  it('is possible at any moment, and leaves nothing that runs', async () => {
    for (const pause of [0, 1, 5, 20, 60, 150, 300]) {
      const cameras = [forever('a', { fps: 30 }), forever('b', { fps: 30 })];
      const controller = new AbortController();
      const data = join(folder, `abort-${pause}`);
      const opening = openPipeline({ cameras, engine, data, signal: controller.signal });
      if (pause === 0) {
        controller.abort();
        await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
        continue;
      }
      const pipeline = await opening;
      const told: PipelineEvent[] = [];
      pipeline.on('*', (event) => void told.push(event));
      await wait(pause);
      controller.abort();
      const report = await pipeline.close();
      expect(report).toMatchObject({ events: 0, untold: 0, clips: 0 });
      expect(cameras.map(({ closed }) => closed)).toEqual([false, false]);
      const appeared = told.filter(({ type }) => type === 'appeared');
      expect(told.filter(({ type }) => type === 'left')).toHaveLength(appeared.length);
      await using log = await EventLog.open({ folder: data });
      expect((await log.query({ limit: 1000 })).events).toHaveLength(told.length);
    }
  });

  it('ends iterations: by the signal, by leaving, by the end', async () => {
    const pipeline = await openPipeline({ cameras: [forever('a')], engine });
    const controller = new AbortController();
    const events = pipeline.events({ signal: controller.signal });
    const waiting = (async () => {
      for await (const _ of events) controller.abort();
    })();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    const rest = collect(pipeline.events());
    const report = await pipeline.close();
    expect(await pipeline.close()).toBe(report);
    expect((await rest).at(-1)).toMatchObject({ type: 'camera', state: 'ended' });
    expect(await collect(pipeline.events())).toEqual([]);
  });
});

describe('two pipelines', () => {
  it('run side by side on one engine', async () => {
    const one = (): Promise<PipelineEvent[]> => run({ cameras: [camera('door')], engine });
    const [a, b] = await Promise.all([one(), one()]);
    expect(bare(a)).toEqual(bare(b));
    expect(types(a)).toContain('left');
  });
});

describe('options', () => {
  it('are checked', async () => {
    const refused: [object, RegExp][] = [
      [{ cameras: [] }, /list with at least one camera/],
      [{ cameras: [true] }, /camera or source/],
      [{ cameras: [camera('a')], detectEvery: 0 }, /detectEvery/],
      [{ cameras: [camera('a')], clips: true }, /clips/],
      [{ cameras: [camera('a')], retention: true }, /retention/],
      [{ cameras: [camera('a')], colour: 1 }, /Unknown option 'colour'/],
      [{ cameras: [camera('a'), camera('a')], engine }, /two cameras are named 'a'/],
      [{ cameras: [camera('a')], engine, analyze: { attributes: ['mood'] } }, /attributes/],
      [{ cameras: [camera('a')], engine, zones: [{ name: 'z', corners: [] }] }, /corners/],
      [{ cameras: [camera('a')], engine, privacy: { mode: 'blur-without-consent' } }, /consent/],
    ];
    for (const [options, message] of refused) {
      await expect(openPipeline(options as PipelineOptions)).rejects.toThrow(message);
    }
  });
});
