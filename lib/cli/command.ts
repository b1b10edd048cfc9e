/** How commands are described, how their arguments are read, and how their help is written. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LineamentError } from '../errors.js';
import type { Terminal } from './terminal.js';

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string' | 'number';
  readonly short?: string;
  /** Name of the value in the help: FILE, N, … */
  readonly value?: string;
  readonly text: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
  /** May be given several times: the values are in `lists`. Of strings only. */
  readonly many?: boolean;
  /** Shown in the help. */
  readonly default?: string;
}

/** Values of options by name; an option that was not given is absent. */
export type OptionValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a running command is given. */
export interface CommandContext {
  readonly arguments: readonly string[];
  readonly options: OptionValues;
  /** Values of the options that may be given several times, by name; absent where none was given. */
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
  readonly terminal: Terminal;
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What stands after the command in the usage line. */
  readonly usage: string;
  /** A paragraph for the command's own help. */
  readonly about: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Fewest and most arguments. */
  readonly arity: readonly [fewest: number, most: number];
  /** Loads the command's code and runs it. Gives the exit code. */
  readonly run: (context: CommandContext) => Promise<number>;
}

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', text: 'write JSON to standard output' },
  quiet: { type: 'boolean', short: 'q', text: 'no progress' },
  'no-color': { type: 'boolean', text: 'no colours; NO_COLOR does the same' },
  help: { type: 'boolean', short: 'h', text: 'this help' },
};

/** Options of every command that opens an engine. */
export const ENGINE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  preset: {
    type: 'string',
    short: 'p',
    value: 'NAME',
    // The last six want models that 'lineament models download' fetches.
    choices: [
      'balanced',
      'fast',
      'crowd',
      'accurate',
      'buffalo_l',
      'buffalo_m',
      'buffalo_s',
      'arcface_r100',
      'adaface',
      'facenet',
    ],
    default: 'balanced',
    text: 'which detector and recogniser to use, and how hard to look',
  },
  threads: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    max: 1024,
    default: 'all cores',
    text: 'compute threads',
  },
};

/** As many arguments as one likes, but one. */
export const MANY: readonly [number, number] = [1, Number.POSITIVE_INFINITY];

/** Options of every command that decides whether faces match. */
export const MATCH_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  fmr: {
    type: 'number',
    value: 'RATE',
    min: 0,
    max: 1,
    default: 'of the calibration',
    text: 'false match rate to stay at',
  },
  calibration: { type: 'string', value: 'FILE', text: "what 'lineament calibrate' wrote, instead of the pack's" },
};

/** Options of every command that opens a gallery. */
export const GALLERY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  gallery: {
    type: 'string',
    short: 'g',
    value: 'DIR',
    default: 'LINEAMENT_GALLERY',
    text: 'folder of the gallery',
  },
  key: {
    type: 'string',
    value: 'FILE',
    default: 'LINEAMENT_KEYS, where it is set',
    text: 'keyring file of a sealed gallery; an environment variable named VAR by env:VAR',
  },
  collection: { type: 'string', short: 'c', value: 'NAME', text: 'collection of the gallery' },
};

/** Options of every command that looks for faces in photographs. */
export const FACE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'max-faces': {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    max: 10_000,
    text: 'only the N best faces of a photograph',
  },
  'min-size': { type: 'number', value: 'PX', min: 1, max: 100_000, text: 'leave out faces smaller than PX pixels' },
};

const optionsOf = (command: Command): Record<string, OptionSpec> => ({ ...command.options, ...COMMON_OPTIONS });

/** Reads the arguments of a command. @throws LineamentError INVALID_ARGUMENT, with a fix that names the help */
export function parseCommand(
  command: Command,
  argv: readonly string[],
): { positionals: string[]; values: OptionValues; lists: Record<string, readonly string[]> } {
  const specs = optionsOf(command);
  const fix = `See 'lineament ${command.name} --help'.`;
  const config: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, spec] of Object.entries(specs)) {
    config[name] = {
      type: spec.type === 'boolean' ? 'boolean' : 'string',
      ...(spec.short && { short: spec.short }),
      ...(spec.many && { multiple: true }),
    };
  }
  let parsed: { positionals: string[]; values: Record<string, unknown> };
  try {
    parsed = parseArgs({ args: [...argv], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new LineamentError('INVALID_ARGUMENT', said.split('. To specify')[0]?.replace(/\.$/, '') ?? said, {
      fix,
      cause: error,
    });
  }
  const values: Record<string, string | number | boolean | undefined> = {};
  const lists: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(parsed.values)) {
    const spec = specs[name];
    if (!spec) continue;
    if (Array.isArray(value)) lists[name] = value.map((one) => String(checkValue(name, spec, one, fix)));
    else values[name] = checkValue(name, spec, value, fix);
  }
  const [fewest, most] = command.arity;
  const count = parsed.positionals.length;
  if (values['help'] !== true && (count < fewest || count > most)) {
    const wanted =
      fewest === most ? `${fewest}` : most === Number.POSITIVE_INFINITY ? `at least ${fewest}` : `${fewest} to ${most}`;
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `Expected ${wanted} argument${wanted === '1' ? '' : 's'} for ${command.name} but received ${count}`,
      { fix },
    );
  }
  return { positionals: parsed.positionals, values, lists };
}

function checkValue(name: string, spec: OptionSpec, value: unknown, fix: string): string | number | boolean {
  if (spec.type === 'boolean') return value === true;
  const text = String(value);
  if (spec.choices && !spec.choices.includes(text)) {
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `Expected one of ${spec.choices.join(', ')} for --${name} but received '${text}'`,
      { fix },
    );
  }
  if (spec.type === 'string') {
    if (text === '') throw new LineamentError('INVALID_ARGUMENT', `Expected a value for --${name}`, { fix });
    return text;
  }
  const number = text.trim() === '' ? Number.NaN : Number(text);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec;
  if (!Number.isFinite(number) || number < min || number > max || (spec.integer && !Number.isInteger(number))) {
    const kind = spec.integer ? 'integer' : 'number';
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `Expected ${kind} from ${min} to ${max} for --${name} but received '${text}'`,
      { fix },
    );
  }
  return number;
}

/** The help of one command. */
export function commandHelp(command: Command, terminal: Terminal): string {
  const { style } = terminal;
  const rows = Object.entries(optionsOf(command)).map(([name, spec]): [string, string] => {
    const short = spec.short ? `-${spec.short}, ` : '    ';
    const extra = [spec.choices?.join(', '), spec.default && `default ${spec.default}`].filter(Boolean).join('; ');
    return [`${short}--${name}${spec.value ? ` ${spec.value}` : ''}`, `${spec.text}${extra ? ` (${extra})` : ''}`];
  });
  return [
    `${style.bold(`lineament ${command.name}`)} ${command.usage}`,
    '',
    wrap(command.about, terminal.columns),
    '',
    style.bold('Options'),
    ...columns(rows, style.cyan),
    '',
    style.bold('Examples'),
    ...command.examples.flatMap(([line, meaning]) => [`  ${style.dim(`# ${meaning}`)}`, `  ${line}`]),
    '',
  ].join('\n');
}

/** The help of the program. */
export function programHelp(commands: readonly Command[], version: string, terminal: Terminal): string {
  const { style } = terminal;
  return [
    `${style.bold('lineament')} ${version}  finds, measures and recognises faces on this computer`,
    '',
    style.bold('Usage'),
    '  lineament COMMAND [OPTIONS] PHOTOGRAPHS',
    '',
    style.bold('Commands'),
    ...columns(
      commands.map((command) => [command.name, command.summary]),
      style.cyan,
    ),
    '',
    style.bold('Options'),
    ...columns(
      [
        ['--help, -h', 'this help, or that of a command'],
        ['--version', 'the version'],
      ],
      style.cyan,
    ),
    '',
    style.bold('Examples'),
    `  lineament detect photo.jpg`,
    `  lineament analyze holiday/ --report report.html`,
    `  lineament verify a.jpg b.jpg --fmr 0.001`,
    `  lineament doctor`,
    '',
    "PHOTOGRAPHS are files, directories (searched to the bottom) and patterns such as '*.jpg'.",
    'Exit code: 0 done (verify: match), 1 verify: no match, 2 an error, 130 interrupted.',
    '',
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[], paint: (text: string) => string): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${paint(left)}${' '.repeat(width - left.length + 3)}${right}`);
}

/** Breaks a paragraph into lines of at most `width` characters, at spaces. */
function wrap(text: string, width: number): string {
  const lines: string[] = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines[lines.length - 1] ?? '';
    if (last.length > 0 && last.length + 1 + word.length > Math.min(width, 100)) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.join('\n');
}
