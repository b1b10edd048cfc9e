import { randomBytes } from 'node:crypto';
import { invalid, nonEmptyString, numberIn, plainObject, positiveInteger } from '../../errors/validate.js';
import { LineamentError, throwIfAborted } from '../../errors.js';
import { Gate } from '../../gallery/gate.js';
import type { Enrolment, Erasure, Gallery, SampleInfo } from '../../gallery/index.js';
import { Lifetime } from '../../inference/lifetime.js';
import type { Embedding } from '../../types.js';
import { type ApartReason, type Entry, StrangerBook } from './book.js';
import type { PlannedMerge } from './cluster.js';
import type { JoinedLook, Look } from './evidence.js';
import { type LookedUp, Lookup, type MatchRate } from './lookup.js';
import { reclustering } from './recluster.js';
import { enrolNew, firstSamples, freshId, keepLook, type StrangerPlace, samplesIn } from './stranger-looks.js';
import type { EnrolStrangerOptions, Reclustered, ReclusterOptions, StrangersOptions } from './stranger-options.js';
import { demoteStranger, enrolStranger, undoStep } from './stranger-steps.js';
import { bringInStep } from './stranger-sync.js';
import type { StrangerInfo, StrangerNotice, StrangerOperation } from './types.js';

const OPTIONS = ['gallery', 'path', 'collection', 'match', 'mostSamples', 'newId'];
/**
 * Strangers: persons of the gallery with samples in a collection of their own. What the gallery promises of persons holds for them: sealed
 * templates, erasure with a receipt, merges and splits that can be taken back, feedback, backups, kill -9.
 *
 * Calls may overlap; those that change who there is run one after another. All reject with `INVALID_ARGUMENT`, `CLOSED` and what the gallery
 * rejects with. Ids of strangers who were merged stay good everywhere.
 */
export class Strangers implements AsyncDisposable {
  readonly collection: string;
  readonly gallery: Gallery;
  readonly match: MatchRate;
  readonly #book: StrangerBook;
  readonly #lookup: Lookup;
  readonly #place: StrangerPlace;
  readonly #gate = new Gate();
  readonly #lifetime = new Lifetime('list of strangers');
  readonly #listeners = new Set<(notice: StrangerNotice) => void>();
  #there: boolean;

  private constructor(options: StrangersOptions, book: StrangerBook, there: boolean) {
    this.gallery = options.gallery;
    this.collection = options.collection ?? 'strangers';
    this.match = { ...(hasRate(options.match) ? {} : { fmr: 0.005 }), fuse: 'quality', ...options.match };
    this.#book = book;
    this.#lookup = new Lookup(this.gallery, this.match);
    this.#place = {
      gallery: this.gallery,
      collection: this.collection,
      match: this.match,
      mostSamples: options.mostSamples ?? 8,
      newId: options.newId ?? (() => randomBytes(4)),
      taken: (id) => book.taken(id),
    };
    this.#there = there;
  }

  /** Opens the list and brings it in step with the gallery. Rejects with `STORE_…` codes. The gallery stays the caller's to close. */
  static async open(options: StrangersOptions): Promise<Strangers> {
    plainObject('options', options, OPTIONS);
    if (typeof options.gallery?.identifyMany !== 'function') throw invalid('gallery', 'gallery', options.gallery);
    const path = nonEmptyString('path', options.path);
    const collection = nonEmptyString('collection', options.collection ?? 'strangers');
    if (options.mostSamples !== undefined) positiveInteger('mostSamples', options.mostSamples, 100);
    plainObject('match', options.match ?? {}, ['fmr', 'fpir', 'threshold', 'fuse']);
    const there = (await options.gallery.collections()).some(({ name }) => name === collection);
    const strangers = new Strangers(options, await StrangerBook.open(path), there);
    try {
      await strangers.sync();
      return strangers;
    } catch (error) {
      await strangers.close();
      throw error;
    }
  }

  /** Calls the listener for everything that happens to strangers, after it is on the disk. Gives a function that takes it off. */
  on(listener: (notice: StrangerNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many there are, those enrolled since not among them. */
  get size(): number {
    return [...this.#book.entries.values()].filter(({ enrolled }) => !enrolled).length;
  }

  /** The id that a stranger goes by now: of whom he was merged into, or his own. */
  resolve(id: string): string {
    return this.#book.resolve(id);
  }

  /** Whether an id is that of a stranger now: not of a known person, nor of one who was merged. */
  has(id: string): boolean {
    return this.#book.entries.get(id)?.enrolled === false;
  }

  /** Absent where there is nobody of this id, nor was merged into anybody. */
  get(id: string): Promise<StrangerInfo | undefined> {
    return this.#lifetime.use(async () => this.#info(this.#book.entries.get(this.resolve(id))));
  }

  /** In the order of their ids. `inactiveSince`: only those not seen since then (ms since the epoch). */
  list(
    options: { readonly after?: string; readonly limit?: number; readonly inactiveSince?: number } = {},
  ): Promise<readonly StrangerInfo[]> {
    return this.#lifetime.use(async () => {
      plainObject('options', options, ['after', 'limit', 'inactiveSince']);
      const { after = '', inactiveSince = Infinity } = options;
      const limit = positiveInteger('limit', options.limit ?? 100, 10_000);
      const some = [...this.#book.entries.values()]
        .filter(({ id, enrolled, lastSeen }) => !enrolled && id > after && lastSeen < inactiveSince)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit);
      const infos = await Promise.all(some.map((entry) => this.#info(entry)));
      return infos.filter((info) => info !== undefined);
    });
  }

  async #info(entry: Entry | undefined): Promise<StrangerInfo | undefined> {
    const person = entry && (await this.gallery.get(entry.id));
    return entry && person && { ...entry, ...(person.name === undefined ? {} : { name: person.name }) };
  }

  /** @internal Strangers who resemble a look. */
  async search(joined: JoinedLook, look: Embedding | undefined, signal: AbortSignal | undefined): Promise<LookedUp> {
    // Without the collection the gallery still says what the threshold is.
    if (!this.#there) return this.#lookup.search(joined, look, [], { signal });
    const except = [...this.#book.entries.values()].filter(({ enrolled }) => enrolled).map(({ id }) => id);
    return this.#lookup.search(joined, look, [this.collection], { except, signal });
  }

  get searches(): number {
    return this.#lookup.searches;
  }

  /**
   * @internal Gives a stranger an id, unless `again` (called when it is this call's turn) finds somebody now whom another track founded meanwhile.
   */
  found(
    looks: readonly Look[],
    camera: string,
    again: () => Promise<string | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly id: string; readonly founded: boolean }> {
    return this.#alone(async () => {
      throwIfAborted(signal);
      const other = await again();
      if (other !== undefined) return { id: other, founded: false };
      const samples = firstSamples(looks, camera);
      const id = await enrolNew(this.#place, samples, signal);
      this.#there = true;
      const seen = looks.map(({ timestamp }) => timestamp);
      const times = { firstSeen: Math.min(...seen), lastSeen: Math.max(...seen) };
      await this.#book.put({ id, ...times, tracks: 1, enrolled: false });
      this.#notify({ kind: 'founded', id });
      return { id, founded: true };
    });
  }

  /** @internal A track of a stranger has begun, goes on or has ended. */
  async seen(id: string, timestamp: number, newTrack: boolean): Promise<void> {
    const entry = this.#book.entries.get(this.resolve(id));
    if (entry === undefined) return;
    const lastSeen = Math.max(entry.lastSeen, Math.floor(timestamp));
    if (lastSeen === entry.lastSeen && !newTrack) return;
    await this.#book.put({ ...entry, lastSeen, tracks: entry.tracks + (newTrack ? 1 : 0) });
  }

  /** @internal Keeps a look where it shows the stranger as no other does and there is room. */
  reinforce(id: string, look: Look, camera: string): Promise<boolean> {
    return this.#alone(async () => {
      const current = this.resolve(id);
      return this.has(current) && keepLook(this.#place, current, look, camera);
    });
  }

  /** Two were in the picture at the same time, or somebody says so: they are not one person. Merging them takes it back. */
  setApart(pairs: readonly (readonly [string, string])[], reason: ApartReason = 'feedback'): Promise<void> {
    return this.#alone(() =>
      this.#book.setApart(pairs.map(([a, b]) => [this.resolve(a), this.resolve(b), reason] as const)),
    );
  }

  /** Whether it is known that two are not the same person. */
  isApart(a: string, b: string): boolean {
    return this.#book.isApart(this.resolve(a), this.resolve(b));
  }

  /** "This is not that stranger": as `Gallery.feedback`; gives an operation for `undo`. Rejects with `NOT_FOUND`. */
  notThisPerson(id: string, probe: Embedding): Promise<number> {
    return this.#alone(async () => {
      const current = this.#must(id);
      const operation = await this.gallery.feedback({ person: current, probe });
      await this.#record(operation, 'feedback', [current], 'call');
      return operation;
    });
  }

  /** Names a stranger (`null` takes the name away). Gives an operation for `undo`. Rejects with `NOT_FOUND`. */
  rename(id: string, name: string | null): Promise<number> {
    return this.#alone(async () => {
      const current = this.#must(id);
      const before = await this.gallery.get(current);
      const operation = await this.gallery.update(current, { name });
      await this.#record(operation, 'rename', [current], 'call');
      this.#notify({
        kind: 'renamed',
        id: current,
        ...(name === null ? {} : { name }),
        ...(before?.name === undefined ? {} : { previous: before.name }),
      });
      return operation;
    });
  }

  /** Two strangers are one; the id of `from` stays good. Gives an operation for `undo`. Rejects with `NOT_FOUND`. */
  merge(into: string, from: string): Promise<number> {
    return this.#alone(() => this.#merge(this.#must(into), this.#must(from), 'call'));
  }

  async #merge(into: string, from: string, by: StrangerOperation['by']): Promise<number> {
    if (into === from) throw invalid('from', `another stranger than '${into}'`, from);
    const operation = await this.gallery.merge(into, from);
    const [a, b] = [this.#book.entries.get(into)!, this.#book.entries.get(from)!];
    const sum: Entry = {
      id: into,
      firstSeen: Math.min(a.firstSeen, b.firstSeen),
      lastSeen: Math.max(a.lastSeen, b.lastSeen),
      tracks: a.tracks + b.tracks,
      enrolled: a.enrolled,
    };
    await this.#book.merge(into, from, { operation, kind: 'merge', at: Date.now(), by, strangers: [into, from] }, sum);
    this.#notify({ kind: 'merged', id: from, into, operation });
    return operation;
  }

  /** One stranger is two: some samples (ids of the gallery) become a new one's. Rejects with `NOT_FOUND`. */
  split(id: string, samples: readonly string[]): Promise<{ readonly operation: number; readonly stranger: string }> {
    return this.#alone(async () => {
      const current = this.#must(id);
      const fresh = freshId(this.#place);
      const { operation, person } = await this.gallery.split(current, samples, { id: fresh });
      await this.#book.put({ ...this.#book.entries.get(current)!, id: person, tracks: 0 });
      await this.#book.setApart([[current, person, 'split']]);
      await this.#record(operation, 'split', [current, person], 'call');
      this.#notify({ kind: 'parted', id: person, from: current, operation });
      return { operation, stranger: person };
    });
  }

  /** Takes a merge, split, renaming or feedback back. Of several on a stranger the newest comes first. Rejects with `NOT_FOUND`. */
  undo(operation: number): Promise<void> {
    return this.#alone(async () => {
      const line = await this.#book.operation(positiveInteger('operation', operation));
      if (line === undefined) throw new LineamentError('NOT_FOUND', `there is no operation ${operation} on strangers`);
      const notice = await undoStep(this.#book, this.gallery, line);
      if (notice !== undefined) this.#notify(notice);
    });
  }

  /** Operations on strangers, newest first. */
  operations(options: { readonly limit?: number } = {}): Promise<readonly StrangerOperation[]> {
    return this.#lifetime.use(() => this.#book.operations(positiveInteger('limit', options.limit ?? 100, 10_000)));
  }

  /**
   * Finds strangers who are one person and merges them (see `cluster.ts`): the mean cosine of their looks must pass the threshold, no two looks
   * may be far apart, pairs known to be two persons stay two, and no cluster may swallow more than a share of all. Each merge is an operation.
   * Others may go on while the plan is made; who has changed since is left alone.
   */
  recluster(options: ReclusterOptions = {}): Promise<Reclustered> {
    return this.#lifetime.use(async () => {
      plainObject('options', options, ['dryRun', 'only', 'match', 'mostShare', 'signal']);
      const match = options.match ?? {};
      plainObject('match', match, ['fmr', 'threshold']);
      const mostShare = numberIn('mostShare', options.mostShare ?? 0.2, 0, 1);
      const only = options.only && new Set(options.only.map((id) => this.#must(id)));
      const entries = [...this.#book.entries.values()].filter(({ enrolled }) => !enrolled);
      if (!this.#there || entries.length < 2) return { merges: [], heldBack: [], persons: entries.length };
      const plan = await reclustering(this, entries, {
        only,
        match: hasRate(match) ? match : this.match,
        most: Math.max(10, Math.floor(mostShare * entries.length)),
        isApart: (a, b) => this.#book.isApart(a, b),
        signal: options.signal,
      });
      const merges: (PlannedMerge & { operation?: number })[] = [];
      for (const merge of plan.merges) {
        if (options.dryRun === true) merges.push(merge);
        else {
          throwIfAborted(options.signal);
          const operation = await this.#gate.alone(() => this.#mergeAsPlanned(merge));
          if (operation !== undefined) merges.push({ ...merge, operation });
        }
      }
      return { merges, heldBack: plan.heldBack, persons: entries.length };
    });
  }

  /** Others went on while the plan was made: what has changed since is left alone. */
  async #mergeAsPlanned({ into, from }: PlannedMerge): Promise<number | undefined> {
    const stale = !this.has(into) || !this.has(from) || this.#book.isApart(into, from);
    return stale ? undefined : this.#merge(into, from, 'cluster');
  }

  /**
   * Makes a stranger a known person: his samples are enrolled, with the consent, in a collection that is searched for known persons. His
   * id stays good. Rejects with `NOT_FOUND`, `DUPLICATE_ID`, `TEMPLATE_EXPIRED`.
   */
  enrol(id: string, options: EnrolStrangerOptions): Promise<Enrolment> {
    return this.#alone(async () => {
      const current = this.#must(id);
      const enrolment = await enrolStranger(this.#book, this.#place, current, options);
      this.#notify({ kind: 'enrolled', id: current, person: enrolment.person });
      return enrolment;
    });
  }

  /** Makes a known person who was a stranger one again: samples of known collections are deleted, with receipts. Rejects with `NOT_FOUND`. */
  demote(id: string): Promise<readonly Erasure[]> {
    return this.#alone(async () => {
      const current = this.#must(id);
      const erasures = await demoteStranger(this.#book, this.#place, current);
      this.#notify({ kind: 'demoted', id: current });
      return erasures;
    });
  }

  /** Deletes a stranger for good, with everybody who was merged into him; the receipt is the gallery's. Rejects with `NOT_FOUND`. */
  erase(id: string): Promise<Erasure> {
    return this.#alone(async () => {
      const current = this.#must(id);
      const erasure = await this.gallery.delete({ person: current });
      await this.#book.forget([current], true);
      this.#notify({ kind: 'erased', id: current });
      return erasure;
    });
  }

  /** @internal A stranger whom one track founded by mistake is somebody known: the samples go, the id leads to the person. */
  retract(id: string, person: string): Promise<boolean> {
    return this.#alone(async () => {
      const entry = this.#book.entries.get(id);
      if (entry === undefined || entry.enrolled || entry.tracks > 1) return false;
      await this.gallery.delete({ person: id });
      await this.#book.merge(person, id, undefined, undefined);
      this.#notify({ kind: 'merged', id, into: person });
      return true;
    });
  }

  /** Brings the list in step with what was done to the gallery directly; opening does it too. */
  sync(): Promise<void> {
    return this.#alone(async () => {
      if (!this.#there) this.#there = (await this.gallery.collections()).some(({ name }) => name === this.collection);
      const place = { gallery: this.gallery, collection: this.collection, there: this.#there };
      for (const notice of await bringInStep(this.#book, place)) this.#notify(notice);
    });
  }

  /** @internal Samples that show the person as a stranger. */
  samplesOf(samples: readonly SampleInfo[]): readonly SampleInfo[] {
    return samplesIn(this.collection, samples);
  }

  #must(id: string): string {
    const current = this.resolve(nonEmptyString('id', id));
    if (!this.#book.entries.has(current)) throw new LineamentError('NOT_FOUND', `there is no stranger '${id}'`);
    return current;
  }

  #record(operation: number, kind: StrangerOperation['kind'], strangers: readonly string[], by: 'call'): Promise<void> {
    return this.#book.record({ operation, kind, at: Date.now(), by, strangers });
  }

  #notify(notice: StrangerNotice): void {
    for (const listener of [...this.#listeners]) listener(notice);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#lifetime.use(() => this.#gate.alone(work));
  }

  /** Lets running calls end and closes the file; the gallery stays open. Idempotent. */
  close(): Promise<void> {
    return this.#lifetime.close(() => this.#book.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const hasRate = (match: MatchRate | undefined): boolean =>
  match?.fmr !== undefined || match?.fpir !== undefined || match?.threshold !== undefined;
