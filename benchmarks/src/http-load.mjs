// A client of HTTP that costs little: requests are written as they were made beforehand, of answers only status and length are read.
import net from 'node:net';

/** A whole request as bytes. @param {{host: string, path: string, method?: string, headers?: Record<string, string>, body?: Buffer}} given */
export function requestBytes({ host, path, method = 'POST', headers = {}, body = Buffer.alloc(0) }) {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`, `content-length: ${body.length}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** A kept-alive connection with one request at a time. */
export class Connection {
  #host;
  #port;
  #socket;
  #received = Buffer.alloc(0);
  #waiting;

  constructor(host, port) {
    this.#host = host;
    this.#port = port;
  }

  /** Sends a request; gives status and body. Connects again where the other side has closed. @returns {Promise<{status: number, body: Buffer}>} */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#socket === undefined) this.#connect();
      this.#socket.write(bytes);
    });
  }

  close() {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect() {
    const socket = net.connect({ host: this.#host, port: this.#port, noDelay: true });
    const over = (error) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#received = Buffer.alloc(0);
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.reject(error ?? new Error('closed by the service'));
    };
    socket.on('data', (data) => this.#take(data));
    socket.on('error', over);
    socket.on('close', () => over());
    this.#socket = socket;
  }

  #take(data) {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
    if (!Number.isFinite(length)) throw new Error(`an answer without a length:\n${head}`);
    if (this.#received.length < end + 4 + length) return;
    const body = this.#received.subarray(end + 4, end + 4 + length);
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (/^connection: *close/im.test(head)) this.close();
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}

/**
 * So many clients, each of which sends its next request when the last is answered, for so long.
 * @param {{clients: number, ms: number, work: (client: number, turn: number) => Promise<void>}} given
 * @returns {Promise<{rate: number, times: number[]}>} answers a second, and the milliseconds of each
 */
export async function closedLoop({ clients, ms, work }) {
  const times = [];
  const begin = performance.now();
  const end = begin + ms;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let turn = 0; performance.now() < end; turn++) {
        const start = performance.now();
        await work(client, turn);
        times.push(performance.now() - start);
      }
    }),
  );
  return { rate: times.length / ((performance.now() - begin) / 1000), times };
}

/** @param {number[]} values @param {number} share 0–1 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
