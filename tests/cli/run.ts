import { type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const program = path.join(root, 'dist', 'cli', 'main.js');

if (!existsSync(program)) throw new Error(`${program} is not there: run 'npm run setup'`);

/** One of the sample photographs that the face-api package carries, 1 to 6. */
export function sample(number: number): string {
  return path.join(root, 'node_modules', '@vladmandic', 'face-api', 'demo', `sample${number}.jpg`);
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `lineament` as a user would and gives the process and its end. */
export function start(
  args: readonly string[],
  options: SpawnOptions = {},
): { child: ReturnType<typeof spawn>; end: Promise<Finished> } {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  for (const name of ['NO_COLOR', 'FORCE_COLOR']) if (options.env?.[name] === undefined) delete env[name];
  const child = spawn(process.execPath, [program, ...args], {
    cwd: root,
    ...options,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const end = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, end };
}

/** Runs `lineament` to its end. */
export function lineament(args: readonly string[], options: SpawnOptions = {}): Promise<Finished> {
  return start(args, options).end;
}
