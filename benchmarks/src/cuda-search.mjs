// Exact search on a CUDA device beside our own on the processor, over the same vectors and queries (native/bench/cuda_bench.cpp):
// medians of ours on both, and how many answers differ in a key or in a bit of a score. Says so where there is no device.
//   BENCH_CUDA_ROWS (1000000), BENCH_ROUNDS (9)
import { buildCuda } from '../../scripts/build-cuda.mjs';
import { buildBench, runBench } from './native.mjs';
import { figure, finish } from './report.mjs';

const ISSUE = 4;
const DIMS = 512;
const ROWS = process.env.BENCH_CUDA_ROWS ?? '1000000';
const ROUNDS = process.env.BENCH_ROUNDS ?? '9';

const named = process.env.LINEAMENT_CUDA;
const built = named ? { library: named } : await buildCuda();
if (built.skipped) {
  console.log(`skipped: ${built.skipped}`);
} else {
  buildBench('cuda_bench');
  const result = runBench('cuda_bench', [built.library, ROWS, String(DIMS), ROUNDS]);
  if (result.skipped) console.log(`skipped: ${result.skipped}`);
  else report(result);
}

function report(result) {
  const note = `${result.device}, ${result.rows} × ${result.dims}, beside ${result.threads} threads of the processor`;
  const options = { issue: ISSUE, note };
  const figures = [
    figure('cuda.add', result.addDevicePerSecond, 'vectors/s', { ...options, better: 'higher' }),
    figure('cuda.bytesPerVector', result.deviceBytes / result.rows, 'B', options),
  ];
  for (const search of result.searches) {
    const name = `cuda.${search.queries}${search.threshold > -1 ? '.threshold' : ''}`;
    figures.push(
      figure(`${name}.ms`, search.deviceMs, 'ms', options),
      figure(`${name}.speedup`, search.hostMs / search.deviceMs, '×', {
        ...options,
        better: 'higher',
        peer: 'ours, CPU',
      }),
      figure(`${name}.differences`, search.differences, 'queries', { ...options, goal: 0 }),
    );
  }
  finish('cuda-search', figures, { bench: result });
}
