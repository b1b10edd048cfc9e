// Image kernels against OpenCV's equivalent sequences, one thread each, interleaved in one native program, and against the
// time that reading the source and writing the result takes by itself. Builds native/bench with cmake; OpenCV (Debian:
// libopencv-dev) joins where it is installed.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './paths.mjs';
import { finish } from './report.mjs';

const ROUNDS = process.env.BENCH_ROUNDS ?? '41';
const folder = path.join(ROOT, 'out', 'native-bench');

function run(command, args, capture = false) {
  const stdio = ['ignore', capture ? 'pipe' : 'ignore', 'inherit'];
  const result = spawnSync(command, args, { cwd: ROOT, stdio, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.status}`);
  return result.stdout;
}

run('cmake', ['-S', ROOT, '-B', folder, '-DLINEAMENT_ADDON=OFF', '-DLINEAMENT_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release']);
run('cmake', ['--build', folder, '-j', '2', '--target', 'image_bench']);
const { figures, simd, threads, rounds } = JSON.parse(run(path.join(folder, 'image_bench'), [ROUNDS], true));
finish('kernels', figures, { simd, kernelThreads: threads, rounds });
