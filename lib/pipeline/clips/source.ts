import type { CameraFrame, FramesOptions } from '../../capture/types.js';

/** Where pictures are recorded from: a camera of `lineament/capture`, a replayed one, or one's own. */
export interface FrameSource {
  /** Names it in files and events. */
  readonly id: string;
  /**
   * Pictures that are still kept and were taken from `first` to `last` (milliseconds since the epoch, both included), oldest first. One that
   * makes them one by one keeps memory small.
   */
  history(first: number, last: number): Iterable<CameraFrame> | AsyncIterable<CameraFrame>;
  /** Pictures from now on. */
  frames(options?: FramesOptions): AsyncIterable<CameraFrame>;
}

/** Why a walk came to its end. `source`: it gives no more. `stalled`: it gave none for too long. */
export type WalkEnd = 'end' | 'source' | 'stalled' | 'stopped';

export interface WalkOptions {
  readonly start: number;
  /** Asked at every picture: it may move while the walk goes on. */
  readonly end: () => number;
  /** Ends the walk. */
  readonly signal: AbortSignal;
  /** No picture for so long (of the wall's clock) ends it, milliseconds. */
  readonly idleMs: number;
}

/**
 * The pictures of a source from `start` to `end`: those that it still keeps, then the living ones, none twice. A picture is valid until the
 * next is asked for. Returns why it ended. A source that fails has come to its end. Where it is stopped, those that the source keeps by then
 * are given still.
 */
export async function* walk(
  source: FrameSource,
  options: WalkOptions,
): AsyncGenerator<CameraFrame, WalkEnd, undefined> {
  const { start, end, signal, idleMs } = options;
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop, { once: true });
  let last = -1;
  const wanted = (frame: CameraFrame): boolean => frame.sequence > last && frame.timestamp >= start;
  async function* kept(): AsyncGenerator<CameraFrame, void, undefined> {
    for await (const frame of source.history(start, end())) {
      if (frame.timestamp > end()) break;
      if (!wanted(frame)) continue;
      last = frame.sequence;
      yield frame;
    }
  }
  let living: AsyncIterator<CameraFrame> | undefined;
  try {
    if (signal.aborted) {
      yield* kept();
      return 'stopped';
    }
    // The living ones are asked for first: whatever came before the first of them is in the past.
    living = source.frames({ order: 'all', borrow: true, signal: over.signal })[Symbol.asyncIterator]();
    let asked = living.next();
    asked.catch(() => undefined);
    for (let ended = false; ; ended = true) {
      // A picture behind the end that is there already: everything before it is in the past.
      const passed = (await anyAfter(source, end())) ? end() : undefined;
      yield* kept();
      if (passed === end()) return 'end';
      for (;;) {
        const next = await within(asked, idleMs, signal);
        if (next === 'stopped') yield* kept();
        // Where nothing more comes, the end may have been moved while the past was walked.
        if (next === 'source' && !ended) break;
        if (typeof next === 'string') return next;
        if (next.timestamp > end()) return 'end';
        if (wanted(next)) {
          last = next.sequence;
          yield next;
        }
        asked = living.next();
        asked.catch(() => undefined);
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    // Also ends a wait for the next picture, where `return()` would wait behind it.
    over.abort();
    // One that waits to be asked does not hear the signal: the picture that it has lent is given back.
    void living?.return?.().catch(() => undefined);
  }
}

/** The picture that was asked for, or why there is none. */
async function within(
  asked: Promise<IteratorResult<CameraFrame>>,
  idleMs: number,
  signal: AbortSignal,
): Promise<CameraFrame | WalkEnd> {
  if (signal.aborted) return 'stopped';
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  const given = asked.then(
    (result): CameraFrame | WalkEnd => (result.done === true ? 'source' : result.value),
    (): WalkEnd => (signal.aborted ? 'stopped' : 'source'),
  );
  const other = new Promise<WalkEnd>((resolve) => {
    timer = setTimeout(resolve, idleMs, 'stalled');
    stop = () => resolve('stopped');
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([given, other]);
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

async function anyAfter(source: FrameSource, time: number): Promise<boolean> {
  for await (const frame of source.history(time, Infinity)) if (frame.timestamp > time) return true;
  return false;
}
