import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LineamentError } from '../errors.js';
import { packageFolder, platformName } from './package.js';

/** A libonnxruntime that may be opened. */
export interface RuntimeLibrary {
  readonly path: string;
  readonly origin: 'option' | 'environment' | 'loaded' | 'platform package' | 'onnxruntime-node';
}

const LIBRARY = /^(?:lib)?onnxruntime(?:\.so(?:\.\d+)*|(?:\.\d+)*\.dylib|\.dll)$/;

/**
 * The libraries of ONNX Runtime on this machine, best first. One that the caller or `LINEAMENT_ONNXRUNTIME` names is the
 * only one. Otherwise: the one that this process has loaded already (two copies in one process would be waste), the one
 * in the platform package `@lineament/<platform>-<arch>`, the one that `onnxruntime-node` carries, as resolved from this
 * package and from the working directory. Throws `RUNTIME_NOT_FOUND` when there is none.
 */
export async function findRuntimeLibraries(named?: string): Promise<readonly RuntimeLibrary[]> {
  const variable = process.env['LINEAMENT_ONNXRUNTIME'];
  const chosen = named ?? (variable ? variable : undefined);
  if (chosen !== undefined) {
    const path = resolve(chosen);
    const origin = named === undefined ? 'environment' : 'option';
    const found = await isFile(path);
    if (!found) {
      throw new LineamentError('RUNTIME_NOT_FOUND', `${path} is not a file`, {
        fix:
          origin === 'option'
            ? "Give the path of a libonnxruntime as 'runtime', or leave the option out."
            : 'Point LINEAMENT_ONNXRUNTIME at a libonnxruntime, or unset it.',
      });
    }
    return [{ path, origin }];
  }
  const libraries: RuntimeLibrary[] = [];
  const add = (path: string | undefined, origin: RuntimeLibrary['origin']): void => {
    if (path !== undefined && !libraries.some((l) => l.path === path)) libraries.push({ path, origin });
  };
  add(await alreadyLoaded(), 'loaded');
  const platform = packageFolder(`@lineament/${platformName}`);
  if (platform !== undefined) add(await libraryIn(platform), 'platform package');
  for (const anywhere of [false, true]) {
    const folder = packageFolder('onnxruntime-node', anywhere);
    if (folder !== undefined) add(await carried(folder), 'onnxruntime-node');
  }
  if (libraries.length === 0) {
    throw new LineamentError(
      'RUNTIME_NOT_FOUND',
      `no libonnxruntime for ${platformName} in @lineament/${platformName} or onnxruntime-node`,
      {
        fix: `Run 'npm install @lineament/${platformName}' or 'npm install onnxruntime-node', or set LINEAMENT_ONNXRUNTIME.`,
      },
    );
  }
  return libraries;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (s) => s.isFile(),
    () => false,
  );
}

/** Linux shows the libraries of a process in /proc; elsewhere nothing is known, and the usual order holds. */
async function alreadyLoaded(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const maps = await readFile('/proc/self/maps', 'utf8').catch(() => '');
  const path = /\s(\/\S*\/libonnxruntime\.so[.\d]*)$/m.exec(maps)?.[1];
  return path !== undefined && (await isFile(path)) ? path : undefined;
}

async function libraryIn(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const name = names.filter((n) => LIBRARY.test(n)).sort()[0];
  return name === undefined ? undefined : join(folder, name);
}

/** onnxruntime-node keeps its libraries in bin/napi-v<n>/<platform>/<arch>/. */
async function carried(folder: string): Promise<string | undefined> {
  const bin = join(folder, 'bin');
  const versions = await readdir(bin).catch(() => []);
  for (const version of versions
    .filter((v) => v.startsWith('napi-'))
    .sort()
    .reverse()) {
    const path = await libraryIn(join(bin, version, process.platform, process.arch));
    if (path !== undefined) return path;
  }
  return undefined;
}
