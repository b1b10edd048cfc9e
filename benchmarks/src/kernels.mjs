// Image kernels against OpenCV's equivalent sequences, one thread each, interleaved in one native program, and against the
// time that reading the source and writing the result takes by itself. Builds native/bench with cmake; OpenCV (Debian:
// libopencv-dev) joins where it is installed.
import { buildBench, runBench } from './native.mjs';
import { finish } from './report.mjs';

const ROUNDS = process.env.BENCH_ROUNDS ?? '41';

buildBench('image_bench');
const { figures, simd, threads, rounds } = runBench('image_bench', [ROUNDS]);
finish('kernels', figures, { simd, kernelThreads: threads, rounds });
