/**
 * Holds the import rule of ARCHITECTURE.md: who may use whom, in lib/ (TypeScript) and in native/ (C++).
 *
 *   node scripts/check-layers.mjs [root]     exit 0: clean, exit 1: violations, each with its file, line and the rule
 *
 * A folder that the tables below do not name is a violation too: a new layer gets its place here, by decision.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Families of models: each knows its own networks and nothing of the other families. */
const FAMILIES = ['detection', 'landmarks', 'recognition', 'attributes', 'liveness', 'pose'];

/** lib/ from the ground up. A layer may import every layer below it, and of its own layer what SIDEWAYS allows. */
const LIB_LAYERS = [
  ['errors', 'client'],
  ['types'],
  ['native', 'image'],
  ['inference'],
  ['models'],
  [...FAMILIES, 'analysis', 'reconstruction', 'templates', 'search', 'gallery', 'storage'],
  ['engine'],
  ['visualization', 'capture', 'pipeline', 'chat', 'training'],
  ['index'],
  ['service', 'cli'],
];

/** Imports within one layer that are wanted: importer → imported. */
const SIDEWAYS = new Set([
  'image>native',
  // What is measured of a face is measured from its landmarks, and its expression read by networks.
  'analysis>landmarks',
  // The depth of a face is made from its landmarks, in the same camera.
  'reconstruction>landmarks',
  // Distances in millimetres have the names and the reference points of those in the picture.
  'reconstruction>analysis',
  // Templates and galleries check and compare embeddings; where templates lie stands above what they are.
  'templates>recognition',
  'gallery>recognition',
  'gallery>templates',
  'gallery>search',
  'storage>recognition',
  'storage>templates',
  'storage>search',
  'storage>gallery',
  'pipeline>capture',
  'pipeline>visualization',
  'cli>service',
]);

/** native/ from the ground up; folders that are not named stand together between `image` and `bindings`. */
const NATIVE_RANK = { include: 0, core: 1, image: 2, bindings: 4, open3d: 4.5, tests: 5, bench: 5, fuzz: 5 };
/** Who may see Node's headers, and the bindings: native/open3d is an addon of its own. */
const SEES_NODE = ['bindings', 'open3d'];
const NATIVE_DEFAULT_RANK = 3;
const NODE_HEADERS =
  /^(napi|napi-inl|node_api|node_api_types|js_native_api|js_native_api_types|node|node_buffer|v8|v8-.*|uv)\.h$/;

const rankOf = new Map(LIB_LAYERS.flatMap((names, rank) => names.map((name) => [name, rank])));

/** @typedef {{file: string, line: number, message: string}} Violation */

/** Every file below `dir` whose name passes `accept`, sorted, as paths relative to `dir` with forward slashes. */
function filesBelow(dir, accept, prefix = '') {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = prefix ? `${prefix}/${entry.name}` : entry.name;
      if (entry.isDirectory()) return filesBelow(path.join(dir, entry.name), accept, name);
      return accept(entry.name) ? [name] : [];
    });
}

/** Blanks comments but keeps every offset and line, and leaves string literals as they are. */
export function withoutComments(text) {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

const lineAt = (text, offset) => text.slice(0, offset).split('\n').length;

/** Module specifiers in a TypeScript source: static, dynamic and re-exports, and files named for a worker. */
export function importsOf(source) {
  const text = withoutComments(source);
  const patterns = [
    /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+?\sfrom\s*)?['"]([^'"]+)['"]/g,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
    /\brequire\s*\(\s*['"]([^'"]+)['"]/g,
    /\bnew\s+URL\s*\(\s*['"](\.[^'"]*\.(?:js|mjs|ts))['"]\s*,\s*import\.meta\.url/g,
  ];
  const found = new Map();
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match[1];
      const offset = match.index + match[0].lastIndexOf(specifier);
      found.set(offset, { specifier, line: lineAt(text, offset) });
    }
  }
  return [...found.entries()].sort((a, b) => a[0] - b[0]).map(([, value]) => value);
}

/** `detection/ssd.ts` → `detection`; `errors.ts` → `errors`. */
const layerOf = (file) =>
  file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.(?:d\.)?[cm]?tsx?$/, '');

const below = (rank) => LIB_LAYERS.slice(0, rank).flat().join(', ') || 'nothing';

/** Why `from` must not import `to`, or undefined where it may. */
export function libRule(from, to) {
  if (from === to) return undefined;
  const a = rankOf.get(from);
  const b = rankOf.get(to);
  if (a === undefined || b === undefined) {
    const unknown = a === undefined ? from : to;
    return `lib/${unknown} has no place in the layer table of scripts/check-layers.mjs: decide where it stands and add it`;
  }
  if (b < a || SIDEWAYS.has(`${from}>${to}`)) return undefined;
  if (b > a) return `${from} must not import ${to}, which stands above it; it may import: ${below(a)}`;
  if (FAMILIES.includes(from) && FAMILIES.includes(to)) {
    return `${from} must not import ${to}: model families never know each other; join them in the engine or move what they share down to models, image or types`;
  }
  return `${from} must not import ${to}, which stands beside it; it may import: ${below(a)}`;
}

/** Violations in lib/. @returns {Violation[]} */
export function checkLib(root) {
  const lib = path.join(root, 'lib');
  const violations = [];
  for (const file of filesBelow(lib, (name) => /\.[cm]?tsx?$/.test(name))) {
    const from = layerOf(file);
    if (!rankOf.has(from)) {
      violations.push({ file: `lib/${file}`, line: 1, message: libRule(from, from === 'index' ? 'cli' : 'index') });
      continue;
    }
    for (const { specifier, line } of importsOf(readFileSync(path.join(lib, file), 'utf8'))) {
      const self = specifier === 'lineament' || specifier.startsWith('lineament/');
      if (self) {
        violations.push({
          file: `lib/${file}`,
          line,
          message: `import '${specifier}' names the package itself: use a relative path`,
        });
        continue;
      }
      if (!specifier.startsWith('.')) continue;
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
      if (target.startsWith('..')) continue; // package.json, cards: data outside lib
      const message = libRule(from, layerOf(target.replace(/\.[cm]?js$/, '.ts')));
      if (message) violations.push({ file: `lib/${file}`, line, message: `import '${specifier}': ${message}` });
    }
  }
  return violations;
}

/** Why `from` must not include `to`, or undefined where it may. */
export function nativeRule(from, to) {
  if (from === to) return undefined;
  const a = NATIVE_RANK[from] ?? NATIVE_DEFAULT_RANK;
  const b = NATIVE_RANK[to] ?? NATIVE_DEFAULT_RANK;
  if (to === 'bindings' && !SEES_NODE.includes(from))
    return `${from} must not include bindings: the core builds and is tested without Node`;
  if (b >= NATIVE_RANK.tests && a < NATIVE_RANK.tests)
    return `${from} must not include ${to}: tests, benches and fuzzers are used by nobody`;
  if (b > a) return `${from} must not include ${to}, which stands above it (core ← image ← everything else ← bindings)`;
  return undefined;
}

/** Violations in native/. @returns {Violation[]} */
export function checkNative(root) {
  const native = path.join(root, 'native');
  const folders = existsSync(native)
    ? readdirSync(native, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];
  const violations = [];
  for (const file of filesBelow(native, (name) => /\.(?:h|hh|hpp|inl|inc|c|cc|cpp|cu|cuh|mm)$/.test(name))) {
    const from = file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
    const text = withoutComments(readFileSync(path.join(native, file), 'utf8'));
    for (const match of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm)) {
      const [, quote, name] = match;
      const line = lineAt(text, match.index + match[0].indexOf('#'));
      if (NODE_HEADERS.test(name)) {
        if (!SEES_NODE.includes(from)) {
          violations.push({
            file: `native/${file}`,
            line,
            message: `#include <${name}>: only native/bindings and native/open3d may see Node's headers`,
          });
        }
        continue;
      }
      if (quote !== '"') continue;
      const beside = path.posix.normalize(path.posix.join(path.posix.dirname(file), name));
      const target =
        existsSync(path.join(native, beside)) && !beside.startsWith('..') ? beside : path.posix.normalize(name);
      const to = target.includes('/') ? target.slice(0, target.indexOf('/')) : from;
      if (!folders.includes(to)) continue; // a system or generated header
      const message = nativeRule(from, to);
      if (message) violations.push({ file: `native/${file}`, line, message: `#include "${name}": ${message}` });
    }
  }
  return violations;
}

/** All violations below `root`, lib first. @returns {Violation[]} */
export function checkLayers(root) {
  return [...checkLib(root), ...checkNative(root)];
}

function main() {
  const root = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
  const violations = checkLayers(root);
  for (const { file, line, message } of violations) console.error(`${file}:${line}  ${message}`);
  if (violations.length > 0) {
    console.error(
      `\n${violations.length} layer violation${violations.length === 1 ? '' : 's'}. The rule is in ARCHITECTURE.md, "Who may import whom".`,
    );
    process.exitCode = 1;
    return;
  }
  console.log('layers: clean');
}

if (process.argv[1] && import.meta.url === pathToFileURL(path.resolve(process.argv[1])).href) main();
