import type { Gallery } from '../../gallery/index.js';
import type { Entry, StrangerBook } from './book.js';
import type { StrangerNotice } from './types.js';

/** Where strangers' samples are. */
interface Place {
  readonly gallery: Gallery;
  readonly collection: string;
  /** Whether the collection has been made. */
  readonly there: boolean;
}

/**
 * Brings the book in step with the gallery, which is the truth: a process that was killed between the two, or a call on the gallery itself, leaves
 * them apart. Gives what has changed for those who know the strangers.
 */
export async function bringInStep(book: StrangerBook, place: Place): Promise<readonly StrangerNotice[]> {
  const notices: StrangerNotice[] = [];
  const persons = await personsOf(place);
  const gone = [...book.entries.keys()].filter((id) => !persons.has(id));
  await followMerges(book, place, gone, persons, notices);
  const erased = gone.filter((id) => book.entries.has(id));
  await book.forget(erased, false);
  for (const id of erased) notices.push({ kind: 'erased', id });
  const fresh: Entry[] = [];
  for (const [id, at] of persons) {
    if (book.entries.has(id)) continue;
    fresh.push({ id, firstSeen: at, lastSeen: at, tracks: 1, enrolled: await isKnown(place, id) });
  }
  for (let i = 0; i < fresh.length; i += 1000) await book.put(...fresh.slice(i, i + 1000));
  for (const entry of [...book.entries.values()]) {
    if (!entry.enrolled || (await isKnown(place, entry.id))) continue;
    await book.put({ ...entry, enrolled: false });
    notices.push({ kind: 'demoted', id: entry.id });
  }
  return notices;
}

/** Persons with samples of strangers, and when they were made. */
async function personsOf({ gallery, collection, there }: Place): Promise<ReadonlyMap<string, number>> {
  const persons = new Map<string, number>();
  if (!there) return persons;
  for (let after: string | undefined; ; ) {
    const page = await gallery.list({ collection, limit: 1000, ...(after === undefined ? {} : { after }) });
    for (const { id, createdAt } of page.persons) persons.set(id, createdAt);
    after = page.next;
    if (after === undefined) return persons;
  }
}

async function followMerges(
  book: StrangerBook,
  { gallery }: Place,
  gone: readonly string[],
  persons: ReadonlyMap<string, number>,
  notices: StrangerNotice[],
): Promise<void> {
  if (gone.length === 0) return;
  // Oldest first, so that a chain of merges is followed from its beginning.
  for (const { kind, persons: who, undone, id: operation, createdAt } of (
    await gallery.operations({ limit: 10_000 })
  ).toReversed()) {
    const [into, from] = who;
    if (kind !== 'merge' || undone || from === undefined || into === undefined) continue;
    const entry = gone.includes(from) ? book.entries.get(from) : undefined;
    if (entry === undefined) continue;
    const other = book.entries.get(into);
    const sum = other && {
      ...other,
      firstSeen: Math.min(other.firstSeen, entry.firstSeen),
      lastSeen: Math.max(other.lastSeen, entry.lastSeen),
      tracks: other.tracks + entry.tracks,
    };
    const line = { operation, kind: 'merge', at: createdAt, by: 'call', strangers: [into, from] } as const;
    await book.merge(into, from, line, sum);
    if (persons.has(into)) notices.push({ kind: 'merged', id: from, into, operation });
  }
}

/** Whether a person has samples beside those of strangers. */
async function isKnown({ gallery, collection: own }: Place, id: string): Promise<boolean> {
  return ((await gallery.get(id))?.samples ?? []).some(({ collection }) => collection !== own);
}
