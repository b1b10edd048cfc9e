/** Several pieces of work in flight, results in the order of the pieces. */

/** What became of one piece. */
export type Outcome<T, R> =
  | { readonly item: T; readonly index: number; readonly value: R }
  | { readonly item: T; readonly index: number; readonly error: unknown };

/**
 * Runs `work` on every item, at most `width` at a time, and yields the outcomes in the order of the items. No more than
 * `width` results wait to be taken, so memory stays bounded however slow the consumer is. Once the signal fires no further
 * item is begun and the generator ends after what was finished in order; work in flight is awaited, never left behind.
 */
export async function* mapInOrder<T, R>(
  items: readonly T[],
  width: number,
  signal: AbortSignal,
  work: (item: T, index: number) => Promise<R>,
): AsyncGenerator<Outcome<T, R>> {
  const flight: Promise<Outcome<T, R>>[] = [];
  let next = 0;
  const begin = (): void => {
    while (flight.length < Math.max(1, width) && next < items.length && !signal.aborted) {
      const index = next++;
      const item = items[index] as T;
      flight.push(
        work(item, index).then(
          (value) => ({ item, index, value }),
          (error: unknown) => ({ item, index, error }),
        ),
      );
    }
  };
  try {
    for (begin(); flight.length > 0; begin()) {
      const outcome = await (flight[0] as Promise<Outcome<T, R>>);
      flight.shift();
      if (signal.aborted && 'error' in outcome) return;
      yield outcome;
    }
  } finally {
    await Promise.all(flight);
  }
}
