import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Root of this package, the same from the sources (lib/) and from the build (dist/). */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

/** The name of this machine in package and folder names, e.g. `linux-x64`. */
export const platformName = `${process.platform}-${process.arch}`;

/**
 * Folder of an installed package as seen from this package and then, where `fromWorkingDirectory` is set, from the working
 * directory; absent when it is not installed.
 */
export function packageFolder(name: string, fromWorkingDirectory = false): string | undefined {
  const places = [import.meta.url];
  if (fromWorkingDirectory) places.push(pathToFileURL(join(process.cwd(), 'package.json')).href);
  for (const place of places) {
    const resolve = createRequire(place).resolve;
    try {
      return dirname(resolve(`${name}/package.json`));
    } catch {
      // Not installed there, or its `exports` hide package.json: the main file tells where the folder is.
      try {
        const main = resolve(name);
        const folder = main.lastIndexOf(join('node_modules', ...name.split('/')));
        if (folder >= 0) return main.slice(0, folder) + join('node_modules', ...name.split('/'));
      } catch {
        // not installed there
      }
    }
  }
  return undefined;
}
