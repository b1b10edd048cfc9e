import { invalid, numberIn } from '../../errors/validate.js';
import { intersectionOverUnion } from '../../image/geometry.js';
import { checkEmbedding } from '../../recognition/compare.js';
import type { Embedding } from '../../types.js';
import type { Detection, Track } from '../types.js';
import { type Candidate, candidate, lastSightCost, pairCost, pairUp } from './association.js';
import { type Observation, pairDetections } from './observation.js';
import { type CheckedTrackerOptions, checkTrackerOptions, type TrackerOptions } from './options.js';
import { KINDS, type Kind, TrackRecord } from './record.js';

/** Of a new box that lies so much on one that was found, nothing is begun: it is the same one twice. */
const TWICE = 0.7;
/** Heights of the box that somebody may have gone in a second while not seen. */
const PACE: Readonly<{ [kind in Kind]: number }> = { face: 8, person: 2 };

/**
 * Keeps persons apart from frame to frame in front of one camera. Detections of faces and persons are joined in one track for
 * each person; a Kalman filter says where its boxes are between and when it is hidden. Confident detections are assigned first, then weak ones to
 * the tracks that are left (Y. Zhang et al., "ByteTrack: multi-object tracking by associating every detection box", ECCV 2022); what turned
 * round while hidden is found where it was seen last (J. Cao et al., "Observation-Centric SORT: rethinking SORT for robust multi-object tracking", CVPR 2023; its re-update
 * along a straight path was measured and brought nothing over time steps of their true length); who is lost is known again by
 * embeddings. Deterministic: all times are those of the frames. Memory is bounded by `maxTracks`. Not to be shared between threads.
 */
export class Tracker {
  readonly camera: string;
  readonly #options: CheckedTrackerOptions;
  #tracks: TrackRecord[] = [];
  #now: number | undefined;
  #lastId = 0;

  /** Throws `INVALID_ARGUMENT`. */
  constructor(camera: string, options: TrackerOptions = {}) {
    if (typeof camera !== 'string' || camera.length === 0) throw invalid('camera', 'non-empty string', camera);
    this.camera = camera;
    this.#options = checkTrackerOptions(options);
  }

  /** Tracks that have not ended, lost ones included. */
  get size(): number {
    return this.#tracks.length;
  }

  /**
   * Goes on to a frame. `timestamp` is in milliseconds and never decreases. `detections` are what was found in the frame, in its pixels; without
   * them nothing was looked for, and boxes are predicted. `looked` names what was looked for: a track whose person is known is not missed
   * because faces only were; when absent, faces, and persons where there is one among the detections. Gives all tracks by
   * number, tentative and lost ones too, and each that ended once (`ended`; one that was never confirmed has fewer than `confirmHits` hits).
   * Throws `INVALID_ARGUMENT`.
   */
  update(
    timestamp: number,
    detections: readonly Detection[] | undefined,
    picture: { readonly width: number; readonly height: number },
    looked?: readonly Detection['kind'][],
  ): Track[] {
    numberIn('timestamp', timestamp, this.#now ?? -Number.MAX_VALUE, Infinity);
    numberIn('picture.width', picture?.width, 1, Infinity);
    numberIn('picture.height', picture.height, 1, Infinity);
    if (detections !== undefined && !Array.isArray(detections)) throw invalid('detections', 'list', detections);
    // Checked before anything changes.
    const observed = detections === undefined ? undefined : pairDetections(detections, this.#options);
    const seconds = this.#now === undefined ? 0 : (timestamp - this.#now) / 1000;
    this.#now = timestamp;
    const ended = this.#end((track) => timestamp - track.last > this.#options.keepMs);
    for (const track of this.#tracks) track.predict(seconds, timestamp);
    if (observed !== undefined) {
      const kinds = looked ?? (observed.some((o) => o.person !== undefined) ? KINDS : (['face'] as const));
      this.#associate(observed, timestamp, kinds);
    }
    for (const track of this.#tracks) {
      if (track.state === 'confirmed' && track.misses > 0 && timestamp - track.last > this.#options.coastMs)
        track.state = 'lost';
    }
    ended.push(
      ...this.#end(
        (track) =>
          (track.state === 'tentative' && track.misses > 1) ||
          (track.state === 'lost' && timestamp - track.last > this.#options.leaveMs && isOutside(track, picture)),
      ),
      ...this.#crowdedOut(),
    );
    return [...this.#tracks, ...ended].sort((a, b) => a.id - b.id).map((track) => track.snapshot(this.camera));
  }

  /**
   * Tells what the person of a track looks like, where that becomes known after the frame. A lost track that looks the same goes on
   * in its place: its older number is returned, and the given one is never named again, also not as ended. Otherwise returns `id`.
   * Only the first look of a track is compared. Without `looks` in the options, and for tracks that have ended, nothing is done.
   * Throws `INVALID_ARGUMENT`.
   */
  look(id: number, embedding: Embedding): number {
    checkEmbedding('embedding', embedding);
    const { looks } = this.#options;
    const track = this.#tracks.find((t) => t.id === id);
    if (track === undefined || looks === undefined) return id;
    const first = track.cosine(embedding) === undefined;
    track.remember(embedding);
    if (!first) return id;
    let best: { readonly track: TrackRecord; readonly cosine: number } | undefined;
    for (const other of this.#tracks) {
      if (other.state !== 'lost' || other.last >= track.first) continue;
      const cosine = other.cosine(embedding);
      if (cosine !== undefined && cosine >= looks.same && cosine > (best?.cosine ?? -1))
        best = { track: other, cosine };
    }
    if (best === undefined) return id;
    best.track.absorb(track);
    best.track.remember(embedding);
    this.#tracks = this.#tracks.filter((t) => t !== track);
    return best.track.id;
  }

  /** Ends all tracks, as at the end of a video: they are given back as ended. The tracker can go on. */
  finish(): Track[] {
    return this.#end(() => true).map((track) => track.snapshot(this.camera));
  }

  #associate(observed: readonly Observation[], timestamp: number, looked: readonly Kind[]): void {
    const { confirmHits, looks } = this.#options;
    const strong: Candidate[] = [];
    const weak: Candidate[] = [];
    for (const o of observed) (o.strong ? strong : weak).push(candidate(o));
    const found = (isWeak: boolean) => (track: TrackRecord, c: Candidate) =>
      track.take(c.observation, timestamp, confirmHits, isWeak);
    const cost = (track: TrackRecord, c: Candidate): number => pairCost(track, c, looks);

    const settled = this.#tracks.filter((t) => t.state !== 'tentative');
    const tentative = this.#tracks.filter((t) => t.state === 'tentative');
    pairUp(settled, strong, cost, found(false));
    const recent = settled.filter((t) => t.state === 'confirmed');
    pairUp(recent, weak, cost, found(true));
    const left = settled.filter((t) => !t.seen);
    pairUp(left, strong, lastSightCost, found(false));
    pairUp(tentative, strong, cost, found(false));
    pairUp(left, strong, (track, c) => this.#againCost(track, c, timestamp), found(false));
    for (const c of strong) this.#begin(c.observation, timestamp);

    for (const track of this.#tracks) {
      if (!track.seen && KINDS.every((kind) => track[kind] === undefined || looked.includes(kind))) track.misses++;
    }
  }

  /** Lost ones that look the same, no farther than one can have gone. */
  #againCost(track: TrackRecord, { observation }: Candidate, timestamp: number): number {
    const { looks } = this.#options;
    if (looks === undefined || track.state !== 'lost') return Infinity;
    const cosine = track.cosine(observation.embedding);
    if (cosine === undefined || cosine < looks.same) return Infinity;
    for (const kind of KINDS) {
      const [part, detection] = [track[kind], observation[kind]];
      if (part === undefined || detection === undefined) continue;
      const [a, b] = [part.seenBox, detection.box];
      const gone = Math.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2);
      const most = PACE[kind] * Math.max(a[3], b[3]) * (1 + (timestamp - part.last) / 1000);
      if (gone > most) return Infinity;
    }
    return 0.5 * (1 - cosine);
  }

  #begin(observation: Observation, timestamp: number): void {
    const twice = this.#tracks.some(
      (track) =>
        track.seen &&
        KINDS.some((kind) => {
          const [part, detection] = [track[kind], observation[kind]];
          return (
            part !== undefined && detection !== undefined && intersectionOverUnion(part.seenBox, detection.box) > TWICE
          );
        }),
    );
    if (twice) return;
    const id = this.#options.nextId?.() ?? ++this.#lastId;
    this.#tracks.push(new TrackRecord(id, observation, timestamp, this.#options.confirmHits));
  }

  /** Takes out the tracks that are over. */
  #end(over: (track: TrackRecord) => boolean): TrackRecord[] {
    const ended = this.#tracks.filter(over);
    if (ended.length === 0) return [];
    for (const track of ended) {
      track.state = 'ended';
      track.seen = false;
      track.detection = undefined;
    }
    this.#tracks = this.#tracks.filter((track) => track.state !== 'ended');
    return ended;
  }

  /** Of more than `maxTracks` those that were not seen for longest. */
  #crowdedOut(): TrackRecord[] {
    const excess = this.#tracks.length - this.#options.maxTracks;
    if (excess <= 0) return [];
    const over = new Set([...this.#tracks].sort((a, b) => a.last - b.last || a.id - b.id).slice(0, excess));
    return this.#end((track) => over.has(track));
  }
}

/** Whether all that is known of a track is expected beyond the picture's edges. */
function isOutside(
  track: TrackRecord,
  { width, height }: { readonly width: number; readonly height: number },
): boolean {
  return KINDS.every((kind) => {
    const box = track[kind]?.box;
    if (box === undefined) return true;
    const [x, y] = [box[0] + box[2] / 2, box[1] + box[3] / 2];
    return x < 0 || y < 0 || x > width || y > height;
  });
}
