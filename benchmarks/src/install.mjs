// What an installation costs: our packed tarballs and the peers, each in an empty folder, from npm's warm cache. Size is the
// sum of file sizes below node_modules; time is that of `npm install`, peers as their documentation asks for on Node.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { median } from './metrics.mjs';
import { ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const TFJS = ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'];

function bytesBelow(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile())
    .reduce((sum, e) => sum + fs.statSync(path.join(e.parentPath ?? e.path, e.name)).size, 0);
}

function pack() {
  const script = `import { packPlatform } from './scripts/pack-platform.mjs'; console.log(JSON.stringify(await packPlatform()));`;
  const made = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  return JSON.parse(made.stdout.trim().split('\n').at(-1));
}

/** Installs into an empty folder. @returns {{seconds: number, megabytes: number, packages: number}} */
function install(packages, flags = []) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-install-'));
  try {
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'scratch', private: true }));
    const args = ['install', ...flags, '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline', ...packages];
    const began = performance.now();
    const done = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
    const seconds = (performance.now() - began) / 1000;
    if (done.status !== 0) throw new Error(`npm ${args.join(' ')}\n${done.stderr}`);
    const modules = path.join(folder, 'node_modules');
    const lock = JSON.parse(fs.readFileSync(path.join(modules, '.package-lock.json'), 'utf8'));
    return { seconds, megabytes: bytesBelow(modules) / 1e6, packages: Object.keys(lock.packages).length };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const tarballs = pack();
const systems = {
  lineament: () =>
    install(
      tarballs.map((t) => t.file),
      ['--ignore-scripts'],
    ),
  'face-api': () => install(['@vladmandic/face-api@1.7.15', ...TFJS]),
  human: () => install(['@vladmandic/human@3.3.6', ...TFJS]),
};
const runs = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, once] of Object.entries(systems)) {
    process.stderr.write(`round ${round + 1}/${ROUNDS}: ${name}\n`);
    runs[name] ??= [];
    runs[name].push(once());
  }
}
const of = (name, key) => median(runs[name].map((r) => r[key]));
printTable(
  ['system', 'MB', 'packages', 'seconds'],
  Object.keys(systems).map((n) => [n, of(n, 'megabytes').toFixed(1), of(n, 'packages'), of(n, 'seconds').toFixed(1)]),
);
const peers = 'face-api and human with tfjs and its wasm backend';
finish('install', [
  figure('install.megabytes', of('lineament', 'megabytes'), 'MB', {
    goal: 120,
    peer: peers,
    note: 'three tarballs and what they depend on, --ignore-scripts, starter pack included, no onnxruntime-node',
  }),
  figure('install.seconds', of('lineament', 'seconds'), 's', { peer: peers, note: 'npm install, warm cache' }),
  ...tarballs.map((t) => figure(`install.tarball.${t.name}`, t.packed / 1e6, 'MB', { note: 'packed size' })),
  figure('install.megabytes.face-api', of('face-api', 'megabytes'), 'MB', { note: 'with tfjs and tfjs-backend-wasm' }),
  figure('install.megabytes.human', of('human', 'megabytes'), 'MB', { note: 'with tfjs and tfjs-backend-wasm' }),
  figure('install.seconds.face-api', of('face-api', 'seconds'), 's', { note: 'npm install, warm cache' }),
  figure('install.seconds.human', of('human', 'seconds'), 's', { note: 'npm install, warm cache' }),
]);
