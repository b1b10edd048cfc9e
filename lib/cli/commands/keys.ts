import { LineamentError } from '../../errors.js';
import { type ApiKey, type KeyDesk, loadConfig, openKeyDesk, type Scope } from '../../service/index.js';
import type { CommandContext } from '../command.js';
import { printable, table } from '../terminal.js';

const DAY_MS = 86_400_000;

type Verb = {
  /** What it takes besides options; nothing when absent. */
  readonly takes?: string;
  readonly run: (desk: KeyDesk, given: string, context: CommandContext) => Promise<void>;
};

const VERBS: Readonly<Record<string, Verb>> = {
  list: { run: (desk, _, context) => list(desk, context) },
  create: { takes: 'NAME', run: create },
  revoke: { takes: 'ID', run: revoke },
};

/** `lineament keys VERB`. */
export async function keys(context: CommandContext): Promise<number> {
  const [name = '', ...given] = context.arguments;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', `there is no verb '${name}'`, {
      fix: `Use one of ${Object.keys(VERBS).join(', ')}.`,
    });
  }
  if (given.length !== (verb.takes === undefined ? 0 : 1)) {
    throw new LineamentError('INVALID_ARGUMENT', `keys ${name} takes ${verb.takes ?? 'no argument'}`, {
      fix: "See 'lineament keys --help'.",
    });
  }
  await using desk = await openKeyDesk(await folderOf(context), 'lineament keys');
  await verb.run(desk, given[0] ?? '', context);
  return 0;
}

/** The data folder that `lineament serve` would take with the same options. */
async function folderOf({ options: { data, config } }: CommandContext): Promise<string> {
  const { data: section } = await loadConfig({
    env: process.env,
    ...(typeof config === 'string' && { file: config }),
    ...(data !== undefined && { settings: [{ path: 'data.folder', text: String(data), source: '--data' }] }),
  });
  return section.folder;
}

async function list(desk: KeyDesk, { options, terminal }: CommandContext): Promise<void> {
  const all = await desk.list();
  if (options['json'] === true) {
    terminal.stdout.write(`${JSON.stringify({ keys: all })}\n`);
    return;
  }
  const { style } = terminal;
  const now = Date.now();
  const time = (ms: number | undefined): string =>
    ms === undefined ? '' : new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const rows = all.map((key) => [
    key.id,
    printable(key.name),
    key.scopes.join(', '),
    time(key.createdAt),
    time(key.lastUsedAt),
    time(key.expiresAt),
    key.revoked ? style.red('revoked') : stands(key, now) ? '' : style.yellow('expired'),
  ]);
  const columns = ['id', 'name', 'scopes', 'made', 'last used', 'ends', ''].map((title) => ({ title }));
  terminal.stdout.write(rows.length === 0 ? 'there are no keys\n' : `${table(columns, rows, style)}\n`);
}

async function create(desk: KeyDesk, name: string, { options, terminal }: CommandContext): Promise<void> {
  const scope = (options['scope'] ?? 'read') as Scope;
  const days = options['expires'];
  const made = await desk.create({
    name,
    scopes: [scope],
    ...(days !== undefined && { expiresAt: Date.now() + Number(days) * DAY_MS }),
  });
  if (options['json'] === true) {
    terminal.stdout.write(`${JSON.stringify(made)}\n`);
    return;
  }
  // Alone on standard output, so that a shell can take it.
  terminal.stdout.write(`${made.key}\n`);
  if (options['quiet'] === true) return;
  terminal.stderr.write(`key ${made.id} '${printable(name)}' with scope ${scope}: it is shown this once\n`);
}

async function revoke(desk: KeyDesk, id: string, { options, terminal }: CommandContext): Promise<void> {
  try {
    await desk.revoke(id);
  } catch (error) {
    if (!(error instanceof LineamentError) || error.code !== 'NOT_FOUND') throw error;
    throw new LineamentError('NOT_FOUND', error.message, { fix: "See 'lineament keys list'.", cause: error });
  }
  const all = await desk.list();
  if (options['json'] === true) {
    terminal.stdout.write(`${JSON.stringify(all.find((key) => key.id === id))}\n`);
    return;
  }
  terminal.stdout.write(`key ${id} opens nothing any more\n`);
  const now = Date.now();
  if (options['quiet'] !== true && !all.some((key) => key.scopes.includes('admin') && stands(key, now))) {
    terminal.stderr.write('no key of an administrator is left: the service makes one when it is started next\n');
  }
}

const stands = ({ revoked, expiresAt }: ApiKey, now: number): boolean =>
  !revoked && (expiresAt === undefined || now < expiresAt);
