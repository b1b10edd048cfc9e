/** What an address gives, into a partial file that a later try, or a later process, goes on with. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { onAbort } from '../../errors/abort.js';
import { abortError, LineamentError, throwIfAborted } from '../../errors.js';
import { AddressError, get, type Patience, refusal } from './address.js';
import { type Digest, storageError } from './files.js';

/** A stretch of `idleMs` that brought less than this has brought nothing. */
const LEAST = 1024;
/** So much makes a try a success, though it was cut: the count of tries begins anew. */
const HEADWAY = 64 * 1024;

export interface Transfer {
  readonly url: URL;
  /** The partial file; `<part>.json` beside it says what it is a part of. The caller holds its lock. */
  readonly part: string;
  /** SHA-256 is held against something afterwards: then what an earlier process left may be gone on with. */
  readonly verifiable: boolean;
  readonly bytes: number | undefined;
  readonly maxBytes: number;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly onProgress: (received: number, total: number | undefined, resumed: number) => void;
  /** Called when the size is known, before the first byte: is there room? */
  readonly onSize: (missing: number) => Promise<void>;
}

export interface Transferred extends Digest {
  /** Of which were there from an earlier process. */
  readonly resumed: number;
}

/** What is known of a partial file. */
interface Memo {
  readonly url: string;
  readonly etag?: string;
  readonly modified?: string;
  readonly total?: number;
}

const memoPath = (part: string): string => `${part}.json`;

async function readMemo(part: string): Promise<Memo | undefined> {
  try {
    const memo = JSON.parse(await readFile(memoPath(part), 'utf8')) as Memo | null;
    return typeof memo?.url === 'string' ? memo : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets a partial file. */
export async function discard(part: string): Promise<void> {
  await rm(part, { force: true }).catch(() => undefined);
  await rm(memoPath(part), { force: true }).catch(() => undefined);
}

/** How far a partial file is, for those who wait for it: another process may be at work. */
export async function progressOf(part: string): Promise<{ received: number; total?: number } | undefined> {
  const found = await stat(part).catch(() => undefined);
  if (found === undefined) return undefined;
  const total = (await readMemo(part))?.total;
  return { received: found.size, ...(total === undefined ? {} : { total }) };
}

/** A header that makes a range conditional: a strong ETag, or else the date. */
const validatorOf = (memo: Memo | undefined): string | undefined =>
  memo?.etag?.startsWith('"') === true ? memo.etag : memo?.modified;

class Part {
  readonly #transfer: Transfer;
  readonly #file: FileHandle;
  #hash: Hash = createHash('sha256');
  #memo: Memo | undefined;
  size = 0;
  resumed = 0;

  constructor(transfer: Transfer, file: FileHandle) {
    this.#transfer = transfer;
    this.#file = file;
  }

  static async open(transfer: Transfer): Promise<Part> {
    const { part, url, verifiable, maxBytes } = transfer;
    const file = await open(part, 'a+').catch((cause: unknown) => {
      throw storageError(cause, part);
    });
    const self = new Part(transfer, file);
    try {
      const memo = await readMemo(part);
      const { size } = await file.stat();
      const limit = memo?.total ?? maxBytes;
      if (size > 0 && verifiable && memo?.url === url.href && size <= limit) await self.#take(size, memo);
      else await self.restart();
    } catch (error) {
      await file.close();
      throw storageError(error, part);
    }
    return self;
  }

  async #take(size: number, memo: Memo): Promise<void> {
    for await (const chunk of createReadStream(this.#transfer.part, { end: size - 1, highWaterMark: 1 << 20 })) {
      if (this.#transfer.signal.aborted) throw abortError(this.#transfer.signal);
      this.#hash.update(chunk as Buffer);
    }
    this.#memo = memo;
    this.size = size;
    this.resumed = size;
  }

  get headers(): Record<string, string> {
    if (this.size === 0) return {};
    const validator = validatorOf(this.#memo);
    // Without a validator the whole is still held against its hash in the end.
    if (validator === undefined && !this.#transfer.verifiable) return {};
    return { range: `bytes=${this.size}-`, ...(validator === undefined ? {} : { 'if-range': validator }) };
  }

  get total(): number | undefined {
    return this.#memo?.total;
  }

  /** Whether an answer says itself that it is of another version: not every server heeds If-Range. */
  isOther({ headers }: IncomingMessage): boolean {
    const differ = (a: string | undefined, b: string | undefined): boolean =>
      a !== undefined && b !== undefined && a !== b;
    return differ(this.#memo?.etag, headers.etag) || differ(this.#memo?.modified, headers['last-modified']);
  }

  /** Failures of the disk are told from failures of the network here. */
  async #disk<T>(work: Promise<T>): Promise<T> {
    return work.catch((cause: unknown) => {
      throw storageError(cause, this.#transfer.part);
    });
  }

  async restart(): Promise<void> {
    await this.#disk(this.#file.truncate(0));
    this.#hash = createHash('sha256');
    this.#memo = undefined;
    this.size = 0;
    this.resumed = 0;
  }

  /** Written before the first byte, so that whoever finds the bytes knows whose they are. */
  async remember(answer: IncomingMessage, total: number | undefined): Promise<void> {
    const { etag, 'last-modified': modified } = answer.headers;
    this.#memo = {
      url: this.#transfer.url.href,
      ...(etag === undefined ? {} : { etag }),
      ...(modified === undefined ? {} : { modified }),
      ...(total === undefined ? {} : { total }),
    };
    // An address may hold credentials: for its owner alone.
    await this.#disk(writeFile(memoPath(this.#transfer.part), JSON.stringify(this.#memo), { mode: 0o600 }));
  }

  async append(chunk: Buffer): Promise<void> {
    let at = 0;
    while (at < chunk.length) at += (await this.#disk(this.#file.write(chunk, at, chunk.length - at))).bytesWritten;
    this.#hash.update(chunk);
    this.size += chunk.length;
  }

  async finish(): Promise<Transferred> {
    await this.#disk(this.#file.sync());
    return { sha256: this.#hash.digest('hex'), bytes: this.size, resumed: this.resumed };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const integer = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** Where the answer goes on and how large the whole is; begins anew where it is not the rest of what is there. */
async function sizeUp(part: Part, answer: IncomingMessage): Promise<number | undefined> {
  const encoding = answer.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new AddressError(`sends its content as ${encoding.slice(0, 40)}, which was not asked for`, { retry: false });
  }
  const length = integer(answer.headers['content-length']);
  if (answer.statusCode === 200) {
    if (part.size > 0) await part.restart();
    return length;
  }
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(answer.headers['content-range'] ?? '');
  const [, start, end, whole] = range ?? [];
  const total = integer(whole) ?? part.total;
  const fits =
    Number(start) === part.size &&
    (total === undefined || Number(end) === total - 1) &&
    (part.total === undefined || total === part.total) &&
    !part.isOther(answer);
  if (range === null || part.size === 0 || !fits) {
    await part.restart();
    throw new AddressError('sends another part than was asked for', { retry: true });
  }
  return total;
}

/** What cannot be held against a hash must at least not be a cut file or a page that says to log in. */
function checkBlind(answer: IncomingMessage, total: number | undefined): void {
  if (/^text\/html\b/i.test(answer.headers['content-type'] ?? '')) {
    throw new AddressError('gives a web page', { retry: false });
  }
  if (total === undefined && answer.headers['transfer-encoding'] === undefined) {
    throw new AddressError('does not say how long it is: its end cannot be told from a cut', { retry: false });
  }
}

async function receive(transfer: Transfer, part: Part, answer: IncomingMessage): Promise<void> {
  const { bytes, maxBytes, patience, signal, verifiable, onProgress, onSize } = transfer;
  const total = await sizeUp(part, answer);
  if (!verifiable) checkBlind(answer, total);
  if (bytes !== undefined && total !== undefined && total !== bytes) {
    throw new AddressError(`has ${total} bytes, not ${bytes}: it is another file`, { retry: false });
  }
  const limit = bytes ?? maxBytes;
  if (total !== undefined && total > limit) {
    throw new AddressError(`has ${total} bytes, more than the ${limit} that are taken`, { retry: false });
  }
  await onSize((total ?? bytes ?? 0) - part.size);
  await part.remember(answer, total);
  onProgress(part.size, total, part.resumed);
  let before = part.size;
  const timer = setInterval(() => {
    if (part.size - before < LEAST) {
      answer.destroy(new AddressError(`sent nothing for ${patience.idleMs / 1000} s`, { retry: true }));
    }
    before = part.size;
  }, patience.idleMs);
  const forget = onAbort(signal, () => answer.destroy(abortError(signal)));
  try {
    // It may have fired since the answer came: then nobody calls.
    throwIfAborted(signal);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (part.size + chunk.length > (total ?? limit)) {
        throw new AddressError(`sends more than the ${total ?? limit} bytes that it may`, { retry: false });
      }
      await part.append(chunk);
      onProgress(part.size, total, part.resumed);
    }
  } finally {
    clearInterval(timer);
    forget();
    answer.destroy();
  }
  const whole = total ?? bytes;
  if (!answer.complete || (whole !== undefined && part.size < whole)) {
    throw new AddressError(`ended after ${part.size} of ${whole ?? 'its'} bytes`, { retry: true });
  }
}

async function once(transfer: Transfer, part: Part): Promise<void> {
  // All of it may be there: the process ended between the last byte and the check.
  if (part.size > 0 && part.size === part.total) {
    transfer.onProgress(part.size, part.total, part.resumed);
    return;
  }
  const answer = await get(transfer.url, part.headers, transfer.patience, transfer.signal);
  try {
    if (answer.statusCode === 416) {
      await part.restart();
      throw new AddressError('has no such part', { retry: true });
    }
    if (answer.statusCode !== 200 && answer.statusCode !== 206) throw refusal(answer);
    await receive(transfer, part, answer);
  } finally {
    answer.destroy();
  }
}

/** What the reading of an answer ended with. */
function asFailure(thrown: unknown, signal: AbortSignal): AddressError {
  if (signal.aborted) throw abortError(signal);
  if (thrown instanceof AddressError) return thrown;
  if (thrown instanceof LineamentError) throw thrown;
  return new AddressError(`the connection was cut (${(thrown as Error).message})`, { retry: true, cause: thrown });
}

/**
 * Fetches an address whole. What is there of an earlier try is gone on with where the server confirms that it is a part of the same
 * file; what came stays for the next try. Rejects with {@link AddressError}, `ABORTED`, `STORE_FULL`, `ACCESS_DENIED`, `STORE_FAILED`.
 */
export async function transferFile(transfer: Transfer): Promise<Transferred> {
  const { patience, signal } = transfer;
  const part = await Part.open(transfer);
  try {
    let furthest = part.size;
    for (let failures = 0; ; ) {
      try {
        await once(transfer, part);
        return await part.finish();
      } catch (thrown) {
        const error = asFailure(thrown, signal);
        // Where a server cannot go on, each try begins at 0: only what came further than any before counts.
        failures = part.size - furthest >= HEADWAY ? 1 : failures + 1;
        furthest = Math.max(furthest, part.size);
        if (!error.retry || failures > patience.retries) throw error;
        await delay(error.waitMs ?? patience.retryMs * 2 ** (failures - 1), undefined, { signal }).catch(() => {
          throw abortError(signal);
        });
      }
    }
  } finally {
    await part.close();
    if (part.size === 0) await discard(transfer.part);
  }
}
