import { type OpenSegment, SegmentFinder } from '../../analysis/expression/segments.js';
import type { Expression, ExpressionLabel } from '../../types.js';

export interface ExpressionRule {
  readonly labels: readonly ExpressionLabel[];
  readonly high: number;
  readonly low: number;
  readonly holdMs: number;
  readonly gapMs: number;
}

/**
 * Expressions of one track, debounced: one is told when its probability has reached the upper level and stayed above the lower one for
 * long enough, once for each such rise.
 */
export class ExpressionWatch {
  readonly #rule: ExpressionRule;
  readonly #finders: readonly SegmentFinder[];
  /** Onsets that have been told. */
  readonly #told: (number | undefined)[];
  #last: number | undefined;

  constructor(rule: ExpressionRule) {
    this.#rule = rule;
    this.#finders = rule.labels.map(() => new SegmentFinder({ low: rule.low, high: rule.high }));
    this.#told = rule.labels.map(() => undefined);
  }

  /** What has lasted long enough in this frame. Looks that are not later than the last are left out. */
  push(time: number, expression: Expression): { readonly label: ExpressionLabel; readonly probability: number }[] {
    if (this.#last !== undefined && time <= this.#last) return [];
    if (this.#last !== undefined && time - this.#last > this.#rule.gapMs) for (const one of this.#finders) one.reset();
    this.#last = time;
    return this.#rule.labels.flatMap((label, i) => {
      const finder = this.#finders[i]!;
      const value = expression.probabilities[label];
      finder.push(time / 1000, Number.isFinite(value) ? value : 0);
      const open = finder.open;
      if (open === undefined || this.#told[i] === open.onset || !this.#lasted(open)) return [];
      this.#told[i] = open.onset;
      return [{ label, probability: open.peak }];
    });
  }

  #lasted({ onset, until }: OpenSegment): boolean {
    return (until - onset) * 1000 >= this.#rule.holdMs - 1e-3;
  }
}
