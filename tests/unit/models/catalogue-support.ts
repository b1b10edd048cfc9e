/** A server of files that can be told to misbehave, cards for what it serves, and archives made here. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { type CatalogueOptions, type ModelCatalogue, openCatalogue } from '../../../lib/models/index.js';
import { random } from '../../support/random.js';

/** Bytes that do not compress and are the same in every run. */
export function noise(length: number, seed = 1): Buffer {
  const next = random(seed);
  return Buffer.from(Uint8Array.from({ length }, () => next() * 256));
}

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
}

export class FileServer {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #counts = new Map<string, number>();

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      const { range, 'if-range': ifRange, authorization } = request.headers;
      this.asked.push({ path, range, ifRange: ifRange as string | undefined, authorization });
      const count = (this.#counts.get(path) ?? 0) + 1;
      this.#counts.set(path, count);
      const handler = this.#handlers.get(path);
      if (handler !== undefined) handler(request, response, count);
      else response.writeHead(404).end('nothing here');
    });
  }

  static async start(): Promise<FileServer> {
    const self = new FileServer();
    await new Promise<void>((resolve) => self.#server.listen(0, '127.0.0.1', resolve));
    return self;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  on(path: string, handler: Handler): this {
    this.#handlers.set(path, handler);
    return this;
  }

  count(path: string): number {
    return this.#counts.get(path) ?? 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface Serving {
  readonly etag?: string;
  readonly ranges?: boolean;
  /** The connection is cut after so many bytes of these answers (1 is the first). */
  readonly cut?: Readonly<Record<number, number>>;
}

/** Serves bytes as a good server does: ranges, and If-Range held against the ETag. */
export function file(data: Uint8Array, { etag = '"v1"', ranges = true, cut = {} }: Serving = {}): Handler {
  return (request, response, count) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const start = ranges && asked !== null && (condition === undefined || condition === etag) ? Number(asked[1]) : 0;
    if (start > 0 && start >= data.length) {
      response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end();
      return;
    }
    const body = data.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': body.length,
      ...(etag === '' ? {} : { etag }),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` } : {}),
    });
    const end = cut[count];
    if (end === undefined) response.end(body);
    else response.write(body.subarray(0, end), () => setTimeout(() => response.destroy(), 30));
  };
}

export interface CardText {
  readonly id: string;
  readonly [more: string]: unknown;
}

/** A private card, as somebody might write it. */
export const cardOf = (card: CardText): Record<string, unknown> => ({
  task: 'face-embedding',
  file: `${card.id}.onnx`,
  licence: 'Test licence',
  trainingData: 'none',
  input: {
    name: 'input',
    shape: ['N', 3, 112, 112],
    layout: 'NCHW',
    type: 'float32',
    colour: 'RGB',
    scale: [1, 1, 1],
    offset: [0, 0, 0],
    width: 112,
    height: 112,
  },
  outputs: [{ name: 'output', shape: ['N', 512], meaning: 'embedding' }],
  ...card,
});

/** Folders of a test and catalogues on them. */
export class Bench {
  readonly folder: string;
  readonly server: FileServer;

  constructor(folder: string, server: FileServer) {
    this.folder = folder;
    this.server = server;
  }

  static async open(): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'lineament-catalogue-')), await FileServer.start());
  }

  get cache(): string {
    return join(this.folder, 'cache');
  }

  get cards(): string {
    return this.folder;
  }

  async write(...cards: CardText[]): Promise<void> {
    for (const card of cards) await writeFile(join(this.cards, `${card.id}.json`), JSON.stringify(cardOf(card)));
  }

  catalogue(options: CatalogueOptions = {}): Promise<ModelCatalogue> {
    return openCatalogue({
      cache: this.cache,
      cards: this.cards,
      network: { connectMs: 2000, idleMs: 1000, retries: 2, retryMs: 5 },
      ...options,
    });
  }

  async close(): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  readonly stored?: boolean;
  /** Claimed instead of the true length. */
  readonly size?: number;
  readonly flags?: number;
}

/** A zip archive, and what may be wrong with it. */
export function zipOf(members: readonly Member[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, data, stored = false, size = data.length, flags = 0 } of members) {
    const packed = stored ? Buffer.from(data) : deflateRawSync(data);
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), common, path, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), common, tail, path]));
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directory, end, Buffer.from(comment)]);
}
