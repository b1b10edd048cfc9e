import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { LineamentError } from '../errors.js';
import type { NativeAddon } from './addon.js';
import { packageFolder, packageRoot, platformName } from './package.js';

const require = createRequire(import.meta.url);

interface Attempt {
  readonly path: string;
  readonly problem: string;
}

let loaded: NativeAddon | undefined;
let loadedFrom: string | undefined;

/** File that the addon was loaded from; absent before {@link loadAddon}. */
export function addonPath(): string | undefined {
  return loadedFrom;
}

/**
 * Loads `lineament.node`, once per thread. Tried in this order: the file that `LINEAMENT_ADDON` names (and then nothing
 * else); in a checkout, the build folders that the `bindings` package knows; the platform package
 * `@lineament/<platform>-<arch>`; `prebuilds/<platform>-<arch>/` of this package. Throws `ADDON_NOT_FOUND`, which lists what
 * was tried and the fix.
 */
export function loadAddon(): NativeAddon {
  if (loaded !== undefined) return loaded;
  const attempts: Attempt[] = [];
  const chosen = process.env['LINEAMENT_ADDON'];
  if (chosen) {
    const path = resolve(chosen);
    const addon = tryFile(path, attempts);
    if (addon !== undefined) return keep(addon, path);
    throw notFound(attempts, 'Point LINEAMENT_ADDON at a lineament.node built for this machine, or unset it.');
  }
  // In a checkout the last build comes first: a prebuild beside it may be older than the sources.
  const checkout = existsSync(join(packageRoot, 'binding.gyp'));
  const addon = (checkout ? tryBuild(attempts) : undefined) ?? tryPackaged(attempts);
  if (addon !== undefined) return addon;
  throw notFound(attempts, fixForThisMachine());
}

function tryPackaged(attempts: Attempt[]): NativeAddon | undefined {
  for (const path of candidates(attempts)) {
    const addon = tryFile(path, attempts);
    if (addon !== undefined) return keep(addon, path);
  }
  return undefined;
}

/** Where node-gyp and cmake put it, as the `bindings` package knows. */
function tryBuild(attempts: Attempt[]): NativeAddon | undefined {
  try {
    const bindings = require('bindings') as (options: object) => NativeAddon & { path?: string };
    const addon = bindings({ bindings: 'lineament', module_root: packageRoot });
    return keep(addon, addon.path ?? join(packageRoot, 'build', 'Release', 'lineament.node'));
  } catch (error) {
    const problem = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    attempts.push({ path: join(packageRoot, 'build', 'Release', 'lineament.node'), problem });
    return undefined;
  }
}

function* candidates(attempts: Attempt[]): Generator<string> {
  const platformPackage = `@lineament/${platformName}`;
  const folder = packageFolder(platformPackage);
  if (folder === undefined) attempts.push({ path: platformPackage, problem: 'not installed' });
  else yield join(folder, 'lineament.node');
  const prebuilds = join(packageRoot, 'prebuilds', platformName);
  if (!existsSync(prebuilds)) attempts.push({ path: prebuilds, problem: 'no such folder' });
  else {
    for (const name of readdirSync(prebuilds).sort()) if (name.endsWith('.node')) yield join(prebuilds, name);
  }
}

function tryFile(path: string, attempts: Attempt[]): NativeAddon | undefined {
  if (!existsSync(path)) {
    attempts.push({ path, problem: 'no such file' });
    return undefined;
  }
  try {
    return require(path) as NativeAddon;
  } catch (error) {
    attempts.push({ path, problem: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

function keep(addon: NativeAddon, path: string): NativeAddon {
  loaded = addon;
  loadedFrom = path;
  return addon;
}

function fixForThisMachine(): string {
  return existsSync(join(packageRoot, 'binding.gyp'))
    ? `In a checkout: run 'npm run build:native' in ${packageRoot}.`
    : `Run 'npm install @lineament/${platformName}' (and keep optional dependencies switched on), ` +
        'or set LINEAMENT_ADDON to a lineament.node built for this machine.';
}

function notFound(attempts: readonly Attempt[], fix: string): LineamentError {
  const list = attempts.map(({ path, problem }) => `\n  ${path}: ${problem}`).join('');
  return new LineamentError('ADDON_NOT_FOUND', `${platformName}, Node ${process.versions.node}; tried${list}\n`, {
    fix,
  });
}
