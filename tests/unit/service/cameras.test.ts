// Cameras of the service, over HTTP and WebSocket: a folder of photographs is the camera, everything behind it is real.
import { link, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startService, type TestService } from '../../support/service.js';

const photograph = fileURLToPath(
  new URL('../../../node_modules/@vladmandic/face-api/demo/sample1.jpg', import.meta.url),
);
const PICTURES = 900;
/** Nobody is there in the first ones: who listens by then is told of whoever appears. */
const EMPTY = 50;

let folder: string;
let running: TestService;
/** Connected before anybody appears. */
let listener: Awaited<ReturnType<typeof connect>>;
const sockets = new Set<WebSocket>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lineament-camera-'));
  const small = await sharp(await readFile(photograph))
    .resize(480)
    .jpeg()
    .toBuffer();
  const pictures = path.join(folder, 'pictures');
  await mkdir(pictures);
  const { width, height } = await sharp(small).metadata();
  const full = path.join(folder, 'people.jpg');
  const empty = path.join(folder, 'nobody.jpg');
  await sharp(small).toFile(full);
  await sharp({ create: { width, height, channels: 3, background: '#777' } }).toFile(empty);
  for (let i = 0; i < PICTURES; i++) {
    await link(i < EMPTY ? empty : full, path.join(pictures, `${String(i).padStart(5, '0')}.jpg`));
  }
  running = await startService({ cameras: [{ id: 'door', source: pictures }], engine: { preset: 'fast', threads: 2 } });
  listener = await connect('/ws/events?camera=door');
}, 120_000);

afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await running?.close();
  await rm(folder, { recursive: true, force: true });
});

type Message = Record<string, unknown> & { readonly type?: string };
const typeOf = ({ event }: Message): unknown => (event as Message | undefined)?.type;

/** A client, and everything that it was sent so far. */
async function connect(address: string) {
  const url = new URL(address, running.address.replace('http', 'ws'));
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${running.key}` } });
  sockets.add(socket);
  const messages: Message[] = [];
  const pictures: Buffer[] = [];
  const waiting = new Set<() => void>();
  let code: number | undefined;
  socket.on('message', (data: Buffer, binary: boolean) => {
    if (binary) pictures.push(data);
    else messages.push(JSON.parse(data.toString()) as Message);
    for (const look of waiting) look();
  });
  socket.on('close', (given) => {
    code = given;
    for (const look of waiting) look();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  const until = <T>(find: () => T | undefined | false): Promise<T> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined || found === false) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  const of = (type: string): Message[] => messages.filter((message) => message.type === type);
  return { socket, messages, pictures, until, of, code: () => code };
}

describe('/ws/camera/:id', () => {
  it('sends pictures with their facts, tracks and events', { timeout: 60_000 }, async () => {
    const client = await connect('/ws/camera/door?max_side=320&quality=60');
    await client.until(() => client.pictures.length >= 3);
    const [head] = client.of('picture') as [Message];
    const [jpeg] = client.pictures as [Buffer];
    expect(head).toMatchObject({ camera: 'door', bytes: jpeg.length });
    const { format, width, height } = await sharp(jpeg).metadata();
    expect([format, width, height]).toEqual(['jpeg', head['width'], head['height']]);
    expect(Math.max(width, height)).toBe(320);
    const numbers = client.of('picture').map(({ sequence }) => Number(sequence));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));

    const tracks = await client.until(() => client.of('tracks').find((one) => (one['tracks'] as object[]).length > 0));
    expect(tracks).toMatchObject({ camera: 'door', width: 480 });
    const [track] = tracks['tracks'] as [{ face: number[]; state: string }];
    expect(track.face).toHaveLength(4);
    // Whatever the recogniser made of them stays in the service.
    expect(JSON.stringify(client.messages)).not.toContain('embedding');
  });

  it('changes what is sent by a message, and says what is wrong with one', { timeout: 60_000 }, async () => {
    const client = await connect('/ws/camera/door?pictures=false&tracks=false&events=false');
    client.socket.send(JSON.stringify({ subscribe: { fps: 'many' } }));
    const wrong = await client.until(() => client.of('error')[0]);
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(client.messages).toHaveLength(1);
    client.socket.send(JSON.stringify({ subscribe: { tracks: true } }));
    await client.until(() => client.of('tracks').length > 1);
    expect(client.pictures).toHaveLength(0);
    client.socket.send(JSON.stringify({ subscribe: { tracks: false, pictures: true, max_side: 64 } }));
    await client.until(() => client.pictures.length > 0);
    expect((await sharp(client.pictures[0]!).metadata()).width).toBe(64);
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.until(client.code)).toBe(1003);
  });

  it('sends a slow client fewer pictures, never a growing queue, and others all', { timeout: 60_000 }, async () => {
    const slow = await connect('/ws/camera/door?tracks=false&events=false&max_side=4096&quality=100&fps=120');
    const quick = await connect('/ws/camera/door?tracks=false&events=false&max_side=64&fps=120');
    await slow.until(() => slow.pictures.length > 0);
    slow.socket.pause();
    const before = quick.pictures.length;
    // Far more than what the system keeps for a connection: the rest has nowhere to lie but in the service.
    await quick.until(() => quick.pictures.length >= before + 60);
    const sent = slow.of('picture').length;
    slow.socket.resume();
    await slow.until(() => slow.of('picture').length > sent + 20);
    const numbers = slow.of('picture').map(({ sequence }) => Number(sequence));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    const quickNumbers = quick.of('picture').map(({ sequence }) => Number(sequence));
    expect(quickNumbers).toEqual([...new Set(quickNumbers)]);
  });

  it('answers for a camera that is not there before it becomes a WebSocket', async () => {
    const { status, body } = await running.call('GET', '/api/v1/cameras/nobody');
    expect([status, (body as { code: string }).code]).toEqual([404, 'NOT_FOUND']);
    await expect(connect('/ws/camera/nobody')).rejects.toThrow('404');
    await expect(connect('/ws/camera/door?fps=-1')).rejects.toThrow('400');
  });
});

describe('cameras and events over HTTP', () => {
  it('state, newest picture and log', { timeout: 60_000 }, async () => {
    const live = await listener.until(() => listener.of('event').find((one) => typeOf(one) === 'appeared'));
    const listed = (await running.call('GET', '/api/v1/cameras')).body as { cameras: Message[] };
    expect(listed.cameras).toHaveLength(1);
    expect(listed.cameras[0]).toMatchObject({ id: 'door', state: 'running' });
    expect((await running.call('GET', '/api/v1/cameras/door')).body).toMatchObject({ id: 'door', state: 'running' });
    const answer = await running.fetch('/api/v1/cameras/door/picture?max_side=100');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect((await sharp(Buffer.from(await answer.arrayBuffer())).metadata()).width).toBe(100);

    type Page = { events: Message[]; next?: string };
    const all = (await running.call('GET', '/api/v1/events?order=oldest')).body as Page;
    const appeared = all.events.filter(({ type }) => type === 'appeared');
    expect(appeared.length).toBeGreaterThan(0);
    // What was told live is what the log has.
    expect(appeared).toContainEqual(live['event']);
    const page = (await running.call('GET', '/api/v1/events?type=appeared&limit=1&order=oldest')).body as Page;
    expect(page.events).toEqual([appeared[0]]);
    expect((await running.call('GET', '/api/v1/events?type=nothing')).status).toBe(400);
    expect((await running.call('GET', '/api/v1/events?after=x')).status).toBe(400);
  });

  it('without cameras there is nothing, and nothing fails', async () => {
    await using other = await startService();
    expect(await other.call('GET', '/api/v1/cameras')).toEqual({ status: 200, body: { cameras: [] } });
    expect(await other.call('GET', '/api/v1/events')).toEqual({ status: 200, body: { events: [] } });
  });

  it('watches with the engine that serves, and gives the other one up', { timeout: 120_000 }, async () => {
    const client = await connect('/ws/camera/door?pictures=false&events=false');
    await client.until(() => client.of('tracks').length > 0);
    expect((await running.call('POST', '/api/v1/models/switch', { name: 'balanced' })).status).toBe(200);
    // Who looks is shown out with the old pipeline, and finds the new one.
    expect(await client.until(client.code)).toBe(1000);
    expect((await running.call('POST', '/api/v1/models/unload', { name: 'fast' })).status).toBe(200);
    const again = await connect('/ws/camera/door?pictures=false&events=false');
    await again.until(() => again.of('tracks').length > 0);
  });

  it('shows everybody out when the service stops', { timeout: 60_000 }, async () => {
    const clients = await Promise.all(['/ws/camera/door', '/ws/events'].map(connect));
    await running.service.close();
    for (const client of clients) expect(await client.until(client.code)).toBe(1001);
  });
});
