import type { CameraFrame, CameraNotice, CameraState } from '../capture/types.js';
import type { Engine } from '../engine/index.js';
import { LineamentError, wrapError } from '../errors.js';
import type { EventIds, EventRules } from './events/index.js';
import { LatencyHistogram } from './histogram.js';
import type { CloserLook, Looks } from './looks.js';
import type { PipelineCamera } from './options.js';
import type { Look } from './privacy/index.js';
import type { Place } from './schedule.js';
import type { StageTimes } from './stages.js';
import type { TracksSnapshot, WatchedCamera, WatchedTrack } from './stats.js';
import type { Tracker } from './tracking/index.js';
import type { Detection, PipelineEvent, Track } from './types.js';

/** What a camera's loop works with. */
export interface LoopParts {
  readonly camera: PipelineCamera;
  /** Number of the camera, for its turn. */
  readonly index: number;
  readonly engine: Pick<Engine, 'detect'>;
  readonly tracker: Tracker;
  readonly looks: Looks;
  readonly rules: EventRules;
  readonly ids: EventIds;
  readonly place: Place;
  readonly times: StageTimes;
  /** Every so many frames the detector looks; 1: at every frame that is taken. */
  readonly detectEvery: number;
  readonly minFaceSize: number | undefined;
  /** Every frame in the order of time over all cameras, none left out: for replays. */
  readonly inOrder: boolean;
  readonly signal: AbortSignal;
  /** Why the camera was not there at first. */
  readonly lost: CameraNotice | undefined;
  /** Events of a frame, and when that was taken; without a frame it is only what time it is. */
  readonly tell: (events: readonly PipelineEvent[], timestamp: number, ofFrame?: boolean) => void;
  readonly show: (snapshot: TracksSnapshot) => void;
  /** Told of every frame's tracks before its events are: for what covers faces. */
  readonly watch: (look: Look) => void;
}

/** The same failure again and again is told so often, milliseconds of the frames' clock. */
const FAILURE_MS = 5000;
/** Longer than this from a frame's timestamp to its being taken: the frames are not live. */
const LIVE_MS = 60_000;

/** Takes the newest frame of one camera, again and again, until the camera ends: detects, follows, identifies, decides, tells. */
export class CameraLoop {
  readonly #parts: LoopParts;
  readonly #latency = new LatencyHistogram();
  readonly #failures = new Map<string, { count: number; told: number }>();
  #state: CameraState = 'opening';
  #nextDetection = 0;
  /** The latest time of a frame. */
  #reached = 0;
  #lastTime = 0;
  #confirmed = 0;
  #taken = 0;
  #overtaken = 0;
  #detected = 0;
  #predicted = 0;
  #failed = 0;
  #unfinished = 0;
  /** Why the camera says that it has failed. */
  #gaveUp: CameraNotice | undefined;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  /** Id of the camera. */
  get camera(): string {
    return this.#parts.camera.id;
  }

  /** Frames that were taken and not looked at to the end, because everything was stopped. */
  get unfinished(): number {
    return this.#unfinished;
  }

  stats(): WatchedCamera {
    const { camera } = this.#parts;
    const source = camera.stats();
    return {
      camera: camera.id,
      state: this.#state === 'ended' || this.#state === 'failed' ? this.#state : source.state,
      source,
      taken: this.#taken,
      overtaken: this.#overtaken,
      detected: this.#detected,
      predicted: this.#predicted,
      failed: this.#failed,
      tracks: this.#confirmed,
      latency: this.#latency.summary(),
    };
  }

  /** Never rejects: what goes wrong is told by events. */
  async run(): Promise<void> {
    const { camera, inOrder, place, index, signal, lost } = this.#parts;
    if (lost !== undefined) this.#lose(lost);
    const deafen = camera.onNotice?.((notice) => this.#heard(notice));
    let failure: LineamentError | undefined;
    try {
      const frames = camera.frames({ signal, borrow: true, order: inOrder ? 'all' : 'newest' });
      await this.#walk(frames[Symbol.asyncIterator]());
    } catch (error) {
      if (!signal.aborted) failure = wrapError(error);
    }
    place.leave(index);
    deafen?.();
    this.#end(failure);
  }

  /** Frames one after another. Several could be asked for at once, but a borrowed one is only there until the next is asked for. */
  async #walk(frames: AsyncIterator<CameraFrame>): Promise<void> {
    const { index, place, signal, inOrder } = this.#parts;
    try {
      let next = await frames.next();
      while (next.done !== true) {
        let frame = next.value;
        this.#take(frame);
        const due = this.#isDue(frame);
        if (due || inOrder) {
          const asked = performance.now();
          const give = await place.take(index, signal, frame.timestamp);
          this.#parts.times.record('turn', performance.now() - asked);
          try {
            if (!inOrder && this.#isOvertaken(frame)) {
              this.#overtaken++;
              next = await frames.next();
              if (next.done === true) break;
              frame = next.value;
              this.#take(frame);
            }
            await this.#safely(frame, due);
          } finally {
            give();
          }
        } else {
          await this.#safely(frame, false);
        }
        next = await frames.next();
      }
    } finally {
      await frames.return?.();
    }
  }

  #take(frame: CameraFrame): void {
    const { rules, times, tell } = this.#parts;
    this.#taken++;
    const age = Date.now() - frame.timestamp;
    if (age < LIVE_MS) times.record('taken', age);
    this.#lastTime = Math.max(this.#lastTime, frame.timestamp);
    if (this.#state !== 'running') {
      this.#state = 'running';
      const { id: camera } = this.#parts.camera;
      tell(rules.notice({ camera, state: 'running', timestamp: frame.timestamp }), frame.timestamp);
    }
  }

  #isDue(frame: CameraFrame): boolean {
    return frame.sequence >= this.#nextDetection;
  }

  /** Whether a newer frame is there already: then asking for it does not wait. */
  #isOvertaken(frame: CameraFrame): boolean {
    const { camera } = this.#parts;
    return camera.lossless !== true && (camera.newestSequence ?? -1) > frame.sequence;
  }

  /** A frame that something unforeseen happens with does not end the camera. */
  async #safely(frame: CameraFrame, detect: boolean): Promise<void> {
    try {
      await this.#look(frame, detect);
    } catch (error) {
      this.#fail('frame', error, frame.timestamp);
    }
  }

  /** One frame from its pixels to its events. */
  async #look(frame: CameraFrame, detect: boolean): Promise<void> {
    const { rules, tracker, times, tell, show, signal, camera, watch } = this.#parts;
    const start = performance.now();
    const spent = { networks: 0 };
    const { sequence, width, height } = frame;
    // Tracks and rules know no way back; who covers faces goes by the frame's own time.
    const timestamp = this.#forward(frame.timestamp);
    const detections = detect ? await this.#detect(frame, spent) : undefined;
    if (signal.aborted) {
      this.#unfinished++;
      return;
    }
    const tracking = performance.now();
    const found = tracker.update(timestamp, detections, frame);
    times.record('track', performance.now() - tracking);
    if (detections === undefined) this.#predicted++;
    else this.#detected++;
    const { tracks, identities, findings } = await this.#closer(frame, found, detections !== undefined, spent);
    if (signal.aborted) {
      this.#unfinished++;
      return;
    }
    const deciding = performance.now();
    const events = [...rules.update({ timestamp, sequence, width, height, tracks, identities })];
    for (const { track, gestures, liveness } of findings) {
      try {
        for (const one of gestures ?? []) events.push(...rules.gesture(track, { ...one, timestamp, sequence }));
        if (liveness !== undefined) events.push(...rules.liveness(track, { ...liveness, timestamp, sequence }));
      } catch (error) {
        this.#fail('inspect', error, timestamp);
      }
    }
    const now = performance.now();
    times.record('decide', now - deciding);
    if (detections !== undefined) {
      times.record('own', Math.max(0, now - start - spent.networks));
      const age = Date.now() - frame.timestamp;
      if (age < LIVE_MS) this.#latency.record(age);
    }
    watch({
      camera: camera.id,
      timestamp: frame.timestamp,
      width,
      height,
      tracks,
      identities,
      detected: detections !== undefined,
    });
    const shown = tracks.filter(({ state }) => state === 'confirmed' || state === 'lost');
    this.#confirmed = shown.filter(({ state }) => state === 'confirmed').length;
    tell(events, timestamp, true);
    const named = (track: Track): WatchedTrack => {
      const identity = identities.get(track.id);
      return identity === undefined ? track : { ...track, identity };
    };
    show({
      camera: camera.id,
      timestamp,
      sequence,
      width,
      height,
      detected: detections !== undefined,
      tracks: shown.map(named),
    });
  }

  /** The time of a frame; that of the one before where a clock went back, which is told. */
  #forward(timestamp: number): number {
    if (timestamp < this.#reached) {
      const back = `a frame was ${Math.ceil(this.#reached - timestamp)} ms before the one before it`;
      this.#fail('time', new LineamentError('INVALID_ARGUMENT', back), this.#reached);
    } else if (Number.isFinite(timestamp)) {
      this.#reached = timestamp;
    }
    return this.#reached;
  }

  /** What the detector says; absent where it failed: the frame is then one between two detections. */
  async #detect(frame: CameraFrame, spent: { networks: number }): Promise<Detection[] | undefined> {
    const { engine, times, signal, minFaceSize, detectEvery } = this.#parts;
    const start = performance.now();
    try {
      const faces = await engine.detect(frame, { signal, ...(minFaceSize !== undefined && { minFaceSize }) });
      this.#nextDetection = frame.sequence + detectEvery;
      return faces.map((face): Detection => ({ kind: 'face', box: face.box, score: face.score, face }));
    } catch (error) {
      this.#fail('detect', error, frame.timestamp);
      return undefined;
    } finally {
      const took = performance.now() - start;
      spent.networks += took;
      times.record('detect', took);
    }
  }

  async #closer(
    frame: CameraFrame,
    tracks: readonly Track[],
    detected: boolean,
    spent: { networks: number },
  ): Promise<CloserLook> {
    const { looks, signal } = this.#parts;
    const failed = (stage: string, error: unknown): void => this.#fail(stage, error, frame.timestamp);
    return looks.take(frame, tracks, { detected, signal, spent, failed });
  }

  /** Counts a failure, and tells it where it is the first of its kind for a while. */
  #fail(stage: string, error: unknown, timestamp: number): void {
    const { signal, ids, camera, tell } = this.#parts;
    if (signal.aborted) return;
    this.#failed++;
    const known = this.#failures.get(stage) ?? { count: 0, told: Number.NEGATIVE_INFINITY };
    this.#failures.set(stage, known);
    known.count++;
    if (timestamp - known.told < FAILURE_MS) return;
    const { count } = known;
    known.count = 0;
    known.told = timestamp;
    const { message } = wrapError(error);
    tell([{ id: ids.next(timestamp), camera: camera.id, timestamp, type: 'gap', stage, count, message }], timestamp);
  }

  /** What the camera says of itself while its frames come. */
  #heard(notice: CameraNotice): void {
    if (notice.state === 'lost') this.#lose(notice);
    else if (notice.state === 'failed') this.#gaveUp = notice;
  }

  #lose(notice: CameraNotice): void {
    this.#state = 'lost';
    this.#lastTime = Math.max(this.#lastTime, notice.timestamp);
    this.#parts.tell(this.#parts.rules.notice(notice), notice.timestamp);
  }

  #end(failure: LineamentError | undefined): void {
    const { rules, camera, tell } = this.#parts;
    const { code, message } = failure ?? this.#gaveUp ?? {};
    this.#state = code === undefined ? 'ended' : 'failed';
    this.#confirmed = 0;
    const timestamp = this.#lastTime;
    const why = { ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
    tell(rules.notice({ camera: camera.id, state: this.#state, timestamp, ...why }), timestamp);
  }
}
