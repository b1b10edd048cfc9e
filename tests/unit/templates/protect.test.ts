import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { similarity } from '../../../lib/recognition/compare.js';
import {
  comparableModel,
  createKeyringFile,
  decodeTemplate,
  encodeTemplate,
  measureLinkability,
  openKeyring,
  ProtectionKey,
  protectEmbedding,
  protectTemplate,
  templateEmbedding,
  unprotectTemplate,
} from '../../../lib/templates/index.js';
import { direction, dot, embedding, FULL, failure, near, normal, random, template } from './support.js';

const secret = (n: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + n * 101) & 255);
const key = (n: number, scheme: 'rotation-1' | 'projection-1' = 'rotation-1'): ProtectionKey =>
  ProtectionKey.fromSecret(`key-${n}`, secret(n), { scheme });
const DIMS = [64, 65, 100, 127, 128, 129, 512, 1000, 1153, 2048];

describe('protectTemplate', () => {
  it('keeps cosines under one key, in any number of dimensions', () => {
    const rand = random(1);
    for (const dims of DIMS) {
      const k = key(1);
      const a = direction(rand, dims);
      for (const cosine of [-0.9, 0, 0.4, 0.99]) {
        const b = near(rand, a, cosine);
        const [pa, pb] = [protectTemplate(template(a), k).vector, protectTemplate(template(b), k).vector];
        expect(pa.length).toBe(dims);
        expect(dot(pa, pa)).toBeCloseTo(1, 5);
        expect(Math.abs(dot(pa, pb) - dot(a, b))).toBeLessThan(3e-7);
        expect(Math.abs(dot(pa, a))).toBeLessThan(6 / Math.sqrt(dims));
      }
    }
  });

  it('is undone by its key alone', async () => {
    const rand = random(2);
    for (const dims of DIMS) {
      const t = template(direction(rand, dims), { quality: 50, consent: 'c', expiresAt: 9e12 });
      const p = protectTemplate(t, key(1));
      const back = unprotectTemplate(p, key(1));
      expect(back.protection).toBeUndefined();
      back.vector.forEach((v, i) => {
        expect(Math.abs(v - t.vector[i]!)).toBeLessThan(3e-7);
      });
      expect({ ...back, vector: t.vector }).toEqual(t);
    }
    const p = protectTemplate(template(direction(rand, 128)), key(1));
    expect((await failure(() => unprotectTemplate(p, key(2)))).code).toBe('KEY_MISMATCH');
    expect((await failure(() => unprotectTemplate(p, key(1, 'projection-1')))).code).toBe('KEY_MISMATCH');
    // Another secret under the same id gives something else altogether.
    const stranger = unprotectTemplate(p, ProtectionKey.fromSecret('key-1', secret(2)));
    expect(Math.abs(dot(stranger.vector, unprotectTemplate(p, key(1)).vector))).toBeLessThan(0.5);
    const half = protectTemplate(template(direction(rand, 128)), key(1, 'projection-1'));
    expect((await failure(() => unprotectTemplate(half, key(1, 'projection-1')))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(() => unprotectTemplate(template(direction(rand, 128)), key(1)))).code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('projects to half the numbers with an error that shrinks with their count', () => {
    const rand = random(3);
    const k = key(1, 'projection-1');
    for (const [dims, bound] of [
      [512, 0.05],
      [2048, 0.025],
    ] as const) {
      let squared = 0;
      for (let i = 0; i < 200; i++) {
        const a = direction(rand, dims);
        const b = near(rand, a, 0.4);
        const [pa, pb] = [protectTemplate(template(a), k), protectTemplate(template(b), k)];
        expect([pa.dims, pa.vector.length]).toEqual([dims / 2, dims / 2]);
        squared += (dot(pa.vector, pb.vector) - 0.4) ** 2 / 200;
      }
      expect(Math.sqrt(squared)).toBeLessThan(bound);
      expect(Math.sqrt(squared)).toBeGreaterThan(bound / 5);
    }
  });

  it('gives other bytes for another key, model, scheme, and always the same for the same', () => {
    const v = direction(random(4), 512);
    const of = (k: ProtectionKey, model = 'm'): string =>
      Buffer.from(protectTemplate(template(v, { model }), k).vector.buffer).toString('hex');
    expect(of(key(1))).toBe(of(key(1)));
    expect(new Set([of(key(1)), of(key(2)), of(key(1), 'n'), of(key(1, 'projection-1'))]).size).toBe(4);
    // Stored templates depend on these numbers.
    const unitVector = Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0));
    const { vector } = protectTemplate(template(unitVector), key(1));
    expect(Array.from(vector.subarray(0, 8), (x) => Math.round(x * 1024))).toEqual(GOLDEN);
  });

  it('carries everything else over, and says what was done', () => {
    const t = { ...FULL, dims: 64, vector: direction(random(5), 64) };
    const { protection: _, ...plain } = t;
    const p = protectTemplate(plain, key(1));
    expect(p).toEqual({ ...plain, vector: p.vector, protection: { scheme: 'rotation-1', keyId: 'key-1' } });
    expect(decodeTemplate(encodeTemplate(p))).toEqual(p);
  });

  it('makes probes that are comparable with templates of the key, and with no others', async () => {
    const rand = random(6);
    const a = direction(rand, 128);
    const stored = templateEmbedding(protectTemplate(template(a), key(1)));
    const probe = embedding(near(rand, a, 0.8));
    expect(similarity(stored, protectEmbedding(probe, key(1)))).toBeCloseTo(0.8, 5);
    for (const other of [probe, protectEmbedding(probe, key(2))])
      expect((await failure(() => similarity(stored, other))).code).toBe('EMBEDDING_MISMATCH');
    expect(stored.model).toBe('m#rotation-1:key-1');
    expect(comparableModel(template(a))).toBe('m');
  });

  it('takes its key from a keyring', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lineament-protect-'));
    try {
      const file = path.join(folder, 'keys');
      await createKeyringFile(file, { keyId: 'k' });
      const ring = await openKeyring({ file });
      const v = direction(random(7), 128);
      const [a, b] = [await ProtectionKey.fromKeyring(ring), await ProtectionKey.fromKeyring(ring, { keyId: 'k' })];
      expect([a.keyId, a.scheme]).toEqual(['k', 'rotation-1']);
      expect(protectTemplate(template(v), a)).toEqual(protectTemplate(template(v), b));
      expect((await failure(() => ProtectionKey.fromKeyring(ring, { keyId: 'x' }))).code).toBe('KEY_NOT_FOUND');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses what it cannot protect', async () => {
    const rand = random(8);
    const good = template(direction(rand, 128));
    const cases: [() => unknown, string][] = [
      [() => protectTemplate(protectTemplate(good, key(1)), key(2)), 'INVALID_ARGUMENT'],
      [() => protectTemplate(template(direction(rand, 63)), key(1)), 'INVALID_ARGUMENT'],
      [() => protectTemplate(good, {} as never), 'INVALID_ARGUMENT'],
      [() => protectTemplate({ ...good, createdAt: 1, expiresAt: 2 }, key(1)), 'TEMPLATE_EXPIRED'],
      [() => protectTemplate({ ...good, vector: new Float32Array(128) }, key(1)), 'TEMPLATE_INVALID'],
      [() => protectEmbedding(embedding(new Float32Array(128)), key(1)), 'INVALID_ARGUMENT'],
      [() => protectEmbedding(embedding(new Float32Array(128).fill(Number.NaN)), key(1)), 'INVALID_ARGUMENT'],
      [() => ProtectionKey.fromSecret('k', new Uint8Array(31)), 'INVALID_ARGUMENT'],
      [() => ProtectionKey.fromSecret('a b', new Uint8Array(32)), 'INVALID_ARGUMENT'],
      [() => ProtectionKey.fromSecret('k', new Uint8Array(32), { scheme: 'none' as never }), 'INVALID_ARGUMENT'],
    ];
    for (const [work, code] of cases) expect((await failure(work)).code).toBe(code);
  });

  it('does not forget a key’s transform when the caller overwrites the secret', () => {
    const mine = secret(1);
    const k = ProtectionKey.fromSecret('key-1', mine);
    mine.fill(0);
    const t = template(direction(random(9), 128));
    expect(protectTemplate(t, k)).toEqual(protectTemplate(t, key(1)));
  });
});

/** First numbers of the first axis under key(1), in 1024ths. */
const GOLDEN = [204, -224, 168, -92, -88, -92, 188, -64];

describe('two keys', () => {
  // Persons around a common face, as the recognisers of the starter pack see them, and persons spread over the sphere.
  for (const [name, common, same] of [
    ['faces with much in common', 0.97, 0.985],
    ['faces with nothing in common', 0, 0.7],
  ] as const) {
    for (const scheme of ['rotation-1', 'projection-1'] as const) {
      it(`give unlinkable templates (${scheme}, ${name})`, () => {
        const dims = 256;
        const rand = random(10);
        const face = direction(rand, dims);
        const persons = Array.from({ length: 40 }, () => near(rand, face, common));
        const mated: number[] = [];
        const nonMated: number[] = [];
        const areas: number[] = [];
        for (let pair = 0; pair < 40; pair++) {
          const [k1, k2] = [key(2 * pair, scheme), key(2 * pair + 1, scheme)];
          const under = (k: ProtectionKey): Float32Array[] =>
            persons.map((p) => protectTemplate(template(near(rand, p, same)), k).vector);
          const [first, second] = [under(k1), under(k2)];
          const here: [number[], number[]] = [[], []];
          first.forEach((a, i) => {
            second.forEach((b, j) => {
              here[i === j ? 0 : 1].push(dot(a, b));
            });
          });
          mated.push(...here[0]);
          nonMated.push(...here[1]);
          areas.push(measureLinkability(here[0], here[1]).auc);
        }
        const linkability = measureLinkability(mated, nonMated);
        const within = areas.reduce((a, b) => a + b, 0) / areas.length;
        expect(Math.abs(within - 0.5)).toBeLessThan(0.02);
        expect(Math.abs(linkability.auc - 0.5)).toBeLessThan(0.02);
        expect(linkability.system).toBeLessThan(2 * linkability.chance + 0.01);
        // Under one key they are found.
        const one = key(1, scheme);
        const vectors = persons.map((p) =>
          [0, 1].map(() => protectTemplate(template(near(rand, p, same)), one).vector),
        );
        const matched = vectors.map(([a, b]) => dot(a!, b!));
        const strangers = vectors.flatMap(([a], i) => vectors.filter((_, j) => j !== i).map(([, b]) => dot(a!, b!)));
        expect(measureLinkability(matched, strangers).auc).toBeGreaterThan(0.99);
      });
    }
  }
});

describe('measureLinkability', () => {
  it('knows what links and what does not', async () => {
    const rand = random(11);
    const scores = (mean: number, count = 4000): number[] => Array.from({ length: count }, () => mean + normal(rand));
    const none = measureLinkability(scores(0), scores(0));
    expect(Math.abs(none.auc - 0.5)).toBeLessThan(0.02);
    expect(none.system).toBeLessThan(2 * none.chance);
    expect(none.chance).toBeLessThan(0.03);
    const all = measureLinkability(scores(100), scores(0));
    expect(all).toMatchObject({ auc: 1 });
    expect(all.system).toBeCloseTo(1, 9);
    // One standard deviation apart: AUC Φ(1/√2) = 0.760; D↔sys by numerical integration of its definition, 0.293.
    const some = measureLinkability(scores(1, 50_000), scores(0, 50_000));
    expect(some.auc).toBeCloseTo(0.76, 2);
    expect(Math.abs(some.system - 0.2935)).toBeLessThan(0.01);
    expect(measureLinkability([1, 1, 1], [1, 1]).auc).toBe(0.5);
    for (const wrong of [[], [1], [1, Number.NaN]])
      expect((await failure(() => measureLinkability(wrong, [1, 2]))).code).toBe('INVALID_ARGUMENT');
  });
});
