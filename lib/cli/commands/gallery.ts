import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { pipeline } from 'node:stream/promises';
import { LineamentError } from '../../errors.js';
import type { Erasure, Gallery } from '../../gallery/index.js';
import { createKeyringFile, rotateKeyringFile } from '../../templates/index.js';
import type { CommandContext } from '../command.js';
import { openNamedGallery } from '../galleries.js';
import { printable, table } from '../terminal.js';
import { toFile } from '../to-file.js';

/** What a verb says: as JSON, and for people. */
interface Answer {
  readonly json: unknown;
  readonly text: string;
  /** 1 where something is wrong that is no error. */
  readonly code?: number;
}
/** What follows the verb. */
type Verb = {
  readonly arguments: readonly string[];
  readonly run: (gallery: Gallery, given: readonly string[], context: CommandContext) => Promise<Answer | undefined>;
};

const bytes = (count: number): string =>
  count < 1e6 ? `${(count / 1e3).toFixed(0)} kB` : `${(count / 1e6).toFixed(1)} MB`;
const date = (time: number): string => new Date(time).toISOString().slice(0, 10);
const textOption = ({ options }: CommandContext, name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};

const VERBS: Readonly<Record<string, Verb>> = {
  list: { arguments: [], run: (gallery, _, context) => list(gallery, context) },
  show: { arguments: ['PERSON'], run: (gallery, [person = ''], context) => show(gallery, person, context) },
  stats: { arguments: [], run: stats },
  export: { arguments: [], run: (gallery, _, context) => exportAll(gallery, context) },
  import: { arguments: ['FILE'], run: (gallery, [file = ''], context) => importFile(gallery, file, context) },
  delete: { arguments: ['[PERSON]'], run: (gallery, [person], context) => erase(gallery, person, context) },
  purge: { arguments: [], run: (gallery, _, context) => purge(gallery, context) },
  merge: { arguments: ['INTO', 'FROM'], run: merge },
  undo: { arguments: ['N'], run: undo },
  history: { arguments: [], run: (gallery, _, context) => history(gallery, context) },
  check: { arguments: [], run: (gallery, _, context) => check(gallery, context) },
  backup: { arguments: ['FILE'], run: backup },
  'rotate-key': { arguments: ['FILE'], run: rotateKey },
};

/** `lineament gallery VERB --gallery DIR`. */
export async function gallery(context: CommandContext): Promise<number> {
  const { options, terminal } = context;
  const [name = '', ...given] = context.arguments;
  if (name === 'new-key') return newKey(given, context);
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', `there is no verb '${name}'`, {
      fix: `Use one of ${[...Object.keys(VERBS), 'new-key'].join(', ')}.`,
    });
  }
  const least = verb.arguments.filter((one) => !one.startsWith('[')).length;
  if (given.length < least || given.length > verb.arguments.length) {
    throw new LineamentError('INVALID_ARGUMENT', `gallery ${name} takes ${verb.arguments.join(' ') || 'no argument'}`, {
      fix: "See 'lineament gallery --help'.",
    });
  }
  await using opened = await openNamedGallery(context, { create: name === 'import' });
  for (const repaired of opened.opened.repaired) terminal.stderr.write(`${printable(repaired)}\n`);
  const answer = await verb.run(opened, given, context);
  if (answer === undefined) return 0;
  terminal.stdout.write(options['json'] === true ? `${JSON.stringify(answer.json)}\n` : `${answer.text}\n`);
  return answer.code ?? 0;
}

async function list(gallery: Gallery, context: CommandContext): Promise<Answer | undefined> {
  const { terminal, options, signal } = context;
  const json = options['json'] === true;
  const collection = textOption(context, 'collection');
  let after: string | undefined;
  let count = 0;
  if (json) terminal.stdout.write('{"persons":[');
  // Page by page: a large gallery does not fit into memory at once.
  do {
    const page = await gallery.list({
      limit: 1000,
      signal,
      ...(collection !== undefined && { collection }),
      ...(after !== undefined && { after }),
    });
    after = page.next;
    if (json) {
      for (const person of page.persons)
        terminal.stdout.write(`${count++ === 0 ? '' : ','}\n  ${JSON.stringify(person)}`);
      continue;
    }
    const rows = page.persons.map(({ id, name, samples, createdAt }) => [
      printable(id),
      printable(name ?? ''),
      `${samples}`,
      date(createdAt),
    ]);
    count += rows.length;
    const columns = [{ title: 'person' }, { title: 'name' }, { title: 'samples', right: true }, { title: 'since' }];
    if (rows.length > 0) terminal.stdout.write(`${table(columns, rows, terminal.style, '')}\n`);
  } while (after !== undefined);
  terminal.stdout.write(json ? `${count === 0 ? '' : '\n'}]}\n` : `${count} ${count === 1 ? 'person' : 'persons'}\n`);
  return undefined;
}

async function show(gallery: Gallery, id: string, { terminal }: CommandContext): Promise<Answer> {
  const person = await gallery.get(id);
  if (person === undefined) throw new LineamentError('NOT_FOUND', `person '${id}'`);
  const rows = person.samples.map((one) => [
    one.id,
    printable(one.collection),
    one.quality === undefined ? '' : one.quality.toFixed(0),
    date(one.createdAt),
    one.expiresAt === undefined ? '' : `${date(one.expiresAt)}${one.expired ? ', expired' : ''}`,
    printable(one.source ?? ''),
  ]);
  const columns = ['sample', 'collection', 'quality', 'since', 'until', 'source'].map((title) => ({ title }));
  const heading = terminal.style.bold(printable(person.name === undefined ? id : `${person.name} (${id})`));
  return {
    json: person,
    text: [heading, ...(rows.length > 0 ? [table(columns, rows, terminal.style, '  ')] : [])].join('\n'),
  };
}

async function stats(gallery: Gallery): Promise<Answer> {
  const found = await gallery.stats();
  const collections = await gallery.collections();
  const lines = [
    `${found.persons} persons, ${found.samples} samples${found.expired > 0 ? ` (${found.expired} expired)` : ''}, ${found.sealed ? 'sealed' : 'not encrypted'}`,
    ...collections.map(
      ({ name, model, dims, samples }) => `  ${printable(name)}: ${samples} samples of ${model} (${dims})`,
    ),
    `database ${bytes(found.bytes.database + found.bytes.log)}, snapshots ${bytes(found.bytes.snapshots)}, index in memory ${bytes(found.bytes.index)}`,
  ];
  return { json: { ...found, collections }, text: lines.join('\n') };
}

async function exportAll(gallery: Gallery, context: CommandContext): Promise<Answer | undefined> {
  const { options, signal } = context;
  const collection = textOption(context, 'collection');
  const output = textOption(context, 'output');
  const lines = gallery.export({
    signal,
    plain: options['plain'] === true,
    ...(collection !== undefined && { collection }),
  });
  if (output === undefined) {
    for await (const line of lines) context.terminal.stdout.write(line);
    return undefined;
  }
  await toFile(output, (stream) => pipeline(lines, stream, { signal }));
  return { json: { written: output }, text: `written: ${printable(output)}` };
}

async function importFile(gallery: Gallery, file: string, { options, signal }: CommandContext): Promise<Answer> {
  const existing = options['existing'];
  const summary = await gallery.import(createReadStream(file), {
    signal,
    onExisting: existing === 'add' || existing === 'skip' ? existing : 'refuse',
  });
  const { created, samples, skipped, expired } = summary;
  return {
    json: summary,
    text: `${created} persons and ${samples} samples are new; ${skipped} persons skipped, ${expired} samples had expired`,
  };
}

async function erase(gallery: Gallery, person: string | undefined, context: CommandContext): Promise<Answer> {
  const collection = textOption(context, 'collection');
  const what = person === undefined ? `collection '${collection}'` : `person '${person}'`;
  if (person === undefined && collection === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', 'nothing says what to delete', {
      fix: 'Name a person, or a collection with --collection.',
    });
  }
  await confirm(`Erase ${what} and its templates? This cannot be undone.`, context);
  return receiptOf(await gallery.delete(person === undefined ? { collection: collection! } : { person }), context);
}

async function purge(gallery: Gallery, context: CommandContext): Promise<Answer> {
  const erasure = await gallery.purgeExpired();
  if (erasure === undefined) return { json: { persons: 0, samples: 0 }, text: 'nothing has expired' };
  return receiptOf(erasure, context);
}

/** What an erasure says; its receipt goes into the file of --output. */
export async function receiptOf(erasure: Erasure, context: CommandContext): Promise<Answer> {
  const { receipt, persons, samples, sources } = erasure;
  const output = textOption(context, 'output');
  if (output !== undefined) await writeFile(output, `${JSON.stringify(receipt, null, 1)}\n`);
  const lines = [
    `erased: ${persons} persons, ${samples} samples; receipt ${receipt.id}${output === undefined ? '' : `, written: ${printable(output)}`}`,
    ...receipt.backups.map(({ name, createdAt }) => `  still in the backup ${printable(name)} of ${createdAt}`),
    ...sources.map((source) => `  the picture is yours to delete: ${printable(source)}`),
  ];
  return { json: erasure, text: lines.join('\n') };
}

/** Asks on the terminal; without one, --yes is needed. */
export async function confirm(question: string, { options, signal }: CommandContext): Promise<void> {
  if (options['yes'] === true) return;
  if (process.stdin.isTTY !== true) {
    throw new LineamentError('INVALID_ARGUMENT', question, { fix: 'Say so with --yes.' });
  }
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if (/^y(es)?$/i.test((await asked.question(`${question} [y/N] `, { signal })).trim())) return;
  } finally {
    asked.close();
  }
  throw new LineamentError('ABORTED', 'nothing was erased');
}

async function merge(gallery: Gallery, [into = '', from = '']: readonly string[]): Promise<Answer> {
  const operation = await gallery.merge(into, from);
  return { json: { operation }, text: `merged; 'lineament gallery undo ${operation}' takes it back` };
}

async function undo(gallery: Gallery, [number = '']: readonly string[]): Promise<Answer> {
  const operation = Number(number);
  if (!Number.isSafeInteger(operation)) throw new LineamentError('INVALID_ARGUMENT', `'${number}' is no operation`);
  await gallery.undo(operation);
  return { json: { undone: operation }, text: 'taken back' };
}

async function history(gallery: Gallery, { terminal }: CommandContext): Promise<Answer> {
  const operations = await gallery.operations();
  const rows = operations.map(({ id, kind, persons, createdAt, undone }) => [
    `${id}`,
    kind,
    persons.map(printable).join(', '),
    new Date(createdAt).toISOString(),
    undone ? 'undone' : '',
  ]);
  const columns = ['#', 'operation', 'persons', 'when', ''].map((title, i) => ({ title, right: i === 0 }));
  return { json: { operations }, text: rows.length > 0 ? table(columns, rows, terminal.style, '') : 'no operations' };
}

async function check(gallery: Gallery, { options, signal }: CommandContext): Promise<Answer> {
  const report = await gallery.check({ signal, repair: options['repair'] === true });
  const lines = [
    `${report.samples} samples: ${report.ok ? 'database, templates and index agree' : 'something is wrong'}`,
    ...report.problems.map((problem) => `  found: ${printable(problem)}`),
    ...report.repaired.map((repaired) => `  put right: ${printable(repaired)}`),
    ...report.damaged.map(
      ({ sample, person, message }) =>
        `  cannot be read: sample ${sample} of ${printable(person)}: ${printable(message)}`,
    ),
  ];
  return { json: report, text: lines.join('\n'), code: report.ok ? 0 : 1 };
}

async function backup(gallery: Gallery, [file = '']: readonly string[], { signal }: CommandContext): Promise<Answer> {
  const made = await gallery.backup(file, { signal });
  return { json: made, text: `written: ${printable(made.path)}; receipts of deletions will name it` };
}

async function rotateKey(
  gallery: Gallery,
  [file = '']: readonly string[],
  { signal }: CommandContext,
): Promise<Answer> {
  const keyId = await rotateKeyringFile(file);
  const renewed = await gallery.rotate({ signal });
  return { json: { keyId, renewed }, text: `key ${keyId} seals from now on; ${renewed} rows renewed` };
}

async function newKey([file]: readonly string[], { options, terminal }: CommandContext): Promise<number> {
  if (file === undefined) throw new LineamentError('INVALID_ARGUMENT', 'gallery new-key takes FILE');
  const keyId = await createKeyringFile(file);
  const text = `key ${keyId} in ${printable(file)}: keep a copy elsewhere; what is sealed is lost with it`;
  terminal.stdout.write(options['json'] === true ? `${JSON.stringify({ keyId, file })}\n` : `${text}\n`);
  return 0;
}
