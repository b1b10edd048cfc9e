import { numberIn, plainObject } from '../../errors/validate.js';
import { LineamentError, throwIfAborted } from '../../errors.js';
import { unitEmbedding } from '../../gallery/vectors.js';
import type { Identity } from '../types.js';
import { dot, Evidence, type Look } from './evidence.js';
import type { Host } from './identities.js';
import {
  type Candidate,
  clearlyNearer,
  dissents,
  type Found,
  judge,
  type Seen,
  stands,
  type Verdict,
} from './rules.js';
import type { IdentityChange, NewLook } from './types.js';

/** Looks that do not fit a track are kept until they outweigh it. */
const MOST_DISSENTING = 4;
/** A look that is better than the best so far by this factor is worth recognising. */
const BETTER = 1.3;
/** Beyond this weight there is nothing to be gained from a better one. */
const GOOD = 0.8;
/** Looks at a track without a decision come less often from here on. */
const EAGER_LOOKS = 6;
/** Times in a row that a decision must be contested before it falls. */
const CONTESTED = 2;

const NOBODY: Identity = { kind: 'undecided', looks: 0, weight: 0 };

/**
 * Who one track is. Looks are joined into a weighted mean of at most `mostLooks`; a search is made for each that changes it. Made by
 * `Identities.track`. Calls may overlap, looks are taken in their order.
 */
export class TrackIdentity {
  readonly track: number;
  readonly camera: string;
  /** Other tracks that were in the picture at the same time. */
  readonly beside = new Set<TrackIdentity>();
  readonly #host: Host;
  readonly #evidence: Evidence;
  #dissenting: Look[] = [];
  #identity: Identity = NOBODY;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #taken = 0;
  #lastLook = -Infinity;
  #lastSeen = -Infinity;
  /** Of the last frame in which a look was wanted, and until when none is: it was not as good as it had promised to be. */
  #lastWanted = -Infinity;
  #notBefore = -Infinity;
  #contested = 0;
  #threshold: number | undefined;
  /** Whom it is not, as somebody said. */
  readonly #rejected = new Set<string>();
  /** Stranger whom this track founded. */
  #founded: string | undefined;
  #closed = false;

  /** @internal */
  constructor(host: Host, track: number, camera: string) {
    this.#host = host;
    this.track = track;
    this.camera = camera;
    this.#evidence = new Evidence(host.options.mostLooks);
  }

  /** Who it is held to be now. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Looks that were recognised so far, those that were not kept among them. */
  get looks(): number {
    return this.#taken;
  }

  /**
   * Whether a look of this weight (`lookWeight`) is worth an embedding now: the first one; while nothing is decided, or what was is contested, at
   * intervals that grow; where it is clearly better than the best so far; and once in a while to confirm. Not while one is under way.
   *
   * It may be asked twice for a frame: with what the detector says, to learn whether measuring is worth it, and again with what was measured. Where the
   * second answer is no, the next frames are left in peace for a while.
   */
  needsLook(weight: number, timestamp: number): boolean {
    this.#host.counts.asked++;
    this.#lastSeen = Math.max(this.#lastSeen, timestamp);
    const wanted = timestamp >= this.#notBefore && this.#wants(weight, timestamp);
    if (wanted) {
      this.#host.counts.wanted++;
      this.#lastWanted = timestamp;
    } else if (timestamp === this.#lastWanted) {
      const { intervalMs } = this.#host.options;
      this.#notBefore = timestamp + (this.#identity.kind === 'undecided' ? 1 : 4) * intervalMs;
    }
    return wanted;
  }

  #wants(weight: number, timestamp: number): boolean {
    const { minWeight, intervalMs, confirmMs } = this.#host.options;
    if (this.#closed || !(weight >= minWeight) || this.#waiting > 0) return false;
    if (this.#taken === 0) return true;
    const since = timestamp - this.#lastLook;
    if (since < intervalMs) return false;
    const { best } = this.#evidence;
    if (weight >= BETTER * best && best < GOOD) return true;
    if (this.#identity.kind === 'undecided' || this.#contested > 0 || this.#dissenting.length > 0) {
      const pause = intervalMs * 2 ** Math.max(0, (this.#taken - EAGER_LOOKS) / 2);
      return since >= Math.min(confirmMs, pause);
    }
    return since >= (weight >= best / 2 ? confirmMs : 2 * confirmMs);
  }

  /**
   * Takes a look and decides. Resolves with who the track is then; a change is also told to `onChange`. Looks below `minWeight` are
   * counted and left out. Rejects with `EMBEDDING_MISMATCH`, `MODEL_NOT_FOUND` (no threshold is named and no calibration known),
   * `ABORTED` (the look may be joined, nothing was decided), `CLOSED`, and what the gallery rejects with; the track stays usable.
   */
  add(look: NewLook, options: { readonly signal?: AbortSignal } = {}): Promise<Identity> {
    plainObject('look', look, ['embedding', 'weight', 'timestamp']);
    const embedding = unitEmbedding('look.embedding', look.embedding);
    const weight = numberIn('look.weight', look.weight, 0, 1);
    const timestamp = numberIn('look.timestamp', look.timestamp, 0, Number.MAX_SAFE_INTEGER);
    this.#waiting++;
    return this.#inTurn(async () => {
      this.#waiting--;
      if (this.#closed) throw new LineamentError('CLOSED', `track ${this.track} has ended`);
      throwIfAborted(options.signal);
      await this.#take({ embedding, weight, timestamp, votes: {} }, options.signal);
      return this.#identity;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #take(look: Look, signal: AbortSignal | undefined): Promise<void> {
    const { counts, options } = this.#host;
    counts.looks++;
    if (look.weight < options.minWeight) {
      counts.poor++;
      return;
    }
    this.#taken++;
    this.#lastLook = Math.max(this.#lastLook, look.timestamp);
    this.#lastSeen = Math.max(this.#lastSeen, look.timestamp);
    const evidence = this.#evidence;
    if (this.#threshold !== undefined && dissents(evidence.agreement(look.embedding), this.#threshold)) {
      counts.dissenting++;
      if (!this.#outweighs(look, this.#threshold)) return;
      // What was seen lately is another face than before: the track went over to somebody else, or began with poor looks.
      evidence.replace(this.#dissenting);
      this.#dissenting = [];
      await this.#decide(look.timestamp, 'look', true, undefined, signal);
      return;
    }
    this.#dissenting = [];
    if (evidence.add(look)) await this.#decide(look.timestamp, 'look', false, look, signal);
  }

  /** Whether looks that do not fit the track, agreeing with each other, have come to weigh as much as it does. */
  #outweighs(look: Look, threshold: number): boolean {
    const agreeing = this.#dissenting.filter(
      (one) => !dissents(dot(one.embedding.vector, look.embedding.vector), threshold),
    );
    this.#dissenting = [...agreeing, look].slice(-MOST_DISSENTING);
    const weight = this.#dissenting.reduce((sum, one) => sum + one.weight, 0);
    return this.#dissenting.length >= 2 && weight >= Math.min(1.2, this.#evidence.weight);
  }

  /** @internal Somebody was enrolled, deleted, merged or split: looks at what is known already with that. `anew`: whatever was decided is open. */
  reconsider(anew: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#closed && this.#evidence.looks.length > 0) {
        await this.#decide(this.#lastSeen, 'gallery', anew, undefined, undefined);
      }
    });
  }

  /**
   * "This is not that person": `Gallery.feedback` with what was seen of the track, for whom it is held to be; it is decided anew. Gives the operation, for
   * `Gallery.undo` (of a stranger: `Strangers.undo`). Rejects with `NOT_FOUND` where it is held to be nobody.
   */
  reject(): Promise<number> {
    return this.#inTurn(async () => {
      const { kind, id } = this.#identity;
      const joined = this.#evidence.joined();
      if (id === undefined || joined === undefined) {
        throw new LineamentError('NOT_FOUND', `track ${this.track} is held to be nobody`);
      }
      const { gallery, strangers } = this.#host;
      const operation =
        kind === 'stranger' && strangers !== undefined
          ? await strangers.notThisPerson(id, joined.embedding)
          : await gallery.feedback({ person: id, probe: joined.embedding });
      this.#rejected.add(id);
      if (this.#founded === id) this.#founded = undefined;
      await this.#decide(this.#lastSeen, 'gallery', true, undefined, undefined);
      return operation;
    });
  }

  async #decide(
    timestamp: number,
    cause: IdentityChange['cause'],
    anew: boolean,
    look: Look | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const joined = this.#evidence.joined();
    if (joined === undefined) return;
    const { host, now } = { host: this.#host, now: this.#identity };
    const known = await host.searchKnown(joined, look?.embedding, signal);
    this.#threshold = known.found.threshold;
    if (look !== undefined) Object.assign(look.votes, { known: known.vote });
    const knownFound = this.#ruled(known.found);
    const held = (strangers: Found | undefined): boolean =>
      !anew && now.id !== undefined && now.kind !== 'undecided' && stands(now.kind, now.id, knownFound, strangers);
    if (now.kind === 'known' && held(undefined)) return this.#confirm(knownFound);
    let verdict = judge(this.#seen(), knownFound, undefined, host.options);
    let strangers: Found | undefined;
    if (verdict.kind !== 'known' && this.#evidence.weight >= host.options.leastWeight && host.strangers !== undefined) {
      const found = await host.strangers.search(joined, look?.embedding, signal);
      if (look !== undefined) Object.assign(look.votes, { stranger: found.vote });
      strangers = this.#ruled(found.found);
      verdict = judge(this.#seen(), knownFound, strangers, host.options);
    } else if (now.kind === 'stranger' && host.strangers !== undefined) {
      strangers = this.#ruled((await host.strangers.search(joined, undefined, signal)).found);
    }
    if (now.kind === 'stranger' && held(strangers)) return this.#confirm(strangers!);
    if (now.kind !== 'undecided' && !anew && ++this.#contested < CONTESTED) return;
    this.#contested = 0;
    await this.#adopt(verdict, timestamp, cause, signal);
  }

  /** Who is decided stays; similarity and name are those of now. */
  #confirm(found: Found): void {
    this.#contested = 0;
    const own = found.candidates.find(({ id }) => id === this.#identity.id);
    if (own === undefined) return;
    const { looks, weight } = this.#seen();
    const before = this.#identity;
    this.#identity = { ...before, name: own.name ?? own.id, similarity: own.similarity, looks, weight };
    if (before.name !== this.#identity.name) this.#tell(before, this.#lastSeen, 'renamed');
  }

  async #adopt(
    verdict: Verdict,
    timestamp: number,
    cause: IdentityChange['cause'],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const before = this.#identity;
    const { looks, weight } = this.#seen();
    if (verdict.kind === 'undecided') return this.#become({ kind: 'undecided', looks, weight }, timestamp, cause);
    if (verdict.kind === 'new') return this.#beStranger(timestamp, cause, signal);
    const { candidate, kind } = verdict;
    const fmr = await this.#host.fmr(this.#evidence.looks[0]!.embedding.model, candidate.similarity);
    if (this.#holder(candidate) !== undefined)
      return this.#become({ kind: 'undecided', looks, weight }, timestamp, cause);
    const { id, similarity } = candidate;
    const rate = fmr === undefined ? {} : { fmr };
    this.#displace(candidate, timestamp);
    this.#become({ kind, id, name: candidate.name ?? id, similarity, ...rate, looks, weight }, timestamp, cause, true);
    if (kind === 'stranger') {
      if (before.id !== id) this.#host.counts.returned++;
      await this.#host.strangers?.seen(id, timestamp, before.id !== id);
    } else if (this.#founded !== undefined) {
      // It was no stranger after all.
      await this.#host.strangers?.retract(this.#founded, id);
      this.#founded = undefined;
    }
    await this.#setApart();
  }

  async #beStranger(timestamp: number, cause: IdentityChange['cause'], signal: AbortSignal | undefined): Promise<void> {
    const { strangers } = this.#host;
    const { looks, weight } = this.#seen();
    if (strangers === undefined) return this.#become({ kind: 'stranger', looks, weight }, timestamp, cause, false);
    const joined = this.#evidence.joined()!;
    const { id, founded } = await strangers.found(
      this.#evidence.looks,
      this.camera,
      async () => {
        // Another track may have founded the same person while this one waited.
        const { found } = await strangers.search(joined, undefined, signal);
        const [best] = this.#ruled(found).candidates;
        return best !== undefined && best.taken !== true && best.similarity >= found.threshold ? best.id : undefined;
      },
      signal,
    );
    if (founded) {
      this.#founded = id;
      this.#host.counts.founded++;
    } else {
      this.#host.counts.returned++;
      await strangers.seen(id, timestamp, true);
    }
    const name = (await this.#host.gallery.get(id))?.name ?? id;
    this.#become({ kind: 'stranger', id, name, similarity: joined.factor, looks, weight }, timestamp, cause, !founded);
    await this.#setApart();
  }

  #become(identity: Identity, timestamp: number, cause: IdentityChange['cause'], returning?: boolean): void {
    const before = this.#identity;
    this.#identity = identity;
    if (before.kind === identity.kind && before.id === identity.id && before.name === identity.name) return;
    this.#tell(before, timestamp, cause, returning);
  }

  #tell(previous: Identity, timestamp: number, cause: IdentityChange['cause'], returning?: boolean): void {
    this.#host.counts.changes++;
    const { track, camera, identity } = this;
    const told = identity.kind === 'stranger' && returning !== undefined ? { returning } : {};
    this.#host.tell({ track, camera, timestamp, identity, previous, cause, ...told });
  }

  #seen(): Seen {
    const { looks, weight, best } = this.#evidence;
    return { looks: looks.length, weight, best, votes: (kind, id) => this.#evidence.votes(kind, id) };
  }

  /** Marks who is in the picture beside this one. */
  #ruled(found: Found): Found {
    return {
      ...found,
      candidates: found.candidates.map((one) => (this.#holder(one) === undefined ? one : { ...one, taken: true })),
    };
  }

  /** The track beside this one that is held to be the candidate, and not with clearly less reason. */
  #holder(candidate: Candidate): TrackIdentity | undefined {
    for (const other of this.beside) {
      const { id, similarity = 1 } = other.identity;
      if (id === candidate.id && !clearlyNearer(candidate, { id, similarity })) return other;
    }
    return undefined;
  }

  #displace(candidate: Candidate, timestamp: number): void {
    for (const other of this.beside) if (other.identity.id === candidate.id) other.giveUp(timestamp);
  }

  /** @internal Another track in the same picture is that person. */
  giveUp(timestamp: number): void {
    const { looks, weight } = this.#seen();
    this.#contested = 0;
    this.#founded = undefined;
    this.#become({ kind: 'undecided', looks, weight }, timestamp, 'conflict');
  }

  /** @internal The same person under another id, name or kind. */
  follow(identity: Identity, cause: IdentityChange['cause']): void {
    if (this.#founded !== undefined && identity.id !== this.#identity.id) this.#founded = undefined;
    this.#become(identity, this.#lastSeen, cause, true);
  }

  /** Strangers seen side by side are two, for good; and so is whom somebody ruled out. */
  async #setApart(): Promise<void> {
    const { strangers } = this.#host;
    const { kind, id } = this.#identity;
    if (strangers === undefined || kind !== 'stranger' || id === undefined) return;
    const pair = (others: Iterable<string>): [string, string][] =>
      [...others].filter((one) => one !== id && !strangers.isApart(id, one)).map((one) => [id, one]);
    const beside = [...this.beside].flatMap(({ identity: other }) =>
      other.kind === 'stranger' && other.id !== undefined ? [other.id] : [],
    );
    const together = pair(beside);
    const said = pair(this.#rejected);
    if (together.length > 0) await strangers.setApart(together, 'together');
    if (said.length > 0) await strangers.setApart(said, 'feedback');
  }

  /**
   * The track has ended: sets down when a stranger was seen last, keeps a look that shows him as no other does, and looks whether he is
   * somebody who was seen before. Idempotent.
   */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#host.ended(this);
      for (const other of this.beside) other.beside.delete(this);
      const { strangers, options } = this.#host;
      const { kind, id } = this.#identity;
      if (strangers === undefined || kind !== 'stranger' || id === undefined) return;
      await strangers.seen(id, this.#lastSeen, false);
      const good = this.#evidence.looks.filter(({ weight }) => weight >= options.foundWeight);
      const [best] = good.toSorted((a, b) => b.weight - a.weight);
      const kept = best !== undefined && (await strangers.reinforce(id, best, this.camera));
      if (options.consolidate && (kept || this.#founded === id)) await this.#host.consolidate(id);
    });
  }
}
