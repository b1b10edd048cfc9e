import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../lib/engine/index.js';
import { readCalibration, similarityAt } from '../../../lib/models/index.js';
import { enrolTemplate, measureLinkability, ProtectionKey, protectEmbedding } from '../../../lib/templates/index.js';
import type { Box, Embedding } from '../../../lib/types.js';
import { root } from '../../support/child.js';
import { haveShared, shared } from '../../support/samples.js';
import { dot, failure } from './support.js';

interface Labelled {
  readonly photo: string;
  readonly box: Box;
  readonly person: string;
}

/** Who is on which photograph: one face each, of persons with at least four photographs. */
const PERSONS = ['vlado', 'teen', 'emotions-a', 'emotions-b'];
const FEW = 5;

const centre = ([x, y, w, h]: Box): [number, number] => [x + w / 2, y + h / 2];

describe.skipIf(!haveShared('faces/photos'))('templates of several photographs (../shared/faces)', () => {
  const people = new Map<string, Embedding[]>();
  /** Thresholds for a false match rate of 1 and 2 %. */
  let floor = 0;
  let lenient = 0;

  beforeAll(async () => {
    const labels = JSON.parse(readFileSync(path.join(root, 'benchmarks', 'labels', 'identities.json'), 'utf8')) as {
      faces: Labelled[];
    };
    const engine = await openEngine();
    try {
      for (const person of PERSONS) {
        const found: Embedding[] = [];
        for (const { photo, box } of labels.faces.filter((f) => f.person === person).slice(0, FEW)) {
          const faces = await engine.analyze(shared(`faces/${photo}`), { embedding: true });
          const [x, y] = centre(box);
          const face = faces.find(({ box: b }) => x > b[0] && y > b[1] && x < b[0] + b[2] && y < b[1] + b[3]);
          if (face?.embedding !== undefined) found.push(face.embedding);
        }
        expect(found.length).toBeGreaterThanOrEqual(4);
        people.set(person, found);
      }
    } finally {
      await engine.close();
    }
    const calibration = await readCalibration(people.get('vlado')![0]!.model);
    floor = similarityAt(calibration!, 0.01);
    lenient = similarityAt(calibration!, 0.02);
  });

  const others = (person: string): Embedding[] => PERSONS.filter((p) => p !== person).flatMap((p) => people.get(p)!);

  it('verify better than single photographs, at the same threshold', () => {
    // Every photograph is a probe once, and the template is made of the person's others.
    let [single, averaged, comparisons] = [0, 0, 0];
    const genuine: number[] = [];
    const impostor: number[] = [];
    for (const own of people.values()) {
      own.forEach((probe, i) => {
        const rest = own.filter((_, j) => j !== i);
        const { template } = enrolTemplate(
          rest.map((embedding) => ({ embedding })),
          { outlierRatio: 1e9 },
        );
        const score = dot(template.vector, probe.vector);
        genuine.push(score);
        averaged += score < floor ? 1 : 0;
        for (const one of rest) single += dot(one.vector, probe.vector) < floor ? 1 / rest.length : 0;
        comparisons++;
        for (const person of PERSONS)
          if (people.get(person) !== own)
            for (const stranger of people.get(person)!) impostor.push(dot(template.vector, stranger.vector));
      });
    }
    // Some single photographs fail; of the templates no more do, and strangers match as rarely as they should.
    expect(averaged).toBeLessThanOrEqual(single);
    expect(averaged / comparisons).toBeLessThan(0.1);
    expect(impostor.filter((s) => s >= floor).length / impostor.length).toBeLessThan(0.02);
    expect(measureLinkability(genuine, impostor).auc).toBeGreaterThan(0.995);
  });

  it('leave out the face of somebody else, and none of the person’s', () => {
    let [byFloor, byRatio, trials] = [0, 0, 0];
    for (const [person, own] of people) {
      for (const stranger of others(person)) {
        const samples = [...own.slice(0, 2), stranger, ...own.slice(2)].map((embedding) => ({ embedding }));
        const { rejected } = enrolTemplate(samples, { genuineFloor: lenient });
        expect(rejected.every(({ index, reason }) => index === 2 && reason === 'outlier')).toBe(true);
        byFloor += rejected.length;
        byRatio += enrolTemplate(samples).rejected.some(({ index }) => index === 2) ? 1 : 0;
        trials++;
      }
    }
    // The floor lets two strangers in a hundred pass; judged by each other alone, fewer are found.
    expect(byFloor / trials).toBeGreaterThan(0.95);
    expect(byRatio / trials).toBeGreaterThan(0.9);
  });

  it('are refused when nobody is in the majority', async () => {
    const samples = PERSONS.map((p) => ({ embedding: people.get(p)![0]! }));
    expect((await failure(() => enrolTemplate(samples, { genuineFloor: floor }))).code).toBe('TEMPLATE_REJECTED');
  });

  it('match under one key as without, and under two keys not at all', () => {
    const keys = Array.from({ length: 41 }, (_, n) =>
      ProtectionKey.fromSecret(
        `k${n}`,
        Uint8Array.from({ length: 32 }, (_, i) => (n * 31 + i * 7) & 255),
      ),
    );
    const all = [...people].flatMap(([person, own]) => own.map((embedding) => ({ person, embedding })));
    const under = keys.map((key) => all.map(({ embedding }) => protectEmbedding(embedding, key).vector));
    const scores = (a: readonly Float32Array[], b: readonly Float32Array[]): [number[], number[]] => {
      const split: [number[], number[]] = [[], []];
      a.forEach((x, i) => {
        b.forEach((y, j) => {
          // The same photograph, too, is a pair of the same person here: the hardest to hide.
          split[all[i]!.person === all[j]!.person ? 0 : 1].push(dot(x, y));
        });
      });
      return split;
    };
    const plain = all.map(({ embedding }) => embedding.vector);
    const [here] = scores(under[0]!, under[0]!);
    const [without] = scores(plain, plain);
    here.forEach((score, i) => {
      expect(Math.abs(score - without[i]!)).toBeLessThan(1e-6);
    });
    const areas = under.slice(1).map((vectors) => measureLinkability(...scores(under[0]!, vectors)).auc);
    expect(Math.abs(areas.reduce((a, b) => a + b, 0) / areas.length - 0.5)).toBeLessThan(0.02);
    for (const vectors of under.slice(1))
      for (const score of scores(under[0]!, vectors).flat()) expect(score).toBeLessThan(floor / 2);
  });
});
