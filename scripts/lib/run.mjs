// Running child processes from the project's scripts: quiet by default, the whole output in a log, its end on failure.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The environment for every child: no download by onnxruntime-node, Node's own headers where they lie beside the binary. */
export function childEnvironment(extra = {}) {
  return { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', ...extra };
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: Record<string, string>, log?: string, inherit?: boolean, low?: boolean}} [options]
 *   `log`: name of a file under out/logs that receives the output; `inherit`: show the output instead; `low`: at low priority, with
 *   all that it starts.
 * @returns {Promise<{code: number, output: string}>} resolves also when the command failed
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: childEnvironment(options.env),
      stdio: options.inherit ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    if (options.low && child.pid) os.setPriority(child.pid, os.constants.priority.PRIORITY_LOW);
    let output = '';
    const log = options.log ? openLog(options.log) : undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
        log?.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      log?.end();
      resolve({ code: code ?? (signal ? 128 : 1), output });
    });
  });
}

function logPath(name) {
  return path.join(root, 'out', 'logs', `${name}.log`);
}

function openLog(name) {
  mkdirSync(path.dirname(logPath(name)), { recursive: true });
  return createWriteStream(logPath(name));
}

/** As {@link run}, but a failure throws an error that ends with the last lines of the output. */
export async function runOrThrow(what, command, args, options = {}) {
  const { code, output } = await run(command, args, options);
  if (code === 0) return output;
  const tail = output.trimEnd().split('\n').slice(-30).join('\n');
  const where = options.log ? `\nWhole output: ${path.relative(process.cwd(), logPath(options.log))}` : '';
  throw new Error(`${what} failed (exit code ${code}): ${command} ${args.join(' ')}\n${tail}${where}`);
}

/** Works on all items in order, on as many at a time as there are processors. */
export async function severalAtOnce(items, work) {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
}

/** Path of a package's own file, e.g. `bin('node-gyp', 'bin/node-gyp.js')`. */
export function packageFile(name, file) {
  return path.join(root, 'node_modules', name, file);
}

export function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'));
}

/** One line per step: a running clock on a terminal, a plain line elsewhere. */
export async function step(label, work) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const tty = process.stderr.isTTY;
  const timer = tty ? setInterval(() => process.stderr.write(`\r${label} … ${seconds()} `), 100) : undefined;
  const clear = () => {
    clearInterval(timer);
    if (tty) process.stderr.write('\r\x1b[2K');
  };
  try {
    const note = await work();
    clear();
    process.stderr.write(`${label} … ${note ?? seconds()}\n`);
  } catch (error) {
    clear();
    process.stderr.write(`${label} … failed after ${seconds()}\n`);
    throw error;
  }
}
