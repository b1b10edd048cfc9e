import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CameraNotice } from '../capture/types.js';
import { Engine, openEngine } from '../engine/index.js';
import { onAbort } from '../errors/abort.js';
import { callSite, type LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { type Gallery, openGallery } from '../gallery/index.js';
import { readCalibration } from '../models/index.js';
import { EventBus } from './bus.js';
import { CameraLoop } from './camera-loop.js';
import { camerasOf, refusedCamera } from './cameras.js';
import { ClipRecorder } from './clips/index.js';
import { EventClips, sourceOf } from './event-clips.js';
import { EventIds, EventLog, EventRules } from './events/index.js';
import { Identities, type IdentityChange, Strangers } from './identity/index.js';
import { appendTo, followStrangers, keepTidy, PIPELINE, withConsent } from './keeping.js';
import { Looks } from './looks.js';
import { type CheckedPipeline, checkPipelineOptions, type PipelineCamera, type PipelineOptions } from './options.js';
import { Pipeline, type PipelineParts, Snapshots } from './pipeline.js';
import { Redactor } from './privacy/index.js';
import { recordSession, type SessionRecording } from './replay/index.js';
import { TimeOrder, Turns } from './schedule.js';
import { EventSink } from './sink.js';
import { StageTimes } from './stages.js';
import { looksOf, Tracker, type Looks as TrackerLooks } from './tracking/index.js';
import type { PipelineEvent } from './types.js';

/** Longer than this from a frame's timestamp to its event: the frames are not live. */
const LIVE_MS = 60_000;

type Closers = (() => Promise<unknown>)[];

/**
 * Begins to watch cameras. Cameras that are named are opened here, as are an engine (preset `fast`), and in the folder `data` the log of events,
 * the list of strangers and, where no gallery is given, a gallery for them; what is opened here is closed with the pipeline. A device or
 * stream that is not there is tried again like one that was lost (`reconnect`), and told of by `camera` events `lost` and `running`. Of
 * several cameras one that cannot be opened for good does not hold up the others: a `camera` event says why it failed. Listen right after the
 * call: events begin with the next turn of the event loop.
 *
 * Rejects with `INVALID_ARGUMENT`, with what opening the engine, the gallery or the log gives, `ABORTED`, and with the reason (`CAMERA_…`,
 * `VIDEO_CORRUPT`, `FFMPEG_NOT_FOUND` …) where no camera could be opened.
 */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const site = callSite(openPipeline);
  const closers: Closers = [];
  try {
    const checked = checkPipelineOptions(options);
    throwIfAborted(checked.signal);
    const parts = await openParts(checked, closers);
    throwIfAborted(checked.signal);
    const pipeline = new Pipeline(parts);
    if (checked.retention !== undefined && checked.retention !== false) keepTidy(parts, checked.retention);
    if (checked.signal !== undefined) {
      const forget = onAbort(checked.signal, () => void pipeline.close());
      void pipeline.done.then(forget);
    }
    return pipeline;
  } catch (error) {
    for (const close of closers.reverse()) await close().catch(() => undefined);
    throw wrapError(error, site);
  }
}

async function openParts(options: CheckedPipeline, closers: Closers): Promise<PipelineParts> {
  const { inOrder, seed, every } = options;
  const stop = new AbortController();
  const data = options.data === undefined ? undefined : resolve(options.data);
  if (data !== undefined) await mkdir(data, { recursive: true });
  const times = new StageTimes();
  const snapshots = new Snapshots();
  const own = new EventIds(seed === undefined ? {} : { seed });
  const bus = new EventBus((count, { camera, timestamp }) => ({
    id: own.next(timestamp),
    camera,
    timestamp,
    type: 'gap',
    stage: 'listener',
    count,
    message: `${count} events were lost because a listener was too slow`,
  }));
  /** When the frame was taken that led to an event. */
  const origins = new WeakMap<PipelineEvent, number>();
  let told = 0;
  let clock = 0;
  /** Told at once, and not kept: it may be the log that fails. */
  const report = (stage: string, count: number, message: string): void => {
    const event = { id: own.next(clock), camera: PIPELINE, timestamp: clock, stage, count, message } as const;
    bus.publish({ ...event, type: 'gap' });
  };
  const engine = await engineOf(options, closers);
  const clipFolder = clipFolderOf(options);
  const log =
    data === undefined
      ? undefined
      : await EventLog.open({ folder: data, ...(clipFolder !== undefined && { clips: clipFolder }) });
  if (log !== undefined) closers.push(() => log.close());
  const gallery = await galleryOf(options, data, closers);
  const strangers = gallery === undefined || data === undefined ? undefined : await strangersOf(gallery, data, seed);
  if (strangers !== undefined) {
    closers.push(() => strangers.close());
    if (log !== undefined) closers.push(followStrangers(log, strangers, (message) => report('strangers', 1, message)));
  }
  const returning = new Map<number, boolean>();
  const rules = new Map<string, EventRules>();
  const identities =
    gallery === undefined
      ? undefined
      : new Identities({
          gallery,
          ...(strangers !== undefined && { strangers }),
          ...(options.match !== undefined && { match: options.match }),
          ...(options.calibration !== undefined && { calibration: options.calibration }),
          onChange: (change) => {
            keepReturning(returning, change);
            if (mayBeErased(change)) rules.get(change.camera)?.forget(change.track);
          },
        });
  if (identities !== undefined) closers.push(() => identities.close());
  const redactor =
    options.privacy === undefined
      ? undefined
      : new Redactor(withConsent(options.privacy, log, stop.signal, (message) => report('consent', 1, message)));
  if (redactor !== undefined) closers.push(() => redactor.close());
  const same = identities === undefined ? undefined : await sameLooks(engine);
  const { cameras, lost, refused } = await camerasOf(options, closers);

  const sink = new EventSink({
    store: log && { append: (events) => appendTo(log, events) },
    tell: (event) => {
      told++;
      const origin = origins.get(event);
      const age = origin === undefined ? Number.POSITIVE_INFINITY : Date.now() - origin;
      if (age < LIVE_MS) times.record('event', age);
      bus.publish(event);
      clips?.event(event);
    },
    notice: (failure, waiting, lost) => {
      const fails = failure === undefined ? 'is written again' : `fails: ${failure.message}`;
      report('log', waiting, `the log of events ${fails}`);
      if (lost === 0) return;
      // The log itself tells of what it lacks, after it.
      const gap = { id: own.next(clock), camera: PIPELINE, timestamp: clock, type: 'gap', stage: 'log' } as const;
      sink.submit([{ ...gap, count: lost, message: `${lost} events could not be kept` }]);
    },
    committed: (milliseconds) => times.record('commit', milliseconds),
  });
  const clips = clipsOf(options, { log, cameras, redactor, ids: own, closers }, (event) => sink.submit([event]));
  clips?.recover((count, message) => report('clips', count, message));
  const recording = await recordingOf(options, cameras, (camera, error) =>
    report('record', 1, `${camera} is not recorded any more: ${error.message}`),
  );
  if (recording !== undefined) closers.push(() => recording.stop());
  const place = inOrder ? new TimeOrder(cameras.length) : new Turns(options.inFlight ?? (engine.threads > 1 ? 2 : 1));
  let track = 0;
  const nextId = (): number => ++track;
  const looks: Looks[] = [];
  const rulesOf = (camera: string, ids: EventIds): EventRules => {
    const made = new EventRules(camera, {
      ...options.rules,
      ids,
      ...(options.zones !== undefined && { zones: options.zones }),
      ...(options.lines !== undefined && { lines: options.lines }),
      ...(strangers !== undefined && { isReturning: (_: string, number: number) => returning.get(number) === true }),
    });
    rules.set(camera, made);
    return made;
  };
  const idsOf = (camera: string): EventIds => new EventIds(seed === undefined ? {} : { seed: `${seed} ${camera}` });
  const loops = cameras.map((camera, index) => {
    const ids = idsOf(camera.id);
    const tracker = new Tracker(camera.id, { ...(same !== undefined && { looks: same }), ...options.tracking, nextId });
    const look = new Looks({ engine, tracker, identities, analyze: options.analyze, times, inOrder });
    looks.push(look);
    return new CameraLoop({
      camera,
      index,
      engine,
      tracker,
      looks: look,
      rules: rulesOf(camera.id, ids),
      ids,
      place,
      times,
      detectEvery: every,
      minFaceSize: options.minFaceSize,
      inOrder,
      signal: stop.signal,
      lost: lost.get(camera.id),
      tell: (events, timestamp, ofFrame = false) => {
        clock = Math.max(clock, timestamp);
        if (ofFrame) for (const event of events) origins.set(event, timestamp);
        sink.submit(events);
      },
      show: (snapshot) => snapshots.publish(snapshot),
      watch: (seen) => redactor?.look(seen),
    });
  });
  const failed = refused.map(({ id, error }) => {
    const { code, message } = error;
    const notice = { camera: id, state: 'failed', timestamp: Date.now(), code, message } as const;
    return { camera: refusedCamera(id), events: rulesOf(id, idsOf(id)).notice(notice) };
  });
  return {
    cameras,
    failed,
    loops,
    looks,
    bus,
    sink,
    times,
    snapshots,
    identities,
    strangers,
    gallery,
    log,
    redactor,
    networks: () => engine.memory().total,
    told: () => told,
    report,
    stop,
    finishClips: async () => {
      const closing = stop.signal.aborted;
      const session = closing ? recording?.stop() : recording?.done;
      await session?.catch((error: unknown) => report('record', 1, wrapError(error).message));
      return clips?.finish(closing) ?? 0;
    },
    closers: closers.toReversed(),
  };
}

async function engineOf({ engine, cameras }: CheckedPipeline, closers: Closers): Promise<Engine> {
  if (engine instanceof Engine) return engine;
  const opened = await openEngine({ preset: 'fast', mode: cameras.length > 1 ? 'throughput' : 'latency', ...engine });
  closers.push(() => opened.close());
  return opened;
}

/** What cosines of this engine's embeddings mean to a tracker; absent where they were never calibrated. */
async function sameLooks(engine: Engine): Promise<TrackerLooks | undefined> {
  const calibration = await readCalibration((await engine.recogniser()).model);
  return calibration === undefined ? undefined : looksOf(calibration);
}

/** The caller's own, or one for strangers where there is a folder for it. */
async function galleryOf(
  { gallery, identify }: CheckedPipeline,
  data: string | undefined,
  closers: Closers,
): Promise<Gallery | undefined> {
  if (!identify) return undefined;
  if (gallery !== undefined || data === undefined) return gallery;
  const opened = await openGallery({ folder: join(data, 'gallery') });
  closers.push(() => opened.close());
  return opened;
}

/** Where clips are to lie if not in the folder of the log. */
const clipFolderOf = ({ clips }: CheckedPipeline): string | undefined =>
  typeof clips === 'object' && clips.folder !== undefined ? resolve(clips.folder) : undefined;

function clipsOf(
  options: CheckedPipeline,
  {
    log,
    cameras,
    redactor,
    ids,
    closers,
  }: {
    readonly log: EventLog | undefined;
    readonly cameras: readonly PipelineCamera[];
    readonly redactor: Redactor | undefined;
    readonly ids: EventIds;
    readonly closers: Closers;
  },
  tell: (event: PipelineEvent) => void,
): EventClips | undefined {
  const { clips = false } = options;
  if (clips === false) return undefined;
  const { events, folder: _, ...rest } = clips === true ? {} : clips;
  const folder = clipFolderOf(options) ?? log?.clips ?? '';
  const recorder = new ClipRecorder({ ...rest, folder, ...(redactor !== undefined && { redactor }) });
  closers.push(() => recorder.close());
  return new EventClips(recorder, cameras, events, ids, tell);
}

async function recordingOf(
  { record }: CheckedPipeline,
  cameras: readonly PipelineCamera[],
  onFailure: (camera: string, error: LineamentError) => void,
): Promise<SessionRecording | undefined> {
  if (record === undefined) return undefined;
  const { folder, ...rest } = typeof record === 'string' ? { folder: record } : record;
  const sources = cameras.map((camera) => ({
    ...sourceOf(camera),
    ...(camera.onNotice && { onNotice: (listener: (notice: CameraNotice) => void) => camera.onNotice!(listener) }),
  }));
  const own = 'onFailure' in rest ? rest.onFailure : undefined;
  const told = (camera: string, error: LineamentError): void => {
    onFailure(camera, error);
    own?.(camera, error);
  };
  return recordSession(sources, folder, { ...rest, onFailure: told });
}

function strangersOf(gallery: Gallery, data: string, seed: string | undefined): Promise<Strangers> {
  let made = 0;
  const newId = (): Uint8Array => createHash('sha256').update(`${seed} stranger ${made++}`).digest().subarray(0, 4);
  return Strangers.open({ gallery, path: join(data, 'strangers.db'), ...(seed !== undefined && { newId }) });
}

/** Whether somebody may have been deleted from the gallery, and not just renamed, merged or enrolled. */
const mayBeErased = ({ cause, identity, previous }: IdentityChange): boolean =>
  cause === 'gallery' && identity.id !== previous.id && (identity.kind === 'undecided' || previous.kind === 'known');

/** Remembers who had been seen before, of the newest tracks. */
function keepReturning(known: Map<number, boolean>, { track, returning }: IdentityChange): void {
  if (returning === undefined) return;
  known.delete(track);
  known.set(track, returning);
  if (known.size > 10_000) known.delete(known.keys().next().value!);
}
