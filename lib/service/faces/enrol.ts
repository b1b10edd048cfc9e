/** Enrolling faces out of pictures or embeddings. */
import { LineamentError, wrapError } from '../../errors.js';
import type { Enrolment, EnrolOptions, Gallery, NewPerson, NewSample } from '../../gallery/index.js';
import { pinCollection } from '../../gallery/pin.js';
import { faceCrop } from '../../visualization/index.js';
import { type Picture, pictureHash } from '../images/index.js';
import type { EnrolOptions as EnrolSchema } from '../schemas/persons.js';
import type { ServiceConfig } from '../types.js';
import type { Static } from '../vendor.js';
import { calibrated } from './decision.js';
import { embedProminent, givenEmbedding } from './embeddings.js';
import { type Bench, onPicture, recogniserOf } from './work.js';

/** Side of the kept picture of a face, pixels. */
const THUMBNAIL = 160;

export type EnrolRequest = Static<typeof EnrolSchema>;

/** What a sample is made of. */
export type Evidence =
  | { readonly picture: Picture }
  | { readonly vector: readonly number[]; readonly name: string; readonly model: string | undefined };

/** Refuses an enrolment without a consent where the configuration asks for one. */
export function checkConsent({ data }: ServiceConfig, { consent }: EnrolRequest): void {
  if (data.consentRequired && consent === undefined) {
    throw new LineamentError('CONSENT_REQUIRED', 'enrolment needs a reference to a record of consent', {
      fix: "Give it as 'consent'.",
    });
  }
}

export interface MadeSample {
  readonly sample: NewSample;
  readonly cached: boolean;
}

/** The most prominent face of a picture, or an embedding that was given, as a sample. Rejects with `NO_FACE`, `EMBEDDING_MISMATCH`, … */
export async function makeSample(bench: Bench, evidence: Evidence, options: EnrolRequest): Promise<MadeSample> {
  const source = options.source === undefined ? {} : { source: options.source };
  if ('vector' in evidence) {
    const embedding = await givenEmbedding(bench.engine, evidence.name, evidence.vector, evidence.model);
    return { sample: { embedding, ...source }, cached: false };
  }
  const { picture } = evidence;
  const { config } = bench.parts;
  const face = await embedProminent(bench, picture, { minFaceSize: options.min_face_size, quality: true });
  const thumbnail = config.data.keepImages
    ? await onPicture(bench, picture, (frame) => faceCrop(frame, face.box, THUMBNAIL))
    : undefined;
  return {
    sample: {
      embedding: face.embedding,
      image: pictureHash(picture),
      ...source,
      ...(face.quality === undefined ? {} : { quality: face.quality }),
      ...(thumbnail === undefined ? {} : { thumbnail }),
    },
    cached: face.cached,
  };
}

/** Evidence of one request that is worked on at a time: pixels of more would be refused for want of room, however idle the service is. */
const AT_A_TIME = 2;

/** Samples of all evidence, in its order; where one cannot be made, none is. Nothing goes on when this has ended. */
export async function makeSamples(
  bench: Bench,
  evidence: readonly Evidence[],
  options: EnrolRequest,
): Promise<readonly MadeSample[]> {
  const made: MadeSample[] = [];
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < evidence.length && !failed; i = next++) {
      try {
        made[i] = await makeSample(bench, evidence[i] as Evidence, options);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  for (const ended of await Promise.allSettled(Array.from({ length: AT_A_TIME }, lane))) {
    if (ended.status === 'rejected') throw ended.reason;
  }
  return made;
}

/** Collections of each gallery that are known to be pinned, with the networks that they are pinned to. */
const pinned = new WeakMap<Gallery, Map<string, string>>();

/** Pins the collection to the engine's recogniser, once. */
async function pin({ parts: { gallery }, engine }: Bench, collection: string): Promise<void> {
  const identity = await recogniserOf(engine);
  let known = pinned.get(gallery);
  if (known === undefined) {
    known = new Map();
    pinned.set(gallery, known);
  }
  if (known.get(collection) === identity.hash) return;
  await pinCollection(gallery, identity, collection);
  known.set(collection, identity.hash);
}

/** Forgets what is known of a collection that was deleted, or of all. */
export function unpin(gallery: Gallery): void {
  pinned.delete(gallery);
}

/** Enrols samples as a person's and sets it down in the audit trail. What it acknowledges is on the disk. */
export async function enrolSamples(
  bench: Bench,
  actor: string,
  who: string | NewPerson,
  made: readonly MadeSample[],
  options: EnrolRequest,
): Promise<Enrolment> {
  const { parts, signal } = bench;
  const collection = options.collection ?? parts.config.data.collection;
  await pin(bench, collection);
  const wants: EnrolOptions = {
    collection,
    signal,
    onConflict: options.on_conflict ?? 'report',
    ...(options.consent === undefined ? {} : { consent: options.consent }),
    ...(options.expires_at === undefined ? {} : { expiresAt: options.expires_at }),
    ...(options.min_quality === undefined ? {} : { minQuality: options.min_quality }),
    ...(options.on_existing === undefined ? {} : { onExisting: options.on_existing }),
  };
  const samples = made.map(({ sample }) => sample);
  const { model } = bench.engine.preset.recognition;
  const enrolment = await calibrated(model, () => parts.gallery.enrol(who, samples, wants)).catch((error: unknown) => {
    // Conflicts cannot be told without a calibration; where nobody asked for them, enrolling goes without.
    if (options.on_conflict !== undefined || wrapError(error).code !== 'CALIBRATION_INSUFFICIENT') throw error;
    return parts.gallery.enrol(who, samples, { ...wants, onConflict: 'allow' });
  });
  await parts.audit.append({
    actor,
    action: 'person.enrol',
    subject: enrolment.person,
    detail: {
      created: enrolment.created,
      collection,
      samples: [...enrolment.samples],
      ...(options.consent === undefined ? {} : { consent: options.consent }),
    },
  });
  return enrolment;
}
