import { ImportError } from '../error.js';
import { type Case, toleranceOf } from './cases.js';
import type { CheckedCard } from './ours.js';
import { openNetwork, runPixels } from './ours.js';
import { difference } from './outputs.js';
import type { Peers } from './peers.js';
import { CROPS, cropPixels } from './photographs.js';

/** Agreement of one output with its origin, over all elements and all crops. */
export interface OutputAgreement {
  readonly output: string;
  readonly maxAbsError: number;
  /** Largest magnitude in the origin's output. */
  readonly magnitude: number;
  /** Accepted error: the case's tolerance times the magnitude (at least 1). */
  readonly accepted: number;
}

/** Agreement of one network with its origin. */
export interface Agreement {
  readonly id: string;
  readonly peer: string;
  readonly crops: number;
  readonly outputs: readonly OutputAgreement[];
  /** The largest error relative to its output's magnitude (at least 1). */
  readonly relativeError: number;
}

/** Runs a network and its origin on the same pixels; undefined where the peer is not installed. */
export async function compare(
  item: Case,
  card: CheckedCard,
  packFolder: string,
  peers: Peers,
): Promise<Agreement | undefined> {
  const session = await openNetwork(packFolder, card);
  const worst = new Map<string, { error: number; magnitude: number }>();
  for (const crop of CROPS[item.crops]) {
    const pixels = await cropPixels(crop, card.input.width, card.input.height);
    const raw = await peers.run(item, pixels, card.input);
    if (!raw) return undefined;
    const reference = item.reference(raw);
    const outputs = await runPixels(session, card, pixels);
    const ours = item.ours?.(outputs) ?? outputs;
    for (const [name, expected] of Object.entries(reference)) {
      const given = ours[name];
      if (!given) throw new ImportError('GRAPH_INVALID', `${item.id} has no output "${name}"`);
      const { error, magnitude } = difference(given, expected);
      const known = worst.get(name);
      worst.set(name, {
        error: Math.max(error, known?.error ?? 0),
        magnitude: Math.max(magnitude, known?.magnitude ?? 0),
      });
    }
  }
  await session.release();
  const outputs = [...worst].map(([output, w]) => ({
    output,
    maxAbsError: w.error,
    magnitude: w.magnitude,
    accepted: toleranceOf(item, output) * Math.max(1, w.magnitude),
  }));
  const relativeError = Math.max(...outputs.map((o) => o.maxAbsError / Math.max(1, o.magnitude)));
  return { id: item.id, peer: peers.label(item.peer), crops: CROPS[item.crops].length, outputs, relativeError };
}
