import type { CameraNotice } from '../../capture/types.js';
import { nonEmptyString, numberIn, oneOf, positiveInteger } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import type { Identity, PipelineEvent, Track } from '../types.js';
import { EventIds } from './ids.js';
import { CoolDown, RateLimiter } from './limits.js';
import { LineShape, ZoneShape } from './places.js';
import { checkRules, type EventRulesOptions, type Rules } from './rule-options.js';
import { type Mark, Subject } from './subject.js';

/** What is known of one frame of one camera. */
export interface Sight {
  /** Of the frame, milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly sequence?: number;
  /** Of the picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** Every track that the tracker has now, those that ended with this frame included. */
  readonly tracks: readonly Track[];
  /** Who tracks are held to be, by their numbers; a track that is not named keeps what it was. */
  readonly identities?: ReadonlyMap<number, Identity>;
}

/** Something that was measured of a track outside of the rules. */
export interface Measured {
  readonly timestamp: number;
  readonly sequence?: number;
}

/** An event without what the rules fill in. */
type Told = PipelineEvent extends infer E ? (E extends PipelineEvent ? Omit<E, 'id' | 'camera'> : never) : never;

const GAP_MS = 1000;

/**
 * Turns what is seen of one camera into events. Pure and deterministic: time is that of the frames, the same sights in the same order
 * give the same events (and, with seeded ids, the same ids). Every track appears at most once before it leaves, and nothing else is told of it
 * before it appeared or after it left. One object for each camera; synchronous, not to be shared between threads.
 */
export class EventRules {
  readonly camera: string;
  readonly #rules: Rules;
  readonly #ids: EventIds;
  readonly #isReturning: ((stranger: string, track: number) => boolean) | undefined;
  readonly #zones: readonly ZoneShape[];
  readonly #lines: readonly LineShape[];
  readonly #subjects = new Map<number, Subject>();
  readonly #coolDowns: Record<'recognised' | 'stranger' | 'expression' | 'gesture', CoolDown>;
  readonly #limiter: RateLimiter;
  /** Tracks by the strangers that they were decided to be, newest last. */
  readonly #strangers = new Map<string, number>();
  #time = 0;
  #gapAt = Number.NEGATIVE_INFINITY;
  #cameraTold: CameraNotice['state'] | undefined;
  #notice: CameraNotice | undefined;
  #out: PipelineEvent[] = [];

  /** @throws LineamentError INVALID_ARGUMENT for options, zones and lines that make no sense, and names that are there twice */
  constructor(camera: string, options: EventRulesOptions = {}) {
    this.camera = nonEmptyString('camera', camera);
    this.#rules = checkRules(options);
    this.#ids = options.ids ?? new EventIds();
    this.#isReturning = options.isReturning;
    const here = <T extends { readonly camera?: string }>(all: readonly T[]): readonly T[] =>
      all.filter((one) => one.camera === undefined || one.camera === camera);
    this.#zones = distinct(
      'zones',
      here(options.zones ?? []).map((zone) => new ZoneShape(zone)),
    );
    this.#lines = distinct(
      'lines',
      here(options.lines ?? []).map((line) => new LineShape(line)),
    );
    const { recognised, stranger, expression, gesture } = this.#rules;
    this.#coolDowns = {
      recognised: new CoolDown(recognised.coolDownMs),
      stranger: new CoolDown(stranger.coolDownMs),
      expression: new CoolDown(expression.coolDownMs),
      gesture: new CoolDown(gesture.coolDownMs),
    };
    this.#limiter = new RateLimiter(this.#rules.rate);
  }

  /**
   * Takes the next frame and gives its events, in the order in which they are to be told. Zones and lines are told with the frame in
   * which the change began, `left` with the last sight: their timestamps may lie before those of earlier events.
   *
   * @throws LineamentError INVALID_ARGUMENT for a size or timestamp that is none; the rules are then as they were
   */
  update(sight: Sight): readonly PipelineEvent[] {
    numberIn('timestamp', sight.timestamp, 0, 2 ** 48 - 1);
    positiveInteger('width', sight.width);
    positiveInteger('height', sight.height);
    const time = this.#advance(sight.timestamp);
    this.#tellCamera(time);
    for (const track of [...sight.tracks].sort((a, b) => a.id - b.id)) {
      if (track.state === 'ended') {
        const known = this.#subjects.get(track.id);
        if (known) this.#leave(known, track);
      } else if (track.state !== 'tentative') {
        this.#see(track, time, sight);
      }
    }
    this.#expire(time);
    return this.#take(time);
  }

  /** A gesture of a track: told when its score suffices, and not again while it cools down. */
  gesture(
    track: number,
    { gesture, score, ...when }: Measured & { readonly gesture: string; readonly score: number },
  ): readonly PipelineEvent[] {
    nonEmptyString('gesture', gesture);
    numberIn('score', score, 0, 1);
    return this.#measure(track, when, (subject, mark, time) => {
      const key = `${track}\0${gesture}`;
      if (score < this.#rules.gesture.score || !this.#coolDowns.gesture.ready(time, key)) return;
      if (!this.#limiter.take(time, 'gesture')) return;
      this.#coolDowns.gesture.told(time, key);
      this.#tell(subject, when.timestamp, mark, { type: 'gesture', gesture, score });
    });
  }

  /** Whether a track is a living person: the first result is told, later ones where they differ and hold. */
  liveness(
    track: number,
    { live, score, ...when }: Measured & { readonly live: boolean; readonly score: number },
  ): readonly PipelineEvent[] {
    numberIn('score', score, 0, 1);
    return this.#measure(track, when, (subject, mark, time) => {
      if (subject.liveness.push(time, live, undefined) === undefined || !this.#limiter.take(time, 'liveness')) return;
      this.#tell(subject, when.timestamp, mark, { type: 'liveness', live, score });
    });
  }

  /** Whom a track was held to be is not told any more, in no event: the person may have been erased. What comes next is decided anew. */
  forget(track: number): void {
    this.#subjects.get(track)?.forget();
  }

  /**
   * A change of the camera. `lost` and `running` are told once each, however many tries there are; `ended` and `failed` end all tracks.
   * Also moves time on: tracks that were not seen for `left.absentMs` leave.
   */
  notice(notice: CameraNotice): readonly PipelineEvent[] {
    oneOf('state', notice.state, ['opening', 'running', 'lost', 'ended', 'failed']);
    const time = this.#advance(numberIn('timestamp', notice.timestamp, 0, 2 ** 48 - 1));
    if (notice.state === 'ended' || notice.state === 'failed') this.#leaveAll();
    this.#expire(time);
    if (notice.state !== 'opening') {
      if (this.#notice !== undefined && this.#notice.state !== notice.state) this.#limiter.leaveOut(time, 'camera');
      this.#notice = notice.state === this.#cameraTold ? undefined : notice;
    }
    this.#tellCamera(time);
    return this.#take(time, notice.state === 'ended' || notice.state === 'failed');
  }

  /** Nothing more will be seen: all tracks leave, and what was left out is told. */
  end(): readonly PipelineEvent[] {
    this.#leaveAll();
    return this.#take(this.#time, true);
  }

  #see(track: Track, time: number, sight: Sight): void {
    let subject = this.#subjects.get(track.id);
    if (subject === undefined) {
      subject = new Subject(track, time, this.#rules, this.#zones, this.#lines);
      this.#subjects.set(track.id, subject);
    }
    subject.track = track;
    subject.time = time;
    if (
      subject.telling === 'waiting' &&
      time - track.first >= this.#rules.appearedAfterMs &&
      track.state === 'confirmed'
    ) {
      subject.telling = this.#limiter.take(time, 'appeared') ? 'told' : 'silent';
      if (subject.telling === 'told') {
        const identity = sight.identities?.get(track.id);
        if (identity !== undefined && identity.kind === 'undecided') subject.identity = identity;
        this.#tell(subject, sight.timestamp, subject.mark(sight.sequence), { type: 'appeared' });
      }
    }
    if (subject.telling !== 'told') return;
    const mark = subject.mark(sight.sequence);
    const identity = sight.identities?.get(track.id);
    if (identity !== undefined) this.#decide(subject, identity, time, sight.timestamp, mark);
    this.#express(subject, time, sight.timestamp, mark);
    if (track.state === 'confirmed') this.#place(subject, time, sight, mark);
  }

  #decide(subject: Subject, identity: Identity, time: number, timestamp: number, mark: Mark): void {
    if (identity.kind === 'undecided' || identity.id === undefined) {
      if (subject.told === undefined) subject.identity = identity;
      return;
    }
    const key = `${identity.kind}\0${identity.id}`;
    const decided = subject.decision.push(time, key, identity);
    if (subject.decision.value === key) subject.identity = identity;
    if (decided === undefined) return;
    const previous = subject.told;
    subject.told = identity;
    const type = identity.kind === 'known' ? 'recognised' : 'stranger';
    const returning = type === 'stranger' && this.#returning(identity.id, subject.track.id);
    if (!this.#coolDowns[type].ready(time, identity.id) || !this.#limiter.take(time, type)) return;
    this.#coolDowns[type].told(time, identity.id);
    if (type === 'stranger') this.#tell(subject, timestamp, mark, { type, returning });
    else this.#tell(subject, timestamp, mark, { type, ...(previous && { previous }) });
  }

  #returning(stranger: string, track: number): boolean {
    const before = this.#strangers.get(stranger);
    this.#strangers.delete(stranger);
    this.#strangers.set(stranger, track);
    if (this.#strangers.size > 10_000) this.#strangers.delete(this.#strangers.keys().next().value!);
    return this.#isReturning === undefined
      ? before !== undefined && before !== track
      : this.#isReturning(stranger, track);
  }

  #express(subject: Subject, time: number, timestamp: number, mark: Mark): void {
    const expression = subject.track.detection?.face?.expression;
    if (expression === undefined || !this.#rules.expression.told) return;
    for (const { label, probability } of subject.expressions.push(time, expression)) {
      const key = `${subject.track.id}\0${label}`;
      if (!this.#coolDowns.expression.ready(time, key) || !this.#limiter.take(time, 'expression')) continue;
      this.#coolDowns.expression.told(time, key);
      this.#tell(subject, timestamp, mark, { type: 'expression', expression: label, probability });
    }
  }

  #place(subject: Subject, time: number, sight: Sight, mark: Mark): void {
    const anchor = subject.anchor.of(subject.track.face, subject.track.person);
    if (anchor === undefined || !Number.isFinite(anchor.point[0]) || !Number.isFinite(anchor.point[1])) return;
    const longer = Math.max(sight.width, sight.height);
    const least = 0.05 * anchor.height;
    const at = { point: anchor.point, margin: Math.max(this.#rules.zone.margin * longer, least) };
    for (const watch of subject.zones) {
      const entering = !watch.inside;
      const change = watch.push(time, at, sight, mark);
      if (change === undefined) continue;
      // One that was let in is let out: only entering may be left out, and then so is the leaving.
      if (entering) watch.told = this.#limiter.take(time, 'zone');
      if (watch.told) this.#tellZone(subject, watch.zone.name, change.since, change.stayedMs);
    }
    const across = { point: anchor.point, margin: Math.max(this.#rules.line.margin * longer, least) };
    for (const watch of subject.lines) {
      if (anchor.moved) watch.restart();
      const crossing = watch.push(time, across, sight, mark);
      if (crossing && this.#limiter.take(time, 'line')) this.#tellLine(subject, watch.line.name, crossing);
    }
  }

  #tellZone(
    subject: Subject,
    zone: string,
    since: { readonly time: number; readonly mark: Mark },
    stayedMs: number | undefined,
  ): void {
    this.#tell(
      subject,
      since.time,
      since.mark,
      stayedMs === undefined
        ? { type: 'zone', zone, action: 'entered' }
        : { type: 'zone', zone, action: 'left', stayedMs },
    );
  }

  #tellLine(
    subject: Subject,
    line: string,
    { forward, since }: { readonly forward: boolean; readonly since: { readonly time: number; readonly mark: Mark } },
  ): void {
    this.#tell(subject, since.time, since.mark, { type: 'line', line, direction: forward ? 'forward' : 'backward' });
  }

  /** `track` is the snapshot in which it ended. */
  #leave(subject: Subject, track: Track): void {
    this.#subjects.delete(track.id);
    if (subject.telling === 'silent') this.#limiter.leaveOut(this.#time, 'left');
    if (subject.telling !== 'told') return;
    const last = { ...subject.mark(undefined) };
    for (const watch of subject.lines) {
      const crossing = watch.end();
      if (crossing && this.#limiter.take(this.#time, 'line')) this.#tellLine(subject, watch.line.name, crossing);
    }
    for (const watch of subject.zones) {
      const change = watch.end(track.last, last);
      if (change && watch.told) this.#tellZone(subject, watch.zone.name, change.since, change.stayedMs);
    }
    this.#tell(subject, track.last, last, { type: 'left', stayedMs: Math.max(0, track.last - track.first) });
  }

  #leaveAll(): void {
    for (const subject of [...this.#subjects.values()]) this.#leave(subject, subject.track);
  }

  #expire(time: number): void {
    for (const subject of [...this.#subjects.values()]) {
      if (time - subject.time > this.#rules.absentMs) this.#leave(subject, subject.track);
    }
  }

  #measure(
    track: number,
    when: Measured,
    judge: (subject: Subject, mark: Mark, time: number) => void,
  ): readonly PipelineEvent[] {
    const time = this.#advance(numberIn('timestamp', when.timestamp, 0, 2 ** 48 - 1));
    const subject = this.#subjects.get(track);
    if (subject?.telling === 'told') judge(subject, subject.mark(when.sequence), time);
    return this.#take(time);
  }

  #tellCamera(time: number): void {
    const notice = this.#notice;
    if (notice === undefined) return;
    const { state, timestamp, code, message } = notice;
    const last = state === 'ended' || state === 'failed';
    if (state === 'opening' || !(last || this.#limiter.has(time, 'camera'))) return;
    if (!last) this.#limiter.take(time, 'camera');
    this.#notice = undefined;
    this.#cameraTold = state;
    this.#push({
      type: 'camera',
      timestamp,
      state,
      ...(code !== undefined && { code }),
      ...(message !== undefined && { message }),
    });
  }

  /** Decisions never go back in time, whatever a clock does. */
  #advance(timestamp: number): number {
    this.#time = Math.max(this.#time, timestamp);
    return this.#time;
  }

  #tell(subject: Subject, timestamp: number, mark: Mark, told: Bare): void {
    const identity = subject.identity;
    this.#push({ ...told, timestamp, track: subject.track.id, ...(identity && { identity }), ...mark } as Told);
  }

  #push(told: Told): void {
    this.#out.push({ id: this.#ids.next(told.timestamp), camera: this.camera, ...told } as PipelineEvent);
  }

  #take(time: number, last = false): readonly PipelineEvent[] {
    if (this.#limiter.since !== undefined && (last || time - this.#gapAt >= GAP_MS)) {
      const { count, types, first } = this.#limiter.drain()!;
      this.#gapAt = time;
      const parts = [...types].map(([type, number]) => `${number} ${type}`).join(', ');
      const message = `${parts} left out since ${new Date(first).toISOString()}: more than may be told`;
      this.#push({ type: 'gap', timestamp: time, stage: 'events', count, message });
    }
    const out = this.#out;
    this.#out = [];
    return out;
  }
}

/** What an event says beyond when and of whom. */
type Bare = PipelineEvent extends infer E
  ? E extends PipelineEvent
    ? Omit<E, 'id' | 'camera' | 'timestamp' | 'sequence' | 'track' | 'identity' | 'box'>
    : never
  : never;

function distinct<T extends { readonly name: string }>(kind: string, all: readonly T[]): readonly T[] {
  const twice = all.find((one, i) => all.findIndex(({ name }) => name === one.name) !== i);
  if (twice) throw new LineamentError('INVALID_ARGUMENT', `two ${kind} are named '${twice.name}'`);
  return all;
}
