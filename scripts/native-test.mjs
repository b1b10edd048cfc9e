// Builds and runs the native unit tests with cmake, at every SIMD level this machine has where levels matter.
//   node scripts/native-test.mjs                      the tests
//   node scripts/native-test.mjs --sanitize           again under AddressSanitizer and UndefinedBehaviorSanitizer
//   node scripts/native-test.mjs --processors         again on processors that this machine is not (needs qemu's user mode)
//   node scripts/native-test.mjs --fuzz SECONDS       libFuzzer targets, each for so long (needs clang)
// With --build they are only built.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, runOrThrow, severalAtOnce } from './lib/run.mjs';

const levels = process.arch === 'x64' ? ['scalar', 'avx2'] : ['scalar', 'native'];

/** Rooms of native/ with kernels for several SIMD levels. */
const { simd } = JSON.parse(readFileSync(path.join(root, 'native', 'sources.json'), 'utf8'));
const rooms = new Set(Object.values(simd).flatMap(({ sources }) => sources.map((file) => file.split('/')[1])));

/** The levels at which a test program (`test_<name>_<room>`) says something of its own; files on disk have none. */
function levelsOf(program) {
  const name = path.basename(program);
  const depends = rooms.has(name.slice(name.lastIndexOf('_') + 1)) && !name.startsWith('test_snapshot');
  return depends ? levels : levels.slice(-1);
}

async function there(command) {
  return (await run(command, ['--version']).catch(() => ({ code: 1 }))).code === 0;
}

async function configureAndBuild(folder, flags, targets = []) {
  const build = path.join('out', folder);
  mkdirSync(path.join(root, build), { recursive: true });
  const generator = (await there('ninja')) ? ['-G', 'Ninja'] : [];
  const configure = ['-S', '.', '-B', build, ...generator, ...flags];
  await runOrThrow('Configuring', 'cmake', configure, { log: `${folder}-configure` });
  const wanted = targets.flatMap((target) => ['--target', target]);
  await runOrThrow('Building', 'cmake', ['--build', build, '-j', '2', ...wanted], { log: `${folder}-build` });
  return path.join(root, build);
}

function programs(folder, pattern) {
  return readdirSync(folder)
    .filter((name) => pattern.test(name) && !name.includes('.'))
    .sort()
    .map((name) => path.join(folder, name));
}

/**
 * Runs test programs, as many at a time as there are processors. Gives counts of tests, and what failed.
 * @param {{program: string, label: string, before?: string[], env?: Record<string, string>}[]} runs `before`: what runs the program
 */
async function runAll(runs) {
  if (runs.length === 0) throw new Error('No native test was built');
  const total = { passed: 0, failed: 0, skipped: 0, reasons: [] };
  await severalAtOnce(runs, async ({ program, label, before = [], env }) => {
    const name = `native ${path.basename(program)} [${label}]`;
    const started = Date.now();
    const [command, ...args] = [...before, program];
    const { code, output } = await run(command, args, { env });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const counts = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(output);
    const [passed, failed, skipped] = counts ? counts.slice(1).map(Number) : [0, 1, 0];
    const good = code === 0 && passed > 0;
    total.passed += passed;
    total.failed += failed + (!good && failed === 0 ? 1 : 0);
    total.skipped += skipped;
    console.log(`  ${good ? 'ok  ' : 'FAIL'} ${name}: ${passed} tests (${seconds} s)`);
    const lines = output.split('\n');
    if (!good) {
      console.log(lines.slice(-40).join('\n'));
      const said = lines.filter((line) => /fail|error|not true| is not /i.test(line)).slice(0, 3);
      total.reasons.push(`${name}: ${said.length > 0 ? said.join(' | ') : `exit status ${code}`}`);
      console.log(`failed: ${total.reasons.at(-1)}`);
    }
    for (const line of lines.filter((one) => /^\s*skip/i.test(one))) console.log(`       ${line.trim()}`);
  });
  return total;
}

async function buildTests(sanitize) {
  // The sanitized addon comes out of the same build: out/native-sanitize/lineament.node.
  const flags = ['-DLINEAMENT_TESTS=ON', `-DLINEAMENT_ADDON=${sanitize ? 'ON' : 'OFF'}`];
  if (sanitize) flags.push('-DLINEAMENT_SANITIZE=address,undefined', '-DLINEAMENT_PCH=ON');
  return configureAndBuild(sanitize ? 'native-sanitize' : 'native-tests', flags);
}

/** Runs all native unit tests. Gives counts of tests over all levels, and the names of what failed. */
export async function nativeTests({ sanitize = false } = {}) {
  const folder = await buildTests(sanitize);
  const label = sanitize ? ', sanitized' : '';
  return runAll(
    programs(folder, /^test_/).flatMap((program) =>
      levelsOf(program).map((level) => ({ program, label: `${level}${label}`, env: { LINEAMENT_SIMD: level } })),
    ),
  );
}

/** Tests of what depends on the processor: kernels and what stands on them; not timing, plugins or file formats. */
const KERNELS = /_(image|landmarks|search)$|^test_(normals_cloud|depth_filters_depth)$/;

/** The targets of native/tests that {@link KERNELS} names. */
function kernelTests() {
  const tests = path.join(root, 'native', 'tests');
  const names = readdirSync(tests, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(path.join(tests, name))
        .filter((file) => /^test_.*\.cpp$/.test(file))
        .map((file) => `${path.basename(file, '.cpp')}_${name}`),
    );
  return names.filter((name) => KERNELS.test(name));
}

/** Processors that this machine is not, emulated by qemu's user mode. */
const PROCESSORS = [
  {
    name: 'Nehalem',
    what: 'an x86-64 processor without AVX (needs qemu-user, on x86-64)',
    needs: ['qemu-x86_64'],
    possible: process.arch === 'x64',
    folder: 'native-tests',
    flags: ['-DLINEAMENT_TESTS=ON', '-DLINEAMENT_ADDON=OFF'],
    emulator: ['qemu-x86_64', '-cpu', 'Nehalem'],
    // The baseline kernels themselves are tested at LINEAMENT_SIMD=scalar: this looks for instructions that are not there.
    leaveOut: /snapshot|trainer|scan|index|bounds/,
  },
  {
    name: 'Arm',
    what: 'a 64-bit Arm processor with NEON (needs qemu-user and g++-aarch64-linux-gnu)',
    needs: ['qemu-aarch64', 'aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-g++'],
    possible: true,
    folder: 'native-arm64',
    flags: [
      '-DLINEAMENT_TESTS=ON',
      '-DLINEAMENT_ADDON=OFF',
      '-DLINEAMENT_PCH=ON',
      '-DCMAKE_SYSTEM_NAME=Linux',
      '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
      '-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc',
      '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
      '-DCMAKE_EXE_LINKER_FLAGS=-static',
    ],
    emulator: ['qemu-aarch64'],
    leaveOut: /snapshot/,
  },
];

/** Runs the native tests of kernels on other processors. */
export async function otherProcessors({ buildOnly = false } = {}) {
  const runs = [];
  let skipped = 0;
  for (const { name, what, needs, possible, folder, flags, emulator, leaveOut } of PROCESSORS) {
    const here = possible && (await Promise.all(needs.map(there))).every(Boolean);
    if (!here) {
      console.log(`  skipped: native tests on ${what}`);
      skipped += 1;
      continue;
    }
    const built = await configureAndBuild(folder, flags, kernelTests());
    for (const program of programs(built, KERNELS))
      if (!leaveOut.test(program)) runs.push({ program, label: name, before: emulator });
  }
  if (buildOnly || runs.length === 0) return { passed: 0, failed: 0, skipped };
  const total = await runAll(runs);
  return { ...total, skipped: total.skipped + skipped };
}

async function buildFuzzers() {
  for (const name of ['clang++', 'clang++-14', 'clang++-15', 'clang++-16']) {
    if (!(await there(name))) continue;
    const compilers = [`-DCMAKE_CXX_COMPILER=${name}`, `-DCMAKE_C_COMPILER=${name.replace('++', '')}`];
    const flags = ['-DLINEAMENT_FUZZ=ON', '-DLINEAMENT_ADDON=OFF', '-DLINEAMENT_PCH=ON', ...compilers];
    return configureAndBuild('native-fuzz', flags, ['fuzzers']);
  }
  return undefined;
}

/** Runs every fuzzer for a bounded time, as many at a time as there are processors. One that finds nothing counts as a passed test. */
export async function fuzz(seconds) {
  const folder = await buildFuzzers();
  if (!folder) {
    console.log('  skipped: fuzzers (clang with libFuzzer is not installed)');
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  await severalAtOnce(programs(folder, /_fuzz$/), async (program) => {
    const name = path.basename(program);
    const corpus = path.join(folder, `${name}-corpus`);
    if (!existsSync(corpus)) mkdirSync(corpus);
    const args = [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=4096', '-print_final_stats=0', corpus];
    const { code, output } = await run(program, args, { cwd: folder });
    const runs = /Done (\d+) runs/.exec(output)?.[1] ?? 'no';
    console.log(`  ${code === 0 ? 'ok  ' : 'FAIL'} ${name}: ${runs} runs in ${seconds} s`);
    total[code === 0 ? 'passed' : 'failed'] += 1;
    if (code === 0) return;
    const lines = output.split('\n');
    console.log(lines.slice(-60).join('\n'));
    console.log(`failed: ${name}: ${lines.filter((line) => /ERROR|SUMMARY/.test(line)).join(' | ')}`);
  });
  return total;
}

/** What the command line asks for; counts, or nothing where it only builds. */
async function main(argv) {
  const buildOnly = argv.includes('--build');
  const sanitize = argv.includes('--sanitize');
  const at = argv.indexOf('--fuzz');
  if (argv.includes('--processors')) return otherProcessors({ buildOnly });
  if (buildOnly) return at >= 0 ? buildFuzzers() : buildTests(sanitize);
  return at >= 0 ? fuzz(Number(argv[at + 1] ?? 30)) : nativeTests({ sanitize });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const argv = process.argv.slice(2);
    const total = await main(argv);
    if (argv.includes('--build')) process.exit(0);
    console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
    process.exit(total.failed > 0 ? 1 : 0);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
