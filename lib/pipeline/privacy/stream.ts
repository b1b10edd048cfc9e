import type { CameraFrame } from '../../capture/types.js';
import { onAbort } from '../../errors/abort.js';
import { abortError, throwIfAborted } from '../../errors.js';
import type { Redactor } from './redactor.js';

/** Pictures that wait for the detector, and their bytes; two are always allowed. */
const MOST_WAITING = 64;
const MOST_BYTES = 128 << 20;

export interface CoverOptions {
  /** Every picture in order; otherwise the newest that may be shown, as soon as there is one later than the last. */
  readonly all: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly frame: CameraFrame;
  settled: boolean;
}

/**
 * Pictures of a stream with faces covered. Each waits until the detector has seen it or a later one (see `Redactor.settled`), several at a
 * time, so that a stream is late by that and keeps its rate. `open` is called with a signal that ends the pictures; they must not be borrowed.
 */
export async function* covered(
  redactor: Redactor,
  open: (signal: AbortSignal) => AsyncIterable<CameraFrame>,
  { all, signal }: CoverOptions,
): AsyncGenerator<CameraFrame, void, undefined> {
  throwIfAborted(signal);
  const over = new AbortController();
  const forget = signal === undefined ? undefined : onAbort(signal, () => over.abort(signal.reason));
  const waiting: Waiting[] = [];
  let bytes = 0;
  let ended = false;
  let failure: unknown;
  let wake: () => void = () => undefined;
  let room: () => void = () => undefined;
  const full = (): boolean => waiting.length >= 2 && (waiting.length >= MOST_WAITING || bytes >= MOST_BYTES);
  const read = async (): Promise<void> => {
    try {
      for await (const frame of open(over.signal)) {
        while (all && full() && !over.signal.aborted) {
          await new Promise<void>((resolve) => {
            room = resolve;
          });
        }
        // Those that wait are not given up for it: they will be shown first.
        if (full()) continue;
        const one: Waiting = { frame, settled: false };
        waiting.push(one);
        bytes += frame.data.length;
        void redactor.settled(frame.camera, frame.timestamp, over.signal, 0).then(() => {
          one.settled = true;
          wake();
        });
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    wake();
  };
  const take = (): CameraFrame | undefined => {
    const at = all ? (waiting[0]?.settled === true ? 0 : -1) : waiting.findLastIndex(({ settled }) => settled);
    const taken = waiting.splice(0, at + 1);
    for (const { frame } of taken) bytes -= frame.data.length;
    room();
    return taken.at(-1)?.frame;
  };
  const reading = read();
  try {
    for (;;) {
      if (signal?.aborted !== true) {
        const frame = take();
        if (frame !== undefined) {
          yield await redactor.apply(frame, { waited: true });
          continue;
        }
      }
      if (ended && (waiting.length === 0 || signal?.aborted === true)) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (signal?.aborted === true) throw abortError(signal);
    if (failure !== undefined) throw failure;
  } finally {
    forget?.();
    over.abort();
    room();
    void reading;
  }
}
