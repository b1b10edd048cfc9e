import { LatencyHistogram, type LatencySummary } from './histogram.js';

/**
 * Where the time of a frame goes, milliseconds each:
 * `taken`: from the frame's timestamp until the pipeline had it (live sources);
 * `turn`: waiting for a place in the engine;
 * `detect`, `landmarks` (with pose, quality and attributes), `embed`: the networks;
 * `track`: assignment and prediction;
 * `identify`: the search and the decision;
 * `decide`: zones, lines, debouncing;
 * `own`: everything between the frame's coming and its decision that is neither waiting nor networks;
 * `commit`: the log's disk;
 * `event`: from the frame's timestamp until listeners are told, commit included (live sources).
 */
export const STAGES = [
  'taken',
  'turn',
  'detect',
  'landmarks',
  'embed',
  'track',
  'identify',
  'decide',
  'own',
  'commit',
  'event',
] as const;
export type Stage = (typeof STAGES)[number];

/** Histograms of all stages. */
export class StageTimes {
  readonly #times = Object.fromEntries(STAGES.map((stage) => [stage, new LatencyHistogram()])) as Readonly<
    Record<Stage, LatencyHistogram>
  >;

  record(stage: Stage, milliseconds: number): void {
    this.#times[stage].record(milliseconds);
  }

  /** Runs the work and counts how long it took, also where it fails; gives its result and the time. */
  async measure<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.record(stage, performance.now() - start);
    }
  }

  summary(): Readonly<Record<Stage, LatencySummary>> {
    return Object.fromEntries(STAGES.map((stage) => [stage, this.#times[stage].summary()])) as Record<
      Stage,
      LatencySummary
    >;
  }

  reset(): void {
    for (const stage of STAGES) this.#times[stage].reset();
  }
}
