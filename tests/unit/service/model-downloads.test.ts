// Downloads of models as they go on: server-sent events.
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../../lib/client/index.js';
import { Changes, sendEvents } from '../../../lib/service/routes/event-stream.js';
import { fastify } from '../../../lib/service/vendor.js';
import { startService, type TestService } from '../../support/service.js';
import { Bench, noise, sha256 } from '../models/catalogue-support.js';

const DATA = noise(300_000);
const PART = 100_000;
const BASE = '/api/v1/models/catalogue';

let bench: Bench;
let service: TestService;
/** Answers that have sent a part, and wait to send the rest. */
const waiting: ServerResponse[] = [];
beforeAll(async () => {
  bench = await Bench.open();
  const card = (id: string) => ({
    id,
    sha256: sha256(DATA),
    bytes: DATA.length,
    sources: [{ url: bench.server.url(`/${id}`) }],
  });
  await bench.write(card('first'), card('second'), card('third'), card('gone'));
  for (const id of ['first', 'second', 'third']) {
    bench.server.on(`/${id}`, (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length, etag: '"v1"' });
      response.write(DATA.subarray(0, PART));
      waiting.push(response);
    });
  }
  service = await startService({ models: { cache: bench.cache, cards: bench.cards } });
});
afterAll(async () => {
  await service?.close();
  await bench?.close();
});

interface State {
  readonly id: string;
  readonly state: string;
  readonly received: number;
  readonly ended_at?: number;
}

async function begin(id: string): Promise<void> {
  expect((await service.call('POST', `${BASE}/${id}/download`)).status).toBe(202);
}
async function finish(): Promise<void> {
  await expect.poll(() => waiting.length).toBe(1);
  waiting.pop()?.end(DATA.subarray(PART));
}

/** The text of an answer, piece by piece as it comes. */
async function* textOf({ body }: Response): AsyncGenerator<string> {
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel();
  }
}

/** What an answer tells, event by event. */
async function* told(response: Response): AsyncGenerator<State> {
  let text = '';
  for await (const piece of textOf(response)) {
    text += piece;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) yield JSON.parse(event.slice(6)) as State;
  }
}

async function toEnd(response: Response): Promise<State[]> {
  const all: State[] = [];
  for await (const state of told(response)) all.push(state);
  return all;
}

describe('a download', () => {
  it('is told of from where it is until it has ended, to everybody who listens', async () => {
    await begin('first');
    const answers = [
      await service.fetch(`${BASE}/first/download/events`, { headers: { accept: 'text/event-stream' } }),
      await new Client({ address: service.address, key: service.key }).open('watch_model_download', {
        path: { id: 'first' },
      }),
    ];
    for (const { status, headers } of answers) {
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(headers.get('cache-control')).toBe('no-store');
    }
    const listeners = answers.map(told);
    for (const events of listeners) {
      let state: State;
      do state = (await events.next()).value as State;
      while (state.received < PART);
      expect(state).toMatchObject({ id: 'first', state: 'running' });
    }
    await finish();
    for (const events of listeners) {
      let last: State | undefined;
      for await (const state of events) last = state;
      expect(last).toMatchObject({ state: 'done', received: DATA.length, ended_at: expect.any(Number) });
    }
    const late = await toEnd(await service.fetch(`${BASE}/first/download/events`));
    expect(late).toHaveLength(1);
    expect(late).toEqual([(await service.call('GET', `${BASE}/first/download`)).body]);
  });

  it('tells how it failed, and that it was cancelled', async () => {
    await begin('gone');
    const failed = await toEnd(await service.fetch(`${BASE}/gone/download/events`));
    expect(failed.at(-1)).toMatchObject({ state: 'failed', error: { code: 'DOWNLOAD_FAILED' } });
    await begin('second');
    const events = told(await service.fetch(`${BASE}/second/download/events`));
    expect((await events.next()).value).toMatchObject({ state: 'running' });
    expect((await service.call('DELETE', `${BASE}/second/download`)).status).toBe(204);
    let last: State | undefined;
    for await (const state of events) last = state;
    expect(last).toMatchObject({ state: 'cancelled' });
    waiting.length = 0;
  });

  it('goes on when who listened has gone', async () => {
    await begin('third');
    const leave = new AbortController();
    const answer = await service.fetch(`${BASE}/third/download/events`, { signal: leave.signal });
    expect((await told(answer).next()).value).toMatchObject({ state: 'running' });
    leave.abort();
    await finish();
    await expect
      .poll(async () => (await service.call('GET', `${BASE}/third/download`)).body)
      .toMatchObject({ state: 'done' });
  });

  it('is none where none was begun, and nobody listens without a key, or with one that was revoked', async () => {
    const none = await service.fetch(`${BASE}/faceapi_ssd/download/events`);
    expect(none.headers.get('content-type')).toBe('application/problem+json');
    expect(await none.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect((await service.fetch(`${BASE}/nothing/download/events`)).status).toBe(404);
    expect((await service.fetch(`${BASE}/first/download/events`, { key: null })).status).toBe(401);
    await service.call('DELETE', `${BASE}/third`);
    await begin('third');
    const { body } = await service.call('POST', '/api/v1/keys', { name: 'guest', scopes: ['admin'] });
    const guest = body as { id: string; key: string };
    const events = told(await service.fetch(`${BASE}/third/download/events`, { key: guest.key }));
    expect((await events.next()).value).toMatchObject({ state: 'running' });
    expect((await service.call('DELETE', `/api/v1/keys/${guest.id}`)).status).toBe(204);
    await finish();
    // It may have been told of what came before; of the end it was not.
    for await (const state of events) expect(state.state).toBe('running');
  });

  it('ends with the service, and those who listen hear no more', async () => {
    const other = await startService({ models: { cache: `${bench.cache}-2`, cards: bench.cards } });
    expect((await other.call('POST', `${BASE}/second/download`)).status).toBe(202);
    const events = told(await other.fetch(`${BASE}/second/download/events`));
    expect((await events.next()).value).toMatchObject({ state: 'running' });
    await other.close();
    let last: State | undefined;
    for await (const state of events) last = state;
    expect(last?.state).not.toBe('done');
    waiting.length = 0;
  });
});

describe('events', () => {
  /** A server that tells of numbers; `size` characters with each. */
  async function numbers({ size = 0, last = Infinity, beatMs = 60_000 } = {}) {
    const changes = new Changes();
    let number = 0;
    let reads = 0;
    const app = fastify();
    app.addHook('onRequest', async (_, reply) => {
      // As the server of the service does.
      reply.raw.once('close', () => gone.abort());
    });
    const gone = new AbortController();
    app.get('/', (_, reply) =>
      sendEvents(
        reply,
        {
          changes,
          read: () => {
            reads++;
            return { number, text: 'x'.repeat(size) };
          },
          isLast: (state) => state.number >= last,
          signal: gone.signal,
          mayHear: () => true,
        },
        beatMs,
      ),
    );
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const tell = (): void => {
      number++;
      changes.tell();
    };
    const close = (): Promise<void> => {
      app.server.closeAllConnections();
      return app.close();
    };
    return { address, tell, gone, reads: () => reads, [Symbol.asyncDispose]: close };
  }
  const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('that nobody reads do not pile up, and the newest is told when somebody does', async () => {
    const MANY = 3000;
    await using server = await numbers({ size: 100_000, last: MANY });
    const socket = connect(Number(new URL(server.address).port), '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await expect.poll(server.reads).toBeGreaterThan(0);
    for (let i = 0; i < MANY; i++) {
      server.tell();
      await tick();
    }
    // What the operating system holds for a connection is some megabytes, 300 were told of.
    expect(server.reads()).toBeLessThan(MANY / 4);
    let text = '';
    socket.on('data', (bytes) => {
      text = (text + bytes.toString('latin1')).slice(-150_000);
    });
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text).toContain(`data: {"number":${MANY},`);
  });

  it('are followed by a beat where there is nothing to tell', async () => {
    await using server = await numbers({ beatMs: 20 });
    const answer = await fetch(server.address);
    let text = '';
    for await (const piece of textOf(answer)) {
      text += piece;
      if (text.split('\n\n').length > 4) break;
    }
    expect(text).toMatch(/^data: \{"number":0,"text":""\}\n\n(?:: [\w ]+\n\n){3}/);
  });

  it('are made for nobody when the listener has gone', async () => {
    await using server = await numbers();
    const leave = new AbortController();
    const answer = await fetch(server.address, { signal: leave.signal });
    await answer.body?.getReader().read();
    leave.abort();
    await expect.poll(() => server.gone.signal.aborted).toBe(true);
    const before = server.reads();
    for (let i = 0; i < 10; i++) {
      server.tell();
      await tick();
    }
    expect(server.reads()).toBe(before);
  });
});
