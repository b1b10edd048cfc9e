#!/usr/bin/env node
/** The `lineament` command. */
import { readFileSync } from 'node:fs';
import { nearestName } from '../errors/nearest.js';
import { LineamentError } from '../errors.js';
import { commandHelp, parseCommand, programHelp } from './command.js';
import { COMMANDS } from './commands/index.js';
import { errorJson } from './failure.js';
import { makeTerminal, type Output, printable, type Terminal } from './terminal.js';

const INTERRUPTED = 130;

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Writes a failure to standard error: for people, or as JSON where --json was asked for. */
function reportFailure(error: unknown, json: boolean, terminal: Terminal): void {
  const failure = errorJson(error);
  if (json) {
    terminal.stderr.write(`${JSON.stringify({ error: failure })}\n`);
    return;
  }
  const { errorStyle } = terminal;
  terminal.stderr.write(
    `${errorStyle.red('error')} ${errorStyle.dim(failure.code)} ${failure.message.split('\n').map(printable).join('\n')}\n`,
  );
  if (process.env['LINEAMENT_DEBUG'] && error instanceof Error) terminal.stderr.write(`${error.stack ?? ''}\n`);
}

function unknownCommand(name: string): LineamentError {
  const close = nearestName(
    name,
    COMMANDS.map((command) => command.name),
  );
  return new LineamentError('INVALID_ARGUMENT', `there is no command '${name}'`, {
    fix: close ? `Did you mean 'lineament ${close}'?` : "See 'lineament --help'.",
  });
}

/** Runs the program. Gives the exit code. */
export async function main(
  argv: readonly string[],
  stdout: Output,
  stderr: Output,
  signal: AbortSignal,
): Promise<number> {
  const json = argv.includes('--json');
  const terminal = makeTerminal(stdout, stderr, process.env, argv.includes('--no-color'));
  try {
    const [name, ...rest] = argv.filter((one, index) => !(index === 0 && one === '--no-color'));
    if (name === '--version' || name === '-v' || name === '-V') {
      stdout.write(`${packageVersion()}\n`);
      return 0;
    }
    if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
      (name === undefined ? stderr : stdout).write(programHelp(COMMANDS, packageVersion(), terminal));
      return name === undefined ? 2 : 0;
    }
    const wanted = name === 'help' ? (rest[0] ?? '') : name;
    const command = COMMANDS.find((one) => one.name === wanted);
    if (!command) throw unknownCommand(wanted);
    const { positionals, values, lists } = parseCommand(command, name === 'help' ? ['--help'] : rest);
    if (values['help'] === true) {
      stdout.write(commandHelp(command, terminal));
      return 0;
    }
    return await command.run({ arguments: positionals, options: values, lists, terminal, signal });
  } catch (error) {
    if (signal.aborted) {
      stderr.write(json ? `${JSON.stringify({ error: errorJson(error) })}\n` : 'interrupted\n');
      return INTERRUPTED;
    }
    reportFailure(error, json, terminal);
    return 2;
  }
}

const controller = new AbortController();
// Every call in flight listens to it: there may be many.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // The first one ends the run in good order; a second one ends the process at once, as it does without a handler.
  process.once(name, () => controller.abort(new Error(name)));
}
// A reader that goes away (`lineament detect … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
// Nobody reads the log any more: what it is about goes on.
process.stderr.on('error', () => undefined);
process.exitCode = await main(process.argv.slice(2), process.stdout, process.stderr, controller.signal);
