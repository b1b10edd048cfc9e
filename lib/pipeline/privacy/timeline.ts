import type { Box } from '../../types.js';
import type { Identity, Track } from '../types.js';
import { type CheckedPolicy, mayBeSeen } from './policy.js';

/** What was found in one picture of a camera. */
export interface Look {
  readonly camera: string;
  /** Of the picture. */
  readonly timestamp: number;
  /** Its size in pixels, which the boxes refer to. */
  readonly width: number;
  readonly height: number;
  /** Everybody who is followed, the tentative and the lost ones too; an empty list says that nobody is there. */
  readonly tracks: readonly Track[];
  /** Who they are held to be, by track; who is absent is not decided. */
  readonly identities?: ReadonlyMap<number, Identity>;
  /** Whether the detector has looked at this picture (default true). Otherwise nothing is known of those who have just come. */
  readonly detected?: boolean;
}

/** Where a head was, as shares of the picture's width and height. */
interface Sighting {
  readonly timestamp: number;
  readonly head: Box;
  readonly seen: boolean;
  /** Shares of the picture a second. */
  readonly velocity: readonly [number, number];
}

interface Person {
  readonly sightings: Sighting[];
  /** The latest, and every decided one by its id: a track that changed hands is seen only if all may be. */
  identity: Identity | undefined;
  readonly decided: Map<string, Identity>;
}

/** A head moves by less than this between two looks of the usual rate; longer gaps keep both ends covered. */
const SHORT_GAP_MS = 250;
/** What is too old is looked for so often, of the frames' clock. */
const FORGET_MS = 1000;
/** A head that is not found grows by this share of its size a second, on each side. */
const GROWTH = 0.5;

/**
 * Where the heads of one camera are over time. Knows the past, and for pictures that wait (clips) what came after them: between two
 * sights a head is where the straight line says, covered with what it may have strayed.
 */
export class HeadTimeline {
  readonly #policy: CheckedPolicy;
  readonly #keepMs: number;
  /** Pictures that the detector has seen. */
  readonly #looks: number[] = [];
  readonly #people = new Map<number, Person>();
  /** The newest picture that was told of, whether the detector saw it or not. */
  #newest = Number.NEGATIVE_INFINITY;
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(policy: CheckedPolicy, keepMs: number) {
    this.#policy = policy;
    this.#keepMs = keepMs;
  }

  /** Looks come in the order of time; one that is older than the newest is taken for its camera having started anew. */
  add({ timestamp, width, height, tracks, identities, detected = true }: Look): void {
    if (timestamp < this.#newest) {
      this.#looks.length = 0;
      this.#people.clear();
    }
    this.#newest = timestamp;
    if (detected && this.#looks.at(-1) !== timestamp) this.#looks.push(timestamp);
    for (const track of tracks) {
      const person = this.#person(track.id);
      const identity = identities?.get(track.id);
      person.identity = identity;
      if (identity !== undefined && identity.kind !== 'undecided')
        person.decided.set(`${identity.kind} ${identity.id ?? ''}`, identity);
      const head = headOf(track, this.#policy.margin);
      if (head === undefined || track.state === 'ended') continue;
      if (!track.seen && timestamp - track.last > this.#policy.holdMs) continue;
      person.sightings.push({
        timestamp,
        head: [head[0] / width, head[1] / height, head[2] / width, head[3] / height],
        seen: track.seen,
        velocity: [track.velocity[0] / width, track.velocity[1] / height],
      });
    }
    this.#forget(timestamp - this.#keepMs);
  }

  /**
   * Whether waiting tells more of a picture of that time: it does until the detector has seen one so much later, or has been without a look
   * for so long that none can tell of it any more.
   */
  settled(timestamp: number, aheadMs: number): boolean {
    const seen = this.#looks.at(-1) ?? Number.NEGATIVE_INFINITY;
    return seen >= timestamp + aheadMs || this.#newest >= timestamp + Math.max(aheadMs, this.#policy.holdMs);
  }

  /**
   * What has to be covered in a picture of that time, as shares of its width and height; `everything` where no look is near enough to
   * know. A picture that `waited` has to have had a look soon after it, which says who had come by then.
   */
  async cover(timestamp: number, waited = false): Promise<readonly Box[] | 'everything'> {
    const { holdMs } = this.#policy;
    const after = firstNotBefore(this.#looks, timestamp, (t) => t);
    const near = [waited ? undefined : this.#looks[after - 1], this.#looks[after]].some(
      (t) => t !== undefined && Math.abs(t - timestamp) <= holdMs,
    );
    if (!near || !Number.isFinite(timestamp)) return 'everything';
    const boxes: Box[] = [];
    for (const person of this.#people.values()) {
      const heads = headsAt(person.sightings, timestamp, holdMs);
      if (heads.length > 0 && !(await this.#exempt(person))) boxes.push(...heads);
    }
    return boxes;
  }

  async #exempt({ identity, decided }: Person): Promise<boolean> {
    if (identity === undefined || identity.kind === 'undecided') return false;
    for (const one of decided.values()) if (!(await mayBeSeen(this.#policy, one))) return false;
    return true;
  }

  #person(id: number): Person {
    let person = this.#people.get(id);
    if (person === undefined) {
      person = { sightings: [], identity: undefined, decided: new Map() };
      this.#people.set(id, person);
    }
    return person;
  }

  #forget(before: number): void {
    // The clock may have been set back meanwhile.
    if (Math.abs(before - this.#forgotten) < FORGET_MS) return;
    this.#forgotten = before;
    this.#looks.splice(
      0,
      firstNotBefore(this.#looks, before, (t) => t),
    );
    for (const [id, { sightings }] of this.#people) {
      sightings.splice(
        0,
        firstNotBefore(sightings, before, (s) => s.timestamp),
      );
      if (sightings.length === 0) this.#people.delete(id);
    }
  }
}

/** The head that belongs to a face, or the upper part of a person whose face was not found. */
function headOf({ face, person }: Track, margin: number): Box | undefined {
  if (face !== undefined) {
    const [x, y, w, h] = face;
    // There is more head above a face than below it.
    return [x - margin * w, y - 1.2 * margin * h, w * (1 + 2 * margin), h * (1 + 2.2 * margin)];
  }
  if (person === undefined) return undefined;
  const [x, y, w, h] = person;
  return [x, y - 0.03 * h, w, 0.3 * h];
}

function headsAt(sightings: readonly Sighting[], timestamp: number, holdMs: number): Box[] {
  const next = firstNotBefore(sightings, timestamp, (s) => s.timestamp);
  const after = sightings[next];
  const before = sightings[next - 1];
  if (after?.timestamp === timestamp) {
    if (after.seen) return [after.head];
    // Where it is expected, and where it was last found.
    const last = sightings.slice(0, next).findLast((s) => s.seen);
    const held = last !== undefined && timestamp - last.timestamp <= holdMs ? [last.head] : [];
    return [strayed(after, timestamp), ...held];
  }
  if (before !== undefined && after !== undefined && after.timestamp - before.timestamp <= 2 * holdMs) {
    const gap = after.timestamp - before.timestamp;
    const share = (timestamp - before.timestamp) / gap;
    const line = before.head.map((v, i) => v + share * (after.head[i]! - v)) as unknown as Box;
    const grown = grow(line, (GROWTH * Math.min(share, 1 - share) * gap) / 1000);
    return gap <= SHORT_GAP_MS ? [grown] : [grown, before.head, after.head];
  }
  return [before, after].flatMap((s) =>
    s === undefined || Math.abs(timestamp - s.timestamp) > holdMs
      ? []
      : [strayed(s, timestamp), moved(strayed(s, timestamp), s.velocity, timestamp - s.timestamp)],
  );
}

const grow = ([x, y, w, h]: Box, share: number): Box => [
  x - share * w,
  y - share * h,
  w * (1 + 2 * share),
  h * (1 + 2 * share),
];
const strayed = (s: Sighting, t: number): Box => grow(s.head, (GROWTH * Math.abs(t - s.timestamp)) / 1000);
const moved = ([x, y, w, h]: Box, v: readonly [number, number], ms: number): Box => [
  x + (v[0] * ms) / 1000,
  y + (v[1] * ms) / 1000,
  w,
  h,
];

/** Index of the first item that is not before `time`; the items are in order. */
function firstNotBefore<T>(items: readonly T[], time: number, timeOf: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(items[middle]!) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
