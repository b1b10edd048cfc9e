import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { createMetrics } from '../../../lib/service/metrics/index.js';
import { createScheduler, type SchedulingConfig } from '../../../lib/service/scheduling/index.js';
import type { Job, Priority, Scheduler } from '../../../lib/service/types.js';
import { random } from '../../support/random.js';

/** Time stands still unless a test moves it: what happens when is then the same in every run. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const LIMITS = {
  bodyBytes: 1e6,
  imageBytes: 1e6,
  pixels: 1e8,
  images: 8,
  concurrency: 2,
  queue: 6,
  queueBytes: 1000,
  deadlineMs: 10_000,
};

function schedulerWith(limits: Partial<SchedulingConfig['limits']> = {}, drainMs = 5000): Scheduler {
  return createScheduler({ limits: { ...LIMITS, ...limits }, server: { drainMs }, engine: {} }, createMetrics());
}

const job = (more: Partial<Job> = {}): Job => ({ kind: 'detect', bytes: 1, ...more });

/** Work of so many milliseconds that stops when it is told to. */
const work =
  (ms: number, begun: () => void = () => undefined) =>
  (signal: AbortSignal): Promise<number> => {
    begun();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(ms), ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new LineamentError('ABORTED', 'work'));
      });
    });
  };

/** How it ended: a value or a code. */
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => (error as LineamentError).code,
  );

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the scheduler', () => {
  it('works on so many at a time, and gives what the work gives', async () => {
    const scheduler = schedulerWith();
    const all = Promise.all([1, 2, 3, 4].map((ms) => scheduler.run(job(), work(ms * 10))));
    expect(scheduler.stats()).toMatchObject({ running: 2, waiting: 2, bytes: 4 });
    await pass(100);
    expect(await all).toEqual([10, 20, 30, 40]);
    expect(scheduler.stats()).toMatchObject({ running: 0, waiting: 0, bytes: 0, done: 4, serviceMs: 25 });
    const failing = outcome(scheduler.run(job(), () => Promise.reject(new LineamentError('NO_FACE', 'none'))));
    expect(await failing).toBe('NO_FACE');
    const throwing = scheduler.run(job(), () => {
      throw new Error('at once');
    });
    await expect(throwing).rejects.toThrow('at once');
    expect(scheduler.stats()).toMatchObject({ running: 0, bytes: 0, done: 6, serviceMs: 25 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes the most urgent first, of equal urgency the oldest', async () => {
    const scheduler = schedulerWith({ concurrency: 1, queue: 20 });
    const order: string[] = [];
    const add = (name: string, priority: Priority): Promise<unknown> =>
      scheduler.run(
        job({ priority }),
        work(10, () => order.push(name)),
      );
    const all = [add('first', 'low')];
    for (const priority of ['low', 'normal', 'high', 'low', 'high', 'normal'] as const) {
      all.push(add(`${priority} ${all.length}`, priority));
      await pass(1);
    }
    await pass(100);
    await Promise.all(all);
    expect(order).toEqual(['first', 'high 3', 'high 5', 'normal 2', 'normal 6', 'low 1', 'low 4']);
  });

  it('lets nothing starve', async () => {
    const scheduler = schedulerWith({ concurrency: 1, queue: 100 });
    let urgent = true;
    let served = 0;
    // Whenever an urgent one is done the next two wait already.
    const flood = async (): Promise<void> => {
      while (urgent) {
        await scheduler.run(job({ priority: 'high' }), work(50));
        served++;
      }
    };
    const floods = [flood(), flood(), flood()];
    await settle();
    const low = outcome(scheduler.run(job({ priority: 'low' }), work(50)));
    let ended: unknown;
    void low.then((value) => {
      ended = value;
    });
    await pass(3000);
    expect(ended).toBeUndefined();
    await pass(2000);
    expect(ended).toBe(50);
    expect(served).toBeGreaterThan(70);
    urgent = false;
    await pass(500);
    await Promise.all(floods);
  });

  it('refuses at once what finds no place in the queue, and says when to come back', async () => {
    const scheduler = schedulerWith({ concurrency: 1, queue: 2, deadlineMs: 60_000 });
    const known = scheduler.run(job(), work(3000));
    await pass(3000);
    await known;
    const all = [1, 2, 3].map(() => outcome(scheduler.run(job(), work(3000))));
    const refused = await scheduler.run(job(), work(1)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'OVERLOADED', status: 429, retryAfter: 9 });
    expect((refused as Error).message).toContain('Come back in 9 s');
    expect(scheduler.stats()).toMatchObject({ running: 1, waiting: 2, refused: 1 });
    await pass(9000);
    expect(await Promise.all(all)).toEqual([3000, 3000, 3000]);
    expect(await outcome(schedulerWith({ queue: 0 }).run(job(), async () => 'taken'))).toBe('taken');
  });

  it('keeps half of the queue from work of low priority', async () => {
    const scheduler = schedulerWith({ concurrency: 1, queue: 4 });
    const all = [1, 2, 3].map(() => outcome(scheduler.run(job({ priority: 'low' }), work(10))));
    expect(await outcome(scheduler.run(job({ priority: 'low' }), work(10)))).toBe('OVERLOADED');
    all.push(outcome(scheduler.run(job(), work(10))), outcome(scheduler.run(job(), work(10))));
    expect(await outcome(scheduler.run(job({ priority: 'high' }), work(10)))).toBe('OVERLOADED');
    await pass(100);
    expect(await Promise.all(all)).toEqual([10, 10, 10, 10, 10]);
  });

  it('refuses what would hold too many bytes', async () => {
    const scheduler = schedulerWith({ concurrency: 1 });
    const first = scheduler.run(job({ bytes: 600 }), work(10));
    const second = scheduler.run(job({ bytes: 400 }), work(10));
    expect(await outcome(scheduler.run(job({ bytes: 1 }), work(10)))).toBe('OVERLOADED');
    expect(await outcome(scheduler.run(job({ bytes: 1001 }), work(10)))).toBe('PAYLOAD_TOO_LARGE');
    await pass(10);
    await first;
    const third = scheduler.run(job({ bytes: 600 }), work(10));
    await pass(20);
    await Promise.all([second, third]);
    expect(scheduler.stats()).toMatchObject({ bytes: 0, done: 3, refused: 2 });
  });

  it('refuses what could not be answered in time, by how long its kind takes', async () => {
    const scheduler = schedulerWith({ concurrency: 2, queue: 100, deadlineMs: 2000 });
    const slow = scheduler.run(job({ kind: 'analyze' }), work(400));
    const quick = scheduler.run(job({ kind: 'detect' }), work(10));
    await pass(400);
    await Promise.all([slow, quick]);
    const all = [1, 2, 3, 4].map(() => outcome(scheduler.run(job({ kind: 'analyze' }), work(400))));
    // Four of 400 ms on two places take 800 ms: 400 more are above half of the deadline, 10 more are not.
    const refused = await scheduler.run(job({ kind: 'analyze' }), work(400)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'OVERLOADED', retryAfter: 1 });
    all.push(outcome(scheduler.run(job({ kind: 'detect' }), work(10))));
    // Who has more time, or is more urgent, finds a place.
    all.push(outcome(scheduler.run(job({ kind: 'analyze', deadlineMs: 4000 }), work(400))));
    await pass(3000);
    expect(await Promise.all(all)).toEqual([400, 400, 400, 400, 10, 400]);
  });

  it('says beforehand what it would refuse, and holds nothing for it', async () => {
    const scheduler = schedulerWith({ concurrency: 1, queue: 2, deadlineMs: 60_000 });
    scheduler.admit(job());
    const all = [1, 2, 3].map(() => outcome(scheduler.run(job(), work(10))));
    expect(() => scheduler.admit(job({ bytes: 0 }))).toThrow(
      expect.objectContaining({ code: 'OVERLOADED', retryAfter: 1 }),
    );
    expect(scheduler.stats()).toMatchObject({ running: 1, waiting: 2, bytes: 3, refused: 1 });
    await pass(30);
    expect(await Promise.all(all)).toEqual([10, 10, 10]);
    scheduler.admit(job());
    await scheduler.close();
    expect(() => scheduler.admit(job())).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('counts of the less urgent only what has waited long enough to be before', async () => {
    // A `low` one stands 30 % of the deadline behind a `normal` one.
    const scheduler = schedulerWith({ concurrency: 1, queue: 100, deadlineMs: 10_000 });
    const first = scheduler.run(job(), work(1000));
    await pass(1000);
    await first;
    const all = [1, 2, 3, 4, 5].map(() => outcome(scheduler.run(job({ priority: 'low' }), work(1000))));
    // One works and four wait; with them it would be 5 s and its own, above half of the deadline.
    scheduler.admit(job());
    expect(() => scheduler.admit(job({ priority: 'low' }))).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    all.push(outcome(scheduler.run(job({ kind: 'other', priority: 'low' }), work(1000))));
    await pass(6000);
    await Promise.all(all);
    const late = outcome(scheduler.run(job(), work(9000)));
    const aged = [1, 2, 3, 4, 5, 6].map(() =>
      outcome(scheduler.run(job({ priority: 'low', deadlineMs: 1e6 }), work(1))),
    );
    scheduler.admit(job());
    await pass(3500);
    expect(() => scheduler.admit(job())).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    await pass(10_000);
    await Promise.all([late, ...aged]);
  });

  it('gives up at the deadline: what waits is forgotten, what works is told to stop', async () => {
    const scheduler = schedulerWith({ concurrency: 1, deadlineMs: 100 });
    let told: unknown;
    const stubborn = outcome(
      scheduler.run(job(), async (signal) => {
        signal.addEventListener('abort', () => {
          told = (signal.reason as LineamentError).code;
        });
        await new Promise((resolve) => setTimeout(resolve, 250));
        return 'too late';
      }),
    );
    const waiting = outcome(scheduler.run(job({ deadlineMs: 50 }), work(1)));
    await pass(60);
    expect(await waiting).toBe('DEADLINE_EXCEEDED');
    await pass(60);
    expect(await stubborn).toBe('DEADLINE_EXCEEDED');
    expect(told).toBe('DEADLINE_EXCEEDED');
    // It does not listen, so it keeps its place until it ends.
    expect(scheduler.stats()).toMatchObject({ running: 1, waiting: 0, bytes: 1, expired: 2 });
    const after = outcome(scheduler.run(job({ deadlineMs: 1000 }), work(5)));
    expect(scheduler.stats()).toMatchObject({ running: 1, waiting: 1 });
    await pass(200);
    expect(await after).toBe(5);
    expect(scheduler.stats()).toMatchObject({ running: 0, bytes: 0, done: 1, expired: 2 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not begin what has no time left for its usual length', async () => {
    const scheduler = schedulerWith({ concurrency: 1, deadlineMs: 1000 });
    const known = scheduler.run(job(), work(300));
    await pass(300);
    await known;
    const longer = scheduler.run(job({ deadlineMs: 5000 }), work(1300));
    let begun = false;
    const late = outcome(
      scheduler.run(
        job({ deadlineMs: 1400 }),
        work(300, () => {
          begun = true;
        }),
      ),
    );
    await pass(1301);
    expect(await late).toBe('DEADLINE_EXCEEDED');
    expect(begun).toBe(false);
    await longer;
  });

  it('finds its way back from an estimate that is far too high', async () => {
    const scheduler = schedulerWith({ concurrency: 1, deadlineMs: 1000 });
    const slow = scheduler.run(job({ deadlineMs: 100_000 }), work(50_000));
    await pass(50_000);
    await slow;
    for (let i = 0; i < 100; i++) {
      const alone = outcome(scheduler.run(job(), work(10)));
      await pass(10);
      expect(await alone).toBe(10);
    }
    const both = [scheduler.run(job(), work(10)), scheduler.run(job(), work(10))];
    await pass(20);
    expect(await Promise.all(both)).toEqual([10, 10]);
  });

  it('takes a client that goes away out at every stage', async () => {
    const scheduler = schedulerWith({ concurrency: 1 });
    const gone = new AbortController();
    gone.abort(new Error('gone'));
    const before = scheduler.run(job({ signal: gone.signal }), work(10)).catch((error: unknown) => error);
    expect(await before).toMatchObject({ code: 'ABORTED', cause: gone.signal.reason });

    const one = new AbortController();
    const two = new AbortController();
    const working = outcome(scheduler.run(job({ signal: one.signal }), work(1000)));
    const waiting = outcome(scheduler.run(job({ signal: two.signal }), work(1000)));
    const last = outcome(scheduler.run(job(), work(10)));
    two.abort();
    expect(await waiting).toBe('ABORTED');
    expect(scheduler.stats()).toMatchObject({ running: 1, waiting: 1, bytes: 2 });
    one.abort();
    one.abort();
    expect(await working).toBe('ABORTED');
    await pass(10);
    expect(await last).toBe(10);

    // After the answer nobody listens any more.
    const late = new AbortController();
    const done = scheduler.run(job({ signal: late.signal }), work(10));
    await pass(10);
    expect(await done).toBe(10);
    late.abort();
    await settle();
    expect(scheduler.stats()).toMatchObject({ running: 0, waiting: 0, bytes: 0, done: 2, aborted: 3 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('drains when it is closed, and cuts off what takes too long', async () => {
    const scheduler = schedulerWith({ concurrency: 1, deadlineMs: 100_000 }, 500);
    const quick = outcome(scheduler.run(job(), work(300)));
    const second = outcome(scheduler.run(job(), work(100)));
    const endless = outcome(scheduler.run(job(), work(90_000)));
    const never = outcome(scheduler.run(job(), work(10)));
    const closing = scheduler.close();
    expect(scheduler.close()).toBe(closing);
    expect(await outcome(scheduler.run(job(), work(1)))).toBe('CLOSED');
    await pass(499);
    expect(await Promise.all([quick, second])).toEqual([300, 100]);
    await pass(1);
    expect(await Promise.all([endless, never])).toEqual(['CLOSED', 'CLOSED']);
    await closing;
    expect(scheduler.stats()).toMatchObject({ running: 0, waiting: 0, bytes: 0, done: 2, refused: 1, aborted: 2 });
    expect(vi.getTimerCount()).toBe(0);
    await schedulerWith().close();
  });

  it('refuses jobs that are none', async () => {
    const scheduler = schedulerWith();
    for (const wrong of [
      { bytes: -1 },
      { bytes: Number.NaN },
      { priority: 'urgent' as Priority },
      { deadlineMs: -1 },
    ]) {
      expect(await outcome(scheduler.run(job(wrong), work(1)))).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('the scheduler under a random load', () => {
  const later = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };

  /** What a test knows of a job, apart from the scheduler. */
  interface Known {
    readonly priority: Priority;
    readonly bytes: number;
    readonly at: number;
    state: 'waiting' | 'working' | 'ended';
    answered: number;
    answer?: unknown;
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keeps its bounds and its books (seed %i)', async (seed) => {
    const next = random(seed);
    const whole = (most: number): number => Math.floor(next() * most);
    const limits = {
      concurrency: 1 + whole(4),
      queue: whole(12),
      queueBytes: 400 + whole(600),
      deadlineMs: 200 + whole(2000),
    };
    const scheduler = schedulerWith(limits);
    const jobs: Known[] = [];
    const handicap = { high: 0, normal: 0.1 * limits.deadlineMs, low: 0.4 * limits.deadlineMs };
    let holding = 0;
    const overtaken: Known[] = [];
    const most = { running: 0, waiting: 0, bytes: 0 };

    const look = (): void => {
      const { running, waiting, bytes, ...counts } = scheduler.stats();
      expect(running).toBeLessThanOrEqual(limits.concurrency);
      expect(waiting).toBeLessThanOrEqual(limits.queue);
      expect(bytes).toBeLessThanOrEqual(limits.queueBytes);
      expect(running).toBe(jobs.filter(({ state }) => state === 'working').length);
      expect(waiting).toBe(jobs.filter(({ state, answered }) => state === 'waiting' && answered === 0).length);
      expect(bytes).toBe(
        jobs.reduce(
          (sum, one) =>
            sum + (one.state === 'working' || (one.state === 'waiting' && one.answered === 0) ? one.bytes : 0),
          0,
        ),
      );
      const answered = counts.done + counts.refused + counts.expired + counts.aborted;
      expect(answered).toBe(jobs.filter((one) => one.answered > 0).length);
      most.running = Math.max(most.running, running);
      most.waiting = Math.max(most.waiting, waiting);
      most.bytes = Math.max(most.bytes, bytes);
    };

    const submit = (): void => {
      const priority = (['high', 'normal', 'normal', 'low'] as const)[whole(4)]!;
      const known: Known = { priority, bytes: whole(120), at: performance.now(), state: 'waiting', answered: 0 };
      jobs.push(known);
      const leaving = new AbortController();
      const obedient = next() < 0.8;
      const takes = whole(150);
      const fails = next() < 0.1;
      const place = (one: Known): number => one.at + handicap[one.priority];
      const promise = scheduler.run(
        {
          kind: ['detect', 'analyze', 'verify'][whole(3)]!,
          priority,
          bytes: known.bytes,
          signal: leaving.signal,
          ...(next() < 0.3 ? { deadlineMs: whole(500) } : {}),
        },
        async (signal) => {
          const before = jobs.filter(
            (one) => one.state === 'waiting' && one.answered === 0 && place(one) < place(known),
          );
          expect(known.answered).toBe(0);
          known.state = 'working';
          holding++;
          try {
            // Those before it must be over: that is known a few turns of the microtasks later.
            void later().then(() => overtaken.push(...before.filter(({ answered }) => answered === 0)));
            await new Promise<void>((resolve, reject) => {
              const timer = setTimeout(resolve, takes);
              if (!obedient) return;
              signal.addEventListener('abort', () => {
                clearTimeout(timer);
                reject(new LineamentError('ABORTED', 'work'));
              });
            });
            if (fails) throw new LineamentError('NO_FACE', 'none');
            return takes;
          } finally {
            holding--;
            known.state = 'ended';
          }
        },
      );
      void outcome(promise).then((answer) => {
        known.answered++;
        known.answer = answer;
        if (known.state === 'waiting') known.state = 'ended';
      });
      if (next() < 0.15) setTimeout(() => leaving.abort(), whole(300));
    };

    for (let step = 0; step < 600; step++) {
      if (next() < 0.7) submit();
      if (next() < 0.1) for (let i = 0; i < 5; i++) submit();
      // What is refused or over is known one turn of the loop later.
      await pass(next() < 0.02 ? 2000 : whole(40));
      look();
    }
    const closing = scheduler.close();
    await pass(10_000);
    await closing;
    look();
    expect(holding).toBe(0);
    expect(overtaken).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    const codes = new Map<unknown, number>();
    for (const { answered, answer } of jobs) {
      expect(answered).toBe(1);
      const name = typeof answer === 'number' ? 'value' : answer;
      codes.set(name, (codes.get(name) ?? 0) + 1);
    }
    const { running, waiting, bytes, done, refused, expired, aborted } = scheduler.stats();
    expect({ running, waiting, bytes }).toEqual({ running: 0, waiting: 0, bytes: 0 });
    expect(done + refused + expired + aborted).toBe(jobs.length);
    expect(done).toBe((codes.get('value') ?? 0) + (codes.get('NO_FACE') ?? 0));
    expect(refused).toBe(codes.get('OVERLOADED') ?? 0);
    expect(expired).toBe(codes.get('DEADLINE_EXCEEDED') ?? 0);
    expect(aborted).toBe(codes.get('ABORTED') ?? 0);
    // The load reached the bounds, and every way to end was taken.
    expect(most.running).toBe(limits.concurrency);
    expect([...codes.keys()].sort()).toEqual(['ABORTED', 'DEADLINE_EXCEEDED', 'NO_FACE', 'OVERLOADED', 'value']);
  });
});
