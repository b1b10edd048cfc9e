import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../../lib/engine/index.js';
import { intersectionOverUnion } from '../../../../lib/image/geometry.js';
import { Runtime } from '../../../../lib/inference/index.js';
import { Networks, openPack } from '../../../../lib/models/index.js';
import { openPersonDetector, Tracker, trackingMetrics } from '../../../../lib/pipeline/tracking/index.js';
import { faceMisfit } from '../../../../lib/pipeline/tracking/observation.js';
import type { Detection } from '../../../../lib/pipeline/types.js';
import type { Box } from '../../../../lib/types.js';
import { root } from '../../../support/child.js';
import { sample } from '../../../support/samples.js';
import { openScene } from '../../../support/scene.js';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ preset: 'fast' });
});
afterAll(() => engine.close());

describe('moving scenes', () => {
  it('give the same bytes again, and loop without a jump', async () => {
    const [a, b] = await Promise.all(
      [0, 1].map(() => openScene({ kind: 'doorway', seconds: 4, noise: 3, shutter: 0.5 })),
    );
    expect(Buffer.from(a!.render(7).data).equals(b!.render(7).data)).toBe(true);
    const boxes = (i: number): Box[] => a!.truth(i).map((face) => face.box);
    expect(boxes(7 + a!.frames)).toEqual(boxes(7));
    // A walk that goes on over the end keeps its number; who comes again has another.
    const ids = (i: number): number[] => a!.truth(i).map((face) => face.id);
    const walks = Array.from({ length: 3 * a!.frames }, (_, i) => ids(i));
    for (const id of new Set(walks.flat())) {
      const there = walks.flatMap((all, i) => (all.includes(id) ? [i] : []));
      expect(there.at(-1)! - there[0]! + 1).toBe(there.length);
      expect(there.length).toBeLessThan(a!.frames);
    }
  });

  it('show faces where the truth says', async () => {
    let [found, all] = [0, 0];
    for (const kind of ['crowd', 'doorway', 'pillars'] as const) {
      const scene = await openScene({ kind, seed: 4 });
      for (const i of [20, 150]) {
        const faces = await engine.detect(scene.render(i));
        for (const face of scene.truth(i).filter(({ visible }) => visible > 0.95)) {
          all++;
          if (faces.some(({ box }) => intersectionOverUnion(box, face.box) >= 0.5)) found++;
        }
      }
    }
    expect(all).toBeGreaterThan(15);
    expect(found / all).toBeGreaterThan(0.9);
  });

  it('are tracked by the real detector in every second frame', async () => {
    const scene = await openScene({ kind: 'crowd', seconds: 12, heads: 5, seed: 2 });
    const tracker = new Tracker('scene');
    const frames = [];
    for (let i = 0; i < 60; i++) {
      const faces = i % 2 === 0 ? await engine.detect(scene.render(i)) : undefined;
      const detections = faces?.map(({ box, score }): Detection => ({ kind: 'face', box, score }));
      const tracks = tracker.update((1000 * i) / scene.fps, detections, scene);
      frames.push({
        truth: scene.truth(i).map(({ id, box, visible }) => ({ id, box, ignore: visible < 0.4 })),
        found: tracks.filter((t) => t.state === 'confirmed').map(({ id, face }) => ({ id, box: face! })),
      });
    }
    const metrics = trackingMetrics(frames);
    expect(metrics.mota).toBeGreaterThan(0.75);
    expect(metrics.idf1).toBeGreaterThan(0.75);
    expect(metrics.switches).toBeLessThanOrEqual(4);
  });
});

const pack = join(root, 'models/pack/human_centernet.onnx');
describe.skipIf(!existsSync(pack))('persons (by the object detector, where the pack has it)', () => {
  it('are found with their faces in a photograph', async () => {
    const runtime = await Runtime.open();
    const detector = await openPersonDetector(new Networks(runtime, await openPack()));
    const frame = await engine.decode(sample(1));
    const persons = await detector!.detect(frame);
    const faces = await engine.detect(frame);
    await runtime.close();
    expect(faces.length).toBeGreaterThanOrEqual(3);
    const confident = persons.filter(({ score }) => score >= 0.45);
    expect(confident.length).toBeGreaterThanOrEqual(2);
    // Most of the faces sit on one of the persons.
    const seated = faces.filter((face) => persons.some(({ box }) => faceMisfit(face.box, box) < 0.9));
    expect(seated.length).toBeGreaterThanOrEqual(2);
    const tracks = new Tracker('photograph', { confirmHits: 1 }).update(
      0,
      [...persons, ...faces.map(({ box, score }): Detection => ({ kind: 'face', box, score }))],
      frame,
    );
    expect(tracks.filter((t) => t.face !== undefined && t.person !== undefined).length).toBeGreaterThanOrEqual(2);
  });
});

describe('persons without an object detector', () => {
  it('are not looked for', async () => {
    const runtime = await Runtime.open();
    const published = await openPack();
    const networks = new Networks(runtime, {
      folder: published.folder,
      card: (id) => published.card(id === 'human_centernet' ? 'not_published' : id),
      read: (id) => published.read(id === 'human_centernet' ? 'not_published' : id),
    });
    expect(await openPersonDetector(networks)).toBeUndefined();
    await expect(openPersonDetector(networks, { minScore: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await runtime.close();
  });
});
