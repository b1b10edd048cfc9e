// `node scripts/build-service.mjs [folder]`: bundles the third-party code of the service (lib/service/vendor.ts) into dist/service/vendor.js, so that
// the package depends on none of it; writes the licences of everything in it beside it, and the files of Swagger UI. After tsc, whose vendor.js it replaces.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './lib/run.mjs';

const UI_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'];
/** Whole package, with what is written into dist by others; the service may not make it heavy. */
const MOST_BYTES = 6e6;

/** Folder of the package that a file of node_modules belongs to. */
function packageOf(file) {
  const parts = file.split('/');
  const at = parts.lastIndexOf('node_modules');
  if (at < 0) return undefined;
  const scoped = parts[at + 1]?.startsWith('@') ? 3 : 2;
  return parts.slice(0, at + scoped).join('/');
}

/** Name, version and licence texts of a package. A package without a word about its licence cannot be carried. */
export function licenceOf(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r', '').trim());
  if (texts.length === 0 && license === undefined) throw new Error(`${name} states no licence`);
  const by = typeof author === 'string' ? author : author?.name;
  if (texts.length === 0) texts.push(`${license}${by ? `, by ${by}` : ''}`);
  return { name, version, license: typeof license === 'string' ? license : (license?.type ?? 'see below'), texts };
}

function licences(folders) {
  const found = folders
    .map((folder) => licenceOf(path.join(root, folder)))
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
  const head = `Third-party code in this folder: ${found.map(({ name, version }) => `${name} ${version}`).join(', ')}.\n`;
  const rule = '-'.repeat(80);
  return `${head}${found.map((one) => `\n${rule}\n${one.name} ${one.version} (${one.license})\n${rule}\n${one.texts.join('\n\n')}\n`).join('')}`;
}

/** Bundles, copies and writes. @returns {Promise<{file: string, bytes: number}[]>} what was written */
export async function buildService(folder = path.join(root, 'dist', 'service')) {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['lib/service/vendor.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    // Names of functions and classes stay: they stand in errors and in Fastify's tables of plug-ins.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    // Optional speed-ups of ws that need a compiler; it looks for them and does without.
    external: ['bufferutil', 'utf-8-validate'],
    // CommonJS packages ask for Node's own modules by require.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __fileURLToPath(new URL('.', import.meta.url));",
    },
    logLevel: 'warning',
  });
  const folders = [...new Set(Object.keys(metafile.inputs).map(packageOf))].filter((one) => one !== undefined);
  const ui = path.join(root, 'node_modules', 'swagger-ui-dist');
  const written = [];
  const put = (name, bytes) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    written.push({ file: path.relative(root, file), bytes: Buffer.byteLength(bytes) });
  };
  put('vendor.js', outputFiles[0].text);
  for (const name of UI_FILES) {
    const text = readFileSync(path.join(ui, name), 'utf8');
    put(`swagger-ui/${name}`, text.replace(/\n?(?:\/\/# sourceMappingURL=\S+|\/\*# sourceMappingURL=\S+ \*\/)\s*$/, '\n'));
  }
  const bundled = readFileSync(path.join(ui, 'swagger-ui-bundle.js.LICENSE.txt'), 'utf8').trim();
  const uiText = `\n${'-'.repeat(80)}\nIn swagger-ui/swagger-ui-bundle.js\n${'-'.repeat(80)}\n${bundled}\n`;
  put('THIRD-PARTY-LICENSES.txt', licences([...folders, 'node_modules/swagger-ui-dist']) + uiText);
  const total = written.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > MOST_BYTES) throw new Error(`the service carries ${total} bytes of third-party code, above ${MOST_BYTES}`);
  // The map of the file that was replaced says nothing of this one.
  const map = path.join(folder, 'vendor.js.map');
  if (existsSync(map) && statSync(map).size > 0) writeFileSync(map, '{"version":3,"sources":[],"mappings":""}\n');
  return written;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const written = await buildService(process.argv[2]);
  const kb = (bytes) => `${(bytes / 1e3).toFixed(1)} kB`;
  for (const { file, bytes } of written) console.log(`${file}: ${kb(bytes)}`);
  console.log(`together ${kb(written.reduce((sum, { bytes }) => sum + bytes, 0))}`);
}
