// `npm run prebuild`: prebuilds/<platform>-<arch>/lineament.node, an addon that loads without a compiler on any Node that has
// Node-API 8 (prebuildify, stripped).
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeHeaders } from './build-native.mjs';
import { packageFile, root, runOrThrow, step } from './lib/run.mjs';
import { filesBelow, hashOf, isFresh, writeStamp } from './lib/stamp.mjs';

const target = path.join('prebuilds', `${process.platform}-${process.arch}`, 'lineament.node');
const stamp = path.join('prebuilds', '.stamp');

/** Makes the prebuild when it is missing or older than its sources; gives its path relative to the root. */
export async function prebuild() {
  const sources = [...filesBelow(['native'], /^native\/(tests|bench|fuzz)(\/|$)/), 'binding.gyp', 'package.json'];
  const hash = hashOf(sources, process.version);
  if (isFresh(stamp, hash, target)) return target;
  const nodedir = nodeHeaders();
  if (!nodedir) {
    throw new Error(
      "prebuildify needs Node's headers beside the node binary (include/node). Install Node.js from its own archive, or set npm_config_nodedir.",
    );
  }
  // prebuildify wipes build/ wherever it runs, so it gets a copy of the sources and leaves the checkout's own build alone.
  const copy = path.join(root, 'out', 'prebuild');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of ['native', 'binding.gyp', 'package.json']) {
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  const args = [
    packageFile('prebuildify', 'bin.js'),
    '--napi',
    '--strip',
    '-t',
    process.versions.node,
    '--name',
    'lineament',
  ];
  await runOrThrow('prebuildify', process.execPath, args, {
    cwd: copy,
    log: 'prebuild',
    env: { JOBS: 'max', npm_config_nodedir: nodedir, PREBUILD_NODE_GYP: packageFile('node-gyp', 'bin/node-gyp.js') },
  });
  mkdirSync(path.dirname(path.join(root, target)), { recursive: true });
  cpSync(path.join(copy, target), path.join(root, target));
  writeStamp(stamp, hash);
  return target;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await step('prebuild', prebuild);
    console.log(target);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
