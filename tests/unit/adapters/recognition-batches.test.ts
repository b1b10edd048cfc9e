import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE_PRESETS } from '../../../lib/engine/index.js';
import type { Networks } from '../../../lib/models/network.js';
import { ChipBatches, type ChipBatchOptions } from '../../../lib/recognition/chip-batches.js';
import { ARCFACE_CHIP, embedFaces, type RecognitionPlan } from '../../../lib/recognition/index.js';
import type { Embedding, Frame, Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { linearNetwork } from '../../support/small-networks.js';
import { type Bench, furthest, openBench, paint, similarity, waves } from './bench.js';

const next = random(7);
const file = (batch: 'N' | 1): Uint8Array =>
  linearNetwork({
    channels: 3,
    size: 112,
    pool: 16,
    batch,
    output: '683',
    weights: Float32Array.from({ length: 147 * 512 }, () => next() - 0.5),
    bias: Float32Array.from({ length: 512 }, () => 0.2 * (next() - 0.5)),
  });
const { recognition: plan } = CATALOGUE_PRESETS.buffalo_l;
const mirror: RecognitionPlan = { ...plan, mirror: true };

/** Pictures of different sizes and colours, each with one to three faces somewhere else. */
const pictures = Array.from({ length: 9 }, (_, i): { frame: Frame; faces: { fivePoints: Point[] }[] } => ({
  frame: paint(300 + 20 * i, 330 - 10 * i, (x, y) => waves(x * (1 + i / 10), y + 40 * i)),
  faces: Array.from({ length: 1 + (i % 3) }, (_, k) => ({
    fivePoints: ARCFACE_CHIP.five.map(similarity(1 + 0.05 * i, 0.1 * k, 60 + 30 * k, 40 + 5 * i)),
  })),
}));

let bench: Bench;
let networks: Networks;
beforeAll(async () => {
  bench = await openBench();
  networks = await bench.networks({ insightface_arcface_r50: { bytes: file('N') } });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Batches, and how many items each of them had. */
function batching(
  options: Partial<ChipBatchOptions> = {},
  of: RecognitionPlan = plan,
  from = networks,
): { readonly batches: ChipBatches; readonly sizes: number[] } {
  const sizes: number[] = [];
  const onBatch = (network: string, items: number): void => {
    expect(network).toBe('insightface_arcface_r50');
    sizes.push(items);
  };
  return { batches: new ChipBatches(from, of, { maxItems: 64, waitMs: 60_000, onBatch, ...options }), sizes };
}

type Answer = (Embedding | undefined)[];
const alone = (i: number, of = plan): Promise<Answer> =>
  embedFaces(networks, pictures[i]!.frame, pictures[i]!.faces, of);

function expectSame(given: Answer, expected: Answer): void {
  expect(given).toHaveLength(expected.length);
  for (const [face, embedding] of given.entries()) {
    expect(furthest(embedding!.vector, [...expected[face]!.vector])).toBeLessThan(1e-6);
  }
}

describe('faces of pictures that are looked at side by side', () => {
  it.each([
    ['without', plan, 64, [18]],
    ['with', mirror, 64, [36]],
    ['in batches of four without', plan, 4, [3, 4, 2, 4, 2, 3]],
  ] as const)('get what they get alone, %s mirror images', async (_, of, maxItems, expectedSizes) => {
    const { batches, sizes } = batching({ maxItems }, of);
    const seats = pictures.map(() => batches.expect());
    const given = await Promise.all(
      pictures.map(({ frame, faces }, i) => embedFaces(networks, frame, faces, of, undefined, seats[i])),
    );
    expect(sizes).toEqual(expectedSizes);
    for (const [i, answer] of given.entries()) expectSame(answer, await alone(i, of));
    // Others are others: a mix-up would be seen.
    expect(furthest(given[0]![0]!.vector, [...given[3]![0]!.vector])).toBeGreaterThan(1e-3);
  });

  it('of which one cannot be read get theirs, and its owner is told', async () => {
    const { batches, sizes } = batching();
    const seats = pictures.map(() => batches.expect());
    const gone = new Uint8Array(pictures[2]!.frame.data);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const given = await Promise.allSettled(
      pictures.map(({ frame, faces }, i) =>
        embedFaces(networks, i === 2 ? { ...frame, data: gone } : frame, faces, plan, undefined, seats[i]),
      ),
    );
    for (const [i, answer] of given.entries()) {
      if (i === 2) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'INVALID_ARGUMENT' } });
      else expectSame((answer as PromiseFulfilledResult<Answer>).value, await alone(i));
    }
    expect(sizes).toEqual([18, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it('of which one is not wanted any more get theirs', async () => {
    const { batches } = batching();
    const controller = new AbortController();
    const seats = pictures.map(() => batches.expect());
    const calls = pictures.map(({ frame, faces }, i) =>
      embedFaces(
        networks,
        frame,
        faces,
        plan,
        i % 2 === 0 ? controller.signal : new AbortController().signal,
        seats[i],
      ),
    );
    const reason = new Error('left');
    setImmediate(() => controller.abort(reason));
    const given = await Promise.allSettled(calls);
    for (const [i, answer] of given.entries()) {
      // The batch may be done before the signal fires.
      if (answer.status === 'rejected')
        expect([i % 2, answer.reason]).toMatchObject([0, { code: 'ABORTED', cause: reason }]);
      else expectSame(answer.value, await alone(i));
    }
  });

  it('do not wait where nobody else is expected, nor for those who have left', async () => {
    const { batches, sizes } = batching();
    const [{ frame, faces }] = [pictures[1]!];
    expectSame(await embedFaces(networks, frame, faces, plan, undefined, batches.expect()), await alone(1));
    const [seat, other] = [batches.expect(), batches.expect()];
    const answer = embedFaces(networks, frame, faces, plan, undefined, seat);
    other.leave();
    expectSame(await answer, await alone(1));
    expect(sizes).toEqual([2, 2]);
  });

  it('that wait are refused when it is closed', async () => {
    const { batches, sizes } = batching();
    const [seat] = [batches.expect(), batches.expect()];
    const answer = embedFaces(networks, pictures[0]!.frame, pictures[0]!.faces, plan, undefined, seat);
    setImmediate(() => batches.close());
    await expect(answer).rejects.toMatchObject({ code: 'CLOSED' });
    expect(sizes).toEqual([]);
  });

  it('run one by one where the network takes one at a time, without waiting', async () => {
    const single = await bench.networks({
      insightface_arcface_r50: { bytes: file(1), input: { dynamic: [] } },
    });
    const { batches, sizes } = batching({}, plan, single);
    const [seat] = [batches.expect(), batches.expect()];
    const { frame, faces } = pictures[2]!;
    await expect(embedFaces(single, frame, faces, plan, undefined, seat)).resolves.toHaveLength(3);
    expect(sizes).toEqual([]);
  });

  it('that cannot be run at all are all told why', async () => {
    const short = linearNetwork({
      channels: 3,
      size: 112,
      pool: 16,
      output: '683',
      bias: new Float32Array(256),
      weights: new Float32Array(147 * 256),
    });
    const wrong = await bench.networks({ insightface_arcface_r50: { bytes: short } });
    const { batches } = batching({}, plan, wrong);
    const seats = [batches.expect(), batches.expect()];
    const calls = seats.map((seat, i) =>
      embedFaces(wrong, pictures[i]!.frame, pictures[i]!.faces, plan, undefined, seat),
    );
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'MODEL_CORRUPT' } });
    }
  });
});
