import { type BatchLimits, MicroBatch, type Seat } from '../inference/micro-batch.js';
import { checkLength, outputOfLength } from '../models/contract.js';
import type { Network, Networks, PictureRegions } from '../models/network.js';
import { RECOGNISERS, type Recogniser, type RecogniserName, type RecognitionPlan } from './plan.js';

/**
 * A recogniser's numbers for chips of several pictures, which run as one batch of at most `maxBatch` (the network's own limit when absent): for each picture
 * `dims` for each chip, and where asked for its mirror image right after it.
 */
export async function runChips(
  network: Network,
  { dims, output }: Recogniser,
  pictures: readonly PictureRegions[],
  options: { readonly mirror: boolean; readonly maxBatch?: number; readonly signal?: AbortSignal | undefined },
): Promise<Float32Array[]> {
  const name = output ?? outputOfLength(network, dims, 'the embedding');
  const values = await network.outputOf(pictures, name, options);
  const lengths = pictures.map(({ regions }) => regions.length * (options.mirror ? 2 : 1) * dims);
  checkLength(network, values, lengths.reduce((sum, length) => sum + length, 0) / dims, dims);
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return values.subarray(end - length, end);
  });
}

export type ChipSeat = Seat<PictureRegions, Float32Array>;

/** The places of one call in the batches of a plan's recognisers. */
export interface ChipSeats {
  readonly of: (network: RecogniserName) => ChipSeat | undefined;
  /** Says that no more chips will come of the call. */
  readonly leave: () => void;
}

export interface ChipBatchOptions extends BatchLimits {
  /** Told of each batch: id of the network and number of items. */
  readonly onBatch?: ((network: string, items: number) => void) | undefined;
}

/** Chips of pictures that are looked at side by side run as batches, one for each recogniser of a plan. */
export class ChipBatches {
  readonly #batches: ReadonlyMap<RecogniserName, MicroBatch<PictureRegions, Float32Array>>;

  constructor(networks: Networks, plan: RecognitionPlan, options: ChipBatchOptions) {
    const { maxItems, onBatch } = options;
    const { mirror } = plan;
    const batchOf = (recogniser: Recogniser): MicroBatch<PictureRegions, Float32Array> =>
      new MicroBatch(options, async (pictures, signal) => {
        const chips = pictures.reduce((sum, { regions }) => sum + regions.length, 0);
        onBatch?.(recogniser.card, mirror ? 2 * chips : chips);
        const network = await networks.get(recogniser.card);
        return runChips(network, recogniser, pictures, { mirror, maxBatch: maxItems, signal });
      });
    this.#batches = new Map(plan.members.map(({ network }) => [network, batchOf(RECOGNISERS[network])]));
  }

  /** Announces a call that may bring chips: others wait for them, within the limits. */
  expect(): ChipSeats {
    const seats = new Map([...this.#batches].map(([network, batch]) => [network, batch.expect()]));
    return {
      of: (network) => seats.get(network),
      leave: () => {
        for (const seat of seats.values()) seat.leave();
      },
    };
  }

  /** Chips that wait are rejected with `CLOSED`. */
  close(): void {
    for (const batch of this.#batches.values()) batch.close();
  }
}
