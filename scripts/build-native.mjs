// Builds build/Release/lineament.node. With Node's headers beside the node binary (or in npm_config_nodedir) node-gyp does it;
// without them cmake does, against the headers of the npm package node-api-headers. Neither ever downloads headers.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFile, root, runOrThrow } from './lib/run.mjs';

/** The folder to hand to node-gyp as nodedir, or undefined where no headers are at hand. */
export function nodeHeaders() {
  const candidates = [process.env.npm_config_nodedir, path.resolve(process.execPath, '..', '..')];
  return candidates.find(
    (folder) =>
      folder &&
      existsSync(path.join(folder, 'include', 'node', 'node_api.h')) &&
      existsSync(path.join(folder, 'include', 'node', 'common.gypi')),
  );
}

export async function buildNative({ inherit = false } = {}) {
  const options = { inherit, log: inherit ? undefined : 'native' };
  const nodedir = nodeHeaders();
  if (nodedir) {
    const args = [packageFile('node-gyp', 'bin/node-gyp.js'), 'configure', 'build', '-j', 'max', '--loglevel=warn'];
    await runOrThrow('Building the addon with node-gyp', process.execPath, args, {
      ...options,
      env: { npm_config_nodedir: nodedir },
    });
    return 'node-gyp';
  }
  const build = path.join('out', 'cmake');
  const configure = ['-S', '.', '-B', build, '-DCMAKE_BUILD_TYPE=Release'];
  await runOrThrow('Configuring the addon with cmake', 'cmake', configure, options);
  await runOrThrow('Building the addon with cmake', 'cmake', ['--build', build, '-j', '2', '--target', 'lineament'], options);
  mkdirSync(path.join(root, 'build', 'Release'), { recursive: true });
  renameSync(path.join(root, build, 'lineament.node'), path.join(root, 'build', 'Release', 'lineament.node'));
  return 'cmake';
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await buildNative({ inherit: true });
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
