import { describe, expect, it } from 'vitest';
import {
  type ClusterPerson,
  type ClusterPlan,
  type ClusterRules,
  isHub,
  planning,
} from '../../../lib/pipeline/identity/cluster.js';
import { Evidence, type Look } from '../../../lib/pipeline/identity/evidence.js';
import { type Found, judge, type Limits, type Seen, stands } from '../../../lib/pipeline/identity/rules.js';
import { codeOf, Faces } from './identity-support.js';

const limits: Limits = { leastWeight: 0.3, strangerWeight: 1, patience: 2.2, foundWeight: 0.45 };
const found = (...candidates: readonly (readonly [id: string, similarity: number, taken?: boolean])[]): Found => ({
  threshold: 0.6,
  candidates: candidates.map(([id, similarity, taken]) => ({ id, similarity, ...(taken === true && { taken }) })),
});
const seen = (looks: number, weight: number, votes: Record<string, number> = {}, best = 0.8): Seen => ({
  looks,
  weight,
  best,
  votes: (kind, id) => votes[`${kind} ${id}`] ?? 0,
});
const nobody = found();

describe('the decision', () => {
  it('knows somebody at one look with a margin, and at two that agree without', () => {
    expect(judge(seen(1, 0.7), found(['ada', 0.7]), nobody, limits)).toMatchObject({ kind: 'known' });
    expect(judge(seen(1, 0.7), found(['ada', 0.62]), nobody, limits).kind).toBe('undecided');
    expect(judge(seen(2, 0.9, { 'known ada': 2 }), found(['ada', 0.62]), nobody, limits).kind).toBe('known');
    expect(judge(seen(1, 0.2), found(['ada', 0.9]), nobody, limits).kind).toBe('undecided');
  });

  it('waits where two are as near, and takes the nearer one when it has seen enough', () => {
    const twins = found(['ada', 0.71], ['bea', 0.7]);
    expect(judge(seen(2, 1.5, { 'known ada': 2 }), twins, nobody, limits).kind).toBe('undecided');
    expect(judge(seen(4, 2.5), twins, nobody, limits)).toMatchObject({ kind: 'known', candidate: { id: 'ada' } });
  });

  it('makes a stranger of whom enough was seen and nobody is near to', () => {
    expect(judge(seen(2, 1.2), found(['ada', 0.2]), nobody, limits).kind).toBe('new');
    expect(judge(seen(1, 1.2), found(['ada', 0.2]), nobody, limits).kind).toBe('undecided');
    expect(judge(seen(2, 0.8), found(['ada', 0.2]), nobody, limits).kind).toBe('undecided');
    // Blur founds nobody, however often it is seen.
    expect(judge(seen(8, 2.4, {}, 0.3), found(['ada', 0.2]), nobody, limits).kind).toBe('undecided');
    // Near, but no match: only after patience.
    expect(judge(seen(2, 1.2), found(['ada', 0.55]), nobody, limits).kind).toBe('undecided');
    expect(judge(seen(4, 2.5), found(['ada', 0.55]), nobody, limits).kind).toBe('new');
  });

  it('finds a stranger again, and founds none beside somebody who is in the picture already', () => {
    const strangers = found(['Person_1', 0.8]);
    expect(judge(seen(1, 0.7), found(['ada', 0.1]), strangers, limits)).toMatchObject({ kind: 'stranger' });
    expect(judge(seen(5, 3), found(['ada', 0.9, true]), nobody, limits).kind).toBe('undecided');
    expect(judge(seen(5, 3), nobody, found(['Person_1', 0.9, true]), limits).kind).toBe('undecided');
  });

  it('lets a decision stand while it is near and nobody else is nearer with certainty', () => {
    expect(stands('known', 'ada', found(['ada', 0.56]), nobody)).toBe(true);
    expect(stands('known', 'ada', found(['ada', 0.4]), nobody)).toBe(false);
    expect(stands('known', 'ada', found(['bea', 0.68], ['ada', 0.62]), nobody)).toBe(false);
    expect(stands('known', 'ada', found(['bea', 0.63], ['ada', 0.61]), nobody)).toBe(true);
    expect(stands('known', 'ada', nobody, nobody)).toBe(false);
    expect(stands('stranger', 'Person_1', found(['ada', 0.61]), found(['Person_1', 1]))).toBe(false);
    expect(stands('stranger', 'Person_1', found(['ada', 0.5]), found(['Person_1', 1]))).toBe(true);
  });
});

describe('joined looks', () => {
  const faces = new Faces(3);
  const face = faces.face();
  const look = (cosine: number, weight: number): Look => ({
    embedding: faces.like(face, cosine),
    weight,
    timestamp: 0,
    votes: {},
  });

  it('come nearer to the face than any of them', () => {
    const evidence = new Evidence(8);
    const looks = Array.from({ length: 6 }, () => look(0.7, 0.6));
    for (const one of looks) evidence.add(one);
    const { embedding, factor } = evidence.joined()!;
    const cosine = (v: Float32Array): number => v.reduce((sum, x, i) => sum + x * face.vector[i]!, 0);
    const joined = cosine(embedding.vector);
    expect(joined).toBeGreaterThan(Math.max(...looks.map(({ embedding: one }) => cosine(one.vector))));
    expect(factor).toBeLessThan(1);
    // The root of the length lies between the looks' mean cosine and that of the mean.
    expect(joined * factor).toBeGreaterThan(0.7);
  });

  it('are bounded, and the worst make room', () => {
    const evidence = new Evidence(3);
    for (const weight of [0.5, 0.2, 0.6]) expect(evidence.add(look(0.9, weight))).toBe(true);
    expect(evidence.add(look(0.9, 0.1))).toBe(false);
    expect(evidence.add(look(0.9, 0.7))).toBe(true);
    expect(evidence.looks.map(({ weight }) => weight).sort()).toEqual([0.5, 0.6, 0.7]);
    expect(evidence.weight).toBeCloseTo(1.8, 12);
    expect(evidence.best).toBe(0.7);
  });

  it('are of one model', async () => {
    const evidence = new Evidence(3);
    evidence.add(look(0.9, 0.5));
    const other = new Faces(1, 64, 'other-net').face();
    expect(await codeOf(async () => evidence.add({ embedding: other, weight: 1, timestamp: 0, votes: {} }))).toBe(
      'EMBEDDING_MISMATCH',
    );
  });
});

describe('clusters', () => {
  const faces = new Faces(11);
  const rules: ClusterRules = { average: 0.6, least: 0.5, most: 50, isApart: () => false };
  const person = (id: string, vectors: readonly Float32Array[], name?: string): ClusterPerson => ({
    id,
    looks: vectors.map((vector) => ({ vector, weight: 1 })),
    since: Number(id.replace(/\D/g, '')),
    ...(name !== undefined && { name }),
  });
  const plan = (persons: readonly ClusterPerson[], own: Partial<ClusterRules> = {}): ClusterPlan => {
    const pairs = persons.flatMap((_, i) => persons.slice(0, i).map((__, j): [number, number] => [j, i]));
    const steps = planning(persons, pairs, { ...rules, ...own });
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  };
  const like = (face: ReturnType<Faces['face']>, cosine = 0.93): Float32Array => faces.like(face, cosine).vector;

  it('join who is one, into the oldest or the one with a name', () => {
    const [a, b] = [faces.face(), faces.face()];
    const persons = [
      person('p3', [like(a), like(a)]),
      person('p1', [like(a)]),
      person('p2', [like(b)]),
      person('p5', [like(b)], 'Bea'),
    ];
    const { merges } = plan(persons);
    expect(merges.map(({ into, from }) => `${from}>${into}`).sort()).toEqual(['p2>p5', 'p3>p1']);
  });

  it('keep apart who cannot be one, also through a third', () => {
    const a = faces.face();
    const persons = [person('p1', [like(a)]), person('p2', [like(a)]), person('p3', [like(a)])];
    const apart = (x: string, y: string): boolean => [x, y].sort().join() === 'p1,p2';
    const { merges, heldBack } = plan(persons, { isApart: apart });
    expect(merges).toHaveLength(1);
    expect(heldBack.some(({ reason }) => reason === 'apart')).toBe(true);
    const named = [person('p1', [like(a)], 'Ada'), person('p2', [like(a)], 'Bea')];
    expect(plan(named)).toMatchObject({ merges: [], heldBack: [{ reason: 'names' }] });
  });

  it('do not follow a chain of neighbours', () => {
    // Each is near to the next (0.77), the first and the last have nothing in common.
    const chain = Array.from({ length: 30 }, (_, i) => {
      const vector = new Float32Array(64);
      vector[i] = 1 / Math.SQRT2;
      vector[i + 1] = 1 / Math.SQRT2;
      vector[40 + (i % 20)] = 0.2;
      const length = Math.hypot(...vector);
      return person(`p${i}`, [vector.map((x) => x / length)]);
    });
    const { merges } = plan(chain, { average: 0.45, least: 0.4 });
    const size = new Map<string, number>();
    for (const { into, from } of merges) size.set(into, (size.get(into) ?? 1) + (size.get(from) ?? 1));
    expect(Math.max(1, ...size.values())).toBeLessThanOrEqual(2);
    // By single links they would be one cluster.
    expect(merges.length).toBeGreaterThan(5);
  });

  it('do not grow beyond the bound, whatever the similarities say', () => {
    const a = faces.face();
    const crowd = Array.from({ length: 40 }, (_, i) => person(`p${i}`, [like(a, 0.97)]));
    const { merges, heldBack } = plan(crowd, { most: 10 });
    const size = new Map<string, number>();
    for (const { into, from } of merges) size.set(into, (size.get(into) ?? 1) + (size.get(from) ?? 1));
    expect(Math.max(...size.values())).toBeLessThanOrEqual(10);
    expect(heldBack.some(({ reason }) => reason === 'size')).toBe(true);
  });

  it('know a look that resembles everybody', () => {
    const strangers = Array.from({ length: 12 }, () => faces.face().vector);
    const a = faces.face();
    const same = Array.from({ length: 12 }, () => like(a, 0.95));
    expect(isHub(strangers, 0.6, 4)).toBe(true);
    expect(isHub(strangers.slice(0, 4), 0.6, 4)).toBe(false);
    expect(isHub(same, 0.6, 4)).toBe(false);
  });
});

describe('the planning of a large cluster', () => {
  it('is done in small steps, so that others get their turn', () => {
    let reads = 0;
    const counted = (): Float32Array =>
      new Proxy(Float32Array.of(1, 0), {
        get(vector, key) {
          if (key === '0') reads++;
          return Reflect.get(vector, key) as unknown;
        },
      });
    const persons = Array.from({ length: 100 }, (_, i) => ({
      id: `p${String(i).padStart(3, '0')}`,
      looks: Array.from({ length: 3 }, () => ({ vector: counted(), weight: 1 })),
      since: i,
    }));
    const looks = 300;
    const chain = persons.slice(1).map((_, i) => [i, i + 1] as const);
    const steps = planning(persons, chain, { average: 0.5, least: 0.5, most: 1000, isApart: () => false });
    let most = 0;
    let all = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) {
      all += reads;
      most = Math.max(most, reads);
      reads = 0;
    }
    expect(step.value.merges).toHaveLength(99);
    // Every look is compared with nearly every other one, but never many at a time: no more than joining two clusters takes.
    expect(all).toBeGreaterThan((looks * (looks - 3)) / 2);
    expect(most).toBeLessThanOrEqual(2 * looks);
  });
});
