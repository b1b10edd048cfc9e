import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { random as generator } from '../support/random.js';
import { type ServeProcess, serve } from '../support/serve.js';

const KILLS = 4;
const LANES = 6;
/** Enrolments of a round, at least, before the kill. */
const LEAST = 60;

interface Enrolled {
  readonly person: string;
  readonly sample: string;
  readonly vector: readonly number[];
}

/** Everything that the service has acknowledged, over all rounds. */
class Book {
  readonly enrolled = new Map<string, Enrolled>();
  readonly erased = new Set<string>();
  /** Persons whose erasure was asked for and never answered: both ends are right. */
  readonly unsure = new Set<string>();
}

const ask = async (address: string, key: string, method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(new URL(path, address), {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

it('what `lineament serve` acknowledged is there and found after kill -9 under write load', {
  timeout: 600_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lineament-serve-kill-'));
  const random = generator(7);
  const book = new Book();
  const options = ['--preset', 'fast', '--set', 'rate.per_key=0', '--set', 'rate.per_address=0'];
  let key = '';
  let dims = 0;
  try {
    for (let round = 0; round < KILLS; round++) {
      await using service = await serve(folder, options);
      key ||= service.key ?? '';
      if (round === 0) {
        const statistics = await ask(service.address, key, 'GET', '/api/v1/face-recognition/statistics');
        dims = ((await statistics.json()) as { dims: number }).dims;
      } else {
        await check(service.address, key, book);
      }
      const before = book.enrolled.size;
      const lanes = Array.from({ length: LANES }, (_, lane) =>
        load(service, key, book, dims, `${round}-${lane}`, random),
      );
      // Some writes first, and then a moment that nobody chose.
      while (book.enrolled.size < before + LEAST) {
        if (service.child.exitCode !== null) throw new Error(service.stderr());
        await wait(5);
      }
      await wait(random() * 400);
      await service.kill();
      await Promise.all(lanes);
      expect(book.enrolled.size).toBeGreaterThanOrEqual(before + LEAST);
    }
    await using service = await serve(folder, options);
    await check(service.address, key, book);
    expect(book.erased.size).toBeGreaterThan(0);
    expect(await service.stop()).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Enrols, and erases now and then, until the service is gone. */
async function load(
  { address }: ServeProcess,
  key: string,
  book: Book,
  dims: number,
  lane: string,
  random: () => number,
): Promise<void> {
  for (let i = 0; ; i++) {
    const person = `p-${lane}-${i}`;
    const vector = Array.from({ length: dims }, () => random() - 0.5);
    try {
      const response = await ask(address, key, 'POST', '/api/v1/enrol', {
        person,
        embeddings: [vector],
        on_conflict: 'allow',
      });
      const body = (await response.json()) as { samples: string[] };
      expect(response.status, JSON.stringify(body)).toBe(201);
      book.enrolled.set(person, { person, sample: body.samples[0] as string, vector });
      if (i % 4 !== 3) continue;
      const victim = `p-${lane}-${i - 3}`;
      book.unsure.add(victim);
      const erased = await ask(address, key, 'DELETE', `/api/v1/persons/${victim}`);
      await erased.json();
      expect(erased.status).toBe(200);
      book.unsure.delete(victim);
      book.erased.add(victim);
    } catch (error) {
      // The connection broke: it was killed, and what was under way was not acknowledged.
      if (error instanceof TypeError || (error as { code?: string }).code === 'ECONNRESET') return;
      throw error;
    }
  }
}

async function check(address: string, key: string, book: Book): Promise<void> {
  const ready = await ask(address, key, 'GET', '/health');
  expect(ready.status).toBe(200);
  const there = new Map<string, number>();
  for (let after = ''; ; ) {
    const page = await ask(address, key, 'GET', `/api/v1/persons?limit=1000${after && `&after=${after}`}`);
    const { persons, next } = (await page.json()) as { persons: { id: string; samples: number }[]; next?: string };
    for (const { id, samples } of persons) there.set(id, samples);
    if (next === undefined) break;
    after = next;
  }
  expect([...book.erased].filter((person) => there.has(person))).toEqual([]);
  const expected = [...book.enrolled.values()].filter(
    ({ person }) => !book.erased.has(person) && !book.unsure.has(person),
  );
  expect(expected.filter(({ person }) => there.get(person) !== 1).map(({ person }) => person)).toEqual([]);
  for (let at = 0; at < expected.length; at += 100) {
    const some = expected.slice(at, at + 100);
    const answer = await ask(address, key, 'POST', '/api/v1/identify', {
      embeddings: some.map(({ vector }) => vector),
      threshold: 0.99,
      k: 1,
    });
    const { faces } = (await answer.json()) as { faces: { match?: { person: string; sample: string } }[] };
    expect(faces.map(({ match }) => [match?.person, match?.sample])).toEqual(
      some.map(({ person, sample }) => [person, sample]),
    );
  }
  const audit = await ask(address, key, 'GET', '/api/v1/audit/check');
  const { ok, entries } = (await audit.json()) as { ok: boolean; entries: number };
  expect(ok).toBe(true);
  expect(entries).toBeGreaterThanOrEqual(book.enrolled.size + book.erased.size);
}
