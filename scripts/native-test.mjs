// Builds and runs the native unit tests with cmake, at every SIMD level this machine has where levels matter.
//   node scripts/native-test.mjs                      the tests
//   node scripts/native-test.mjs --sanitize           again under AddressSanitizer and UndefinedBehaviorSanitizer
//   node scripts/native-test.mjs --fuzz SECONDS       libFuzzer targets, each for so long (needs clang)
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, runOrThrow } from './lib/run.mjs';

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

async function configureAndBuild(folder, flags, env) {
  const build = path.join('out', folder);
  mkdirSync(path.join(root, build), { recursive: true });
  const generator = (await run('ninja', ['--version']).catch(() => ({ code: 1 }))).code === 0 ? ['-G', 'Ninja'] : [];
  const configure = ['-S', '.', '-B', build, ...generator, ...flags];
  await runOrThrow('Configuring', 'cmake', configure, { log: `${folder}-configure`, env });
  await runOrThrow('Building', 'cmake', ['--build', build, '-j', '2'], { log: `${folder}-build`, env });
  return path.join(root, build);
}

function programs(folder, pattern) {
  return readdirSync(folder)
    .filter((name) => pattern.test(name) && !name.includes('.'))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Runs all native unit tests. Gives counts of tests over all levels, and the names of what failed. */
export async function nativeTests({ sanitize = false } = {}) {
  // The sanitized addon comes out of the same build: out/native-sanitize/lineament.node.
  const flags = ['-DLINEAMENT_TESTS=ON', `-DLINEAMENT_ADDON=${sanitize ? 'ON' : 'OFF'}`];
  if (sanitize) flags.push('-DLINEAMENT_SANITIZE=address,undefined', '-DCMAKE_BUILD_TYPE=RelWithDebInfo');
  const folder = await configureAndBuild(sanitize ? 'native-sanitize' : 'native-tests', flags);
  const total = { passed: 0, failed: 0, skipped: 0, reasons: [] };
  const found = programs(folder, /^test_/);
  if (found.length === 0) throw new Error('No native test was built');
  for (const program of found) {
    for (const level of levelsOf(program)) {
      const name = `native ${path.basename(program)} [${level}${sanitize ? ', sanitized' : ''}]`;
      const { code, output } = await run(program, [], { env: { LINEAMENT_SIMD: level } });
      const counts = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(output);
      const [passed, failed, skipped] = counts ? counts.slice(1).map(Number) : [0, 1, 0];
      total.passed += passed;
      total.failed += failed + (code !== 0 && failed === 0 ? 1 : 0);
      total.skipped += skipped;
      const good = code === 0 && counts && passed > 0;
      if (!good && counts && failed === 0 && code === 0) total.failed += 1;
      console.log(`  ${good ? 'ok  ' : 'FAIL'} ${name}: ${passed} tests`);
      if (!good) {
        console.log(output.split('\n').slice(-40).join('\n'));
        const said = output.split('\n').filter((line) => /fail|error/i.test(line));
        total.reasons.push(`${name}: ${said.slice(0, 3).join(' | ')}`);
        console.log(`failed: ${total.reasons.at(-1)}`);
      }
      for (const line of output.split('\n').filter((one) => /^\s*skip/i.test(one)))
        console.log(`       ${line.trim()}`);
    }
  }
  return total;
}

/** Runs every fuzzer for a bounded time. A fuzzer that finds nothing counts as one passed test. */
export async function fuzz(seconds) {
  const compiler = ['clang++', 'clang++-14', 'clang++-15', 'clang++-16'];
  let found;
  for (const name of compiler) {
    if ((await run(name, ['--version']).catch(() => ({ code: 1 }))).code === 0) {
      found = name;
      break;
    }
  }
  if (!found) {
    console.log('  skipped: fuzzers (clang with libFuzzer is not installed)');
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const compilers = [`-DCMAKE_CXX_COMPILER=${found}`, `-DCMAKE_C_COMPILER=${found.replace('++', '')}`];
  const folder = await configureAndBuild('native-fuzz', ['-DLINEAMENT_FUZZ=ON', '-DLINEAMENT_ADDON=OFF', ...compilers]);
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const program of programs(folder, /_fuzz$/)) {
    const corpus = path.join(folder, `${path.basename(program)}-corpus`);
    if (!existsSync(corpus)) mkdirSync(corpus);
    const args = [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=4096', '-print_final_stats=0', corpus];
    const { code, output } = await run(program, args, { cwd: folder });
    const runs = /Done (\d+) runs/.exec(output)?.[1] ?? 'no';
    console.log(`  ${code === 0 ? 'ok  ' : 'FAIL'} ${path.basename(program)}: ${runs} runs in ${seconds} s`);
    if (code !== 0) console.log(output.split('\n').slice(-60).join('\n'));
    total[code === 0 ? 'passed' : 'failed'] += 1;
  }
  return total;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const at = process.argv.indexOf('--fuzz');
    const total =
      at >= 0
        ? await fuzz(Number(process.argv[at + 1] ?? 30))
        : await nativeTests({ sanitize: process.argv.includes('--sanitize') });
    console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
    process.exit(total.failed > 0 ? 1 : 0);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
