// Everything that is checked before a change lands: `npm test`, then what needs more than Node, npm and a compiler. Ends with one
// line that counts all suites.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildCuda } from './build-cuda.mjs';
import { nodeHeaders } from './build-native.mjs';
import { buildOpen3d } from './build-open3d.mjs';
import { packageFile, root, run } from './lib/run.mjs';
import { filesBelow } from './lib/stamp.mjs';
import { vitest } from './lib/vitest.mjs';
import { fuzz, nativeTests } from './native-test.mjs';

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function add(name, counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (counts.failed === 0) return;
  const reasons = counts.reasons ?? [];
  failures.push(...(reasons.length > 0 ? reasons.map((reason) => `${name}: ${reason}`) : [name]));
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
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  if (problem === 'skip') {
    console.log(`  skipped: ${name}`);
    add(name, { passed: 0, failed: 0, skipped: 1 });
    return;
  }
  console.log(`  ${problem ? 'FAIL' : 'ok  '} ${name} (${seconds} s)`);
  if (problem) console.log(problem);
  add(name, problem ? { passed: 0, failed: 1, skipped: 0 } : { passed: 1, failed: 0, skipped: 0 });
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

/** Runs `npm test` in `folder`, shows its output and counts what it counted. */
async function npmTest(folder) {
  const { code, output } = await run('npm', ['test'], { cwd: folder });
  const lines = output.trimEnd().split('\n');
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(lines.pop() ?? '');
  console.log(lines.join('\n'));
  const reasons = lines.filter((line) => line.startsWith('failed: ')).map((line) => line.slice('failed: '.length));
  if (!counts) return { passed: 0, failed: 1, skipped: 0, reasons };
  const [passed, failed, skipped] = counts.slice(1).map(Number);
  return { passed, failed: failed + (code !== 0 && failed === 0 ? 1 : 0), skipped, reasons };
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

async function builds() {
  await check('files for one instruction set export nothing that a linker could share', async () => {
    if (process.arch !== 'x64' || !(await has('nm'))) return 'skip';
    return succeeds('bash', ['native/tests/check-isa-symbols.sh'])();
  });
  const cmakeJs = packageFile('cmake-js', 'bin/cmake-js');
  await check('cmake-js builds the same addon, and it loads', async () => {
    // Without headers at hand cmake-js would fetch them from outside the npm registry.
    const nodedir = nodeHeaders();
    if (!nodedir) return 'skip';
    const env = { npm_config_nodedir: nodedir };
    const built = await succeeds(process.execPath, [cmakeJs, 'compile', '-O', 'out/cmake-js'], { env })();
    if (built) return built;
    const script = `const a=require('./out/cmake-js/Release/lineament.node'); if(!a.cpu().simd) process.exit(1)`;
    return succeeds(process.execPath, ['-e', script])();
  });
}

/** Another release of onnxruntime-node, for the tests of living beside it; nothing where the registry does not give it. */
async function otherRuntime() {
  const folder = path.join(root, 'out', 'other-onnxruntime');
  mkdirSync(folder, { recursive: true });
  const args = [
    'install',
    'onnxruntime-node@1.27.0',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { code } = await run('npm', args);
  return code === 0 ? { LINEAMENT_TEST_OTHER_ORT: folder } : {};
}

async function oracles() {
  await run('bash', ['scripts/install-oracles.sh'], { inherit: true });
  // Where nvcc is: the tests of the plugin then meet the real one, device or not.
  await check('the CUDA plugin compiles', async () => ((await buildCuda()).skipped ? 'skip' : undefined));
  await check('the addon for Open3D compiles', async () => ((await buildOpen3d()).skipped ? 'skip' : undefined));
  const env = { LINEAMENT_ORACLES: '1', ...(await otherRuntime()) };
  add(
    'oracles',
    await vitest(
      'oracles',
      ['tests/oracles', 'tests/native/process', 'tests/native/cuda', 'tests/storage/milvus'],
      env,
    ),
  );
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
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const addon = path.join(root, 'out', 'native-sanitize', 'lineament.node');
  if (!existsSync(addon)) throw new Error('The native tests under sanitizers have not built the addon');
  return vitest('sanitized-addon', ['tests/native'], {
    LINEAMENT_ADDON: addon,
    LD_PRELOAD: libraries.join(' '),
    // What Node itself leaves behind at its end is not ours to count.
    ASAN_OPTIONS: 'detect_leaks=0:detect_odr_violation=0',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  });
}

async function section(title, work) {
  const started = Date.now();
  console.log(`\n== ${title}`);
  try {
    await work();
  } catch (error) {
    console.log(error.message);
    add(title, { passed: 0, failed: 1, skipped: 0 });
  }
  console.log(`== ${title}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

/** The addon is compiled several times below, in several folders: where ccache is, what is the same is taken from the time before. */
async function compilerCache() {
  if (process.platform !== 'linux' || process.env.CXX) return;
  if (!(await has('ccache')) && process.getuid() === 0 && (await has('apt-get'))) {
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'ccache']).catch(() => undefined);
  }
  if (!(await has('ccache'))) return;
  Object.assign(process.env, {
    CC: 'ccache gcc',
    CXX: 'ccache g++',
    CCACHE_DIR: path.join(root, 'out', 'ccache'),
    CCACHE_MAXSIZE: '2G',
  });
}

await compilerCache();
console.log(`node ${process.version}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'processor'}`);
await section('npm test', async () => add('npm test', await npmTest(root)));
await section('style and documentation', style);
await section('oracles and real parts', oracles);
await section('cmake-js', builds);
await section('sanitizers', async () => add('sanitizers', await nativeTests({ sanitize: true })));
await section('addon under sanitizers', async () => add('addon under sanitizers', await sanitizedAddon()));
await section('fuzzers', async () => add('fuzzers', await fuzz(Number(process.env.LINEAMENT_FUZZ_SECONDS ?? 20))));
await section('fresh clone', freshClone);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
