import type { Requirement } from './types.js';

/** An engine that can be had, with what was measured of it. */
export interface Candidate {
  readonly name: string;
  readonly milliseconds: number;
  readonly accuracy: number;
  readonly bytes: number;
}

/** `balanced` gives up so much of the best accuracy, and takes the quickest of those that are left. */
const NEARLY = 0.05;

const by =
  (value: (candidate: Candidate) => number) =>
  (a: Candidate, b: Candidate): number =>
    value(a) - value(b) || a.milliseconds - b.milliseconds;

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** The best of those that fit for a requirement, and why; absent where there is none. */
export function choose(
  requirement: Requirement,
  candidates: readonly Candidate[],
): { readonly name: string; readonly reason: string } | undefined {
  const best = (among: readonly Candidate[], value: (candidate: Candidate) => number): Candidate | undefined =>
    [...among].sort(by(value))[0];
  const of = `of ${candidates.length} that fit`;
  const most = best(candidates, ({ accuracy }) => -accuracy);
  if (most === undefined) return undefined;
  switch (requirement) {
    case 'speed': {
      const { name, milliseconds } = best(candidates, (one) => one.milliseconds)!;
      return { name, reason: `the quickest ${of}: ${milliseconds} ms for a picture with one face` };
    }
    case 'accuracy':
      return { name: most.name, reason: `the most accurate ${of}: finds and knows ${percent(most.accuracy)} of faces` };
    case 'minimal_memory': {
      const { name, bytes } = best(candidates, (one) => one.bytes)!;
      return { name, reason: `the smallest ${of}: ${mebibytes(bytes)} in a process of its own` };
    }
    case 'balanced': {
      const good = candidates.filter(({ accuracy }) => accuracy >= most.accuracy - NEARLY);
      const { name, milliseconds, accuracy } = best(good, (one) => one.milliseconds)!;
      const reason = `the quickest ${of} whose accuracy (${percent(accuracy)}) is near the best one's (${percent(most.accuracy)}): ${milliseconds} ms`;
      return { name, reason };
    }
  }
}
