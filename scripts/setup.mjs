// Makes a fresh checkout ready: dependencies, native addon, TypeScript, viewer page, models. Each step is skipped when nothing
// that it is made from has changed, so that a second run takes about a second.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFile, root, runOrThrow, step } from './lib/run.mjs';
import { filesBelow, hashOf, isFresh, writeStamp } from './lib/stamp.mjs';

const abi = `${process.platform}-${process.arch}-${process.versions.modules}`;

/** What is made, from what, and how; in order. */
const steps = [
  {
    name: 'dependencies from the npm registry',
    stamp: 'node_modules/.lineament-stamp',
    targets: ['node_modules/typescript', 'node_modules/onnxruntime-node'],
    hash: () => hashOf(['package.json', 'package-lock.json'], abi),
    make: () => runOrThrow('npm ci', npm(), ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { log: 'npm' }),
  },
  {
    name: 'native addon',
    stamp: 'out/native.stamp',
    targets: ['build/Release/lineament.node'],
    hash: () =>
      hashOf(
        [
          ...filesBelow(['native'], /^native\/(tests|bench|fuzz)(\/|$)/),
          'binding.gyp',
          'CMakeLists.txt',
          'package.json',
        ],
        abi,
      ),
    make: async () => (await import('./build-native.mjs')).buildNative(),
  },
  {
    name: 'TypeScript library',
    stamp: 'dist/.stamp',
    targets: ['dist/index.js', 'dist/cli/main.js'],
    hash: () => hashOf([...filesBelow(['lib']), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']),
    make: () =>
      runOrThrow('Compiling TypeScript', process.execPath, [
        packageFile('typescript', 'bin/tsc'),
        '-p',
        'tsconfig.build.json',
      ]),
  },
  {
    name: 'program of the viewer page',
    stamp: 'out/viewer.stamp',
    targets: ['dist/visualization/viewer.js.br'],
    hash: () => hashOf([...filesBelow(['lib/visualization']), 'scripts/build-viewer.mjs', 'package-lock.json']),
    make: async () => (await import('./build-viewer.mjs')).buildViewer(),
  },
  {
    name: 'third-party code of the service',
    stamp: 'out/service.stamp',
    targets: ['dist/service/vendor.js', 'dist/service/THIRD-PARTY-LICENSES.txt'],
    // The compiler above writes the file that this one replaces: whatever makes it run makes this run.
    hash: () => hashOf([...filesBelow(['lib']), 'scripts/build-service.mjs', 'package-lock.json']),
    make: async () => (await import('./build-service.mjs')).buildService(),
  },
  {
    name: 'models of the starter pack',
    stamp: 'models/pack/.stamp',
    targets: ['models/pack/pack.json', 'models/pack/face468.mesh'],
    hash: () => hashOf([...filesBelow(['models/import', 'models/cards']), 'package-lock.json']),
    make: () =>
      runOrThrow(
        'Importing the models',
        process.execPath,
        [packageFile('tsx', 'dist/cli.mjs'), 'models/import/main.ts'],
        {
          log: 'models',
        },
      ),
  },
  {
    name: 'landmark trees of the starter pack, trained on photographs of the npm packages',
    stamp: 'models/pack/.trees-stamp',
    targets: ['models/pack/landmarks68.lmk'],
    hash: () => hashOf([...filesBelow(['models/train']), 'native/landmarks/train.cpp', 'package-lock.json']),
    make: () =>
      runOrThrow(
        'Training the landmark trees',
        process.execPath,
        [packageFile('tsx', 'dist/cli.mjs'), 'models/train/landmarks68.ts', '--quick'],
        { log: 'trees' },
      ),
  },
];

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

/**
 * Brings the checkout up to date.
 * @param {{quiet?: boolean}} [options] `quiet` prints nothing for steps that are already done
 */
export async function setup({ quiet = false } = {}) {
  checkNode();
  let number = 0;
  for (const one of steps) {
    number += 1;
    const label = `[${number}/${steps.length}] ${one.name}`;
    if (isFresh(one.stamp, one.hash(), ...one.targets)) {
      if (!quiet) process.stderr.write(`${label} … up to date\n`);
      continue;
    }
    await step(label, async () => {
      await one.make();
      const missing = one.targets.find((target) => !existsSync(path.join(root, target)));
      if (missing) throw new Error(`${one.name}: the step ended well but ${missing} is not there`);
      writeStamp(one.stamp, one.hash());
    });
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 17)) return;
  throw new Error(
    `Lineament needs Node.js 20.17 or newer; this is ${process.versions.node}. Install a newer Node.js and try again.`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await setup();
  } catch (error) {
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}
