/** What one client of `/ws/camera/{id}` is sent: pictures, tracks and events, as much of the first two as it can take. */
import { wrapError } from '../../errors.js';
import type { Pipeline } from '../../pipeline/index.js';
import { type Static, Type } from '../vendor.js';
import { eventJson, tracksJson } from './messages.js';
import type { Pictures, PictureWish, StreamedPicture } from './pictures.js';
import { CLOSE, type Wire } from './wire.js';

/** What a client may ask for (without defaults of the schema, which would fill in what a later message leaves as it is), at the start in the address and later by a message `{"subscribe": {…}}`. */
export const Subscription = Type.Object(
  {
    pictures: Type.Optional(Type.Boolean({ description: 'JPEG, each after a message of type picture; default true' })),
    tracks: Type.Optional(Type.Boolean({ description: 'Who is seen where, the newest state; default true' })),
    events: Type.Optional(Type.Boolean({ description: 'Events of this camera; default true' })),
    fps: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 120, description: 'Most pictures a second; default 15' }),
    ),
    max_side: Type.Optional(
      Type.Integer({ minimum: 16, maximum: 8192, description: 'Most pixels of the longer side; default 960' }),
    ),
    quality: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Of the JPEG; default 75' })),
  },
  { title: 'CameraSubscription', additionalProperties: false },
);
export type Subscription = Static<typeof Subscription>;

/** The fields of a subscription with their defaults. */
export const completed = (given: Subscription): Required<Subscription> => ({
  pictures: true,
  tracks: true,
  events: true,
  fps: 15,
  max_side: 960,
  quality: 75,
  ...given,
});

/** What a slow client may leave lying of the events of a camera; beyond it the oldest go, and it is told. */
const MOST_EVENTS = 500;
/** Pictures come a little early or late. */
const EARLY_MS = 4;

/** What is begun and ended together. */
interface Part {
  /** Begins what is wanted of it: nothing, where nothing is. */
  readonly begin: (signal: AbortSignal) => readonly Promise<void>[];
  /** Ends what was begun, for what is wanted now. */
  change: AbortController;
  /** Nothing runs: it is not wanted, or the camera has ended. */
  idle: boolean;
}

/** Serves one client until it goes, the camera ends or the service stops. Never rejects. */
export class CameraSession {
  readonly #wire: Wire;
  readonly #pipeline: Pipeline;
  readonly #pictures: Pictures;
  readonly #camera: string;
  /** Pictures and tracks, of which only the newest count. */
  readonly #newest: Part = {
    begin: (signal) => [
      ...(this.#asked.pictures ? [this.#sendPictures(signal)] : []),
      ...(this.#asked.tracks ? [this.#sendTracks(signal)] : []),
    ],
    change: new AbortController(),
    idle: false,
  };
  /** Apart from them, for none is missed while the others change. */
  readonly #events: Part = {
    begin: (signal) => (this.#asked.events ? [this.#sendEvents(signal)] : []),
    change: new AbortController(),
    idle: false,
  };
  #asked: Required<Subscription>;
  #ended = false;

  constructor(wire: Wire, pipeline: Pipeline, pictures: Pictures, camera: string, asked: Subscription) {
    this.#wire = wire;
    this.#pipeline = pipeline;
    this.#pictures = pictures;
    this.#camera = camera;
    this.#asked = completed(asked);
    const end = (): void => {
      this.#newest.change.abort();
      this.#events.change.abort();
    };
    wire.closed.addEventListener('abort', end, { once: true });
    void this.#serve(this.#newest);
    void this.#serve(this.#events);
  }

  /** Takes another subscription in place of the one that runs; fields that are absent stay. */
  subscribe(asked: Subscription): void {
    const { events } = this.#asked;
    this.#asked = { ...this.#asked, ...asked };
    this.#newest.change.abort();
    if (this.#asked.events !== events) this.#events.change.abort();
  }

  /**
   * One subscription after the other: the next begins when the one before has wholly ended and the client has taken what was sent for it. However often
   * a client changes its mind, what it leaves lying does not grow.
   */
  async #serve(part: Part): Promise<void> {
    while (!this.#wire.closed.aborted) {
      part.change = new AbortController();
      const { signal } = part.change;
      const work = part.begin(signal);
      this.#idle(part, work.length === 0);
      try {
        await (part.idle ? aborted(signal) : Promise.all(work));
      } catch (error) {
        if (!signal.aborted) return this.#wire.close(CLOSE.failed, wrapError(error).code);
      }
      if (signal.aborted) continue;
      this.#ended = true;
      return this.#idle(part, true);
    }
  }

  /** Closes the connection when the camera has ended everything that was asked for. */
  #idle(part: Part, idle: boolean): void {
    part.idle = idle;
    if (this.#ended && this.#newest.idle && this.#events.idle) {
      this.#wire.close(CLOSE.normal, 'the camera has ended');
    }
  }

  /** The next picture is taken when the one before has gone: a slow client gets fewer. */
  #sendPictures(signal: AbortSignal): Promise<void> {
    const { fps, max_side: maxSide, quality } = this.#asked;
    const wish: PictureWish = { maxSide, quality };
    let sending: Promise<void> | undefined;
    let due = Number.NEGATIVE_INFINITY;
    return new Promise((resolve, reject) => {
      const leave = this.#pictures.join(this.#pipeline, this.#camera, wish, {
        wants: (timestamp) => sending === undefined && timestamp >= due - EARLY_MS,
        take: (picture) => {
          // From when it was due, so that the rate is kept; from now where it has fallen behind.
          due = Math.max(due + 1000 / fps, picture.timestamp);
          if (due - picture.timestamp > 1000 / fps) due = picture.timestamp + 1000 / fps;
          sending = this.#sendPicture(picture).then(() => {
            sending = undefined;
          });
        },
        end: (error) => (error === undefined ? resolve() : reject(error)),
      });
      const stop = (): void => {
        leave();
        resolve(sending);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  async #sendPicture({ jpeg, ...facts }: StreamedPicture): Promise<void> {
    const head = this.#wire.send({ type: 'picture', ...facts, bytes: jpeg.length });
    await Promise.all([head, this.#wire.send(jpeg)]);
  }

  /** The iterator keeps the newest state alone, so what a slow client misses is skipped. */
  async #sendTracks(signal: AbortSignal): Promise<void> {
    await quietly(signal, async () => {
      for await (const snapshot of this.#pipeline.tracks(this.#camera, { signal })) {
        if (!(await this.#wire.send({ type: 'tracks', ...tracksJson(snapshot) }))) return;
      }
    });
  }

  async #sendEvents(signal: AbortSignal): Promise<void> {
    await quietly(signal, async () => {
      for await (const event of this.#pipeline.events({ signal, capacity: MOST_EVENTS })) {
        if (event.camera !== this.#camera) continue;
        if (!(await this.#wire.send({ type: 'event', event: eventJson(event) }))) return;
      }
    });
  }
}

/** Resolves when the signal fires, which it has not yet. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** That a subscription was ended is no failure. */
export async function quietly(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
