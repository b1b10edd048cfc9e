// `node scripts/build-viewer.mjs`: bundles the program of the viewer page (lib/visualization/viewer, three.js) into
// dist/visualization/viewer.js.br, which the package carries.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { root } from './lib/run.mjs';

const target = path.join(root, 'dist', 'visualization', 'viewer.js.br');

/** Bundles and compresses; gives the bytes of both. */
export async function buildViewer() {
  const { build } = await import('esbuild');
  const licence = readFileSync(path.join(root, 'node_modules', 'three', 'LICENSE'), 'utf8').trim();
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['lib/visualization/viewer/main.ts'],
    tsconfig: 'lib/visualization/viewer/tsconfig.json',
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    banner: { js: `/* three.js: ${licence.replaceAll('\r', '').replaceAll('©', '(c)')} */` },
    logLevel: 'warning',
  });
  const program = outputFiles[0].text;
  // What would end the script element of the page early, or change between here and the browser's hash.
  if (/<\/script|<!--|\r/i.test(program)) throw new Error('the bundle holds text that cannot stand in a script element');
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 20 };
  const packed = brotliCompressSync(program, { params });
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, packed);
  return { bundled: program.length, packed: packed.length };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { bundled, packed } = await buildViewer();
  const kb = (bytes) => `${(bytes / 1e3).toFixed(1)} kB`;
  console.log(`${path.relative(root, target)}: ${kb(packed)} (${kb(bundled)} unpacked)`);
}
