/** What is done to one stranger in several steps, of which a killed process may leave some out: `sync` puts that right. */
import { invalid, nonEmptyString, plainObject } from '../../errors/validate.js';
import type { Enrolment, Erasure, Gallery, NewSample } from '../../gallery/index.js';
import type { LogLine, StrangerBook } from './book.js';
import { type StrangerPlace, samplesIn } from './stranger-looks.js';
import type { EnrolStrangerOptions } from './stranger-options.js';
import type { StrangerNotice } from './types.js';

type Place = Pick<StrangerPlace, 'gallery' | 'collection'>;

/** Enrols a stranger's samples in a collection of known persons, as somebody new or as somebody who is there. */
export async function enrolStranger(
  book: StrangerBook,
  { gallery, collection: own }: Place,
  current: string,
  options: EnrolStrangerOptions,
): Promise<Enrolment> {
  plainObject('options', options, ['name', 'consent', 'person', 'collection', 'metadata', 'expiresAt']);
  const consent = nonEmptyString('consent', options.consent);
  const { name, person, metadata, expiresAt, collection = 'default' } = options;
  if (collection === own) throw invalid('collection', 'collection of known persons', collection);
  const samples: NewSample[] = [];
  for (const { id, quality, source } of samplesIn(own, (await gallery.get(current))?.samples ?? [])) {
    const template = await gallery.template(id);
    samples.push({ template, consent, ...(quality !== undefined && { quality }), ...(source && { source }) });
  }
  const entry = book.entries.get(current)!;
  const there = person !== undefined && person !== current && (await gallery.get(person)) !== undefined;
  // First the mark: opening takes it back where it was not followed by the enrolment.
  await book.put({ ...entry, enrolled: true });
  const enrolment = await gallery.enrol(there ? person : current, samples, {
    collection,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  if (there) {
    await gallery.merge(person, current);
  } else if (name !== undefined || metadata !== undefined || (person !== undefined && person !== current)) {
    await gallery.update(current, {
      ...(name === undefined ? {} : { name }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(person === undefined || person === current ? {} : { id: person }),
    });
  }
  const now = person ?? current;
  if (now !== current) await book.merge(now, current, undefined, { ...entry, id: now, enrolled: true });
  return { ...enrolment, person: now };
}

/** Deletes what makes a stranger a known person. */
export async function demoteStranger(
  book: StrangerBook,
  { gallery, collection: own }: Place,
  current: string,
): Promise<readonly Erasure[]> {
  const { samples } = (await gallery.get(current))!;
  const erasures: Erasure[] = [];
  for (const { id: sample, collection } of samples) {
    if (collection !== own) erasures.push(await gallery.delete({ sample }));
  }
  await book.put({ ...book.entries.get(current)!, enrolled: false });
  return erasures;
}

/** Takes an operation back, in the gallery and in the book; gives what is told of it. */
export async function undoStep(
  book: StrangerBook,
  gallery: Gallery,
  { operation, kind, strangers }: LogLine,
): Promise<StrangerNotice | undefined> {
  const [first, second] = strangers as readonly [string, string?];
  const before = kind === 'rename' ? await gallery.get(book.resolve(first)) : undefined;
  await gallery.undo(operation);
  if (kind === 'merge') {
    const parted = await book.unmerge(operation);
    return parted && { kind: 'parted', ...parted, operation };
  }
  await book.undone(operation);
  if (kind === 'split' && second !== undefined) {
    await book.forget([second], false);
    return { kind: 'merged', id: second, into: book.resolve(first), operation };
  }
  if (kind !== 'rename') return undefined;
  const id = book.resolve(first);
  const name = (await gallery.get(id))?.name;
  return { kind: 'renamed', id, ...(name && { name }), ...(before?.name && { previous: before.name }) };
}
