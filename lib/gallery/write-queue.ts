import { onAbort } from '../errors/abort.js';
import { abortError, LineamentError, wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { NativeAddon, NativeDatabase, NativeExecutor } from '../native/addon.js';
import type { SqlResult, SqlStatement } from '../native/index.js';
import { rowsOf } from './sql-values.js';

/** Writes that may wait; one more is refused with `STORE_BUSY`. */
export const MOST_QUEUED_WRITES = 10_000;

/** What one transaction takes at most, so that nobody waits long for a commit (and the event loop not for handing it over). */
const MOST_GROUPS = 256;
const MOST_ROWS = 1000;

interface Waiting {
  readonly statements: readonly SqlStatement[];
  readonly rows: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (results: readonly SqlResult[]) => void;
  readonly reject: (error: LineamentError) => void;
  forget: () => void;
}

/**
 * Group commit: one transaction at a time, and everything that arrived meanwhile goes into the next one. A commit costs a write
 * to the disk however much is in it, so writers that come together share it.
 */
export class WriteQueue {
  readonly #addon: NativeAddon;
  readonly #native: NativeDatabase;
  readonly #executor: NativeExecutor;
  #waiting: Waiting[] = [];
  #committing: readonly Waiting[] = [];

  constructor(addon: NativeAddon, native: NativeDatabase, executor: NativeExecutor) {
    this.#addon = addon;
    this.#native = native;
    this.#executor = executor;
  }

  get pending(): number {
    return this.#waiting.length + this.#committing.length;
  }

  push(statements: readonly SqlStatement[], signal: AbortSignal | undefined): Promise<readonly SqlResult[]> {
    if (this.#waiting.length >= MOST_QUEUED_WRITES) {
      throw new LineamentError('STORE_BUSY', `${MOST_QUEUED_WRITES} writes are waiting already`, {
        fix: 'Await writes before you make more.',
      });
    }
    return new Promise((resolve, reject) => {
      const one: Waiting = { statements, rows: rowsOf(statements), signal, resolve, reject, forget: () => undefined };
      if (signal !== undefined) one.forget = onAbort(signal, () => this.#takeBack(one));
      this.#waiting.push(one);
      if (this.#committing.length === 0) void this.#commit();
    });
  }

  /** A write that has not begun never does. */
  #takeBack(one: Waiting): void {
    const at = this.#waiting.indexOf(one);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    one.reject(abortError(one.signal));
  }

  async #commit(): Promise<void> {
    while (this.#waiting.length > 0) {
      const groups = this.#next();
      this.#committing = groups;
      for (const one of groups) one.forget();
      const failed = await this.#run(groups);
      // A full disk or exhausted memory may be one group's doing: each gets its own transaction then.
      if (failed !== undefined && groups.length > 1 && ['STORE_FULL', 'OUT_OF_MEMORY'].includes(failed.code)) {
        for (const one of groups) {
          const alone = await this.#run([one]);
          if (alone !== undefined) one.reject(alone);
        }
      } else if (failed !== undefined) {
        for (const one of groups) one.reject(failed);
      }
      this.#committing = [];
    }
  }

  #next(): readonly Waiting[] {
    let count = 0;
    for (let rows = 0; count < this.#waiting.length && count < MOST_GROUPS; count++) {
      rows += this.#waiting[count]?.rows ?? 0;
      if (count > 0 && rows > MOST_ROWS) break;
    }
    return this.#waiting.splice(0, count);
  }

  /** Settles each group, or gives the error of the whole transaction. */
  async #run(groups: readonly Waiting[]): Promise<LineamentError | undefined> {
    try {
      // One that shares its transaction cannot be taken back any more: that would take the others with it.
      const signal = groups.length === 1 ? groups[0]?.signal : undefined;
      const outcomes = await cancellable(this.#addon, signal, (token) =>
        this.#native.writeGroups(
          this.#executor,
          groups.map((one) => one.statements),
          token,
        ),
      );
      for (const [i, one] of groups.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined) one.reject(new LineamentError('INTERNAL', 'a write without an outcome'));
        else if ('results' in outcome) one.resolve(outcome.results);
        else one.reject(wrapError(Object.assign(new Error(outcome.error.message), { code: outcome.error.code })));
      }
      return undefined;
    } catch (error) {
      return wrapError(error);
    }
  }
}
