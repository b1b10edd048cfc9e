import { createHash, randomBytes } from 'node:crypto';
import { numberIn } from '../../errors/validate.js';

/** Milliseconds whose last id is remembered: events of several cameras arrive a little out of order. */
const REMEMBERED = 256;

/** 2^48 − 1, the last millisecond that an id can tell. */
const LAST_MS = 2 ** 48 - 1;

/** 74 bits beside version and variant. */
const BITS = 74n;
const MOST = (1n << BITS) - 1n;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface EventIdsOptions {
  /**
   * The same seed gives the same ids for the same times in the same order: for replays that are compared. Random otherwise. Two logs or
   * cameras that share a seed share ids: take one seed for each.
   */
  readonly seed?: string;
}

/**
 * Makes ids of events: UUID version 7 (RFC 9562, 5.7) of the event's own time, so that they sort by it. Within a millisecond they rise in the
 * order in which they were made (method 2: the random part is counted up), also where other times came in between.
 */
export class EventIds {
  readonly #seed: string | undefined;
  readonly #last = new Map<number, bigint>();

  constructor(options: EventIdsOptions = {}) {
    this.#seed = options.seed;
  }

  /** @param timestamp milliseconds since the Unix epoch; fractions are dropped */
  next(timestamp: number): string {
    const ms = Math.floor(numberIn('timestamp', timestamp, 0, LAST_MS));
    const before = this.#last.get(ms);
    // The first of a millisecond leaves the upper half free to count through.
    let bits = before === undefined ? this.#first(ms) >> 1n : before + 1n + (this.#first(ms, before) >> 42n);
    if (bits > MOST) bits = before! + 1n;
    this.#last.delete(ms);
    this.#last.set(ms, bits);
    if (this.#last.size > REMEMBERED) this.#last.delete(this.#last.keys().next().value!);
    return format(ms, bits);
  }

  #first(ms: number, before?: bigint): bigint {
    const bytes =
      this.#seed === undefined
        ? randomBytes(10)
        : createHash('sha256')
            .update(`${this.#seed}\0${ms}\0${before ?? ''}`)
            .digest()
            .subarray(0, 10);
    return BigInt(`0x${bytes.toString('hex')}`) & MOST;
  }
}

function format(ms: number, bits: bigint): string {
  const time = ms.toString(16).padStart(12, '0');
  const a = (bits >> 62n).toString(16).padStart(3, '0');
  const b = ((2n << 62n) | (bits & ((1n << 62n) - 1n))).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${b.slice(0, 4)}-${b.slice(4)}`;
}

export const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

/** The millisecond that an id of version 7 tells. */
export const uuidTime = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** The 16 bytes of an id. */
export const uuidBytes = (id: string): Uint8Array => Buffer.from(id.replaceAll('-', ''), 'hex');

/** The id of 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
