import type { CameraFrame } from '../capture/types.js';
import type { AnalyzedFace, Engine } from '../engine/index.js';
import { type Identities, lookWeight } from './identity/index.js';
import type { AnalyzeRule, Findings } from './options.js';
import type { StageTimes } from './stages.js';
import type { Tracker } from './tracking/index.js';
import type { Identity, Track } from './types.js';

/** What closer looks at the faces of a frame gave. */
export interface CloserLook {
  /** The tracks, with what was measured of their faces. */
  readonly tracks: readonly Track[];
  readonly identities: ReadonlyMap<number, Identity>;
  readonly findings: readonly (Findings & { readonly track: number })[];
}

export interface LookContext {
  /** Whether the detector saw this frame. */
  readonly detected: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds in networks are added here. */
  readonly spent: { networks: number };
  readonly failed: (stage: string, error: unknown) => void;
}

export interface LooksParts {
  readonly tracker: Tracker;
  readonly engine: Pick<Engine, 'analyzeFaces'>;
  readonly identities: Identities | undefined;
  readonly analyze: AnalyzeRule;
  readonly times: StageTimes;
  /** Waits for everything that has to be set down when a track ends before the next frame: the same order in every run. */
  readonly inOrder: boolean;
}

const EVERY_MS = 300;
/** Whether somebody was enrolled or renamed is asked this often, milliseconds of the frames' clock. */
const REFRESH_MS = 1000;

/**
 * Looks at the faces of one camera's tracks more closely than the detector: landmarks and an embedding where they help to find out who it is,
 * attributes every now and then. Nothing is done for faces that nobody asks about.
 */
export class Looks {
  readonly #parts: LooksParts;
  readonly #camera: string;
  /** When each track was analysed last. */
  readonly #analysed = new Map<number, number>();
  readonly #closing = new Set<Promise<void>>();
  #refreshed = 0;

  constructor(parts: LooksParts) {
    this.#camera = parts.tracker.camera;
    this.#parts = parts;
  }

  async take(frame: CameraFrame, tracks: readonly Track[], context: LookContext): Promise<CloserLook> {
    const seen = context.detected ? tracks.filter(isSeen) : [];
    const wanted = new Set(seen.filter((track) => this.#isWanted(track, faceOf(track), frame.timestamp)));
    const due = new Set(seen.filter((track) => this.#isDue(track, frame.timestamp)));
    const near = seen.filter((track) => wanted.has(track) || due.has(track));
    const faces = near.length === 0 ? NONE : await this.#measure(frame, near, wanted, due, context);
    const after = faces.size === 0 ? tracks : this.#known(tracks, faces);
    await this.#identify(frame, after.filter(isSeen), context);
    const { identities } = this.#parts;
    const known = new Map<number, Identity>();
    for (const { id, state } of identities === undefined ? [] : after) {
      if (state !== 'tentative') known.set(id, identities!.track(id, this.#camera).identity);
    }
    await this.#forget(after, context);
    const analysed = new Set([...due].map((track) => faces.get(track.id)));
    return {
      tracks: after,
      identities: known,
      findings: await this.#inspect(
        frame,
        after.filter(({ detection }) => detection?.face !== undefined && analysed.has(detection.face)),
        known,
        context,
      ),
    };
  }

  /**
   * The tracks with what was measured of their faces. One that turns out to look like a track that was lost goes on as that one: they were
   * the same person all along.
   */
  #known(tracks: readonly Track[], faces: ReadonlyMap<number, AnalyzedFace>): readonly Track[] {
    const again = new Set<number>();
    const measured = tracks.map((track): Track => {
      const face = faces.get(track.id);
      if (face?.embedding === undefined) return withFace(track, face);
      const id = this.#parts.tracker.look(track.id, face.embedding);
      if (id !== track.id) {
        again.add(id);
        void this.#parts.identities?.track(track.id, this.#camera).close();
      }
      return { ...withFace(track, face), id };
    });
    if (again.size === 0) return measured;
    return measured.flatMap((track, i): Track[] => {
      const old = tracks.find(({ id }) => id === track.id);
      const taken = again.has(track.id);
      // The snapshot of the lost one is out of date.
      if (taken && tracks[i] === old) return [];
      return taken && old !== undefined ? [{ ...track, first: old.first, hits: old.hits + track.hits }] : [track];
    });
  }

  /** Waits for what is being set down of tracks that have ended. */
  async settle(): Promise<void> {
    await Promise.all([...this.#closing]);
  }

  #isWanted(track: Track, face: AnalyzedFace, timestamp: number): boolean {
    const { identities } = this.#parts;
    return identities?.track(track.id, this.#camera).needsLook(lookWeight(face).weight, timestamp) === true;
  }

  #isDue(track: Track, timestamp: number): boolean {
    const { attributes = [], inspect, everyMs = EVERY_MS } = this.#parts.analyze;
    if (attributes.length === 0 && inspect === undefined) return false;
    return timestamp - (this.#analysed.get(track.id) ?? Number.NEGATIVE_INFINITY) >= everyMs;
  }

  /** What was asked of each of the faces, by track; what came before a failure where there was one. */
  async #measure(
    frame: CameraFrame,
    tracks: readonly Track[],
    wanted: ReadonlySet<Track>,
    due: ReadonlySet<Track>,
    { signal, spent, failed }: LookContext,
  ): Promise<Map<number, AnalyzedFace>> {
    const { engine, analyze, times } = this.#parts;
    const faces = new Map<number, AnalyzedFace>();
    const again = async (which: readonly Track[], ask: Parameters<Engine['analyzeFaces']>[2]): Promise<void> => {
      const known = which.map((track) => faces.get(track.id) ?? faceOf(track));
      const measured = await engine.analyzeFaces(frame, known, { ...ask, signal });
      for (const [i, { id }] of which.entries()) faces.set(id, measured[i]!);
    };
    const start = performance.now();
    let stage: 'landmarks' | 'embed' = 'landmarks';
    try {
      await again(tracks, { landmarks: true, pose: true, statistics: true });
      const { attributes = [] } = analyze;
      if (attributes.length > 0 && due.size > 0) await again([...due], { attributes });
      for (const { id } of due) this.#analysed.set(id, frame.timestamp);
      const measured = performance.now();
      times.record(stage, measured - start);
      // What is worth recognising shows only now: whether it is sharp, well lit and facing the camera.
      const worth = [...wanted].filter((track) => this.#isWanted(track, faces.get(track.id)!, frame.timestamp));
      if (worth.length > 0) {
        stage = 'embed';
        await again(worth, { embedding: true });
        times.record(stage, performance.now() - measured);
      }
    } catch (error) {
      failed(stage, error);
    }
    spent.networks += performance.now() - start;
    return faces;
  }

  async #identify(
    frame: CameraFrame,
    seen: readonly Track[],
    { signal, failed, detected }: LookContext,
  ): Promise<void> {
    const { identities, times } = this.#parts;
    if (identities === undefined || !detected || signal.aborted) return;
    const { timestamp } = frame;
    const start = performance.now();
    try {
      if (timestamp - this.#refreshed >= REFRESH_MS) {
        this.#refreshed = timestamp;
        await identities.refresh();
      }
      if (seen.length > 1) {
        identities.seenTogether(
          seen.map(({ id }) => id),
          timestamp,
        );
      }
      let looks = 0;
      for (const { id, detection } of seen) {
        const { face, embedding } = detection ?? {};
        if (face === undefined || embedding === undefined) continue;
        looks++;
        const { weight } = lookWeight(face);
        await identities.track(id, this.#camera).add({ embedding, weight, timestamp }, { signal });
      }
      if (looks > 0) times.record('identify', performance.now() - start);
    } catch (error) {
      failed('identify', error);
    }
  }

  /** Sets down what is known of tracks that have ended. */
  async #forget(tracks: readonly Track[], { failed }: LookContext): Promise<void> {
    for (const { id, state } of tracks) {
      if (state !== 'ended') continue;
      this.#analysed.delete(id);
      const closing = this.#parts.identities?.track(id, this.#camera).close();
      if (closing === undefined) continue;
      const quiet = closing.catch((error: unknown) => failed('identify', error));
      this.#closing.add(quiet);
      void quiet.finally(() => this.#closing.delete(quiet));
    }
    if (this.#parts.inOrder) await this.settle();
  }

  async #inspect(
    frame: CameraFrame,
    tracks: readonly Track[],
    identities: ReadonlyMap<number, Identity>,
    { signal, failed }: LookContext,
  ): Promise<(Findings & { readonly track: number })[]> {
    const { inspect } = this.#parts.analyze;
    const found: (Findings & { readonly track: number })[] = [];
    if (inspect === undefined) return found;
    for (const track of tracks) {
      const face = faceOf(track);
      try {
        const one = await inspect({ frame, track, face, identity: identities.get(track.id), signal });
        if (one !== undefined) found.push({ ...one, track: track.id });
      } catch (error) {
        failed('inspect', error);
      }
    }
    return found;
  }
}

const NONE: ReadonlyMap<number, AnalyzedFace> = new Map();

const isSeen = ({ state, seen, detection }: Track): boolean =>
  state === 'confirmed' && seen && detection?.face !== undefined;

const faceOf = ({ detection }: Track): AnalyzedFace => detection!.face!;

const withFace = (track: Track, face: AnalyzedFace | undefined): Track => {
  const { detection } = track;
  if (face === undefined || detection === undefined) return track;
  const { embedding } = face;
  return { ...track, detection: { ...detection, face, ...(embedding === undefined ? {} : { embedding }) } };
};
