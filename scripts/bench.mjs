// npm run bench [-- name...]: installs the peers when they are missing, then runs the benches of benchmarks/src.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'benchmarks');
const NAMES = [
  'pipeline',
  'startup',
  'kernels',
  'landmarks',
  'landmark-training',
  'starter-trees',
  'pose',
  'quality',
  'search',
  'cuda-search',
  'templates',
  'enrolment',
  'durability',
  'storage',
  'reconstruction',
  'depth',
  'cloud',
  'surfaces',
  'simplify',
  'texture',
  'mesh-files',
  'capture',
  'tracking',
  'identity',
  'events',
  'clips',
  'live',
  'service',
  'install',
  'models',
  'detection',
  'sample-accuracy',
  'recognition',
  'calibrate',
];
/** What runs when no name is given; calibrate is asked for by name. */
const DEFAULT = NAMES.filter((n) => n !== 'calibrate');

const asked = process.argv.slice(2);
const unknown = asked.filter((n) => !NAMES.includes(n));
if (unknown.length) {
  console.error(`unknown bench ${unknown.join(', ')}; there are ${NAMES.join(', ')}`);
  process.exit(2);
}

function run(command, args, cwd) {
  const result = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

const PEERS = ['@vladmandic/human', 'usearch'];
if (!PEERS.every((name) => existsSync(path.join(folder, 'node_modules', name, 'package.json')))) {
  console.log('installing the peers ...');
  const status = run('npm', ['ci', '--no-audit', '--no-fund'], folder);
  if (status !== 0) process.exit(status);
}
if (!existsSync(path.join(root, 'dist', 'index.js')))
  console.log('the product is not built (npm run setup): only the peers are measured');

let failed = 0;
for (const name of asked.length ? asked : DEFAULT) {
  const file = path.join(folder, 'src', `${name}.mjs`);
  if (!existsSync(file)) continue;
  console.log(`\n== ${name}`);
  if (run(process.execPath, [file], root) !== 0) failed++;
}
process.exit(failed ? 1 : 0);
