import { describe, expect, it } from 'vitest';
import { fmrAt, parseCalibration, similarityAt } from '../../../lib/models/index.js';
import { similarity } from '../../../lib/recognition/index.js';
import { calibrate, type LabelledEmbedding } from '../../../lib/training/index.js';
import { Random } from '../../../lib/training/random.js';

const DIMS = 32;

/** Persons as random directions, their photographs as disturbed copies; the last two persons are twins where asked for. */
function faces(persons: number, each: number, { twins = false, seed = 'faces' } = {}): LabelledEmbedding[] {
  const random = new Random(seed);
  const samples: LabelledEmbedding[] = [];
  let before: Float32Array | undefined;
  for (let p = 0; p < persons; p++) {
    const own: Float32Array =
      twins && p === persons - 1 && before !== undefined
        ? before
        : Float32Array.from({ length: DIMS }, () => random.normal(1));
    before = own;
    for (let k = 0; k < each; k++) {
      const vector = own.map((v) => v + random.normal(0.5));
      samples.push({ person: `person ${p}`, embedding: { model: 'test', dims: DIMS, vector } });
    }
  }
  return samples;
}

const scoresOf = (samples: readonly LabelledEmbedding[], same: boolean): number[] =>
  samples.flatMap((a, i) =>
    samples
      .slice(i + 1)
      .filter((b) => (a.person === b.person) === same)
      .map((b) => similarity(a.embedding, b.embedding)),
  );
const shareFrom = (scores: readonly number[], threshold: number): number =>
  scores.filter((score) => score >= threshold).length / scores.length;

describe('calibrate', () => {
  it('states thresholds at which no more than the rate of the comparisons match', async () => {
    const samples = faces(60, 4);
    const calibration = await calibrate(samples, { rounds: 40, provenance: 'random directions' });
    const [strangers, genuine] = [scoresOf(samples, false), scoresOf(samples, true)];
    expect(calibration).toMatchObject({
      model: 'test',
      dims: DIMS,
      impostors: strangers.length,
      genuine: genuine.length,
      identities: 60,
      independent: 30,
      provenance: 'random directions',
    });
    expect(calibration.points.length).toBeGreaterThan(4);
    for (const { fmr, similarity: threshold, fnmr, fmr95, similarity95 } of calibration.intervals) {
      const share = shareFrom(strangers, threshold);
      expect(share).toBeLessThanOrEqual(fmr);
      expect(share).toBeGreaterThan(fmr - 3 / strangers.length - 1e-9);
      expect(fnmr).toBeCloseTo(1 - shareFrom(genuine, threshold), 12);
      expect(fmr95[0]).toBeLessThanOrEqual(share);
      expect(fmr95[1]).toBeGreaterThanOrEqual(share);
      expect(similarity95[0]).toBeLessThanOrEqual(threshold);
      expect(similarity95[1]).toBeGreaterThanOrEqual(threshold);
    }
  });

  it('is a calibration that the library reads', async () => {
    const calibration = parseCalibration(JSON.stringify(await calibrate(faces(40, 2), { rounds: 5 })), 'test');
    const at = similarityAt(calibration, calibration.defaultFmr);
    expect(fmrAt(calibration, at)).toBeCloseTo(calibration.defaultFmr, 9);
  });

  it('covers the true rate with its intervals, nearly always', async () => {
    // The rate at the threshold of one crowd, looked up in a much larger crowd of the same kind.
    const world = scoresOf(faces(300, 2, { seed: 'world' }), false);
    let covered = 0;
    const trials = 12;
    for (let trial = 0; trial < trials; trial++) {
      const calibration = await calibrate(faces(50, 2, { seed: `crowd ${trial}` }), { rates: [0.1, 0.05], rounds: 80 });
      const { similarity: threshold, fmr95 } = calibration.intervals[0]!;
      const truth = shareFrom(world, threshold);
      if (fmr95[0] <= truth && truth <= fmr95[1]) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(trials - 4);
  });

  it('does not extrapolate: no rate that fewer than ten comparisons or five pairs of persons bear', async () => {
    const samples = faces(20, 3);
    const { points, impostors } = await calibrate(samples, { rounds: 5 });
    expect(points.at(-1)!.fmr * impostors).toBeGreaterThanOrEqual(10);
    // Twins with many photographs fill the top of the list, and are still one pair.
    const twins = await calibrate(faces(12, 8, { twins: true }), { rounds: 5 });
    const scores = scoresOf(faces(12, 8, { twins: true }), false);
    const least = twins.points.at(-1)!.fmr;
    expect(least * scores.length).toBeGreaterThan(64);
  });

  it('leaves out comparisons within a photograph', async () => {
    const samples = faces(30, 2).map((sample, i) => ({ ...sample, photo: `photo ${Math.floor(i / 4)}` }));
    const { impostors, genuine } = await calibrate(samples, { rounds: 2 });
    expect(impostors).toBe((60 * 58) / 2 - 15 * 4);
    expect(genuine).toBe(0);
  });

  it('draws evenly where there are too many comparisons, and is the same again', async () => {
    const samples = faces(60, 4);
    const options = { rounds: 5, maxComparisons: 5000 };
    const [a, b] = [await calibrate(samples, options), await calibrate(samples, options)];
    expect(a.impostors).toBeGreaterThan(4000);
    expect(a.impostors).toBeLessThan(6000);
    expect({ ...a, date: '' }).toEqual({ ...b, date: '' });
  });

  it('says how much is missing where there is too little', async () => {
    for (const samples of [[], faces(9, 2), faces(10, 1)]) {
      await expect(calibrate(samples)).rejects.toMatchObject({ code: 'CALIBRATION_INSUFFICIENT' });
    }
    await expect(calibrate(faces(9, 2))).rejects.toThrow(/9 persons.*10 are the least.*Add photographs/s);
  });

  it('refuses embeddings of two recognisers, and what is none', async () => {
    const samples = faces(12, 2);
    const other = { ...samples[5]!, embedding: { ...samples[5]!.embedding, model: 'other' } };
    await expect(calibrate([...samples, other])).rejects.toMatchObject({ code: 'EMBEDDING_MISMATCH' });
    const bad = { person: 'x', embedding: { model: 'test', dims: 3, vector: new Float32Array(2) } };
    await expect(calibrate([bad])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(calibrate([{ ...samples[0]!, person: '' }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('tells how far it is and can be stopped', async () => {
    const seen: number[] = [];
    const controller = new AbortController();
    const onProgress = (share: number): void => {
      seen.push(share);
      if (share > 0.5) controller.abort();
    };
    const samples = faces(60, 6);
    await expect(calibrate(samples, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).toEqual(seen.toSorted((x, y) => x - y));
  });
});
