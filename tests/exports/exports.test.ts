// Every subpath export of the built package: it can be imported by its name, and loads only what lies below it.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
}
const { exports: exported, bin } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
const modules = Object.entries(exported).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, target }],
);

/** Model families: none may bring another one in. */
const FAMILIES = ['detection', 'landmarks', 'recognition', 'attributes'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-exports-'));
  // Notes every module that is loaded.
  writeFileSync(
    path.join(folder, 'hooks.mjs'),
    `import { appendFileSync } from 'node:fs';
let file;
export const initialize = (data) => { file = data; };
export const load = (url, context, next) => { appendFileSync(file, url + '\\n'); return next(url, context); };`,
  );
  writeFileSync(
    path.join(folder, 'register.mjs'),
    `import { register } from 'node:module';
register('./hooks.mjs', { parentURL: import.meta.url, data: process.env.LOADED });`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Loaded {
  readonly names: readonly string[];
  /** Files of this package, relative to dist/. */
  readonly own: readonly string[];
  /** Packages and shared objects from elsewhere. */
  readonly foreign: readonly string[];
}

/** Imports one export by the package's own name in a fresh process. */
async function load(name: string): Promise<Loaded> {
  const specifier = path.posix.join('lineament', name);
  const log = path.join(folder, `${name.replace(/\W/g, '_')}.log`);
  const script = `
    import { createRequire } from 'node:module';
    const names = Object.keys(await import(${JSON.stringify(specifier)}));
    const required = Object.keys(createRequire(import.meta.url).cache);
    const shared = process.report.getReport().sharedObjects.filter((file) => /node_modules|\\.node$|onnxruntime|vips/.test(file));
    console.log(JSON.stringify({ names, others: [...required, ...shared] }));`;
  const args = [
    '--import',
    pathToFileURL(path.join(folder, 'register.mjs')).href,
    '--input-type=module',
    '--eval',
    script,
  ];
  const { stdout } = await execute(process.execPath, args, { cwd: root, env: { ...process.env, LOADED: log } });
  const { names, others } = JSON.parse(stdout) as { names: string[]; others: string[] };
  const files = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url));
  const dist = path.join(root, 'dist') + path.sep;
  return {
    names,
    own: files.filter((file) => file.startsWith(dist)).map((file) => file.slice(dist.length).split(path.sep).join('/')),
    foreign: [...files.filter((file) => !file.startsWith(dist)), ...others],
  };
}

describe('subpath exports', () => {
  it('are the ones that this test knows', () => {
    const known = [
      '.',
      './analysis',
      './image',
      './inference',
      './models',
      ...FAMILIES.map((name) => `./${name}`),
      ...['reconstruction', 'search', 'templates', 'gallery', 'storage'].map((name) => `./${name}`),
      './capture',
      './pipeline',
      './training',
      './visualization',
      './service',
      './client',
    ];
    expect(modules.map(({ name }) => name).sort()).toEqual(known.sort());
    for (const file of Object.values(bin)) expect(existsSync(path.join(root, file))).toBe(true);
  });

  it.each(modules)(
    '$name has code and types, exports something, and loads nothing that an embedder did not ask for',
    async ({ name, target }) => {
      for (const file of [target.default, target.types]) expect(existsSync(path.join(root, file))).toBe(true);
      const { names, own, foreign } = await load(name);
      expect(names.length).toBeGreaterThan(0);
      expect(own).toContain(path.posix.relative('dist', path.posix.normalize(target.default)));
      // No decoder, no addon, no ONNX Runtime, no package at all: those come with the first call that needs them.
      expect(foreign).toEqual([]);
      const folders = new Set(own.map((file) => file.split('/')[0]));
      expect(folders).not.toContain('cli');
      const self = name.slice(2);
      if (!['visualization', 'service'].includes(self)) expect(folders).not.toContain('visualization');
      // Training labels pictures with the engine, and the pipeline is built on it.
      if (!['', 'training', 'pipeline', 'service'].includes(self)) expect(folders).not.toContain('engine');
      if (FAMILIES.includes(self))
        for (const other of FAMILIES.filter((one) => one !== self)) expect(folders).not.toContain(other);
      if (self === 'visualization') {
        for (const family of [...FAMILIES, 'inference', 'models']) expect(folders).not.toContain(family);
        // Limits of what is checked and where the package lies; nothing that opens the addon.
        const leaves = ['native/cloud.js', 'native/depth.js', 'native/package.js'];
        expect(own.filter((file) => file.startsWith('native/')).filter((file) => !leaves.includes(file))).toEqual([]);
      }
      if (self === 'image')
        for (const upper of ['inference', 'models', ...FAMILIES]) expect(folders).not.toContain(upper);
    },
  );

  it('does not open paths that are not exported', async () => {
    const script = `await import('lineament/dist/cli/main.js')`;
    await expect(
      execute(process.execPath, ['--input-type=module', '--eval', script], { cwd: root }),
    ).rejects.toMatchObject({
      stderr: expect.stringContaining('ERR_PACKAGE_PATH_NOT_EXPORTED') as unknown,
    });
  });
});
