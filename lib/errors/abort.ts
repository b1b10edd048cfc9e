import { abortError } from '../errors.js';

/** What waits for each signal. One listener serves them all: Node warns of a leak when a signal has more than ten. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `work` when the signal fires (it has not yet); gives a function that takes this back. */
export function onAbort(signal: AbortSignal, work: () => void): () => void {
  let all = waiting.get(signal);
  if (all === undefined) {
    const made = new Set<() => void>();
    all = made;
    waiting.set(signal, made);
    signal.addEventListener(
      'abort',
      () => {
        for (const one of [...made]) one();
      },
      { once: true },
    );
  }
  const known = all;
  known.add(work);
  return () => known.delete(work);
}

/** The work, or `ABORTED` as soon as the signal fires; the work itself then runs on unobserved. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      reject(abortError(signal));
      work.catch(() => undefined);
      return;
    }
    const done = onAbort(signal, () => reject(abortError(signal)));
    work.then(resolve, reject).finally(done);
  });
}

/**
 * A signal that fires when one of the two does, for as long as a call runs: `forget` takes it off both. `AbortSignal.any` never does where one of them
 * outlives the call: each leaves an entry there, and is itself kept while anybody listens to it.
 */
export function eitherOf(
  a: AbortSignal,
  b: AbortSignal,
): { readonly signal: AbortSignal; readonly forget: () => void } {
  const controller = new AbortController();
  const taken: (() => void)[] = [];
  for (const one of [a, b]) {
    if (one.aborted) controller.abort(one.reason);
    else taken.push(onAbort(one, () => controller.abort(one.reason)));
  }
  const forget = (): void => {
    for (const one of taken) one();
  };
  return { signal: controller.signal, forget };
}
