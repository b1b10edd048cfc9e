/** Persons, samples and search results as the service writes them. */
import type {
  CollectionInfo,
  Enrolment,
  Erasure,
  IdentifiedPerson,
  Operation,
  PersonDetails,
  PersonInfo,
  SampleInfo,
  SetAside,
} from '../../gallery/index.js';
import { round } from './face-json.js';

const defined = <K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [key in K]?: V };

export function sampleJson(sample: SampleInfo) {
  return {
    id: sample.id,
    person: sample.person,
    collection: sample.collection,
    ...defined('quality', sample.quality),
    created_at: sample.createdAt,
    ...defined('expires_at', sample.expiresAt),
    expired: sample.expired,
    ...defined('consent', sample.consent),
    ...defined('source', sample.source),
    thumbnail: sample.thumbnail,
  };
}

function fields({ id, name, metadata, createdAt, updatedAt }: Omit<PersonInfo, 'samples'>) {
  return {
    id,
    ...defined('name', name),
    ...defined('metadata', metadata as unknown),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

export const summaryJson = (person: PersonInfo) => ({ ...fields(person), samples: person.samples });

export const personJson = (person: PersonDetails) => ({ ...fields(person), samples: person.samples.map(sampleJson) });

export function collectionJson(one: CollectionInfo) {
  return {
    name: one.name,
    model: one.model,
    ...defined('model_hash', one.modelHash),
    dims: one.dims,
    samples: one.samples,
    settings: one.settings as unknown,
    created_at: one.createdAt,
  };
}

/** `indices` are those that the samples have in the request. */
export function enrolmentJson(made: Enrolment, cached: boolean, indices?: readonly number[]) {
  const at = (index: number): number => indices?.[index] ?? index;
  return {
    person: made.person,
    created: made.created,
    samples: [...made.samples],
    rejected: made.rejected.map((one) => ({ ...one, index: at(one.index) })),
    conflicts: made.conflicts.map((one) => ({ ...one, index: at(one.index), similarity: round(one.similarity, 6) })),
    cached,
  };
}

export function candidateJson(one: IdentifiedPerson) {
  const { person, name, similarity, sample, collection, match, fmr, fpir, ratesAtMost } = one;
  return {
    person,
    ...defined('name', name),
    similarity: round(similarity, 6),
    match,
    sample,
    collection,
    ...defined('fmr', fmr),
    ...defined('fpir', fpir),
    ...defined('rates_at_most', ratesAtMost as boolean | undefined),
  };
}

export const operationJson = ({ id, kind, createdAt, persons, undone }: Operation) => ({
  id,
  kind,
  created_at: createdAt,
  persons: [...persons],
  undone,
});

export const setAsideJson = ({ person, similarity, feedback, nearness }: SetAside) => ({
  person,
  similarity: round(similarity, 6),
  feedback,
  nearness: round(nearness, 6),
});

export const erasureJson = ({ receipt, persons, samples, sources }: Erasure) => ({
  receipt: { ...receipt },
  persons,
  samples,
  sources: [...sources],
});
