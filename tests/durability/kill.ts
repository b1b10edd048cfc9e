// Ends a child process with SIGKILL at random moments while it writes, and hands what it acknowledged to a check.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../support/child.js';

export interface KillOptions {
  /** How often the child is killed; each time it goes on with what the last one left. */
  readonly kills: number;
  /**
   * A module (absolute path) whose default export is {@link KillWorker}. It runs in the child until that is killed.
   */
  readonly worker: string;
  /** Called after each kill with everything acknowledged so far, in order; throws where something is lost. */
  check(folder: string, acknowledged: readonly string[], round: number): Promise<void>;
  /**
   * Longest time, in milliseconds, from the first acknowledged write of a round to the kill; the moment is random. Every fourth round counts
   * from the start of the worker instead, so that opening and repairing are hit too. Default 400.
   */
  readonly within?: number;
  readonly seed?: number;
}

/**
 * What runs in the child: writes under `folder` for ever and calls `acknowledge` with a line (no line breaks) whenever the promise of a
 * write has resolved. `round` counts from 0.
 */
export type KillWorker = (folder: string, acknowledge: (line: string) => void, round: number) => Promise<void>;

export interface KillReport {
  readonly kills: number;
  /** Lines acknowledged over all rounds. */
  readonly acknowledged: number;
  /** Rounds in which the child ended by itself: always a failure of the worker. */
  readonly early: readonly string[];
}

/** Runs the rounds in a folder of its own, which is removed at the end. */
export async function killRepeatedly(options: KillOptions): Promise<KillReport> {
  const folder = await mkdtemp(join(tmpdir(), 'lineament-kill-'));
  const random = generator(options.seed ?? 1);
  const acknowledged: string[] = [];
  const early: string[] = [];
  try {
    for (let round = 0; round < options.kills; round++) {
      const delay = random() * (options.within ?? 400);
      const { lines, problem } = await killOnce(
        options.worker,
        folder,
        round,
        round % 4 === 3 ? 'start' : 'write',
        delay,
      );
      acknowledged.push(...lines);
      if (problem !== undefined) early.push(`round ${round}: ${problem}`);
      await options.check(folder, acknowledged, round);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { kills: options.kills, acknowledged: acknowledged.length, early };
}

/** One child: started, killed `delay` ms after its worker began or after its first acknowledged write. */
function killOnce(
  worker: string,
  folder: string,
  round: number,
  from: 'start' | 'write',
  delay: number,
): Promise<{ readonly lines: readonly string[]; readonly problem: string | undefined }> {
  const script = `
    import { writeSync } from 'node:fs';
    const { default: work } = await import(${JSON.stringify(pathToFileURL(worker).href)});
    writeSync(1, 'begun\\n');
    await work(process.env.KILL_FOLDER, (line) => writeSync(1, line + '\\n'), Number(process.env.KILL_ROUND));
  `;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: root,
      env: { ...env, KILL_FOLDER: folder, KILL_ROUND: String(round) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const lines = stdout.split('\n').length - 1;
      if (timer === undefined && lines >= (from === 'start' ? 1 : 2))
        timer = setTimeout(() => child.kill('SIGKILL'), delay);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      // A line without its end was cut off by the kill: it was written, but nobody heard of it.
      const lines = stdout.split('\n').slice(1, -1);
      const killed = signal === 'SIGKILL';
      resolve({ lines, problem: killed ? undefined : `ended with ${code ?? signal}: ${stderr.slice(-2000)}` });
    });
  });
}

/** Numbers in [0, 1), the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
