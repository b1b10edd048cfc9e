import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { LineamentError, wrapError } from '../../errors.js';
import { EventLog, type StrangerInfo, Strangers } from '../../pipeline/index.js';
import { followStrangers } from '../../pipeline/keeping.js';
import type { CommandContext } from '../command.js';
import { openNamedGallery } from '../galleries.js';
import { printable, table } from '../terminal.js';
import { confirm, receiptOf } from './gallery.js';

/** What a verb says: as JSON, and for people. */
interface Answer {
  readonly json: unknown;
  readonly text: string;
}
interface Verb {
  /** What follows it; the last may be repeated where it ends in `…`, and those in brackets left out. */
  readonly arguments: readonly string[];
  readonly run: (strangers: Strangers, given: readonly string[], context: CommandContext) => Promise<Answer>;
}

const DAY_MS = 86_400_000;
const PAGE = 1000;

const VERBS: Readonly<Record<string, Verb>> = {
  list: { arguments: [], run: list },
  show: { arguments: ['ID'], run: show },
  name: { arguments: ['ID', '[NAME]'], run: name },
  merge: { arguments: ['INTO', 'FROM'], run: merge },
  split: { arguments: ['ID', 'SAMPLE…'], run: split },
  undo: { arguments: ['N'], run: undo },
  history: { arguments: [], run: history },
  enrol: { arguments: ['ID'], run: enrol },
  erase: { arguments: ['ID'], run: erase },
  recluster: { arguments: [], run: recluster },
};

const text = ({ options }: CommandContext, option: string): string | undefined => {
  const value = options[option];
  return typeof value === 'string' ? value : undefined;
};
const number = ({ options }: CommandContext, option: string): number | undefined => {
  const value = options[option];
  return typeof value === 'number' ? value : undefined;
};
const time = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');

/** `lineament strangers VERB --data DIR`. */
export async function strangers(context: CommandContext): Promise<number> {
  const { options, terminal } = context;
  const [named = '', ...given] = context.arguments;
  const verb = Object.hasOwn(VERBS, named) ? VERBS[named] : undefined;
  if (verb === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', `there is no verb '${named}'`, {
      fix: `Use one of ${Object.keys(VERBS).join(', ')}.`,
    });
  }
  const least = verb.arguments.filter((one) => !one.startsWith('[')).length;
  const most = verb.arguments.at(-1)?.endsWith('…') === true ? Infinity : verb.arguments.length;
  if (given.length < least || given.length > most) {
    const takes = verb.arguments.join(' ') || 'no argument';
    throw new LineamentError('INVALID_ARGUMENT', `strangers ${named} takes ${takes}`, {
      fix: "See 'lineament strangers --help'.",
    });
  }
  const folder = text(context, 'data') ?? process.env['LINEAMENT_DATA'];
  if (folder === undefined || folder === '') {
    throw new LineamentError('INVALID_ARGUMENT', 'no folder is named', {
      fix: 'Name the folder that cameras were watched with by --data DIR, or set LINEAMENT_DATA.',
    });
  }
  const path = join(folder, 'strangers.db');
  await access(path).catch((cause: unknown) => {
    throw new LineamentError('STORE_NOT_FOUND', `there is no list of strangers: ${path}`, { cause });
  });
  const gallery = text(context, 'gallery') ?? (process.env['LINEAMENT_GALLERY'] || join(folder, 'gallery'));
  await using opened = await openNamedGallery({ ...context, options: { ...options, gallery } });
  await using all = await Strangers.open({ gallery: opened, path });
  await using log = await logOf(folder, context);
  const problems: string[] = [];
  const settle = log && followStrangers(log, all, (message) => problems.push(message), 'lineament strangers');
  const answer = await verb.run(all, given, context).finally(settle);
  terminal.stdout.write(options['json'] === true ? `${JSON.stringify(answer.json)}\n` : `${answer.text}\n`);
  for (const problem of problems) terminal.stderr.write(`${printable(problem)}\n`);
  return problems.length > 0 ? 1 : 0;
}

/** The log of events that shows them, where there is one. */
async function logOf(folder: string, context: CommandContext): Promise<EventLog | undefined> {
  const clips = text(context, 'clips-folder');
  try {
    return await EventLog.open({ folder, create: false, ...(clips !== undefined && { clips }) });
  } catch (error) {
    if (wrapError(error).code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  }
}

async function list(strangers: Strangers, _: readonly string[], context: CommandContext): Promise<Answer> {
  const days = number(context, 'inactive');
  const inactiveSince = days === undefined ? undefined : Date.now() - days * DAY_MS;
  const all: StrangerInfo[] = [];
  for (let after: string | undefined; ; ) {
    const page = await strangers.list({
      limit: PAGE,
      ...(after !== undefined && { after }),
      ...(inactiveSince !== undefined && { inactiveSince }),
    });
    all.push(...page);
    after = page.at(-1)?.id;
    if (page.length < PAGE) break;
  }
  all.sort((a, b) => b.lastSeen - a.lastSeen || (a.id < b.id ? -1 : 1));
  const rows = all.map(({ id, name: called, tracks, firstSeen, lastSeen }) => [
    printable(id),
    printable(called ?? ''),
    `${tracks}`,
    time(firstSeen),
    time(lastSeen),
  ]);
  const columns = ['stranger', 'name', 'seen', 'first', 'last'].map((title, i) => ({ title, right: i === 2 }));
  const { style } = context.terminal;
  return { json: { strangers: all }, text: rows.length > 0 ? table(columns, rows, style, '') : 'no strangers' };
}

async function show(strangers: Strangers, [id = '']: readonly string[], context: CommandContext): Promise<Answer> {
  const info = await strangers.get(id);
  const person = info && (await strangers.gallery.get(info.id));
  if (info === undefined || person === undefined) throw new LineamentError('NOT_FOUND', `there is no stranger '${id}'`);
  const samples = strangers
    .samplesOf(person.samples)
    .map(({ id: sample, quality, source, createdAt }) => ({ id: sample, quality, source, createdAt }));
  const rows = samples.map(({ id: sample, quality, source }) => [
    sample,
    quality === undefined ? '' : quality.toFixed(0),
    printable(source ?? ''),
  ]);
  const columns = ['sample', 'quality', 'seen by'].map((title, i) => ({ title, right: i === 1 }));
  const { style } = context.terminal;
  const head = `${printable(info.id)}${info.name === undefined ? '' : ` ${printable(info.name)}`}: seen ${info.tracks} times, ${time(info.firstSeen)} to ${time(info.lastSeen)}`;
  return { json: { ...info, samples }, text: `${head}\n${table(columns, rows, style, '')}` };
}

const undoable = (operation: number): string => `'lineament strangers undo ${operation}' takes it back`;

async function name(strangers: Strangers, [id = '', called]: readonly string[]): Promise<Answer> {
  const operation = await strangers.rename(id, called ?? null);
  return {
    json: { operation, stranger: strangers.resolve(id), name: called ?? null },
    text: `${called === undefined ? 'without a name' : 'named'}; ${undoable(operation)}`,
  };
}

async function merge(strangers: Strangers, [into = '', from = '']: readonly string[]): Promise<Answer> {
  const operation = await strangers.merge(into, from);
  return { json: { operation, stranger: strangers.resolve(into) }, text: `merged; ${undoable(operation)}` };
}

async function split(strangers: Strangers, [id = '', ...samples]: readonly string[]): Promise<Answer> {
  const done = await strangers.split(id, samples);
  return { json: done, text: `the new one is ${done.stranger}; ${undoable(done.operation)}` };
}

async function undo(strangers: Strangers, [given = '']: readonly string[]): Promise<Answer> {
  const operation = Number(given);
  if (!Number.isSafeInteger(operation)) throw new LineamentError('INVALID_ARGUMENT', `'${given}' is no operation`);
  await strangers.undo(operation);
  return { json: { undone: operation }, text: 'taken back' };
}

async function history(strangers: Strangers, _: readonly string[], { terminal }: CommandContext): Promise<Answer> {
  const operations = await strangers.operations({ limit: 10_000 });
  const rows = operations.map(({ operation, kind, strangers: who, at, by, undone }) => [
    `${operation}`,
    kind,
    who.map(printable).join(', '),
    time(at),
    by === 'cluster' ? 'recluster' : '',
    undone ? 'undone' : '',
  ]);
  const columns = ['#', 'operation', 'strangers', 'when', 'by', ''].map((title, i) => ({ title, right: i === 0 }));
  return { json: { operations }, text: rows.length > 0 ? table(columns, rows, terminal.style, '') : 'no operations' };
}

async function enrol(strangers: Strangers, [id = '']: readonly string[], context: CommandContext): Promise<Answer> {
  const consent = text(context, 'consent');
  if (consent === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', 'nothing says that the person agreed', {
      fix: 'Name the record of consent with --consent REF.',
    });
  }
  const [called, person, collection] = ['name', 'person', 'collection'].map((option) => text(context, option));
  const enrolment = await strangers.enrol(id, {
    consent,
    ...(called !== undefined && { name: called }),
    ...(person !== undefined && { person }),
    ...(collection !== undefined && { collection }),
  });
  return { json: enrolment, text: `enrolled as ${printable(enrolment.person)}` };
}

async function erase(strangers: Strangers, [id = '']: readonly string[], context: CommandContext): Promise<Answer> {
  const current = strangers.resolve(id);
  if ((await strangers.get(current)) === undefined)
    throw new LineamentError('NOT_FOUND', `there is no stranger '${id}'`);
  await confirm(`Erase '${current}', the templates and what the log says of them? This cannot be undone.`, context);
  return receiptOf(await strangers.erase(current), context);
}

async function recluster(strangers: Strangers, _: readonly string[], context: CommandContext): Promise<Answer> {
  const dryRun = context.options['dry-run'] === true;
  const [fmr, threshold] = [number(context, 'fmr'), number(context, 'threshold')];
  const match = { ...(fmr !== undefined && { fmr }), ...(threshold !== undefined && { threshold }) };
  const done = await strangers.recluster({ dryRun, match, signal: context.signal });
  const { merges, heldBack, persons } = done;
  const lines = [
    `${persons} strangers: ${merges.length} ${dryRun ? 'would be merged' : 'merged'}`,
    ...merges.map(
      ({ into, from, average, operation }) =>
        `  ${printable(from)} into ${printable(into)}, similarity ${average.toFixed(3)}${operation === undefined ? '' : `, operation ${operation}`}`,
    ),
    ...heldBack.map(
      ({ persons: who, reason }) => `  left alone: ${who.map(printable).join(', ')} (${REASONS[reason]})`,
    ),
  ];
  return { json: { dryRun, ...done }, text: lines.join('\n') };
}

const REASONS = {
  apart: 'known to be two persons',
  names: 'they have different names',
  size: 'they would be too many',
  hub: 'the looks resemble everybody',
} as const;
