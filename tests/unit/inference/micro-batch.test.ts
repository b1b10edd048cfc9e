import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { MicroBatch } from '../../../lib/inference/micro-batch.js';
import { random } from '../../support/random.js';

/** A network that answers when the test says so. What is named `bad` makes its whole batch fail. */
class Network {
  readonly runs: { readonly work: readonly string[]; readonly signal: AbortSignal; readonly end: () => void }[] = [];
  readonly run = (work: readonly string[], signal: AbortSignal): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        if (signal.aborted) reject(new LineamentError('ABORTED', 'stopped'));
        else if (work.some((one) => one.startsWith('bad'))) reject(new LineamentError('INVALID_ARGUMENT', work.join()));
        else resolve(work.map((one) => one.toUpperCase()));
      };
      this.runs.push({ work, signal, end });
    });

  get batches(): (readonly string[])[] {
    return this.runs.map(({ work }) => work);
  }
}

/** How a promise stands after everything that is due has happened. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  let state: unknown = 'pending';
  promise.then(
    (value) => (state = value),
    (error: { code: string }) => (state = error.code),
  );
  await vi.advanceTimersByTimeAsync(0);
  return state;
}

let network: Network;
const batchOf = (maxItems: number, waitMs = 10): MicroBatch<string, string> =>
  new MicroBatch({ maxItems, waitMs }, network.run);

beforeEach(() => {
  vi.useFakeTimers();
  network = new Network();
});
afterEach(() => {
  // Nothing is left that would hold a process.
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('a batch runs', () => {
  it('at once, without a timer, when nobody else is expected', async () => {
    const alone = batchOf(8).expect().submit('a', 1);
    expect(network.batches).toEqual([['a']]);
    expect(vi.getTimerCount()).toBe(0);
    network.runs[0]!.end();
    expect(await alone).toBe('A');
  });

  it('when the last one who is expected has come, and gives each its own', async () => {
    const batch = batchOf(8);
    const seats = [batch.expect(), batch.expect(), batch.expect()];
    const answers = seats.slice(0, 2).map((seat, i) => seat.submit(`ab`[i]!, 1));
    expect(network.runs).toEqual([]);
    answers.push(seats[2]!.submit('c', 1));
    expect(network.batches).toEqual([['a', 'b', 'c']]);
    network.runs[0]!.end();
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C']);
  });

  it('when the last one who is expected has left without anything; leaving twice is leaving once', async () => {
    const batch = batchOf(8);
    const [one, other, third] = [batch.expect(), batch.expect(), batch.expect()];
    const answer = one.submit('a', 1);
    other.leave();
    other.leave();
    one.leave();
    expect(network.runs).toEqual([]);
    third.leave();
    expect(network.batches).toEqual([['a']]);
    network.runs[0]!.end();
    expect(await answer).toBe('A');
  });

  it('when it is full, and takes nothing that would make it more than full', async () => {
    const batch = batchOf(4);
    const seats = Array.from({ length: 6 }, () => batch.expect());
    const answers = [seats[0]!.submit('a', 2), seats[1]!.submit('b', 1)];
    expect(network.runs).toEqual([]);
    answers.push(seats[2]!.submit('c', 2));
    expect(network.batches).toEqual([['a', 'b']]);
    answers.push(seats[3]!.submit('d', 2));
    expect(network.batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    // More than a batch holds, all from one: by itself.
    answers.push(seats[4]!.submit('crowd', 9));
    expect(network.batches[2]).toEqual(['crowd']);
    expect(vi.getTimerCount()).toBe(0);
    for (const { end } of network.runs) end();
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C', 'D', 'CROWD']);
    seats[5]!.leave();
  });

  it('when its first work has waited for the time that is allowed, whoever came later', async () => {
    const batch = batchOf(8, 10);
    const [first, second, late] = [batch.expect(), batch.expect(), batch.expect()];
    const answers = [first.submit('a', 1)];
    await vi.advanceTimersByTimeAsync(6);
    answers.push(second.submit('b', 1));
    await vi.advanceTimersByTimeAsync(3);
    expect(network.runs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(network.batches).toEqual([['a', 'b']]);
    answers.push(late.submit('c', 1));
    expect(network.batches).toEqual([['a', 'b'], ['c']]);
    for (const { end } of network.runs) end();
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C']);
  });
});

describe('who aborts', () => {
  it('while he waits is left out at once, and the others go on', async () => {
    const batch = batchOf(9);
    const [one, other, third, last] = [batch.expect(), batch.expect(), batch.expect(), batch.expect()];
    const controller = new AbortController();
    const reason = new Error('left');
    const gone = one.submit('a', 7, controller.signal);
    const answers = [other.submit('b', 1)];
    controller.abort(reason);
    await expect(gone).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    // There is room for what takes his place.
    answers.push(third.submit('c', 7));
    last.leave();
    expect(network.batches).toEqual([['b', 'c']]);
    network.runs[0]!.end();
    expect(await Promise.all(answers)).toEqual(['B', 'C']);
  });

  it('as the only one who waits leaves nothing behind', async () => {
    const batch = batchOf(8);
    const [one, other] = [batch.expect(), batch.expect()];
    const controller = new AbortController();
    const gone = one.submit('a', 1, controller.signal);
    expect(vi.getTimerCount()).toBe(1);
    controller.abort();
    expect(await stateOf(gone)).toBe('ABORTED');
    expect(vi.getTimerCount()).toBe(0);
    other.leave();
    expect(network.runs).toEqual([]);
  });

  it('before he came is refused, and nobody waits for him', async () => {
    const batch = batchOf(8);
    const [one, other] = [batch.expect(), batch.expect()];
    const waits = one.submit('a', 1);
    await expect(other.submit('b', 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    expect(network.batches).toEqual([['a']]);
    network.runs[0]!.end();
    expect(await waits).toBe('A');
  });

  it('while his batch runs does not stop it; he is told when nothing reads his work any more', async () => {
    const batch = batchOf(2);
    const reason = new Error('left');
    const controller = new AbortController();
    const [one, other] = [batch.expect(), batch.expect()];
    const gone = one.submit('a', 1, controller.signal);
    const stays = other.submit('b', 1, new AbortController().signal);
    controller.abort(reason);
    expect(network.runs[0]!.signal.aborted).toBe(false);
    expect(await stateOf(gone)).toBe('pending');
    network.runs[0]!.end();
    await expect(gone).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    expect(await stays).toBe('B');
  });

  it('as the last of a batch that runs stops it', async () => {
    const batch = batchOf(2);
    const controllers = [new AbortController(), new AbortController()] as const;
    const [one, other] = [batch.expect(), batch.expect()];
    const gone = [one.submit('a', 1, controllers[0].signal), other.submit('b', 1, controllers[1].signal)];
    const { signal, end } = network.runs[0]!;
    controllers[0].abort();
    expect(signal.aborted).toBe(false);
    controllers[1].abort();
    expect(signal.aborted).toBe(true);
    end();
    expect(await Promise.all(gone.map(stateOf))).toEqual(['ABORTED', 'ABORTED']);
    expect(network.runs).toHaveLength(1);
  });
});

describe('what fails', () => {
  it('fails for its owner alone: the others are run again, each by itself', async () => {
    const batch = batchOf(4);
    const seats = Array.from({ length: 4 }, () => batch.expect());
    const controller = new AbortController();
    const answers = ['a', 'bad', 'c', 'd'].map((work, i) =>
      seats[i]!.submit(work, 1, i === 2 ? controller.signal : undefined),
    );
    controller.abort();
    network.runs[0]!.end();
    expect(await stateOf(answers[2]!)).toBe('ABORTED');
    expect(network.batches).toEqual([['a', 'bad', 'c', 'd'], ['a'], ['bad'], ['d']]);
    for (const { end } of network.runs.slice(1)) end();
    await expect(answers[1]).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await Promise.all([answers[0], answers[3]])).toEqual(['A', 'D']);
    expect(network.runs).toHaveLength(4);
  });

  it('by itself is not run again', async () => {
    const answer = batchOf(4).expect().submit('bad', 1);
    network.runs[0]!.end();
    await expect(answer).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(network.runs).toHaveLength(1);
  });

  it('can be stopped while it runs again', async () => {
    const batch = batchOf(2);
    const controller = new AbortController();
    const [one, other] = [batch.expect(), batch.expect()];
    const answers = [one.submit('a', 1, controller.signal), other.submit('bad', 1)];
    network.runs[0]!.end();
    expect(await stateOf(answers[0]!)).toBe('pending');
    controller.abort();
    expect(network.runs.slice(1).map(({ signal }) => signal.aborted)).toEqual([true, false]);
    for (const { end } of network.runs.slice(1)) end();
    expect(await Promise.all(answers.map(stateOf))).toEqual(['ABORTED', 'INVALID_ARGUMENT']);
  });
});

it('closing refuses what waits and what comes, and lets run what runs', async () => {
  const batch = batchOf(2);
  const seats = Array.from({ length: 4 }, () => batch.expect());
  const running = [seats[0]!.submit('a', 1), seats[1]!.submit('b', 1)];
  const waiting = seats[2]!.submit('c', 1);
  batch.close();
  await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(seats[3]!.submit('d', 1)).rejects.toMatchObject({ code: 'CLOSED' });
  network.runs[0]!.end();
  expect(await Promise.all(running)).toEqual(['A', 'B']);
  expect(network.runs).toHaveLength(1);
});

it('whatever happens, each gets its own answer, no batch is too large, and nobody is forgotten', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const next = random(seed);
    const under = (most: number): number => Math.floor(next() * most);
    network = new Network();
    const batch = batchOf(6, 5);
    const expected: string[] = [];
    const answers: Promise<unknown>[] = [];
    const signals: AbortController[] = [];
    const seats = Array.from({ length: 5 }, () => batch.expect());
    const endOne = (): void => network.runs[under(network.runs.length)]?.end();
    for (let step = 0; step < 120; step++) {
      const act = under(10);
      const seat = seats[0];
      if (act < 3) seats.push(batch.expect());
      else if (act < 6 && seat !== undefined) {
        const items = 1 + under(3);
        const name = `${next() < 0.1 ? 'bad' : 'x'}${step}:${items}`;
        const controller = new AbortController();
        signals.push(controller);
        expected.push(name);
        answers.push(seat.submit(name, items, controller.signal).catch((error: { code: string }) => error.code));
        seats.shift();
      } else if (act === 6) seats.shift()?.leave();
      else if (act === 7) await vi.advanceTimersByTimeAsync(under(8));
      else if (act === 8) signals[under(signals.length)]?.abort();
      else endOne();
    }
    for (const seat of seats) seat.leave();
    for (let ended = 0; ended < network.runs.length; ended++) {
      network.runs[ended]!.end();
      await vi.advanceTimersByTimeAsync(0);
    }
    const given = await Promise.all(answers);
    expect(given).toHaveLength(expected.length);
    for (const [i, answer] of given.entries()) {
      const name = expected[i]!;
      if (signals[i]!.signal.aborted && answer === 'ABORTED') continue;
      expect(answer).toBe(name.startsWith('bad') ? 'INVALID_ARGUMENT' : name.toUpperCase());
    }
    for (const work of network.batches) {
      const items = work.reduce((sum, name) => sum + Number(name.split(':')[1]), 0);
      expect(items).toBeLessThanOrEqual(6);
    }
    expect(network.batches.some((work) => work.length > 1)).toBe(true);
  }
});
