import { onAbort } from '../errors/abort.js';
import { abortError, LineamentError, wrapError } from '../errors.js';

export interface BatchLimits {
  /** Most items in a batch. */
  readonly maxItems: number;
  /** Longest time that work waits for others to join it, ms. */
  readonly waitMs: number;
}

/** The place of one who may bring work. It is used once. */
export interface Seat<Work, Answer> {
  /**
   * Answers for work of so many items. Rejects with the error of this work alone, with `CLOSED`, and with `ABORTED` as soon as nothing reads the work any
   * more: at once while it waits, with the end of its batch where that runs.
   */
  submit(work: Work, items: number, signal?: AbortSignal): Promise<Answer>;
  /** Says that nothing will come. Idempotent, and without effect after `submit`. */
  leave(): void;
}

interface Request<Work, Answer> {
  readonly work: Work;
  readonly items: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: LineamentError) => void;
  /** Takes the listener off the signal. */
  forget: () => void;
}

/** Answers for several pieces of work at once, one for each, in their order. The signal fires when nobody wants any of them. */
export type RunBatch<Work, Answer> = (work: readonly Work[], signal: AbortSignal) => Promise<readonly Answer[]>;

/**
 * Joins what several callers want of a network into batches. A batch is run when it is full, when `waitMs` have passed since its first work came, or as
 * soon as nobody is expected any more: who is alone does not wait. What one does is of no consequence to the others: who leaves is left out, and a batch
 * that fails is run again piece by piece, so that the error is told to whom it belongs.
 */
export class MicroBatch<Work, Answer> {
  readonly #limits: BatchLimits;
  readonly #run: RunBatch<Work, Answer>;
  #waiting: Request<Work, Answer>[] = [];
  #items = 0;
  #expected = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(limits: BatchLimits, run: RunBatch<Work, Answer>) {
    this.#limits = limits;
    this.#run = run;
  }

  /** Announces one who may bring work: what waits waits for him too. */
  expect(): Seat<Work, Answer> {
    let expected = true;
    this.#expected++;
    const arrive = (): void => {
      if (expected) this.#expected--;
      expected = false;
    };
    return {
      submit: (work, items, signal) => {
        arrive();
        return this.#submit(work, items, signal);
      },
      leave: () => {
        arrive();
        this.#runIfDue();
      },
    };
  }

  /** What waits is rejected with `CLOSED`, as is what comes later; what runs goes on. */
  close(): void {
    this.#closed = true;
    for (const request of this.#take()) request.reject(closed());
  }

  #submit(work: Work, items: number, signal: AbortSignal | undefined): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.#closed) return reject(closed());
      if (signal?.aborted === true) return reject(abortError(signal));
      const request: Request<Work, Answer> = { work, items, signal, resolve, reject, forget: () => undefined };
      if (signal !== undefined) request.forget = onAbort(signal, () => this.#leave(request, signal));
      // Two batches within the limit rather than one that is run in turns.
      if (this.#items + items > this.#limits.maxItems) this.#runWaiting();
      this.#waiting.push(request);
      this.#items += items;
    });
    this.#runIfDue();
    return answer;
  }

  #runIfDue(): void {
    if (this.#waiting.length === 0) return;
    if (this.#items >= this.#limits.maxItems || this.#expected === 0) this.#runWaiting();
    else this.#timer ??= setTimeout(() => this.#runWaiting(), this.#limits.waitMs);
  }

  #leave(request: Request<Work, Answer>, signal: AbortSignal): void {
    this.#waiting = this.#waiting.filter((one) => one !== request);
    this.#items -= request.items;
    if (this.#waiting.length === 0) this.#take();
    request.reject(abortError(signal));
  }

  #runWaiting(): void {
    const requests = this.#take();
    if (requests.length > 0) void this.#answer(requests);
  }

  /** Empties the waiting room. */
  #take(): Request<Work, Answer>[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = this.#waiting;
    this.#waiting = [];
    this.#items = 0;
    for (const request of taken) request.forget();
    return taken;
  }

  /** Runs a batch of those that have not gone, and answers each of them. */
  async #answer(requests: readonly Request<Work, Answer>[]): Promise<void> {
    const stop = new AbortController();
    let present = requests.length;
    for (const request of requests) {
      if (request.signal === undefined) continue;
      request.forget = onAbort(request.signal, () => {
        if (--present === 0) stop.abort();
      });
    }
    let answers: readonly Answer[] = [];
    let error: LineamentError | undefined;
    try {
      answers = await this.#run(
        requests.map(({ work }) => work),
        stop.signal,
      );
    } catch (thrown) {
      error = wrapError(thrown);
    }
    const anyone = requests.length === 1 || error?.code === 'CLOSED';
    for (const [i, request] of requests.entries()) {
      request.forget();
      if (request.signal?.aborted === true) request.reject(abortError(request.signal));
      else if (error === undefined) request.resolve(answers[i]!);
      else if (anyone) request.reject(error);
      else void this.#answer([request]);
    }
  }
}

const closed = (): LineamentError => new LineamentError('CLOSED', 'this batch has been closed');
