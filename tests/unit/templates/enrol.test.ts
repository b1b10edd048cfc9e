import { describe, expect, it } from 'vitest';
import { decodeTemplate, encodeTemplate, enrolTemplate, validateTemplate } from '../../../lib/templates/index.js';
import { direction, dot, embedding, FULL, failure, near, normal, random, template, unit } from './support.js';

const DIMS = 128;

/** Pictures of persons as recognisers with a common part give them: all faces alike, one person's pictures more so. */
function people(seed: number): { picture: (person: Float32Array) => Float32Array; person: () => Float32Array } {
  const rand = random(seed);
  const face = direction(rand, DIMS);
  return {
    person: () => near(rand, face, 0.97),
    picture: (person) => near(rand, person, 0.985),
  };
}

describe('enrolTemplate', () => {
  it('gives the sample itself when there is one', () => {
    const { person, picture } = people(1);
    const vector = picture(person());
    const {
      template: t,
      rejected,
      agreement,
    } = enrolTemplate([{ embedding: embedding(vector), quality: 70, capture: { device: 'a' } }], {
      createdAt: 5,
      expiresAt: 9,
      consent: 'c',
      modelHash: 'ab'.repeat(32),
    });
    expect(dot(t.vector, vector)).toBeCloseTo(1, 6);
    expect(t).toMatchObject({
      model: 'm',
      dims: DIMS,
      quality: 70,
      samples: 1,
      createdAt: 5,
      expiresAt: 9,
      consent: 'c',
      modelHash: 'ab'.repeat(32),
      capture: { device: 'a' },
    });
    expect(rejected).toEqual([]);
    expect(agreement).toBeUndefined();
    expect(decodeTemplate(encodeTemplate(t))).toEqual(t);
  });

  it('has with a probe the mean of the samples’ cosines, so that thresholds keep their meaning', () => {
    const { person, picture } = people(2);
    const [a, b] = [person(), person()];
    const samples = Array.from({ length: 5 }, () => picture(a));
    const enrolled = samples.map((v) => ({ embedding: embedding(v) }));
    const { vector } = enrolTemplate(enrolled).template;
    const plain = enrolTemplate(enrolled, { keepThresholds: false }).template.vector;
    const mean = (probe: Float32Array): number => samples.reduce((sum, s) => sum + dot(s, probe), 0) / samples.length;
    let kept = 0;
    let scaled = 0;
    const count = 200;
    for (let i = 0; i < count; i++) {
      const probe = picture(i % 2 ? a : b);
      kept += (dot(vector, probe) - mean(probe)) / count;
      scaled += (dot(plain, probe) - mean(probe)) / count;
    }
    expect(Math.abs(kept)).toBeLessThan(0.001);
    expect(scaled).toBeGreaterThan(0.005);
    // With the samples themselves it is the mean exactly, but for themselves.
    for (const s of samples) expect(dot(vector, s)).toBeCloseTo(mean(s), 5);
    expect(dot(vector, vector)).toBeCloseTo(1, 5);
    expect(enrolTemplate(enrolled).template.vector).toEqual(vector);
  });

  it('leaves out another face, wherever it stands, and says so', () => {
    const { person, picture } = people(3);
    let wrong = 0;
    for (let round = 0; round < 60; round++) {
      const [a, b] = [person(), person()];
      const count = 3 + (round % 6);
      const at = round % count;
      const samples = Array.from({ length: count }, (_, i) => ({ embedding: embedding(picture(i === at ? b : a)) }));
      const { rejected, template: t, agreement } = enrolTemplate(samples);
      if (rejected.length !== 1 || rejected[0]!.index !== at || rejected[0]!.reason !== 'outlier') wrong++;
      else {
        expect(rejected[0]!.similarity).toBeLessThan(agreement!);
        expect(t.samples).toBe(count - 1);
      }
    }
    expect(wrong).toBe(0);
  });

  it('leaves nobody out where all are the same person', () => {
    const { person, picture } = people(4);
    for (let round = 0; round < 60; round++) {
      const a = person();
      const samples = Array.from({ length: 3 + (round % 6) }, () => ({ embedding: embedding(picture(a)) }));
      expect(enrolTemplate(samples).rejected).toEqual([]);
    }
  });

  it('uses the floor of a calibration where it has one', async () => {
    const { person, picture } = people(5);
    const a = person();
    const frame = picture(a);
    const rand = random(6);
    // Frames of a video, nearly the same, and another picture of the person.
    const samples = [0, 1, 2].map(() => ({ embedding: embedding(near(rand, frame, 0.9995)) }));
    const video = [...samples, { embedding: embedding(picture(a)) }];
    expect(enrolTemplate(video).rejected).toMatchObject([{ index: 3, reason: 'outlier' }]);
    expect(enrolTemplate(video, { genuineFloor: 0.955 }).rejected).toEqual([]);
    const two = [{ embedding: embedding(picture(a)) }, { embedding: embedding(picture(person())) }];
    const error = await failure(() => enrolTemplate(two, { genuineFloor: 0.955 }));
    expect(error.code).toBe('TEMPLATE_REJECTED');
    expect(error.message).toMatch(/two samples have cosine 0\.\d{3} and disagree/);
    expect(enrolTemplate(two).template.samples).toBe(2);
  });

  it('is refused when no majority agrees', async () => {
    const { person, picture } = people(7);
    const [a, b, c, d] = [person(), person(), person(), person()];
    const of = (...persons: Float32Array[]): { embedding: ReturnType<typeof embedding> }[] =>
      persons.map((p) => ({ embedding: embedding(picture(p)) }));
    const error = await failure(() => enrolTemplate(of(a, a, b, b), { genuineFloor: 0.955 }));
    expect(error).toMatchObject({ code: 'TEMPLATE_REJECTED', status: 422 });
    expect(error.message).toContain('2 of 4 samples agree (2 outlier), which is no majority');
    expect((await failure(() => enrolTemplate(of(a, b, c, d), { genuineFloor: 0.955 }))).code).toBe(
      'TEMPLATE_REJECTED',
    );
    const few = await failure(() => enrolTemplate(of(a, a, a, b), { minSamples: 4 }));
    expect(few.message).toContain('3 of 4 samples agree (1 outlier), 4 are needed');
  });

  it('counts one picture once, and leaves out what is too poor', async () => {
    const { person, picture } = people(8);
    const [a, b] = [person(), person()];
    const twice = { embedding: embedding(picture(b)) };
    const good = Array.from({ length: 3 }, () => ({ embedding: embedding(picture(a)), quality: 60 }));
    const { rejected } = enrolTemplate([twice, twice, twice, ...good]);
    expect(rejected.map((r) => [r.index, r.reason])).toEqual([
      [0, 'outlier'],
      [1, 'duplicate'],
      [2, 'duplicate'],
    ]);
    const poor = { embedding: embedding(picture(a)), quality: 10 };
    expect(enrolTemplate([poor, ...good], { minQuality: 20 }).rejected).toMatchObject([
      { index: 0, reason: 'low-quality' },
    ]);
    const none = await failure(() => enrolTemplate([poor, poor], { minQuality: 20 }));
    expect(none.message).toContain('0 of 2 samples agree (2 low-quality)');
  });

  it('weighs by quality', () => {
    const { person, picture } = people(9);
    const a = person();
    const samples = [picture(a), picture(a), picture(a)];
    const weigh = (qualities: (number | undefined)[]): number[] => {
      const { vector } = enrolTemplate(
        samples.map((v, i) => ({
          embedding: embedding(v),
          ...(qualities[i] === undefined ? {} : { quality: qualities[i] }),
        })),
      ).template;
      return samples.map((s) => dot(vector, s));
    };
    const even = weigh([50, 50, 50]);
    const first = weigh([100, 10, 10]);
    expect(first[0]! - even[0]!).toBeGreaterThan(0.004);
    expect(first[1]! - even[1]!).toBeLessThan(0);
    for (const [i, v] of weigh([80, undefined, 80]).entries()) expect(v).toBeCloseTo(even[i]!, 6);
    expect(weigh([0, 0, 0]).every((v) => v > 0.9)).toBe(true);
  });

  it('refuses what is no sample', async () => {
    const { person, picture } = people(10);
    const good = { embedding: embedding(picture(person())) };
    const wrong: [unknown, string, object?][] = [
      [[], 'INVALID_ARGUMENT'],
      [undefined, 'INVALID_ARGUMENT'],
      [[null], 'INVALID_ARGUMENT'],
      [[{}], 'INVALID_ARGUMENT'],
      [[{ ...good, quality: Number.NaN }], 'INVALID_ARGUMENT'],
      [[{ embedding: embedding(new Float32Array(DIMS)) }], 'INVALID_ARGUMENT'],
      [[{ embedding: embedding(new Float32Array(DIMS).fill(Number.NaN)) }], 'INVALID_ARGUMENT'],
      [[good, { embedding: embedding(direction(random(1), 64)) }], 'EMBEDDING_MISMATCH'],
      [[good, { embedding: embedding(direction(random(1), DIMS), 'other') }], 'EMBEDDING_MISMATCH'],
      [[good], 'INVALID_ARGUMENT', { floor: 1 }],
      [[good], 'INVALID_ARGUMENT', { minSamples: 0 }],
      [[good], 'INVALID_ARGUMENT', { genuineFloor: 2 }],
      [[good], 'TEMPLATE_INVALID', { createdAt: 5, expiresAt: 4 }],
      [[good], 'TEMPLATE_INVALID', { consent: '' }],
      [Array.from({ length: 257 }, () => good), 'INVALID_ARGUMENT'],
    ];
    for (const [samples, code, options] of wrong)
      expect((await failure(() => enrolTemplate(samples as [], options))).code).toBe(code);
    const opposite = Float32Array.from(good.embedding.vector, (v) => -v);
    const cancel = await failure(() =>
      enrolTemplate([good, { embedding: embedding(opposite) }], { keepThresholds: false }),
    );
    expect(cancel.code).toBe('TEMPLATE_REJECTED');
  });

  it('works in few dimensions, where no direction is to spare', () => {
    const rand = random(11);
    const samples = [0, 1, 2].map(() => ({ embedding: embedding(unit([1 + 0.1 * normal(rand), 0.1 * normal(rand)])) }));
    expect(dot(enrolTemplate(samples).template.vector, Float32Array.of(1, 0))).toBeGreaterThan(0.9);
  });
});

describe('validateTemplate', () => {
  const good = template(direction(random(12), 8), { expiresAt: 1_800_000_000_000 });

  it('lets a good template pass, and gives it back', () => {
    expect(validateTemplate(good, { now: 1_795_000_000_000, model: 'm', dims: 8 })).toBe(good);
    expect(validateTemplate(FULL, { now: 0 })).toBe(FULL);
  });

  it('names what is wrong', async () => {
    const cases: [object, object, string][] = [
      [{}, { now: 1_800_000_000_000 }, 'TEMPLATE_EXPIRED'],
      [{}, { now: 0, model: 'other' }, 'EMBEDDING_MISMATCH'],
      [{}, { now: 0, dims: 9 }, 'EMBEDDING_MISMATCH'],
      [{ dims: 9 }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ vector: Float32Array.from(good.vector, (v) => v * 1.01) }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ vector: Array.from(good.vector) }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ createdAt: -1 }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ createdAt: 1.5 }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ expiresAt: good.createdAt }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ expiresAt: Infinity }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ capture: { yaw: Number.NaN } }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ capture: { faceWidth: -1 } }, { now: 0 }, 'TEMPLATE_INVALID'],
      [{ extensions: [{ type: 3, data: Uint8Array.of() }] }, { now: 0 }, 'TEMPLATE_INVALID'],
    ];
    for (const [change, options, code] of cases)
      expect((await failure(() => validateTemplate({ ...good, ...change } as typeof good, options))).code).toBe(code);
    expect((await failure(() => validateTemplate(null as never))).code).toBe('INVALID_ARGUMENT');
  });
});
