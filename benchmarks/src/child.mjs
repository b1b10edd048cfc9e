// One process per trial: a bench starts itself again with --child NAME and gets one JSON value back.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MARK = '--child';

/** The arguments of this trial, or undefined in the parent. @returns {string[]|undefined} */
export function trial() {
  const at = process.argv.indexOf(MARK);
  return at < 0 ? undefined : process.argv.slice(at + 1);
}

/**
 * Runs a trial in a fresh process and returns the value it gave to `answer`.
 * @param {string} file bench file @param {string[]} args @param {{env?: Record<string, string>, quiet?: boolean}} options
 */
export function start(file, args, { env = {}, quiet = true } = {}) {
  const out = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-bench-')), 'answer.json');
  const began = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, MARK, ...args], {
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'pipe'],
      env: { ...process.env, ...env, BENCH_ANSWER: out, BENCH_BEGAN: String(Date.now()), TF_CPP_MIN_LOG_LEVEL: '2' },
    });
    let errors = '';
    child.stderr.on('data', (d) => {
      errors = (errors + d).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const wall = Number(process.hrtime.bigint() - began) / 1e6;
      try {
        if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code ?? signal}: ${errors.trim()}`);
        resolve({ ...JSON.parse(fs.readFileSync(out, 'utf8')), wall });
      } catch (error) {
        reject(error);
      } finally {
        fs.rmSync(path.dirname(out), { recursive: true, force: true });
      }
    });
  });
}

/** Hands the trial's value to the parent. */
export function answer(value) {
  fs.writeFileSync(process.env.BENCH_ANSWER ?? '/dev/stdout', JSON.stringify(value));
}

/**
 * The systems to run: all, or those that BENCH_SYSTEMS names (comma-separated), for trying a bench out; `finish` then
 * writes no result file.
 * @param {string[]} all
 */
export function chosen(all) {
  const names = process.env.BENCH_SYSTEMS?.split(',');
  return names ? all.filter((s) => names.includes(s)) : all;
}
