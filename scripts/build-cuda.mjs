// Builds liblineament_cuda beside the addon, where nvcc is.
//   node scripts/build-cuda.mjs              build/Release/liblineament_cuda.so, for Turing to Hopper and later
//   node scripts/build-cuda.mjs --arch 90a   for one architecture only, which is faster
//   node scripts/build-cuda.mjs --report     also what the compiler says of registers and memory, kernel by kernel
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, runOrThrow } from './lib/run.mjs';

/** Path of nvcc: of CUDA_PATH or CUDA_HOME, of PATH, or where the toolkit is installed by default. */
export async function findNvcc() {
  const places = [process.env.CUDA_PATH, process.env.CUDA_HOME, ...(process.env.PATH ?? '').split(path.delimiter)];
  const files = places.filter(Boolean).flatMap((place) => [path.join(place, 'bin', 'nvcc'), path.join(place, 'nvcc')]);
  const found = [...files, '/usr/local/cuda/bin/nvcc'].find((file) => existsSync(file));
  if (found === undefined) return undefined;
  const { code, output } = await run(found, ['--version']).catch(() => ({ code: 1, output: '' }));
  return code === 0 ? { path: found, version: /release ([\d.]+)/.exec(output)?.[1] ?? 'of unknown version' } : undefined;
}

/**
 * Builds the library. Gives its path, or why it was not built.
 * @param {{architectures?: string, report?: boolean, out?: string}} [options]
 * @returns {Promise<{library?: string, seconds?: number, bytes?: number, nvcc?: string, skipped?: string, output?: string}>}
 */
export async function buildCuda({ architectures, report = false, out = path.join('build', 'Release') } = {}) {
  if (process.platform !== 'linux') return { skipped: `the CUDA plugin is built on Linux, this is ${process.platform}` };
  const nvcc = await findNvcc();
  if (nvcc === undefined) return { skipped: 'nvcc was not found: install the CUDA toolkit, or set CUDA_PATH to it' };
  const build = path.join('out', 'cuda');
  mkdirSync(path.join(root, build), { recursive: true });
  const configure = ['-S', path.join('native', 'cuda'), '-B', build, `-DCMAKE_CUDA_COMPILER=${nvcc.path}`];
  configure.push(architectures ? `-DCMAKE_CUDA_ARCHITECTURES=${architectures}` : '-UCMAKE_CUDA_ARCHITECTURES');
  configure.push(`-DLINEAMENT_CUDA_REPORT=${report ? 'ON' : 'OFF'}`);
  await runOrThrow('Configuring the CUDA plugin', 'cmake', configure, { log: 'cuda-configure' });
  const started = Date.now();
  const output = await runOrThrow('Building the CUDA plugin', 'cmake', ['--build', build], { log: 'cuda-build' });
  const seconds = (Date.now() - started) / 1000;
  const library = path.join(root, out, 'liblineament_cuda.so');
  mkdirSync(path.dirname(library), { recursive: true });
  // Renamed into place: a process may have the old one loaded.
  copyFileSync(path.join(root, build, 'liblineament_cuda.so'), `${library}.new`);
  renameSync(`${library}.new`, library);
  return { library, seconds, bytes: statSync(library).size, nvcc: nvcc.version, output };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const at = process.argv.indexOf('--arch');
    const report = process.argv.includes('--report');
    const made = await buildCuda({ architectures: at >= 0 ? process.argv[at + 1] : undefined, report });
    if (made.skipped) console.log(`skipped: ${made.skipped}`);
    else {
      if (report) console.log(made.output);
      const size = (made.bytes / 1e6).toFixed(2);
      console.log(`${path.relative(root, made.library)}: ${size} MB, ${made.seconds.toFixed(1)} s, nvcc ${made.nvcc}`);
    }
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
