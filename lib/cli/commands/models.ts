import { LineamentError } from '../../errors.js';
import { shownAddress } from '../../models/catalogue/address.js';
import { type CatalogueEntry, type DownloadProgress, type ModelCatalogue, openCatalogue } from '../../models/index.js';
import type { CommandContext } from '../command.js';
import { duration } from '../progress.js';
import { printable, table } from '../terminal.js';

interface Answer {
  readonly json: unknown;
  readonly text: string;
}

type Verb = {
  /** Fewest and most arguments, and how they are called. */
  readonly arity: readonly [number, number];
  readonly takes: string;
  readonly run: (catalogue: ModelCatalogue, given: readonly string[], context: CommandContext) => Promise<Answer>;
};

const VERBS: Readonly<Record<string, Verb>> = {
  list: { arity: [0, 0], takes: 'no argument', run: (catalogue, _, context) => list(catalogue, context) },
  show: { arity: [1, 1], takes: 'ID', run: (catalogue, [id = ''], context) => show(catalogue, id, context) },
  download: { arity: [1, Number.POSITIVE_INFINITY], takes: 'one ID or more', run: download },
  accept: { arity: [1, 1], takes: 'LICENCE', run: (catalogue, [licence = '']) => accept(catalogue, licence) },
  remove: { arity: [1, 1], takes: 'ID', run: (catalogue, [id = ''], context) => remove(catalogue, id, context) },
  path: { arity: [0, 1], takes: 'one ID or none', run: (catalogue, [id]) => pathOf(catalogue, id) },
};

/** `lineament models VERB`. */
export async function models(context: CommandContext): Promise<number> {
  const { options, lists, terminal } = context;
  const [name = '', ...given] = context.arguments;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', `there is no verb '${name}'`, {
      fix: `Use one of ${Object.keys(VERBS).join(', ')}.`,
    });
  }
  if (given.length < verb.arity[0] || given.length > verb.arity[1]) {
    throw new LineamentError('INVALID_ARGUMENT', `models ${name} takes ${verb.takes}`, {
      fix: "See 'lineament models --help'.",
    });
  }
  const text = (option: string): string | undefined => options[option] as string | undefined;
  const [cache, cards] = [text('cache'), text('cards')];
  const catalogue = await openCatalogue({
    ...(cache === undefined ? {} : { cache }),
    ...(cards === undefined ? {} : { cards }),
    models: lists['models'] ?? [],
    mirrors: lists['mirror'] ?? [],
    acceptedLicences: lists['accept'] ?? [],
    offline: options['offline'] === true,
  });
  const answer = await verb.run(catalogue, given, context);
  terminal.stdout.write(options['json'] === true ? `${JSON.stringify(answer.json)}\n` : `${answer.text}\n`);
  return 0;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function list(catalogue: ModelCatalogue, { terminal }: CommandContext): Promise<Answer> {
  const { style } = terminal;
  const entries = await catalogue.list();
  const state = (entry: CatalogueEntry): string =>
    entry.state === 'present' ? style.green('here') : entry.accepted ? '' : style.yellow('licence');
  const rows = entries.map((entry) => [
    printable(entry.id),
    entry.task,
    entry.bytes === undefined ? '?' : megabytes(entry.bytes),
    state(entry),
    entry.origin === 'starter' ? 'starter pack' : printable(entry.licenceId),
    entry.commercial ? '' : 'not for products',
    (entry.sets ?? []).map(printable).join(', '),
  ]);
  const columns = ['model', 'task', 'size', '', 'licence', '', 'sets'].map((title, i) => ({ title, right: i === 2 }));
  const here = entries.filter((entry) => entry.state === 'present').length;
  return {
    json: { folder: catalogue.folder, models: entries },
    text: `${table(columns, rows, style)}\n${here} of ${entries.length} are here; downloads go to ${printable(catalogue.folder)}`,
  };
}

const TRUST: Readonly<Record<CatalogueEntry['trust'], string>> = {
  published: 'published with the card',
  'first-use': 'nobody published one: this is the one that was seen first',
  unknown: 'nobody published one: the first that is seen will be trusted',
};

async function show(catalogue: ModelCatalogue, id: string, { terminal }: CommandContext): Promise<Answer> {
  const entry = await catalogue.get(id);
  const card = await catalogue.card(id);
  const { width, height, colour } = card.input;
  const sources =
    'sources' in card && Array.isArray(card.sources) ? (card.sources as { url: string; member?: string }[]) : [];
  const facts: [string, string][] = [
    ['task', entry.task],
    ['file', entry.path ?? `not here (${entry.state})`],
    ['size', entry.bytes === undefined ? 'not known before it is fetched' : megabytes(entry.bytes)],
    ['SHA-256', `${entry.sha256 ?? 'not known'}; ${TRUST[entry.trust]}`],
    ['licence', `${entry.licence} (${entry.licenceId}, ${entry.accepted ? 'accepted' : 'not accepted'})`],
    ['', entry.licenceUrl ?? ''],
    ['in products', entry.commercial ? 'allowed by the licence' : 'not allowed by the licence'],
    ['learned from', card.trainingData],
    ['input', `${width} × ${height} ${colour}`],
    ...card.outputs.map(({ name, meaning }, i): [string, string] => [i === 0 ? 'outputs' : '', `${name}: ${meaning}`]),
    ...sources.map(({ url, member }, i): [string, string] => [
      i === 0 ? 'from' : '',
      `${member === undefined ? '' : `${member} of `}${shownAddress(new URL(url))}`,
    ]),
    ...(typeof card['obtain'] === 'string' ? [['how to get it', card['obtain']] as [string, string]] : []),
  ];
  const lines = facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${terminal.style.dim(name.padEnd(13))} ${printable(value)}`);
  return {
    json: { ...entry, card },
    text: [terminal.style.bold(printable(`${entry.title} (${id})`)), ...lines].join('\n'),
  };
}

/**
 * Ids as they are, names of sets as the ids of what is in them: first what is in few others, so that the archive of the set is fetched, which
 * brings the rest along.
 */
async function expand(catalogue: ModelCatalogue, names: readonly string[]): Promise<string[]> {
  const entries = await catalogue.list();
  const ids = names.flatMap((name) => {
    if (entries.some(({ id }) => id === name)) return [name];
    const inside = entries.filter(({ sets }) => sets?.includes(name) === true);
    inside.sort((a, b) => (a.sets?.length ?? 0) - (b.sets?.length ?? 0));
    return inside.length > 0 ? inside.map(({ id }) => id) : [name];
  });
  return [...new Set(ids)];
}

async function download(catalogue: ModelCatalogue, names: readonly string[], context: CommandContext): Promise<Answer> {
  const { terminal, options, signal } = context;
  const ids = await expand(catalogue, names);
  const done: CatalogueEntry[] = [];
  for (const id of ids) {
    const meter = makeMeter(context, options['quiet'] === true);
    try {
      const entry = await catalogue.download(id, { signal, onProgress: meter.show });
      done.push(entry);
      meter.clear();
      if (options['json'] !== true) terminal.stdout.write(`${printable(id)}  ${printable(entry.path ?? '')}\n`);
    } finally {
      meter.clear();
    }
  }
  const trusted = done.filter(({ trust }) => trust === 'first-use').map(({ id }) => id);
  return {
    json: { downloaded: done },
    text: `${done.length} ${done.length === 1 ? 'model is' : 'models are'} here and verified${
      trusted.length > 0
        ? `; trusted on first use, as nobody published a hash: ${trusted.map(printable).join(', ')}`
        : ''
    }`,
  };
}

/** The share, the bytes, the rate and the time left, at most `columns` wide. */
export function meterText(progress: DownloadProgress, bytesPerSecond: number, columns: number): string {
  const { received, total, resumed } = progress;
  const facts: string[] = [];
  let bar = '';
  if (total !== undefined && total > 0) {
    const width = Math.max(8, Math.min(28, Math.floor(columns / 4)));
    const full = Math.round((received / total) * width);
    bar = `${'━'.repeat(full)}${'─'.repeat(width - full)} `;
    facts.push(`${Math.floor((100 * received) / total)} %`, `${(received / 1e6).toFixed(1)}/${megabytes(total)}`);
  } else facts.push(megabytes(received));
  if (bytesPerSecond > 0) {
    facts.push(`${megabytes(bytesPerSecond)}/s`);
    if (total !== undefined && received < total) facts.push(`ETA ${duration((total - received) / bytesPerSecond)}`);
  }
  if (resumed > 0) facts.push(`${megabytes(resumed)} were there`);
  facts.push(printable(progress.id));
  return [...`${bar}${facts.join('  ')}`].slice(0, Math.max(10, columns - 1)).join('');
}

const LINE_EVERY_MS = 5000;

/** A bar on a terminal, a line now and then elsewhere. */
function makeMeter(
  { terminal }: CommandContext,
  quiet: boolean,
): { show: (p: DownloadProgress) => void; clear: () => void } {
  const { stderr, errorStyle } = terminal;
  let first: { at: number; received: number } | undefined;
  let last = Number.NEGATIVE_INFINITY;
  let drawn = false;
  const clear = (): void => {
    if (drawn) stderr.write('\r\u001b[2K');
    drawn = false;
  };
  const show = (progress: DownloadProgress): void => {
    const now = performance.now();
    // A try that begins anew has less than before.
    if (first === undefined || progress.received < first.received) first = { at: now, received: progress.received };
    const seconds = (now - first.at) / 1000;
    const text = meterText(
      progress,
      seconds > 0.2 ? (progress.received - first.received) / seconds : 0,
      stderr.columns ?? 80,
    );
    if (stderr.isTTY) {
      stderr.write(`\r\u001b[2K${errorStyle.cyan(text)}`);
      drawn = true;
    } else if (now - last >= LINE_EVERY_MS) {
      last = now;
      stderr.write(`${text}\n`);
    }
  };
  return { show: quiet ? () => {} : show, clear };
}

async function accept(catalogue: ModelCatalogue, licence: string): Promise<Answer> {
  await catalogue.accept(licence);
  const entries = (await catalogue.list()).filter(({ licenceId }) => licenceId === licence);
  const said = [...new Set(entries.map((entry) => entry.licence))].join('; ');
  const url = entries.find(({ licenceUrl }) => licenceUrl !== undefined)?.licenceUrl;
  return {
    json: { accepted: licence, models: entries.map(({ id }) => id) },
    text: `${printable(licence)} is accepted: ${printable(said)}${url === undefined ? '' : ` (${printable(url)})`}`,
  };
}

async function remove(catalogue: ModelCatalogue, id: string, { options }: CommandContext): Promise<Answer> {
  const { state } = await catalogue.get(id);
  await catalogue.remove(id, { forget: options['forget'] === true });
  const removed = state === 'present';
  return { json: { id, removed }, text: removed ? `${printable(id)} is deleted` : `${printable(id)} was not here` };
}

async function pathOf(catalogue: ModelCatalogue, id: string | undefined): Promise<Answer> {
  if (id === undefined) return { json: { folder: catalogue.folder }, text: catalogue.folder };
  const { path } = await catalogue.get(id);
  if (path !== undefined) return { json: { id, path }, text: path };
  throw new LineamentError('MODEL_NOT_FOUND', `${id} is not here`, {
    fix: `Fetch it with 'lineament models download ${id}'.`,
  });
}
