/** Work with an engine on behalf of a request: in its turn, within its time, and given up when its client goes. */
import { type LineamentError, throwIfAborted, wrapError } from '../../errors.js';
import { decodeImage, releaseFrame } from '../../image/index.js';
import type { Engine, RecogniserIdentity } from '../../index.js';
import type { Frame } from '../../types.js';
import type { Picture } from '../images/index.js';
import { problemOf } from '../problem.js';
import { clientSignal } from '../server.js';
import type { Priority, ServiceParts } from '../types.js';
import type { FastifyRequest } from '../vendor.js';

/** An engine that stays open while a request is answered. */
export interface Bench {
  readonly parts: ServiceParts;
  readonly engine: Engine;
  /** Operation, for logs and metrics. */
  readonly kind: string;
  readonly priority: Priority;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

/** Runs `work` with the current engine, which is one and the same until the request is answered. */
export function atBench<T>(
  parts: ServiceParts,
  request: FastifyRequest,
  work: (bench: Bench) => Promise<T>,
  priority: Priority = 'normal',
): Promise<T> {
  const signal = clientSignal(request);
  const kind = request.routeOptions.config.kind ?? 'work';
  return parts.engines.use((engine) => work({ parts, engine, kind, priority, signal }), { signal });
}

/**
 * Decodes a picture and works on it, in its turn; its pixels are gone when `work` has resolved. The pixel limit of the configuration holds, whatever
 * the engine was opened with.
 */
export function onPicture<T>(
  { parts, engine, kind, priority, signal }: Bench,
  picture: Picture,
  work: (frame: Frame, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return parts.scheduler.run({ kind, priority, bytes: picture.weight, signal }, async (turn) => {
    // Without the signal: a decoder does not stop half-way, and would run on in nobody's books.
    const frame = await decodeImage(picture.bytes, { maxPixels: parts.config.limits.pixels });
    if (turn.aborted) releaseFrame(frame);
    throwIfAborted(turn);
    const begin = performance.now();
    const answer = await work(frame, turn);
    parts.metrics.inference(engine.preset.name, kind, (performance.now() - begin) / 1000);
    // Only here: where a stage has failed another one may still be reading.
    releaseFrame(frame);
    return answer;
  });
}

/** Works on what needs no picture, such as a search for vectors that a request brought along, in its turn. */
export function inTurn<T>(
  { parts, kind, priority, signal }: Bench,
  vectors: readonly (readonly number[])[],
  work: () => Promise<T>,
): Promise<T> {
  const bytes = vectors.reduce((sum, { length }) => sum + length * BYTES_PER_NUMBER, 0);
  // Much quicker than a picture: what one takes says nothing of the other.
  return parts.scheduler.run({ kind: `${kind}_vectors`, priority, bytes, signal }, work);
}

/** As JSON gave it, and as a search takes it. */
const BYTES_PER_NUMBER = 12;

const identities = new WeakMap<Engine, Promise<RecogniserIdentity>>();

/** What the engine's embeddings come from; read once. */
export function recogniserOf(engine: Engine): Promise<RecogniserIdentity> {
  let known = identities.get(engine);
  if (known === undefined) {
    known = engine.recogniser();
    known.catch(() => identities.delete(engine));
    identities.set(engine, known);
  }
  return known;
}

/** What went wrong with one item of a batch. */
export interface ItemProblem {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly fix?: string;
}

export type ItemResult<T> = ({ readonly index: number } & T) | { readonly index: number; readonly error: ItemProblem };

export interface BatchAnswer<T> {
  readonly results: ItemResult<T>[];
  readonly succeeded: number;
  readonly failed: number;
}

/** Items of a batch that work at a time: enough that none waits for a decoder, and few enough to leave room for others. */
const IN_FLIGHT = 4;

/**
 * Works on each item; one that fails has its problem in its place. What is no fault of the item ends the batch: the client has gone, the service
 * closes, or is so busy that it took not even the first one.
 */
export async function eachItem<I, T extends object>(
  items: readonly I[],
  signal: AbortSignal,
  id: string,
  work: (item: I, index: number) => Promise<T>,
): Promise<BatchAnswer<T>> {
  const results: ItemResult<T>[] = [];
  let failed = 0;
  let next = 0;
  let ended = false;
  const one = async (index: number): Promise<void> => {
    try {
      results[index] = { index, ...(await work(items[index] as I, index)) };
    } catch (thrown) {
      const error = wrapError(thrown);
      const busy = error.code === 'OVERLOADED' && index === 0;
      if (signal.aborted || busy || error.code === 'CLOSED' || error.code === 'ABORTED') {
        ended = true;
        throw error;
      }
      failed++;
      results[index] = { index, error: itemProblem(error, id) };
    }
  };
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length && !ended; index = next++) {
      throwIfAborted(signal);
      await one(index);
    }
  };
  const lanes = Array.from({ length: Math.min(IN_FLIGHT, items.length) }, lane);
  // All have ended before the answer: nothing of a request works on after it.
  for (const outcome of await Promise.allSettled(lanes)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
  return { results, succeeded: items.length - failed, failed };
}

function itemProblem(error: LineamentError, id: string): ItemProblem {
  const { code, status, detail, fix } = problemOf(error, id);
  return { code, status, detail, ...(fix === undefined ? {} : { fix }) };
}
