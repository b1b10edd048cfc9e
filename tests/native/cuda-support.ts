// The plugin that has the processor in the device's place, compiled here from the plugin's own sources, and the real one.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cudaStatus } from '../../lib/native/index.js';
import { root } from '../support/child.js';

export const compiler = ['c++', 'g++', 'clang++'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

export const real = await cudaStatus();
export const device = real.state === 'ready' && !real.reference;

export function compile(sources: readonly string[], out: string): void {
  const args = ['-std=c++20', '-O2', '-shared', '-fPIC', '-fvisibility=hidden', `-I${join(root, 'native')}`];
  execFileSync(compiler!, [...args, ...sources, '-o', out], { stdio: 'pipe' });
}

/** Compiles liblineament_cuda_reference.so, as CMakeLists.txt does. */
export function compileReference(out: string): void {
  const list = /lineament_cuda_reference MODULE ([^)]+)\)/.exec(
    readFileSync(join(root, 'CMakeLists.txt'), 'utf8'),
  )?.[1];
  compile(
    (list ?? '').split(/\s+/).map((file) => join(root, file)),
    out,
  );
}

/** Where the tests of the plugin run, and why not. */
export const places = [
  { place: 'reference', skip: compiler === undefined, name: 'on the reference (needs a C++ compiler)' },
  { place: 'device', skip: !device, name: `on a CUDA device${device ? '' : ` (skipped: ${real.problem})`}` },
] as const;
