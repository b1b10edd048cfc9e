// WebSockets and whatever a client may send over them: frames are made by hand, so that they can be as wrong as one likes. A folder of photographs is the camera.
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random as generator } from '../../support/random.js';
import { ask, type Running, runService } from './auth-running.js';

const SEED = Number(process.env['LINEAMENT_FUZZ_SEED'] ?? 11);
const ROUNDS = 120;
const PICTURES = 20_000;
/** Most bytes of a message of a client. */
const MOST = 64 * 1024;

let folder: string;
let running: Running;
/** Who listens to the pipeline without any client. */
let consumers: number;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lineament-websocket-'));
  const pictures = path.join(folder, 'pictures');
  await mkdir(pictures);
  // Noise does not become small: pictures that a client leaves lying can be told from what the system keeps for a connection.
  const random = generator(3);
  const noise = Buffer.from(Uint8Array.from({ length: 960 * 720 * 3 }, () => random() * 256));
  const one = path.join(folder, 'one.jpg');
  await sharp(noise, { raw: { width: 960, height: 720, channels: 3 } })
    .jpeg({ quality: 100 })
    .toFile(one);
  for (let i = 0; i < PICTURES; i++) await link(one, path.join(pictures, `${String(i).padStart(5, '0')}.jpg`));
  running = await runService({ cameras: [{ id: 'door', source: pictures, fps: 10 }] });
  const pipeline = await running.parts.cameras.pipeline();
  consumers = pipeline.stats().listeners.consumers;
}, 120_000);

afterAll(async () => {
  await running?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What is there for clients, by count. */
async function held(): Promise<{ sockets: number; viewers: number; listeners: number }> {
  const { listeners } = (await running.parts.cameras.pipeline()).stats();
  return {
    sockets: running.app.websocketServer.clients.size,
    viewers: running.parts.cameras.pictures.viewers,
    listeners: listeners.consumers - consumers,
  };
}
async function nothingHeld(): Promise<void> {
  for (;;) {
    const { sockets, viewers, listeners } = await held();
    if (sockets + viewers + listeners === 0) return;
    await wait(5);
  }
}

interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** The length that the head states. */
  readonly stated?: number;
}

/** A frame of RFC 6455. */
function frame(opcode: number, payload: Uint8Array | string = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options;
  const body = Buffer.from(payload);
  const { stated = body.length } = options;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  let head: Buffer;
  if (stated < 126) head = Buffer.from([first, bit | stated]);
  else if (stated < 65_536) head = Buffer.from([first, bit | 126, stated >> 8, stated & 255]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = bit | 127;
    head.writeBigUInt64BE(BigInt(stated), 2);
  }
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}
const [MORE, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const;
const text = (value: unknown, options?: FrameOptions): Buffer =>
  frame(TEXT, typeof value === 'string' ? value : JSON.stringify(value), options);

/** A client that reads frames, and can send anything. */
interface Client {
  readonly socket: Socket;
  readonly messages: { readonly type?: string; readonly code?: string }[];
  readonly pongs: Buffer[];
  /** Code of the close frame that came, if one did. */
  code(): number | undefined;
  over(): boolean;
  send(...frames: Buffer[]): void;
  until(holds: () => boolean): Promise<void>;
}

function open(address: string): Promise<Client> {
  const { hostname, port } = new URL(running.address);
  const socket = connectTcp(Number(port), hostname);
  const messages: Client['messages'] = [];
  const pongs: Buffer[] = [];
  let code: number | undefined;
  let over = false;
  let rest = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    over = true;
  });
  const client: Client = {
    socket,
    messages,
    pongs,
    code: () => code,
    over: () => over,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    until: async (holds) => {
      while (!holds()) {
        if (over && !holds()) throw new Error(`the connection is over: ${code}`);
        await wait(1);
      }
    },
  };
  const read = (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest[1]! & 127;
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (rest.length < head) return;
      const length = short === 127 ? Number(rest.readBigUInt64BE(2)) : short === 126 ? rest.readUInt16BE(2) : short;
      if (rest.length < head + length) return;
      const opcode = rest[0]! & 15;
      const payload = rest.subarray(head, head + length);
      rest = rest.subarray(head + length);
      if (opcode === TEXT) messages.push(JSON.parse(payload.toString()) as { type?: string });
      else if (opcode === PONG) pongs.push(payload);
      else if (opcode === CLOSE) code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    }
  };
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const shake = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', shake);
      const status = answer.subarray(9, 12).toString();
      if (status !== '101') {
        socket.destroy();
        reject(new Error(status));
        return;
      }
      socket.on('data', read);
      read(answer.subarray(end + 4));
      resolve(client);
    };
    socket.on('data', shake);
    socket.write(
      [
        `GET ${address} HTTP/1.1`,
        `host: ${hostname}:${port}`,
        'connection: Upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        'sec-websocket-key: YSBrZXkgb2YgYSB0ZXN0IQ==',
        `authorization: Bearer ${running.key}`,
        '\r\n',
      ].join('\r\n'),
    );
  });
}

const CAMERA = '/ws/camera/door?max_side=64';
const SILENT = '/ws/camera/door?pictures=false&tracks=false&events=false';
const EVENTS = '/ws/events';

describe('frames that break the rules', { timeout: 60_000 }, () => {
  const cases: [string, number, Buffer[]][] = [
    ['reserved bits', 1002, [text('{}', { rsv: 4 })]],
    ['an unknown kind', 1002, [frame(3, 'x')]],
    ['an unknown control', 1002, [frame(11, 'x')]],
    ['no mask', 1002, [text('{}', { masked: false })]],
    ['a ping in pieces', 1002, [frame(PING, 'x', { fin: false })]],
    ['a ping that is too long', 1002, [frame(PING, Buffer.alloc(126))]],
    ['a continuation of nothing', 1002, [frame(MORE, 'x')]],
    ['a message within another one', 1002, [text('{', { fin: false }), text('{}')]],
    ['a close of one byte', 1002, [frame(CLOSE, 'x')]],
    ['a close with a code that nobody may send', 1002, [frame(CLOSE, Buffer.from([1005 >> 8, 1005 & 255]))]],
    ['a close that is no text', 1007, [frame(CLOSE, Buffer.from([1000 >> 8, 1000 & 255, 0xc3, 0x28]))]],
    ['text that is none', 1007, [frame(TEXT, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))]],
    ['text that is none, in pieces', 1007, [frame(TEXT, '{', { fin: false }), frame(MORE, Buffer.from([0xed, 0xa0]))]],
    ['a message that is too long', 1009, [text(`"${'a'.repeat(MOST)}"`)]],
    ['a message that says it is endless', 1009, [text('{', { stated: 2 ** 40 })]],
    [
      'a message that is too long in all',
      1009,
      [text(' '.repeat(MOST), { fin: false }), frame(MORE, ' '.repeat(MOST), { fin: false })],
    ],
  ];
  it.each(
    cases.flatMap(([name, code, frames]) => [CAMERA, EVENTS].map((address) => ({ name, address, code, frames }))),
  )('$name: $address is closed with $code', async ({ address, code, frames }) => {
    const client = await open(address);
    client.send(...frames);
    await client.until(() => client.code() !== undefined);
    expect(client.code()).toBe(code);
    client.socket.destroy();
    await nothingHeld();
  });
});

describe('messages that say nothing', { timeout: 60_000 }, () => {
  it.each([
    ['no JSON', [text('{"subscribe":')]],
    ['nothing', [text('')]],
    ['bytes', [frame(BINARY, Buffer.from([1, 2, 3]))]],
    ['NaN', [text('{"subscribe":{"fps":NaN}}')]],
  ])('%s: closed with 1003', async (_, frames) => {
    const client = await open(SILENT);
    client.send(...frames);
    await client.until(() => client.code() !== undefined);
    expect(client.code()).toBe(1003);
    client.socket.destroy();
    await nothingHeld();
  });

  const wrong: unknown[] = [
    ...[null, true, 5, '"subscribe"', [], {}, { subscribe: null }, { subscribe: [] }, { subscribe: 'all' }],
    ...['5', null, 0, -1, 121, 1e300, [15], {}, true].map((fps) => ({ subscribe: { fps } })),
    ...['64', null, 15, 8193, 64.5, [64]].map((max_side) => ({ subscribe: { max_side } })),
    ...['true', null, 1, 0, 'false'].map((pictures) => ({ subscribe: { pictures } })),
    { subscribe: { quality: 0 } },
    { subscribe: { quality: 101 } },
    { subscribe: { ticket: 'x' } },
    { subscribe: { constructor: 1 } },
    '{"subscribe":{"__proto__":{"pictures":true}}}',
    '{"__proto__":{"subscribe":{}}}',
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
  ];
  it('are told so one by one, and the connection stays', async () => {
    const client = await open(SILENT);
    client.send(...wrong.map((one) => text(one)));
    await client.until(() => client.messages.length >= wrong.length);
    expect(client.messages.map(({ type, code }) => [type, code])).toEqual(
      wrong.map(() => ['error', 'INVALID_ARGUMENT']),
    );
    // Nothing of them was obeyed.
    expect(await held()).toEqual({ sockets: 1, viewers: 0, listeners: 0 });
    // In pieces, with a ping between them.
    const good = JSON.stringify({ subscribe: { events: true } });
    const pieces = [...good].map((letter, i) => frame(i === 0 ? TEXT : MORE, letter, { fin: false }));
    client.send(...pieces.flatMap((one) => [one, frame(PING, 'here?')]), frame(MORE, ''));
    await client.until(() => client.pongs.length === good.length);
    while ((await held()).listeners !== 1) await wait(1);
    client.socket.destroy();
    await nothingHeld();
  });
});

describe('a client that does not read', { timeout: 120_000 }, () => {
  /** Bytes that lie in the service for the one client that there is. */
  const lying = (): number =>
    [...running.app.websocketServer.clients].reduce((sum, one) => sum + one.bufferedAmount, 0);

  it('is not heard, however much it has to say', async () => {
    const count = 60_000;
    const client = await open(SILENT);
    client.socket.pause();
    const wrong = text({});
    client.send(Buffer.concat(Array.from({ length: count }, () => wrong)));
    // Until it is read no further.
    const [{ _socket: end }] = [...running.app.websocketServer.clients] as unknown as [{ _socket: Socket }];
    let most = 0;
    for (let still = 0, before = -1; still < 100; before = end.bytesRead) {
      still = end.bytesRead === before ? still + 1 : 0;
      most = Math.max(most, lying());
      await wait(1);
    }
    expect(most).toBeLessThan(2.5e6);
    client.socket.resume();
    await client.until(() => client.messages.length === count);
    client.socket.destroy();
    await nothingHeld();
  });

  it('gets no more pictures for changing its mind', async () => {
    const client = await open('/ws/camera/door?tracks=false&events=false&quality=100&max_side=960');
    await client.until(() => client.messages.length > 0);
    client.socket.pause();
    const witness = await open('/ws/camera/door?tracks=false&events=false&max_side=16');
    let most = 0;
    for (let i = 0; i < 20; i++) {
      const seen = witness.messages.length;
      client.send(text({ subscribe: { quality: 90 + (i % 10), max_side: 900 + i } }));
      // Long enough for a picture of the client's own.
      await witness.until(() => witness.messages.length > seen + 3);
      most = Math.max(most, lying());
    }
    // One picture and its facts, of about a megabyte, whatever the system has taken.
    expect(most).toBeLessThan(2.5e6);
    client.socket.destroy();
    witness.socket.destroy();
    await nothingHeld();
  });

  it('is shown out for pings', async () => {
    const client = await open(SILENT);
    client.socket.pause();
    const ping = frame(PING, Buffer.alloc(125));
    const storm = Buffer.concat(Array.from({ length: 20_000 }, () => ping));
    let most = 0;
    for (let i = 0; i < 20 && !client.over(); i++) {
      if (!client.socket.destroyed) client.socket.write(storm);
      most = Math.max(most, lying());
      await wait(1);
    }
    expect(most).toBeLessThan(2.5e6);
    client.socket.destroy();
    await nothingHeld();
  });
});

describe('tickets that open nothing', () => {
  it('are refused before a connection becomes a WebSocket', async () => {
    const { body } = (await running.call('POST', '/api/v1/tickets')) as { body: { ticket: string } };
    const upgrade = { upgrade: true } as const;
    for (const address of ['/ws/camera/door', '/ws/events']) {
      for (const ticket of ['', 'x', 'a'.repeat(5000), '%00', '%ff', `${body.ticket}x`, `${body.ticket}&ticket=x`]) {
        const answer = await ask(running, `${address}?ticket=${ticket}`, upgrade);
        expect([answer.status, JSON.parse(answer.body)], ticket).toMatchObject([401, { code: 'UNAUTHENTICATED' }]);
      }
    }
    // None of these has used it up; it is used once, and for nothing else.
    expect((await ask(running, `/api/v1/cameras?ticket=${body.ticket}`)).status).toBe(401);
    expect(await ask(running, `/ws/events?ticket=${body.ticket}`, upgrade)).toMatchObject({ upgraded: true });
    expect((await ask(running, `/ws/events?ticket=${body.ticket}`, upgrade)).status).toBe(401);
    await nothingHeld();
    expect(running.log.join('\n')).not.toContain(body.ticket);
  });
});

describe('many clients', { timeout: 60_000 }, () => {
  it('of one key are turned away before they keep others out', async () => {
    const clients = await Promise.all(Array.from({ length: 250 }, () => open(SILENT)));
    expect(await ask(running, '/ws/events', { upgrade: true })).toMatchObject({ upgraded: false, status: 401 });
    const headers = { authorization: `Bearer ${running.key}` };
    const refused = await ask(running, '/ws/events', { upgrade: true, headers });
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([429, { code: 'OVERLOADED' }]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const { key } = await running.parts.authority.createKey({ name: 'other', scopes: ['read'] });
    const other = { authorization: `Bearer ${key}` };
    expect(await ask(running, '/ws/events', { upgrade: true, headers: other })).toMatchObject({ upgraded: true });
    clients[0]?.socket.destroy();
    while ((await held()).sockets > 249) await wait(1);
    expect(await ask(running, '/ws/events', { upgrade: true, headers })).toMatchObject({ upgraded: true });
    for (const { socket } of clients) socket.destroy();
    await nothingHeld();
  });
});

describe('anything', { timeout: 240_000 }, () => {
  it(`is survived, and nothing is left of it (seed ${SEED})`, async () => {
    const random = generator(SEED);
    const whole = (below: number): number => Math.floor(random() * below);
    const pick = <T>(from: readonly T[]): T => from[whole(from.length)]!;
    const bytes = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, () => whole(256)));
    const subscription = () => ({
      ...(random() < 0.5 && { pictures: random() < 0.5 }),
      ...(random() < 0.5 && { tracks: random() < 0.5 }),
      ...(random() < 0.5 && { events: random() < 0.5 }),
      ...(random() < 0.5 && { fps: 1 + whole(120) }),
      ...(random() < 0.5 && { max_side: 16 + whole(200) }),
      ...(random() < 0.3 && { quality: 1 + whole(100) }),
    });
    const anything: (() => Buffer)[] = [
      () => bytes(1 + whole(400)),
      () => text(bytes(whole(60)).toString('latin1')),
      () => frame(TEXT, bytes(whole(60))),
      () => frame(whole(16), bytes(whole(140)), { fin: random() < 0.7, rsv: random() < 0.2 ? whole(8) : 0 }),
      () => text(pick<unknown>([null, [], {}, 1e9, { subscribe: { fps: 'x' } }, { subscribe: [] }, { a: {} }])),
      () => text('{', { stated: pick([126, 70_000, 2 ** 33]) }),
      () => Buffer.concat(Array.from({ length: 200 }, () => frame(PING, bytes(8)))),
      () => Buffer.concat(Array.from({ length: 300 }, () => text({ subscribe: subscription() }))),
      () => text({ subscribe: subscription() }),
      () => text({ subscribe: subscription() }),
      () => Buffer.concat([...JSON.stringify({ subscribe: {} })].map((c) => frame(MORE, c, { fin: false }))),
      () => frame(PONG, bytes(whole(126))),
      () => frame(CLOSE, pick([Buffer.alloc(0), bytes(2), Buffer.from([3, 232]), bytes(100)])),
    ];
    const ends: ((client: Client) => void)[] = [
      ({ socket }) => void socket.destroy(),
      ({ socket }) => void socket.end(),
      ({ socket }) => void socket.resetAndDestroy(),
      (client) => client.send(frame(CLOSE, Buffer.from([3, 232]))),
      ({ socket }) => void socket.end(text('{"subscribe":', { fin: false })),
    ];
    const open5 = new Set<Client>();
    for (let round = 0; round < ROUNDS; round++) {
      const client = await open(pick([CAMERA, CAMERA, EVENTS, SILENT, '/ws/camera/door?fps=120&max_side=32']));
      open5.add(client);
      if (random() < 0.2) client.socket.pause();
      for (let i = whole(6); i >= 0 && !client.over(); i--) {
        if (!client.socket.destroyed) client.send(pick(anything)());
        if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve));
      }
      // Some go at once, and some stay a while.
      if (open5.size < 5) continue;
      const gone = pick([...open5]);
      pick(ends)(gone);
      open5.delete(gone);
      const { sockets, viewers, listeners } = await held();
      expect(viewers).toBeLessThanOrEqual(sockets);
      expect(listeners).toBeLessThanOrEqual(sockets);
      gone.socket.destroy();
    }
    for (const client of open5) client.socket.destroy();
    await nothingHeld();
    expect(running.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);

    const after = await open(CAMERA);
    await after.until(() => after.messages.some(({ type }) => type === 'picture'));
    after.socket.destroy();
    await nothingHeld();
    expect((await running.fetch('/health', { key: null })).status).toBe(200);
    const metrics = await (await running.fetch('/metrics')).text();
    expect(metrics).toMatch(/^lineament_websockets 0$/m);
    expect(metrics).toMatch(/^lineament_camera_viewers 0$/m);
  });
});
