/** What the program writes to: colours only where they are wanted, tables, one place for standard output and error. */

type Paint = (text: string) => string;

/** Colours; each leaves the text as it is where colours are not wanted. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** The parts of a stream that are used; `process.stdout` and `process.stderr` fit. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** For standard output. */
  readonly style: Style;
  /** For standard error. */
  readonly errorStyle: Style;
  /** Width of standard output in characters; 100 where it is not a terminal. */
  readonly columns: number;
}

const CODES: Readonly<Record<keyof Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

function styleFor(colours: boolean): Style {
  const paint = (name: keyof Style): Paint => {
    const [on, off] = CODES[name];
    return colours ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  };
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}

/**
 * Whether a stream gets colours: `NO_COLOR` (no-color.org: set and not empty) and `TERM=dumb` forbid them, `FORCE_COLOR`
 * wants them, otherwise a terminal gets them and nothing else does.
 */
export function wantsColour(stream: Output, env: NodeJS.ProcessEnv, forbidden: boolean): boolean {
  if (forbidden || env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Describes where the program writes to. */
export function makeTerminal(stdout: Output, stderr: Output, env: NodeJS.ProcessEnv, noColour: boolean): Terminal {
  return {
    stdout,
    stderr,
    style: styleFor(wantsColour(stdout, env, noColour)),
    errorStyle: styleFor(wantsColour(stderr, env, noColour)),
    columns: stdout.isTTY && stdout.columns ? stdout.columns : 100,
  };
}

// biome-ignore lint/complexity/useRegexLiterals: an escape character cannot be written in a literal that the linter accepts
const ESCAPES = new RegExp('\\u001b\\[[0-9;]*m', 'g');

/** Characters that text takes on a terminal: colours take none, wide scripts and emoji two each. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(
    text.replace(ESCAPES, ''),
  )) {
    width +=
      /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|^\p{Extended_Pictographic}/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return width;
}

/** Control characters of a file name, made visible: a name cannot move the cursor or forge a line. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}|\p{Cf}|[\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An angle in whole degrees, without a negative zero. */
export const degrees = (angle: number): string => `${Math.round(angle) + 0}°`;

export interface TableColumn {
  readonly title: string;
  readonly right?: boolean;
}

/** A table of text; cells may be coloured. Columns that are empty in every row are left out. */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  style: Style,
  indent = '',
): string {
  const used = columns
    .map((column, index) => ({ ...column, index }))
    .filter(({ index }) => rows.some((row) => row[index]));
  const widths = used.map(({ title, index }) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[index] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    indent +
    used
      .map(({ right }, at) => {
        const cell = cells[at] ?? '';
        const space = ' '.repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(cell)));
        return right ? space + cell : at === used.length - 1 ? cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [
    line(used.map(({ title }) => style.dim(title))),
    ...rows.map((row) => line(used.map(({ index }) => row[index] ?? ''))),
  ].join('\n');
}
