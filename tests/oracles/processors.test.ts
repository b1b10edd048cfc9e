// Native code on processors that this machine is not: emulated by qemu's user mode.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/child.js';
import { command, has } from './support.js';

const programsIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('test_') && !name.includes('.')) : [];

/** What depends on the processor: kernels and what stands on them; not timing, plugins or file formats. */
const KERNELS = /_(image|landmarks|search)$|^test_(normals_cloud|depth_filters_depth)$/;

/** The targets of native/tests that {@link KERNELS} names. */
function targets(): string[] {
  const tests = path.join(root, 'native', 'tests');
  const rooms = readdirSync(tests, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = rooms.flatMap(({ name }) =>
    readdirSync(path.join(tests, name))
      .filter((file) => /^test_.*\.cpp$/.test(file))
      .map((file) => `${path.basename(file, '.cpp')}_${name}`),
  );
  return names.filter((name) => KERNELS.test(name));
}

async function build(name: string, flags: readonly string[]): Promise<string> {
  const folder = path.join(root, 'out', name);
  await command('cmake', ['-S', root, '-B', folder, '-DLINEAMENT_ADDON=OFF', '-DLINEAMENT_TESTS=ON', ...flags]);
  await command('cmake', ['--build', folder, '-j', '2', '--target', ...targets()], { timeout: 900_000 });
  return folder;
}

async function runAll(folder: string, emulator: readonly string[], wanted: RegExp, not: RegExp): Promise<void> {
  const programs = programsIn(folder).filter((name) => wanted.test(name) && !not.test(name));
  expect(programs.length).toBeGreaterThanOrEqual(4);
  for (const program of programs) {
    const [file, ...args] = [...emulator, path.join(folder, program)];
    const { stdout } = await command(file!, args, { cwd: root, timeout: 900_000 });
    expect(stdout, program).toMatch(/[1-9]\d* passed, 0 failed, \d+ skipped\s*$/);
  }
}

describe.skipIf(!(has('qemu-x86_64') && process.arch === 'x64'))('an x86-64 processor without AVX (Nehalem)', () => {
  it('passes the native tests with the baseline kernels', { timeout: 1_800_000 }, async () => {
    // The baseline kernels themselves are tested at LINEAMENT_SIMD=scalar: this looks for instructions that are not there.
    const folder = await build('native-tests', []);
    await runAll(folder, ['qemu-x86_64', '-cpu', 'Nehalem'], KERNELS, /snapshot|trainer|scan|index|bounds/);
  });
});

describe.skipIf(!(has('qemu-aarch64') && has('aarch64-linux-gnu-g++') && has('aarch64-linux-gnu-gcc')))(
  'a 64-bit Arm processor (NEON)',
  () => {
    let folder = '';
    beforeAll(async () => {
      folder = await build('native-arm64', [
        '-DCMAKE_SYSTEM_NAME=Linux',
        '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
        '-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc',
        '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
        '-DCMAKE_EXE_LINKER_FLAGS=-static',
      ]);
    }, 1_200_000);

    it('passes the native tests', { timeout: 1_800_000 }, async () => {
      await runAll(folder, ['qemu-aarch64'], KERNELS, /snapshot/);
    });
  },
);
