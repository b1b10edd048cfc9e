import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../../errors.js';
import type { Enrolment, NewSample } from '../../gallery/index.js';
import { pinCollection } from '../../gallery/pin.js';
import { openEngine } from '../../index.js';
import { faceCrop } from '../../visualization/index.js';
import { mapInOrder } from '../batch.js';
import type { CommandContext, OptionValues } from '../command.js';
import { type ErrorJson, errorJson } from '../failure.js';
import { findTargets } from '../files.js';
import { openNamedGallery, personOfFolder } from '../galleries.js';
import { engineOptions, faceOptions, inFlight } from '../photos.js';
import { makeProgress } from '../progress.js';
import { printable, type Style, table } from '../terminal.js';

const THUMBNAIL = 160;

interface Photograph {
  readonly path: string;
  readonly person: string;
}
interface Failure {
  readonly path: string;
  readonly person: string;
  readonly error: ErrorJson;
}

/** `lineament enroll PHOTOGRAPHS --gallery DIR`. */
export async function enroll(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const json = options['json'] === true;
  const photographs = await whoIsWhere(context.arguments, options);
  const expiresAt = expiry(options['expires']);
  await using gallery = await openNamedGallery(context, { create: true });
  await using engine = await openEngine(engineOptions(options, photographs.length));
  const collection = typeof options['collection'] === 'string' ? options['collection'] : 'default';
  await pinCollection(gallery, await engine.recogniser(), collection);
  const wanted = faceOptions(options, { embedding: true, quality: true, maxFaces: 1 });
  const work = async ({ path: file }: Photograph): Promise<NewSample> => {
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw new LineamentError('IMAGE_NOT_FOUND', `${file} cannot be read`, { cause });
    });
    const frame = await engine.decode(bytes, { signal });
    const [face] = await engine.analyze(frame, { ...wanted, signal });
    if (face?.embedding === undefined) throw new LineamentError('NO_FACE', file);
    const thumbnail = options['thumbnails'] === true ? await faceCrop(frame, face.box, THUMBNAIL) : undefined;
    return {
      embedding: face.embedding,
      source: path.resolve(file),
      image: createHash('sha256').update(bytes).digest('hex'),
      ...(face.quality && { quality: face.quality.score }),
      ...(thumbnail !== undefined && { thumbnail }),
    };
  };
  const progress = makeProgress(terminal, photographs.length, options['quiet'] === true);
  const enrolments: Enrolment[] = [];
  const failures: Failure[] = [];
  const { name, consent, conflict } = options;
  const minQuality = options['min-quality'];
  // A person's photographs follow one another: they become one enrolment.
  let waiting: NewSample[] = [];
  let person = '';
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const samples = waiting;
    waiting = [];
    try {
      const made = await gallery.enrol({ id: person, ...(typeof name === 'string' && { name }) }, samples, {
        signal,
        onConflict: conflict === 'allow' || conflict === 'refuse' ? conflict : 'report',
        collection,
        ...(typeof consent === 'string' && { consent }),
        ...(expiresAt !== undefined && { expiresAt }),
        ...(typeof minQuality === 'number' && { minQuality }),
      });
      enrolments.push(made);
    } catch (error) {
      if (signal.aborted) throw error;
      failures.push(...samples.map(({ source = '' }) => ({ path: source, person, error: errorJson(error) })));
    }
  };
  for await (const outcome of mapInOrder(photographs, inFlight(options), signal, work)) {
    const { path: file, person: owner } = outcome.item;
    if (owner !== person) await flush();
    person = owner;
    if ('value' in outcome) waiting.push(outcome.value);
    else failures.push({ path: file, person: owner, error: errorJson(outcome.error) });
    progress.step(file, 'value' in outcome ? owner : (failures.at(-1)?.error.code ?? ''));
  }
  if (!signal.aborted) await flush();
  progress.end();
  if (signal.aborted) throw new LineamentError('ABORTED', 'interrupted; persons reported before are enrolled');
  if (json) terminal.stdout.write(`${JSON.stringify({ enrolled: enrolments, failed: failures })}\n`);
  else terminal.stdout.write(summary(enrolments, failures, terminal.style));
  return failures.length > 0 ? 2 : 0;
}

/** The photographs with their persons; those of a person follow one another. */
async function whoIsWhere(given: readonly string[], options: OptionValues): Promise<Photograph[]> {
  const person = options['person'];
  if (options['name'] !== undefined && typeof person !== 'string') {
    throw new LineamentError('INVALID_ARGUMENT', '--name needs --person', { fix: 'Name the person with --person ID.' });
  }
  const targets = await findTargets(given);
  const wrong = targets.find(({ error }) => error !== undefined);
  if (wrong?.error !== undefined) throw wrong.error;
  const photographs = targets.map(({ path: file }) => ({
    path: file,
    person: typeof person === 'string' ? person : personOfFolder(file, given),
  }));
  const order = new Map<string, Photograph[]>();
  for (const one of photographs) order.set(one.person, [...(order.get(one.person) ?? []), one]);
  return [...order.values()].flat();
}

/** A date, or an ISO 8601 time, as ms since the epoch. */
function expiry(value: string | number | boolean | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(value);
  if (Number.isFinite(time)) return time;
  throw new LineamentError('INVALID_ARGUMENT', `'${value}' is no date`, { fix: 'Write it as 2027-01-31.' });
}

function summary(enrolments: readonly Enrolment[], failures: readonly Failure[], style: Style): string {
  const rows = enrolments.map(({ person, created, samples, rejected, conflicts }) => [
    printable(person),
    created ? 'new' : 'added to',
    `${samples.length}`,
    rejected.length === 0 ? '' : `${rejected.length} of low quality`,
    conflicts
      .map((one) => style.yellow(`looks like ${printable(one.person)} (${one.similarity.toFixed(3)})`))
      .join(', '),
  ]);
  const columns = [
    { title: 'person' },
    { title: '' },
    { title: 'samples', right: true },
    { title: 'left out' },
    { title: 'note' },
  ];
  const lines = rows.length > 0 ? [table(columns, rows, style, '')] : [];
  for (const { path: file, error } of failures) {
    lines.push(`${style.bold(printable(file))}  ${style.red(error.code)} ${printable(error.message)}`);
  }
  const samples = enrolments.reduce((sum, one) => sum + one.samples.length, 0);
  lines.push(
    `\n${enrolments.length} persons, ${samples} samples enrolled${failures.length > 0 ? `, ${failures.length} photographs failed` : ''}`,
  );
  return `${lines.join('\n')}\n`;
}
