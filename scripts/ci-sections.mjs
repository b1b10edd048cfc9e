// The sections of scripts/ci.mjs, each a process that ends with a line that counts; what failed is on lines that begin with `failed: `.
//   node scripts/ci-sections.mjs NAME
//   node scripts/ci-sections.mjs oracles --rest     without what the `npm test` before it has run whole
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildCuda } from './build-cuda.mjs';
import { nodeHeaders } from './build-native.mjs';
import { buildOpen3d } from './build-open3d.mjs';
import { packageFile, root, run } from './lib/run.mjs';
import { filesBelow } from './lib/stamp.mjs';
import { reportOf, vitest } from './lib/vitest.mjs';
import { fuzz, nativeTests, otherProcessors } from './native-test.mjs';

const total = { passed: 0, failed: 0, skipped: 0 };

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}

/** One check that either holds or does not. */
async function check(name, work) {
  const started = Date.now();
  let problem;
  try {
    problem = await work();
  } catch (error) {
    problem = error.message;
  }
  if (problem === 'skip') {
    console.log(`  skipped: ${name}`);
    add({ passed: 0, failed: 0, skipped: 1 });
    return;
  }
  console.log(`  ${problem ? 'FAIL' : 'ok  '} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s)`);
  if (problem) console.log(`${problem}\nfailed: ${name}`);
  add(problem ? { passed: 0, failed: 1, skipped: 0 } : { passed: 1, failed: 0, skipped: 0 });
}

/** A command that must end with status 0. */
function succeeds(command, args, options = {}) {
  return async () => {
    const { code, output } = await run(command, args, options);
    return code === 0 ? undefined : output.trimEnd().split('\n').slice(-40).join('\n');
  };
}

async function has(command) {
  return (await run(command, ['--version']).catch(() => ({ code: 1 }))).code === 0;
}

async function freshClone() {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'lineament-clone-'));
  const clone = path.join(scratch, 'main');
  try {
    await check('git clone', succeeds('git', ['clone', '--quiet', root, clone]));
    await check('npm run demo in a fresh clone', succeeds('npm', ['run', 'demo'], { cwd: clone }));
    const started = Date.now();
    await check('npm run demo again', succeeds('npm', ['run', 'demo'], { cwd: clone }));
    console.log(`       second run: ${((Date.now() - started) / 1000).toFixed(1)} s`);
    await check('the clone is still clean', async () => {
      const { output } = await run('git', ['status', '--porcelain'], { cwd: clone });
      return output.trim() === '' ? undefined : output;
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function style() {
  const node = process.execPath;
  await check('biome', succeeds(node, [packageFile('@biomejs/biome', 'bin/biome'), 'ci', '.']));
  await check('import layers', succeeds(node, ['scripts/check-layers.mjs']));
  const tsc = packageFile('typescript', 'bin/tsc');
  await check('typecheck', succeeds(node, [tsc, '-p', 'tsconfig.json', '--noEmit']));
  await check('typecheck of the viewer page', succeeds(node, [tsc, '-p', 'lib/visualization/viewer/tsconfig.json']));
  await check('typedoc', succeeds(node, [packageFile('typedoc', 'bin/typedoc')]));
  await check('clang-format', async () => {
    if (!(await has('clang-format-14'))) return 'skip';
    const files = filesBelow(['native']).filter((file) => /\.(cpp|h)$/.test(file));
    return succeeds('clang-format-14', ['--dry-run', '--Werror', ...files])();
  });
}

async function cmakeJs() {
  await check('files for one instruction set export nothing that a linker could share', async () => {
    if (process.arch !== 'x64' || !(await has('nm'))) return 'skip';
    return succeeds('bash', ['native/tests/check-isa-symbols.sh'])();
  });
  const program = packageFile('cmake-js', 'bin/cmake-js');
  await check('cmake-js builds the same addon, and it loads', async () => {
    // Without headers at hand cmake-js would fetch them from outside the npm registry.
    const nodedir = nodeHeaders();
    if (!nodedir) return 'skip';
    const env = { npm_config_nodedir: nodedir };
    const built = await succeeds(process.execPath, [program, 'compile', '-O', 'out/cmake-js', '-p', '2'], { env })();
    if (built) return built;
    const script = `const a=require('./out/cmake-js/Release/lineament.node'); if(!a.cpu().simd) process.exit(1)`;
    return succeeds(process.execPath, ['-e', script])();
  });
}

/** Another release of onnxruntime-node, for the tests of living beside it; nothing where the registry does not give it. */
async function otherRuntime() {
  const folder = path.join(root, 'out', 'other-onnxruntime');
  mkdirSync(folder, { recursive: true });
  const options = ['--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error'];
  const { code } = await run('npm', ['install', 'onnxruntime-node@1.27.0', ...options]);
  return code === 0 ? { LINEAMENT_TEST_OTHER_ORT: folder } : {};
}

/** Files with tests of real parts; `rest` leaves out those of which `npm test` has skipped nothing. */
function testsOfRealParts(rest) {
  const folders = /^tests\/(oracles\/|native\/(process|cuda)|storage\/milvus).*\.test\.ts$/;
  const report = reportOf('vitest');
  const results = rest && existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
  const whole = new Set(
    results
      .filter(({ assertionResults: tests }) => tests.length > 0 && tests.every(({ status }) => status === 'passed'))
      .map(({ name }) => path.relative(root, name)),
  );
  return filesBelow(['tests']).filter((file) => folders.test(file) && !whole.has(file));
}

async function oracles() {
  // Where nvcc is: the tests of the plugin then meet the real one, device or not.
  await check('the CUDA plugin compiles', async () => ((await buildCuda()).skipped ? 'skip' : undefined));
  await check('the addon for Open3D compiles', async () => ((await buildOpen3d()).skipped ? 'skip' : undefined));
  const files = testsOfRealParts(process.argv.includes('--rest'));
  if (files.length > 0) add(await vitest('oracles', files, { LINEAMENT_ORACLES: '1', ...(await otherRuntime()) }));
}

/** The addon inside Node under the sanitizers: the tests of its surface, with the sanitizers' libraries loaded first. */
async function sanitizedAddon() {
  const libraries = [];
  for (const name of ['libasan.so', 'libubsan.so', 'libstdc++.so']) {
    const { code, output } = await run('g++', [`-print-file-name=${name}`]).catch(() => ({ code: 1, output: '' }));
    if (code === 0 && path.isAbsolute(output.trim())) libraries.push(output.trim());
  }
  if (process.platform !== 'linux' || libraries.length < 3) {
    console.log('  skipped: the addon under sanitizers (needs Linux and g++ with its sanitizers)');
    add({ passed: 0, failed: 0, skipped: 1 });
    return;
  }
  const addon = path.join(root, 'out', 'native-sanitize', 'lineament.node');
  if (!existsSync(addon)) throw new Error('The native tests under sanitizers have not built the addon');
  const env = {
    LINEAMENT_ADDON: addon,
    LD_PRELOAD: libraries.join(' '),
    // What Node itself leaves behind at its end is not ours to count.
    ASAN_OPTIONS: 'detect_leaks=0:detect_odr_violation=0',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
  add(await vitest('sanitized-addon', ['tests/native'], env));
}

const sections = {
  style,
  'cmake-js': cmakeJs,
  oracles,
  processors: async () => add(await otherProcessors()),
  'fresh-clone': freshClone,
  sanitizers: async () => add(await nativeTests({ sanitize: true })),
  'sanitized-addon': sanitizedAddon,
  fuzzers: async () => add(await fuzz(Number(process.env.LINEAMENT_FUZZ_SECONDS ?? 20))),
};

const name = process.argv[2] ?? '';
const work = sections[name];
try {
  if (!work) throw new Error(`There is no section '${name}'; there are ${Object.keys(sections).join(', ')}`);
  await work();
} catch (error) {
  console.log(`${error.message}\nfailed: ${error.message.split('\n', 1)[0]}`);
  total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
