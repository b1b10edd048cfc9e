import type { Box, Embedding } from '../../types.js';
import type { Detection, Track, TrackState } from '../types.js';
import { Motion, type MotionNoise, measure } from './motion.js';
import type { Observation } from './observation.js';
import { FACE_MOTION, PERSON_MOTION } from './options.js';

/** How long the place of a face is expected while only the person is seen, and the other way round, milliseconds. */
const PART_MS = 2000;
/** Squared distance from where a box is expected, beyond which its filter begins anew. */
const ANEW = 60;
/** A weak box is trusted this much. */
const WEAK_TRUST = 0.5;

export const KINDS = ['face', 'person'] as const satisfies readonly Detection['kind'][];
export type Kind = (typeof KINDS)[number];

const NOISE: Readonly<Record<Kind, MotionNoise>> = { face: FACE_MOTION, person: PERSON_MOTION };

/** One of the two boxes of a track. */
export class Part {
  readonly kind: Kind;
  /** Where it was seen last, and when. */
  seenBox: Box;
  last: number;
  readonly motion: Motion;
  #box: Box | undefined;
  #reach: readonly [number, number] | undefined;

  constructor(kind: Kind, box: Box, timestamp: number) {
    this.kind = kind;
    this.seenBox = box;
    this.last = timestamp;
    this.motion = new Motion(NOISE[kind], box);
  }

  /** Where it is, or is expected to be. */
  get box(): Box {
    this.#box ??= this.motion.box;
    return this.#box;
  }

  /**
   * Whether a box cannot be this part's: its centre alone is behind the gate, and it does not touch the expected one. Says at once what
   * most pairs of a crowd are.
   */
  isFar([x, y, w, h]: Box, gate: number): boolean {
    const own = this.box;
    if (this.#reach === undefined) {
      const [vx, vy] = this.motion.centreVariances;
      this.#reach = [Math.sqrt(gate * vx), Math.sqrt(gate * vy)];
    }
    const dx = Math.abs(x + w / 2 - own[0] - own[2] / 2);
    if (dx > this.#reach[0] && 2 * dx > w + own[2]) return true;
    const dy = Math.abs(y + h / 2 - own[1] - own[3] / 2);
    return dy > this.#reach[1] && 2 * dy > h + own[3];
  }

  predict(seconds: number): void {
    this.motion.predict(seconds);
    this.#box = undefined;
    this.#reach = undefined;
  }

  /** Takes a sight. */
  update(box: Box, timestamp: number, trust: number): void {
    this.motion.update(box, trust);
    this.#box = undefined;
    this.#reach = undefined;
    this.seenBox = box;
    this.last = timestamp;
  }
}

/** The mean look of a track: a running mean of embeddings of one recogniser. Bounded: one vector. */
class Look {
  readonly model: string;
  readonly #sum: Float64Array;
  #count = 0;

  constructor({ model, dims }: Embedding) {
    this.model = model;
    this.#sum = new Float64Array(dims);
  }

  add({ vector }: Embedding): void {
    // The newest eight weigh most: people turn, lights change.
    const keep = this.#count < 8 ? 1 : 7 / 8;
    for (let i = 0; i < vector.length; i++) this.#sum[i] = this.#sum[i]! * keep + vector[i]!;
    this.#count = Math.min(8, this.#count + 1);
  }

  cosine({ model, vector }: Embedding): number | undefined {
    if (model !== this.model || vector.length !== this.#sum.length) return undefined;
    let [dot, own, other] = [0, 0, 0];
    for (let i = 0; i < vector.length; i++) {
      const [a, b] = [this.#sum[i]!, vector[i]!];
      dot += a * b;
      own += a * a;
      other += b * b;
    }
    const cosine = dot / Math.sqrt(own * other);
    return Number.isFinite(cosine) ? cosine : undefined;
  }
}

/** A track as the tracker keeps it. */
export class TrackRecord {
  readonly id: number;
  readonly first: number;
  state: TrackState = 'tentative';
  last: number;
  hits = 0;
  /** Looks in a row that did not find it. */
  misses = 0;
  seen = false;
  detection: Detection | undefined;
  face: Part | undefined;
  person: Part | undefined;
  #look: Look | undefined;

  constructor(id: number, observation: Observation, timestamp: number, confirmHits: number) {
    this.id = id;
    this.first = timestamp;
    this.last = timestamp;
    this.take(observation, timestamp, confirmHits);
  }

  /** Goes on with what was seen now. */
  take(observation: Observation, timestamp: number, confirmHits: number, weak = false): void {
    for (const kind of KINDS) {
      const detection = observation[kind];
      if (detection === undefined) continue;
      const part = this[kind];
      // What cannot have moved there was found again by other means: how it moves now is not known.
      if (part === undefined || part.motion.surprise(measure(detection.box)).distance > ANEW)
        this[kind] = new Part(kind, detection.box, timestamp);
      else part.update(detection.box, timestamp, weak ? WEAK_TRUST : 1);
    }
    if (observation.embedding !== undefined) this.remember(observation.embedding);
    this.detection = observation.face ?? observation.person;
    this.last = timestamp;
    this.seen = true;
    this.misses = 0;
    this.hits++;
    if (this.state !== 'tentative' || this.hits >= confirmHits) this.state = 'confirmed';
  }

  remember(embedding: Embedding): void {
    if (this.#look?.model !== embedding.model) this.#look = new Look(embedding);
    this.#look.add(embedding);
  }

  /** Cosine of the track's mean look with another; absent where one has none, or they are of different recognisers. */
  cosine(embedding: Embedding | undefined): number | undefined {
    return embedding === undefined ? undefined : this.#look?.cosine(embedding);
  }

  /** Goes `seconds` ahead to `timestamp`. */
  predict(seconds: number, timestamp: number): void {
    this.seen = false;
    this.detection = undefined;
    for (const kind of KINDS) {
      const part = this[kind];
      if (part === undefined) continue;
      part.predict(seconds);
      // The last part stays: it is what the track is found again by.
      const other = kind === 'face' ? this.person : this.face;
      if (other !== undefined && other.last > part.last && timestamp - part.last > PART_MS) this[kind] = undefined;
    }
  }

  /** What goes on under this number from now on is what `younger` is: it was the same person. */
  absorb(younger: TrackRecord): void {
    this.face = younger.face ?? this.face;
    this.person = younger.person ?? this.person;
    this.last = younger.last;
    this.hits += younger.hits;
    this.misses = younger.misses;
    this.seen = younger.seen;
    this.detection = younger.detection;
    this.state = 'confirmed';
  }

  snapshot(camera: string): Track {
    const main = this.face ?? this.person;
    return {
      id: this.id,
      camera,
      state: this.state,
      ...(this.face === undefined ? {} : { face: this.face.box }),
      ...(this.person === undefined ? {} : { person: this.person.box }),
      seen: this.seen,
      velocity: main?.motion.velocity ?? [0, 0],
      first: this.first,
      last: this.last,
      hits: this.hits,
      ...(this.detection === undefined ? {} : { detection: this.detection }),
    };
  }
}
