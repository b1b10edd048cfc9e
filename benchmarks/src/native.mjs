// Programs of native/bench, built with cmake.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './paths.mjs';

const folder = path.join(ROOT, 'out', 'native-bench');

function run(command, args, capture = false) {
  const stdio = ['ignore', capture ? 'pipe' : 'ignore', 'inherit'];
  const result = spawnSync(command, args, { cwd: ROOT, stdio, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.status}`);
  return result.stdout;
}

/** Builds a target of native/bench. @param {string} target */
export function buildBench(target) {
  const options = ['-DLINEAMENT_ADDON=OFF', '-DLINEAMENT_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release'];
  run('cmake', ['-S', ROOT, '-B', folder, ...options]);
  run('cmake', ['--build', folder, '-j', '2', '--target', target]);
}

/** Where a target that was built lies. @param {string} target */
export const benchProgram = (target) => path.join(folder, target);

/** Runs a target that was built, and gives the JSON that it printed. @param {string} target @param {string[]} args */
export const runBench = (target, args) => JSON.parse(run(benchProgram(target), args, true));
