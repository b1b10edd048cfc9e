import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CameraFrame } from '../../../lib/capture/types.js';
import { type Engine, openEngine } from '../../../lib/engine/index.js';
import { openPipeline, type Pipeline, type PipelineEvent, type PipelineOptions } from '../../../lib/pipeline/index.js';
import type { Box, Frame } from '../../../lib/types.js';
import { openScene, type Scene } from '../../support/scene.js';
import { collect, MemoryCamera } from './pipeline-support.js';

let engine: Engine;
let scene: Scene;
beforeAll(async () => {
  engine = await openEngine({ preset: 'fast' });
  const size = { width: 640, height: 360, fps: 10, seconds: 6, sizes: [110, 130] } as const;
  scene = await openScene({ kind: 'doorway', heads: 2, ...size });
});
afterAll(() => engine.close());

const camera = (): MemoryCamera =>
  new MemoryCamera({ id: 'door', picture: (i) => (i < scene.frames ? scene.render(i) : undefined) });

/** Mean difference of two pictures within a box, grey levels. */
function difference(a: Frame, b: Frame, [x, y, w, h]: Box): number {
  let sum = 0;
  let count = 0;
  for (let row = Math.round(y); row < Math.round(y + h); row++) {
    for (let at = 3 * (row * a.width + Math.round(x)); at < 3 * (row * a.width + Math.round(x + w)); at++) {
      sum += Math.abs(a.data[at]! - b.data[at]!);
      count++;
    }
  }
  return sum / count;
}

/** Faces that are wholly in the picture, and how much each differs from what the camera gave, over a stream. */
async function streamed(options: Partial<PipelineOptions>, privacy = true) {
  const door = camera();
  const policy = privacy ? ({ privacy: { mode: 'blur-all' } } as const) : {};
  await using pipeline: Pipeline = await openPipeline({
    cameras: [door],
    engine,
    identify: false,
    ...policy,
    ...options,
  });
  const events: PipelineEvent[] = [];
  pipeline.on('*', (event) => void events.push(event));
  const faces: { readonly sequence: number; readonly differs: number }[] = [];
  const numbers: number[] = [];
  for await (const frame of pipeline.frames('door') as AsyncIterable<CameraFrame>) {
    const { sequence } = frame;
    numbers.push(sequence);
    const original = scene.render(sequence);
    for (const { box, visible } of scene.truth(sequence))
      if (visible > 0.99) faces.push({ sequence, differs: difference(frame, original, box) });
  }
  await pipeline.done;
  return { faces, numbers, events, stats: pipeline.stats() };
}

describe('a stream with covered faces', () => {
  it('shows no face that the detector has not looked for yet', async () => {
    const { faces, numbers } = await streamed({});
    expect(numbers).toEqual([...Array(scene.frames).keys()]);
    expect(faces.length).toBeGreaterThan(30);
    expect(faces.filter(({ differs }) => differs < 3)).toEqual([]);
    // Without a policy they are what the camera gave.
    const bare = await streamed({}, false);
    expect(Math.max(...bare.faces.map(({ differs }) => differs))).toBe(0);
  });

  it('is covered wholly where the detector looks rarely, and where it fails', async () => {
    const rarely = await streamed({ detectEvery: 300 });
    expect(rarely.stats.cameras[0]).toMatchObject({ detected: 1, predicted: scene.frames - 1 });
    expect(rarely.faces.filter(({ differs }) => differs < 3)).toEqual([]);
    const failing = Object.create(engine, {
      threads: { value: 1 },
      detect: { value: () => Promise.reject(new Error('no detector')) },
      memory: { value: () => engine.memory() },
    }) as Engine;
    const { faces, events, stats } = await streamed({ engine: failing });
    expect(stats.cameras[0]).toMatchObject({ taken: scene.frames, detected: 0, state: 'ended' });
    expect(events.find((one) => one.type === 'gap')).toMatchObject({ stage: 'detect' });
    expect(faces.length).toBeGreaterThan(30);
    expect(faces.filter(({ differs }) => differs < 3)).toEqual([]);
  });

  it('ends with its signal, and with its camera', async () => {
    const live = new MemoryCamera({ id: 'door', live: true, picture: (i) => scene.render(i % scene.frames) });
    await using pipeline = await openPipeline({
      cameras: [live],
      engine,
      identify: false,
      privacy: { mode: 'blur-all' },
    });
    const controller = new AbortController();
    const watching = (async () => {
      for await (const _ of pipeline.frames('door', { signal: controller.signal })) controller.abort();
    })();
    await expect(watching).rejects.toMatchObject({ code: 'ABORTED' });
    for await (const frame of pipeline.frames('door')) if (frame.sequence > 3) break;
  });
});

describe('a camera', () => {
  it('goes on after findings that make no sense, and after a clock that went back', async () => {
    const door = camera();
    const back = {
      id: 'door',
      lossless: true,
      stats: () => door.stats(),
      close: () => door.close(),
      async *frames(options: object) {
        for await (const frame of door.frames(options)) {
          yield frame.sequence === 20 ? { ...frame, timestamp: frame.timestamp - 5000 } : frame;
        }
      },
    };
    const events: PipelineEvent[] = [];
    await using pipeline = await openPipeline({
      cameras: [back],
      engine,
      identify: false,
      analyze: {
        everyMs: 0,
        inspect: ({ frame: { sequence } }) => ({
          gestures: [{ gesture: sequence % 2 === 0 ? '' : 'wave', score: Number.NaN }],
          liveness: { live: true, score: 1.0000001 },
        }),
      },
    });
    events.push(...(await collect(pipeline.events())));
    expect(pipeline.stats().cameras[0]).toMatchObject({ state: 'ended', taken: scene.frames, detected: scene.frames });
    expect(events.at(-1)).toMatchObject({ type: 'camera', state: 'ended' });
    const stages = events.flatMap((one) => (one.type === 'gap' ? [one.stage] : []));
    expect(stages).toContain('inspect');
    expect(stages).toContain('time');
    // Events are in order all the same.
    expect(events.filter(({ type }) => type === 'left').length).toBeGreaterThan(0);
  });
});

describe('those who sleep', () => {
  it('delay no capture: as many frames are taken with a listener that never wakes up as without', async () => {
    const taken = async (asleep: boolean): Promise<number> => {
      const door = camera();
      await using pipeline = await openPipeline({ cameras: [door], engine, identify: false });
      let heard = 0;
      let wake = (): void => undefined;
      if (asleep) {
        pipeline.on('*', async () => {
          heard++;
          await new Promise<void>((resolve) => (wake = resolve));
        });
      }
      for await (const { type } of pipeline.events()) if (type === 'left') break;
      // The camera gives its last frame while the listener has not returned from its first event.
      await expect.poll(() => pipeline.stats().cameras[0]?.state, { timeout: 60_000 }).toBe('ended');
      if (asleep) expect(heard).toBe(1);
      const { cameras } = pipeline.stats();
      const timer = setInterval(() => wake(), 1);
      await pipeline.done;
      clearInterval(timer);
      return cameras[0]!.taken;
    };
    expect(await taken(true)).toBe(await taken(false));
  });
});
