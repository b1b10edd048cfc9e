import { invalid, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import type { Embedding } from '../types.js';
import { type Collection, collectionsFor } from './collections.js';
import { type Feedback, type Nearest, nearer } from './feedback.js';
import { type Rates, ratesAt } from './rates.js';
import type { Space } from './spaces.js';
import { checkId, flag, IN_LIST, list, type Store } from './store.js';
import type {
  DecisionOptions,
  Identification,
  IdentifiedPerson,
  IdentifyOptions,
  PersonVerification,
  SetAside,
} from './types.js';
import { unitEmbedding } from './vectors.js';

const DECISION = ['fmr', 'fpir', 'threshold', 'fuse', 'feedback', 'signal'];
const FUSIONS = ['best', 'mean', 'quality'] as const;
/** Quality of a sample where none was measured, for the weighted mean. */
const UNKNOWN_QUALITY = 50;
const MOST_HITS = 100_000;

type Decision = Awaited<ReturnType<Rates['threshold']>>;

interface Found {
  readonly key: number;
  readonly id: string;
  readonly name: string | undefined;
  /** The most similar sample. */
  readonly sample: string;
  readonly collection: string;
  readonly best: number;
  fused: number;
}

interface Search {
  readonly store: Store;
  readonly space: Space;
  readonly collections: readonly Collection[];
  readonly decision: Decision;
  readonly feedback: Feedback | undefined;
  readonly except: ReadonlySet<string>;
  readonly k: number;
  readonly fuse: (typeof FUSIONS)[number];
  readonly searched: number;
  readonly signal: AbortSignal | undefined;
}

/** Who each of the probes may be; all of one model. */
export async function identifyAll(
  store: Store,
  rates: Rates,
  feedback: Feedback,
  probes: readonly Embedding[],
  options: IdentifyOptions,
): Promise<readonly Identification[]> {
  plainObject('options', options, [...DECISION, 'k', 'collection', 'except']);
  if (!Array.isArray(probes)) throw invalid('probes', 'array of embeddings', probes);
  const k = positiveInteger('k', options.k ?? 5, 1000);
  const fuse = oneOf('fuse', options.fuse ?? 'best', FUSIONS);
  const units = probes.map((probe, i) => unitEmbedding(`probes[${i}]`, probe));
  const [first] = units;
  if (first === undefined) return [];
  for (const other of units) {
    if (other.model !== first.model || other.dims !== first.dims) {
      throw new LineamentError('EMBEDDING_MISMATCH', `probes of '${first.model}' and of '${other.model}' in one call`);
    }
  }
  throwIfAborted(options.signal);
  const collections = collectionsFor(store, first, options.collection);
  const searched = collections.reduce((sum, { samples }) => sum + samples, 0);
  const decision = await rates.threshold(first.model, options, searched);
  const { threshold, fmr } = decision;
  const space = collections[0]?.space;
  if (space === undefined || searched === 0) {
    return units.map(() => ({
      candidates: [],
      setAside: [],
      threshold,
      ...(fmr === undefined ? {} : { fmr }),
      searched,
    }));
  }
  const search: Search = {
    store,
    space,
    collections,
    decision,
    feedback: flag('feedback', options.feedback, true) ? feedback : undefined,
    except: new Set((options.except ?? []).map((id) => checkId('except', id))),
    k,
    fuse,
    searched,
    signal: options.signal,
  };
  return searchAll(search, units);
}

/** All probes at once with a modest number of hits; those that need more hits to fill their list go on alone. */
async function searchAll(search: Search, probes: readonly Embedding[]): Promise<readonly Identification[]> {
  const queries = new Float32Array(probes.length * search.space.dims);
  for (const [i, { vector }] of probes.entries()) queries.set(vector, i * search.space.dims);
  let depth = Math.min(MOST_HITS, Math.max(32, search.k * 4));
  const results: (Identification | undefined)[] = probes.map(() => undefined);
  let open = probes.map((_, i) => i);
  for (;;) {
    const some = open.length === probes.length ? queries : gather(queries, open, search.space.dims);
    const hits = await search.space.index.search(some, {
      k: depth,
      groups: search.collections.map(({ key }) => key),
      ...(search.signal === undefined ? {} : { signal: search.signal }),
    });
    const persons = await ownersOf(search, [...new Set(hits.flat().map(({ key }) => key))]);
    const left: number[] = [];
    for (const [i, found] of hits.entries()) {
      const at = open[i]!;
      const exhausted = found.length < depth || depth === MOST_HITS;
      const result = await judge(search, probes[at]!.vector, found, persons, exhausted);
      if (result === undefined) left.push(at);
      else results[at] = result;
    }
    if (left.length === 0) return results as Identification[];
    open = left;
    depth = Math.min(MOST_HITS, depth * 8);
  }
}

function gather(queries: Float32Array, which: readonly number[], dims: number): Float32Array {
  const some = new Float32Array(which.length * dims);
  for (const [i, at] of which.entries()) some.set(queries.subarray(at * dims, (at + 1) * dims), i * dims);
  return some;
}

interface Owner {
  readonly key: number;
  readonly id: string;
  readonly name: string | undefined;
  readonly sample: string;
  readonly collection: string;
}

/** Whose samples these are; those that have expired, or were deleted a moment ago, are absent. */
async function ownersOf(search: Search, keys: readonly number[]): Promise<ReadonlyMap<number, Owner>> {
  const rows = await search.store.rows(
    `SELECT s.key, s.id, p.key, p.id, p.name, c.name FROM samples s
     JOIN persons p ON p.key = s.person JOIN collections c ON c.key = s.collection
     WHERE s.key ${IN_LIST} AND (s.expires_at IS NULL OR s.expires_at > ?)`,
    [list(keys), search.store.now()],
  );
  return new Map(
    rows.map(([key, sample, personKey, person, name, collection]) => [
      Number(key),
      {
        key: Number(personKey),
        id: String(person),
        name: name === null ? undefined : String(name),
        sample: String(sample),
        collection: String(collection),
      },
    ]),
  );
}

/** The answer for one probe; absent where more hits could change it. */
async function judge(
  search: Search,
  probe: Float32Array,
  hits: readonly { readonly key: number; readonly similarity: number }[],
  owners: ReadonlyMap<number, Owner>,
  exhausted: boolean,
): Promise<Identification | undefined> {
  const { feedback, space, decision, except, k } = search;
  const persons = new Map<number, Found>();
  const setAside = new Map<number, SetAside>();
  const nearest = new Map<number, Nearest>();
  for (const hit of hits) {
    const person = owners.get(hit.key)?.key;
    if (person !== undefined) nearest.set(person, nearer(nearest.get(person), hit));
  }
  for (const { key, similarity } of hits) {
    const owner = owners.get(key);
    if (owner === undefined || except.has(owner.id) || persons.has(owner.key) || setAside.has(owner.key)) continue;
    const ruling = feedback?.rule(owner.key, space.key, probe, nearest.get(owner.key)!, decision.threshold);
    if (ruling !== undefined) setAside.set(owner.key, { person: owner.id, similarity, ...ruling });
    else persons.set(owner.key, { ...owner, best: similarity, fused: similarity });
  }
  // Means may reorder: more persons than asked for are looked at then.
  const wanted = search.fuse === 'best' ? k : k * 4;
  if (persons.size < wanted && !exhausted) return undefined;
  const found = [...persons.values()].slice(0, wanted);
  if (search.fuse !== 'best') await fuseScores(search, probe, found);
  found.sort((a, b) => b.fused - a.fused || a.key - b.key);
  return answer(search, found.slice(0, k), [...setAside.values()]);
}

function answer(search: Search, found: readonly Found[], setAside: readonly SetAside[]): Identification {
  const { decision, searched } = search;
  const candidates = found.map(
    ({ id, name, sample, collection, fused }): IdentifiedPerson => ({
      person: id,
      ...(name === undefined ? {} : { name }),
      similarity: fused,
      sample,
      collection,
      match: fused >= decision.threshold,
      ...ratesAt(decision.calibration, fused, searched),
    }),
  );
  const [best] = candidates;
  return {
    candidates,
    ...(best?.match === true ? { match: best } : {}),
    setAside,
    threshold: decision.threshold,
    ...(decision.fmr === undefined ? {} : { fmr: decision.fmr }),
    searched,
  };
}

async function fuseScores(search: Search, probe: Float32Array, found: readonly Found[]): Promise<void> {
  const { store, space, collections, fuse, signal } = search;
  const rows = await store.rows(
    `SELECT key, person, quality FROM samples WHERE person ${IN_LIST} AND collection ${IN_LIST}
       AND (expires_at IS NULL OR expires_at > ?)`,
    [list(found.map(({ key }) => key)), list(collections.map(({ key }) => key)), store.now()],
  );
  const similarities = await compare(
    space,
    probe,
    rows.map((row) => Number(row[0])),
    signal,
  );
  for (const one of found) {
    const own = rows.filter((row) => Number(row[1]) === one.key);
    one.fused = fuseOne(own, similarities, fuse) ?? one.best;
  }
}

/** Similarities of a probe to samples; those that are not in the index are absent. */
async function compare(
  space: Space,
  probe: Float32Array,
  keys: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, number>> {
  if (keys.length === 0) return new Map();
  const [hits] = await space.index.search(probe, {
    k: keys.length,
    only: keys,
    ...(signal === undefined ? {} : { signal }),
  });
  return new Map((hits ?? []).map(({ key, similarity }) => [key, similarity]));
}

/** Rows of key, person, quality. */
function fuseOne(
  rows: readonly (readonly unknown[])[],
  similarities: ReadonlyMap<number, number>,
  fuse: Search['fuse'],
): number | undefined {
  let sum = 0;
  let weights = 0;
  let best: number | undefined;
  for (const [key, , quality] of rows) {
    const similarity = similarities.get(Number(key));
    if (similarity === undefined) continue;
    best = Math.max(best ?? -1, similarity);
    const weight = fuse === 'quality' ? Math.max(1, quality === null ? UNKNOWN_QUALITY : Number(quality)) : 1;
    sum += weight * similarity;
    weights += weight;
  }
  return fuse === 'best' || best === undefined ? best : sum / weights;
}

/** Whether a probe is the person it is said to be. */
export async function verifyPerson(
  store: Store,
  rates: Rates,
  feedback: Feedback,
  person: string,
  given: Embedding,
  options: DecisionOptions & { readonly collection?: string },
): Promise<PersonVerification> {
  plainObject('options', options, [...DECISION, 'collection']);
  if (options.fpir !== undefined) throw invalid('fpir', 'nothing: one comparison has a false match rate', options.fpir);
  const fuse = oneOf('fuse', options.fuse ?? 'best', FUSIONS);
  const probe = unitEmbedding('probe', given);
  const key = await store.personKey(person);
  const collections = collectionsFor(store, probe, options.collection);
  const decision = await rates.threshold(probe.model, options, 1);
  const all = await store.rows(
    `SELECT key, person, quality, expires_at FROM samples WHERE person = ? AND collection ${IN_LIST}`,
    [key, list(collections.map((one) => one.key))],
  );
  const now = store.now();
  const live = all.filter((row) => row[3] === null || Number(row[3]) > now);
  const space = collections[0]?.space;
  if (live.length === 0 || space === undefined) {
    throw all.length > 0
      ? new LineamentError('TEMPLATE_EXPIRED', `all samples of '${person}' have`, { fix: 'Enrol the person again.' })
      : new LineamentError('NOT_FOUND', `'${person}' has no sample of '${probe.model}' there`);
  }
  const similarities = await compare(
    space,
    probe.vector,
    live.map((row) => Number(row[0])),
    options.signal,
  );
  const similarity = fuseOne(live, similarities, fuse);
  let best: Nearest | undefined;
  for (const [sample, value] of similarities) best = nearer(best, { key: sample, similarity: value });
  if (similarity === undefined || best === undefined) {
    throw new LineamentError('STORE_CORRUPT', `no template of '${person}' can be read`, { fix: 'Run check().' });
  }
  const { threshold, fmr } = decision;
  const ruling = flag('feedback', options.feedback, true)
    ? feedback.rule(key, space.key, probe.vector, best, threshold)
    : undefined;
  return {
    match: similarity >= threshold && ruling === undefined,
    similarity,
    threshold,
    ...(fmr === undefined ? {} : { fmr }),
    samples: similarities.size,
    ...(ruling === undefined ? {} : { feedback: ruling.feedback }),
  };
}
