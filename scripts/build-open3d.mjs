// Builds lineament_open3d.node beside the addon, where Open3D's headers are (Debian: libopen3d-dev).
//   node scripts/build-open3d.mjs            build/Release/lineament_open3d.node
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, runOrThrow } from './lib/run.mjs';

/** The folder of Open3DConfig.cmake: of Open3D_DIR, or where the system's packages lie. */
export function findOpen3d() {
  const named = process.env.Open3D_DIR;
  if (named) return existsSync(path.join(named, 'Open3DConfig.cmake')) ? named : undefined;
  for (const prefix of ['/usr', '/usr/local']) {
    const lib = path.join(prefix, 'lib');
    const folders = existsSync(lib) ? readdirSync(lib).map((name) => path.join(lib, name)) : [];
    for (const folder of [lib, ...folders]) {
      const found = path.join(folder, 'cmake', 'Open3D');
      if (existsSync(path.join(found, 'Open3DConfig.cmake'))) return found;
    }
  }
  return undefined;
}

/**
 * Builds the addon. Gives its path, or why it was not built.
 * @param {{out?: string}} [options]
 * @returns {Promise<{addon?: string, seconds?: number, bytes?: number, skipped?: string}>}
 */
export async function buildOpen3d({ out = path.join('build', 'Release') } = {}) {
  if (process.platform !== 'linux') return { skipped: `the addon for Open3D is built on Linux, this is ${process.platform}` };
  const config = findOpen3d();
  if (config === undefined) {
    return { skipped: "Open3D was not found: install Debian's libopen3d-dev, or set Open3D_DIR to the folder of Open3DConfig.cmake" };
  }
  const build = path.join('out', 'open3d');
  mkdirSync(path.join(root, build), { recursive: true });
  const generator = (await run('ninja', ['--version']).catch(() => ({ code: 1 }))).code === 0 ? ['-G', 'Ninja'] : [];
  const flags = ['-DLINEAMENT_WITH_OPEN3D=ON', '-DLINEAMENT_ADDON=OFF', `-DOpen3D_DIR=${config}`];
  const configure = ['-S', '.', '-B', build, ...generator, '-DCMAKE_BUILD_TYPE=Release', ...flags];
  await runOrThrow('Configuring the addon for Open3D', 'cmake', configure, { log: 'open3d-configure' });
  const started = Date.now();
  const args = ['--build', build, '-j', '2', '--target', 'lineament_open3d'];
  await runOrThrow('Building the addon for Open3D', 'cmake', args, { log: 'open3d-build' });
  const seconds = (Date.now() - started) / 1000;
  const addon = path.join(root, out, 'lineament_open3d.node');
  mkdirSync(path.dirname(addon), { recursive: true });
  // Renamed into place: a process may have the old one loaded.
  copyFileSync(path.join(root, build, 'lineament_open3d.node'), `${addon}.new`);
  renameSync(`${addon}.new`, addon);
  return { addon, seconds, bytes: statSync(addon).size };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const made = await buildOpen3d();
    if (made.skipped) console.log(`skipped: ${made.skipped}`);
    else {
      const size = (made.bytes / 1e6).toFixed(2);
      console.log(`${path.relative(root, made.addon)}: ${size} MB, ${made.seconds.toFixed(1)} s`);
    }
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
