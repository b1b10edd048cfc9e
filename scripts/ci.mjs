// Everything that is checked before a change lands: `npm test` alone, then what needs more than Node, npm and a compiler. Beside
// the tests that meet real parts run, at low priority, builds and checks in which nothing depends on time. Every section is a
// process whose output is shown when it ends; the last line counts all suites.
//   node scripts/ci.mjs               everything
//   node scripts/ci.mjs SECTION…      only these parts of scripts/ci-sections.mjs, one after the other
import os from 'node:os';
import path from 'node:path';
import { root, run } from './lib/run.mjs';

const node = process.execPath;
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

/** Runs one section and adds what the last line of its output counts. */
async function section(title, command, args, options = {}) {
  const started = Date.now();
  const log = `ci-${title.replaceAll(' ', '-')}`;
  const { code, output } = await run(command, args, { ...options, log }).catch((error) => ({
    code: 1,
    output: error.message,
  }));
  const lines = output.trimEnd().split('\n');
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(lines.at(-1) ?? '');
  console.log(`\n== ${title}\n${lines.slice(0, counts ? -1 : undefined).join('\n')}`);
  console.log(`== ${title}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
  const [passed, failed, skipped] = counts ? counts.slice(1).map(Number) : [0, 1, 0];
  const bad = code !== 0 && failed === 0 ? 1 : failed;
  total.passed += passed;
  total.failed += bad;
  total.skipped += skipped;
  const reasons = lines.filter((line) => line.startsWith('failed: ')).map((line) => line.slice('failed: '.length));
  if (bad > 0) failures.push(...(reasons.length > 0 ? reasons : ['see above']).map((reason) => `${title}: ${reason}`));
}

const part = (name, options, ...args) => section(name, node, ['scripts/ci-sections.mjs', name, ...args], options);

/** Compiles what a later section runs; what goes wrong here is said there. */
const build = (args) => run(node, ['scripts/native-test.mjs', ...args, '--build'], { low: true });

/** The addon is compiled several times below, in several folders: where ccache is, what is the same is taken from the time before. */
async function compilerCache() {
  const has = async (command) => (await run(command, ['--version']).catch(() => ({ code: 1 }))).code === 0;
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

async function everything() {
  await section('npm test', 'npm', ['test']);
  const installed = run('bash', ['scripts/install-oracles.sh']);
  const low = { low: true };
  const realParts = async () => {
    await installed;
    await part('oracles', {}, '--rest');
  };
  const compiled = async () => {
    await part('cmake-js', low);
    await build(['--sanitize']);
    const { output } = await installed;
    if (output.trim() !== '') console.log(output.trimEnd());
    await build(['--fuzz']);
    for (const name of ['style', 'processors', 'fresh-clone']) await part(name, low);
  };
  await Promise.all([realParts(), compiled()]);
  for (const name of ['sanitizers', 'sanitized-addon', 'fuzzers']) await part(name);
}

await compilerCache();
console.log(`node ${process.version}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'processor'}`);
const chosen = process.argv.slice(2);
if (chosen.length === 0) await everything();
for (const name of chosen) await part(name);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
