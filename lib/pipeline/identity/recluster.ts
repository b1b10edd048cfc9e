import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted } from '../../errors.js';
import type { Entry } from './book.js';
import { type ClusterLook, type ClusterPerson, type ClusterPlan, type HeldBack, isHub, planning } from './cluster.js';
import type { MatchRate } from './lookup.js';
import { NEAR } from './rules.js';
import type { Strangers } from './strangers.js';

export interface ReclusterRules {
  readonly only: ReadonlySet<string> | undefined;
  readonly match: MatchRate;
  readonly most: number;
  isApart(a: string, b: string): boolean;
  readonly signal: AbortSignal | undefined;
}

/** Nearest persons that are looked at for each look. */
const NEIGHBOURS = 24;
/** The event loop gets a turn after this many milliseconds. */
const SLICE_MS = 4;
/** Looks searched at once: judging what was found takes the event loop a third of a millisecond for each. */
const BATCH = 8;

interface Loaded extends ClusterPerson {
  readonly looks: ClusterLook[];
}

/** Plans merges of strangers: their looks are searched in the index, so that not everybody is compared with everybody. */
export async function reclustering(
  strangers: Strangers,
  entries: readonly Entry[],
  rules: ReclusterRules,
): Promise<ClusterPlan> {
  const { signal, only } = rules;
  const persons = new Map<string, Loaded>();
  const entryOf = new Map(entries.map((entry) => [entry.id, entry]));
  const load = async (id: string): Promise<Loaded | undefined> => {
    const known = persons.get(id);
    if (known !== undefined) return known;
    const entry = entryOf.get(id);
    const person = entry && (await strangers.gallery.get(id));
    if (entry === undefined || person === undefined) return undefined;
    const looks: ClusterLook[] = [];
    for (const { id: sample, quality = 50 } of strangers.samplesOf(person.samples)) {
      const { vector } = await strangers.gallery.template(sample);
      looks.push({ vector, weight: Math.max(1, quality) / 100 });
    }
    const made = { id, looks, since: entry.firstSeen, ...(person.name === undefined ? {} : { name: person.name }) };
    persons.set(id, made);
    return made;
  };
  const first = only === undefined ? entries.map(({ id }) => id) : [...only];
  for (const id of first) {
    throwIfAborted(signal);
    await load(id);
  }
  const { near, threshold } = await neighboursOf(strangers, [...persons.values()], rules);
  for (const other of new Set([...near.values()].flatMap((looks) => looks.flat()))) {
    throwIfAborted(signal);
    await load(other);
  }
  const giveTurn = slices(signal);
  const hubs = await removeHubs(persons, near, threshold, giveTurn);
  const order = [...persons.values()];
  const at = new Map(order.map(({ id }, i) => [id, i]));
  const pairs: [number, number][] = [];
  for (const [id, looks] of near) {
    for (const other of new Set(looks.flat())) {
      const [a, b] = [at.get(id), at.get(other)];
      if (a !== undefined && b !== undefined) pairs.push([a, b]);
    }
  }
  const steps = planning(order, pairs, {
    average: threshold,
    least: 1 - NEAR * Math.max(1e-6, 1 - threshold),
    most: rules.most,
    isApart: rules.isApart,
  });
  let step = steps.next();
  while (step.done !== true) {
    await giveTurn();
    step = steps.next();
  }
  return { merges: step.value.merges, heldBack: [...hubs, ...step.value.heldBack] };
}

/** For each person, for each of his looks, who else is near enough for that look. */
async function neighboursOf(
  strangers: Strangers,
  persons: readonly Loaded[],
  { signal, match }: ReclusterRules,
): Promise<{ readonly near: Map<string, string[][]>; readonly threshold: number }> {
  const near = new Map<string, string[][]>();
  let threshold = 1;
  const all = persons.flatMap(({ id, looks }) => looks.map((look) => ({ id, look })));
  const { model, dims } = (await strangers.gallery.collections()).find(({ name }) => name === strangers.collection)!;
  for (let i = 0; i < all.length; i += BATCH) {
    const part = all.slice(i, i + BATCH);
    const found = await strangers.gallery.identifyMany(
      part.map(({ look }) => ({ model, dims, vector: look.vector })),
      { ...match, fuse: 'best', k: NEIGHBOURS, collection: strangers.collection, ...(signal && { signal }) },
    );
    for (const [j, { candidates, threshold: own }] of found.entries()) {
      threshold = own;
      const { id } = part[j]!;
      const others = candidates.filter(({ person, match }) => match && person !== id).map(({ person }) => person);
      near.set(id, [...(near.get(id) ?? []), others]);
    }
  }
  return { near, threshold };
}

/** Waits where the event loop has been held for long enough. */
function slices(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let until = performance.now() + SLICE_MS;
  const turn = async (): Promise<void> => {
    await nextTurn();
    throwIfAborted(signal);
    until = performance.now() + SLICE_MS;
  };
  return () => (performance.now() > until ? turn() : undefined);
}

/** Takes the looks out that resemble everybody. Says who has none left. */
async function removeHubs(
  persons: ReadonlyMap<string, Loaded>,
  near: ReadonlyMap<string, readonly (readonly string[])[]>,
  threshold: number,
  giveTurn: () => Promise<void> | undefined,
): Promise<readonly HeldBack[]> {
  const most = Math.max(4, Math.ceil(0.02 * persons.size));
  const heldBack: HeldBack[] = [];
  const hubs: [Loaded, ClusterLook][] = [];
  for (const [id, looks] of near) {
    const person = persons.get(id)!;
    for (const [i, others] of looks.entries()) {
      await giveTurn();
      const vectors = others.flatMap((other) => persons.get(other)?.looks[0]?.vector ?? []);
      if (isHub(vectors, threshold, most)) hubs.push([person, person.looks[i]!]);
    }
  }
  for (const [person, look] of hubs) {
    person.looks.splice(person.looks.indexOf(look), 1);
    if (person.looks.length === 0) heldBack.push({ persons: [person.id], reason: 'hub' });
  }
  return heldBack;
}
