import { throwIfAborted } from '../errors.js';

/** Milliseconds that a piece of work may hold the event loop. */
const SLICE = 6;

/**
 * Does work item by item without holding the event loop: lets others run whenever a few milliseconds have passed.
 *
 * @param count how many items there are
 * @param work does items from `start` up to `end`
 * @param batch items between two looks at the clock
 * @throws LineamentError ABORTED between two batches
 */
export async function inSlices(
  count: number,
  batch: number,
  work: (start: number, end: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  throwIfAborted(signal);
  let since = performance.now();
  for (let start = 0; start < count; start += batch) {
    work(start, Math.min(count, start + batch));
    if (performance.now() - since < SLICE) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    throwIfAborted(signal);
    since = performance.now();
  }
}
