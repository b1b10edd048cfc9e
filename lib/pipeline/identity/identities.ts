import { numberIn, positiveInteger } from '../../errors/validate.js';
import type { LineamentError } from '../../errors.js';
import type { Gallery } from '../../gallery/index.js';
import { Lifetime } from '../../inference/lifetime.js';
import type { Embedding } from '../../types.js';
import type { Identity } from '../types.js';
import type { JoinedLook } from './evidence.js';
import { ImpliedRates, KnownCollections, type LookedUp, Lookup } from './lookup.js';
import { type CheckedIdentities, checkIdentities, type IdentitiesOptions } from './options.js';
import type { Strangers } from './strangers.js';
import { TrackIdentity } from './track.js';
import type { IdentityChange, IdentityStats, StrangerNotice } from './types.js';

type Counts = { -readonly [K in keyof Omit<IdentityStats, 'searches'>]: number };

/** What tracks have from the identities that they belong to. */
export interface Host {
  readonly options: CheckedIdentities;
  readonly gallery: Gallery;
  readonly strangers: Strangers | undefined;
  readonly counts: Counts;
  searchKnown(joined: JoinedLook, look: Embedding | undefined, signal: AbortSignal | undefined): Promise<LookedUp>;
  fmr(model: string, similarity: number): Promise<number | undefined>;
  tell(change: IdentityChange): void;
  ended(track: TrackIdentity): void;
  consolidate(id: string): Promise<void>;
}

/**
 * Who the tracks of all cameras are: known persons of a gallery, strangers with ids that last, or undecided. One object for a pipeline.
 *
 * A look (embedding and weight) is only asked for where it helps (`TrackIdentity.needsLook`); looks are joined, and what is joined is
 * searched, so the thresholds keep their meaning. Decisions take their time from frames and never from the clock. Calls may overlap.
 */
export class Identities implements AsyncDisposable {
  readonly gallery: Gallery;
  readonly strangers: Strangers | undefined;
  readonly #options: CheckedIdentities;
  readonly #onChange: ((change: IdentityChange) => void) | undefined;
  readonly #known: Lookup;
  readonly #collections: KnownCollections;
  readonly #rates: ImpliedRates;
  readonly #tracks = new Map<number, TrackIdentity>();
  readonly #lifetime = new Lifetime('list of identities');
  readonly #stop: (() => void) | undefined;
  readonly #following = new Set<Promise<void>>();
  readonly #host: Host;
  #revision: number;

  /** Throws `INVALID_ARGUMENT`. Gallery and strangers stay the caller's to close, after this. */
  constructor(options: IdentitiesOptions) {
    this.#options = checkIdentities(options);
    this.gallery = options.gallery;
    this.strangers = options.strangers;
    this.#onChange = options.onChange;
    this.#known = new Lookup(this.gallery, this.#options.match);
    this.#collections = new KnownCollections(
      this.gallery,
      options.collections,
      this.strangers?.collection ?? 'strangers',
    );
    this.#rates = new ImpliedRates(options.calibration);
    this.#revision = this.gallery.revision;
    this.#stop = this.strangers?.on((notice) => this.#noticed(notice));
    const counts: Counts = {
      tracks: 0,
      asked: 0,
      wanted: 0,
      looks: 0,
      poor: 0,
      dissenting: 0,
      changes: 0,
      founded: 0,
      returned: 0,
    };
    this.#host = {
      options: this.#options,
      gallery: this.gallery,
      strangers: this.strangers,
      counts,
      searchKnown: async (joined, look, signal) =>
        this.#known.search(joined, look, await this.#collections.of(joined.embedding), { signal }),
      fmr: (model, similarity) => this.#rates.at(model, similarity),
      tell: (change) => this.#onChange?.(change),
      ended: ({ track }) => this.#tracks.delete(track),
      consolidate: async (id) => {
        await this.strangers?.recluster({ only: [this.strangers.resolve(id)] });
      },
    };
  }

  /** The identity of a track; made where the number is new. Throws `CLOSED`. */
  track(track: number, camera: string): TrackIdentity {
    this.#lifetime.check();
    positiveInteger('track', track + 1);
    const known = this.#tracks.get(track);
    if (known !== undefined) return known;
    const made = new TrackIdentity(this.#host, track, camera);
    this.#tracks.set(track, made);
    this.#host.counts.tracks++;
    return made;
  }

  /** Tracks that have not ended. */
  get open(): readonly TrackIdentity[] {
    return [...this.#tracks.values()];
  }

  /**
   * These tracks (numbers) were seen in one frame of one camera, so they are different persons. Call it for frames with detections, with the tracks
   * that were detected in it, not with predicted ones. Of two that are held to be the same person the less similar one is undecided again.
   */
  seenTogether(tracks: readonly number[], timestamp: number): void {
    numberIn('timestamp', timestamp, 0, Number.MAX_SAFE_INTEGER);
    const there = tracks.map((track) => this.#tracks.get(track)).filter((track) => track !== undefined);
    for (const [i, a] of there.entries()) {
      for (const b of there.slice(i + 1)) {
        if (a === b) continue;
        a.beside.add(b);
        b.beside.add(a);
        const [x, y] = [a.identity, b.identity];
        if (x.id !== undefined && x.id === y.id) {
          ((x.similarity ?? 1) >= (y.similarity ?? 1) ? b : a).giveUp(timestamp);
        }
      }
    }
  }

  /**
   * Looks whether anything was changed in the gallery (somebody enrolled, deleted, renamed, merged) and decides open tracks anew with what is known
   * of them, without a new look. Costs nothing where nothing was changed: call it every second or so.
   */
  refresh(): Promise<void> {
    return this.#lifetime.use(async () => {
      if (this.gallery.revision === this.#revision) return;
      this.#revision = this.gallery.revision;
      this.#collections.forget();
      const gone = new Set<TrackIdentity>();
      for (const track of this.open) {
        const { id } = track.identity;
        if (id !== undefined && (await this.gallery.get(id)) === undefined) gone.add(track);
      }
      if ([...gone].some(({ identity }) => identity.kind === 'stranger')) await this.strangers?.sync();
      await Promise.all([...this.#following]);
      for (const track of this.open) await track.reconsider(gone.has(track));
    });
  }

  get stats(): IdentityStats {
    const searches = this.#known.searches + (this.strangers?.searches ?? 0);
    return { ...this.#host.counts, searches };
  }

  #noticed(notice: StrangerNotice): void {
    const work = this.#follow(notice)
      // A gallery that is closed meanwhile ends the tracks anyway.
      .catch(() => undefined)
      .finally(() => this.#following.delete(work));
    this.#following.add(work);
  }

  async #follow(notice: StrangerNotice): Promise<void> {
    const own = this.open.filter(({ identity }) => identity.id === notice.id && identity.kind !== 'undecided');
    switch (notice.kind) {
      case 'founded':
        return;
      case 'renamed':
        for (const one of own) one.follow({ ...one.identity, name: notice.name ?? notice.id }, 'renamed');
        return;
      case 'merged': {
        const name = (await this.gallery.get(notice.into))?.name ?? notice.into;
        const known = this.strangers?.has(notice.into) !== true;
        const kind = known ? 'known' : 'stranger';
        this.#rename(own, notice.id, { kind, id: notice.into, name });
        return;
      }
      case 'enrolled': {
        const name = (await this.gallery.get(notice.person))?.name ?? notice.person;
        this.#rename(own, notice.id, { kind: 'known', id: notice.person, name });
        return;
      }
      case 'demoted': {
        const name = (await this.gallery.get(notice.id))?.name ?? notice.id;
        this.#rename(own, notice.id, { kind: 'stranger', id: notice.id, name });
        return;
      }
      case 'parted':
        for (const one of this.open.filter(({ identity }) => identity.id === notice.from)) await one.reconsider(true);
        return;
      case 'erased':
        for (const one of own)
          one.follow({ kind: 'undecided', looks: one.identity.looks, weight: one.identity.weight }, 'gallery');
    }
  }

  #rename(tracks: readonly TrackIdentity[], id: string, to: Pick<Identity, 'kind' | 'id' | 'name'>): void {
    for (const one of tracks) if (one.identity.id === id) one.follow({ ...one.identity, ...to }, 'gallery');
  }

  /** Ends all tracks and lets what is under way end. Idempotent; gallery and strangers stay open. */
  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      this.#stop?.();
      await Promise.all([...this.#following]);
      const settled = await Promise.allSettled(this.open.map((track) => track.close()));
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed !== undefined && (failed.reason as LineamentError).code !== 'CLOSED') throw failed.reason;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
