// What a user installs: the three tarballs, in an empty folder, without install scripts and without onnxruntime-node.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const photo = path.join(root, 'node_modules', '@vladmandic', 'face-api', 'demo', 'sample1.jpg');

interface Packed {
  readonly name: string;
  readonly file: string;
  readonly packed: number;
  readonly unpacked: number;
}

let folder = '';
let packages: Packed[] = [];

function filesOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** Runs Node in the scratch folder, where nothing of this checkout can be resolved. */
async function node(args: string[], env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string }> {
  return execute(process.execPath, args, { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-packed-'));
  const script = `import { packPlatform } from './scripts/pack-platform.mjs'; console.log(JSON.stringify(await packPlatform()));`;
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  packages = JSON.parse(stdout.trim().split('\n').at(-1) ?? '[]') as Packed[];
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'scratch', private: true, type: 'module' }));
  const options = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await execute('npm', [...options, ...packages.map((one) => one.file)], { cwd: folder });
  cpSync(photo, path.join(folder, 'photo.jpg'));
}, 1_800_000);

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

describe('packed tarballs installed with --ignore-scripts', () => {
  it('are the main package, one platform and the starter pack', () => {
    const platform = `@lineament/${process.platform}-${process.arch}`;
    expect(packages.map((one) => one.name)).toEqual([platform, '@lineament/starter-pack', 'lineament']);
  });

  it('have no install script of their own', () => {
    for (const one of packages) {
      const manifest = path.join(folder, 'node_modules', one.name, 'package.json');
      const { scripts = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { scripts?: Record<string, string> };
      expect(Object.keys(scripts)).toEqual([]);
    }
  });

  it('do not bring onnxruntime-node and stay within 120 MB', () => {
    expect(existsSync(path.join(folder, 'node_modules', 'onnxruntime-node'))).toBe(false);
    const bytes = filesOf(path.join(folder, 'node_modules')).reduce((sum, file) => sum + statSync(file).size, 0);
    expect(bytes).toBeGreaterThan(50e6);
    expect(bytes).toBeLessThanOrEqual(120e6);
  });

  it('contain no source file, test or path of the machine that made them', () => {
    const main = filesOf(path.join(folder, 'node_modules', 'lineament'));
    expect(main.some((file) => /\.(cpp|h)$|\.test\./.test(file))).toBe(false);
    for (const file of main.filter((one) => /\.(js|json|md|ts)$/.test(one))) {
      expect(readFileSync(file, 'utf8').includes(root), file).toBe(false);
    }
  });

  it('find a face through the API, with the addon and the runtime of the platform package', async () => {
    const script = `
      import { openEngine } from 'lineament';
      const engine = await openEngine();
      const faces = await engine.analyze('photo.jpg', { landmarks: true, embedding: true });
      console.log(JSON.stringify({ faces: faces.length, points: faces[0].landmarks.length, size: faces[0].embedding.vector.length }));
      await engine.close();
    `;
    const { stdout } = await node(['--input-type=module', '-e', script], { LINEAMENT_ADDON: '' });
    const found = JSON.parse(stdout) as { faces: number; points: number; size: number };
    expect(found.faces).toBeGreaterThanOrEqual(1);
    expect(found.points).toBe(68);
    expect(found.size).toBeGreaterThanOrEqual(128);
  });

  it('make a viewer page with the program that the package carries', async () => {
    const script = `
      import { createViewer } from 'lineament/visualization';
      const page = await createViewer({ cloud: { positions: Float32Array.of(0, 0, 500, 10, 0, 500, 0, 10, 510) } });
      console.log(page.length);
    `;
    const { stdout } = await node(['--input-type=module', '-e', script]);
    expect(Number(stdout)).toBeGreaterThan(300_000);
  });

  it('carry the canonical face', async () => {
    const script = `
      import { canonicalFace } from 'lineament/reconstruction';
      const { positions, indices } = await canonicalFace();
      console.log(JSON.stringify([positions.length, indices.length]));
    `;
    const { stdout } = await node(['--input-type=module', '-e', script], { LINEAMENT_MODELS: '' });
    expect(JSON.parse(stdout)).toEqual([3 * 468, 3 * 898]);
  });

  it('give a working command', async () => {
    const command = path.join(folder, 'node_modules', 'lineament', 'dist', 'cli', 'main.js');
    const { stdout } = await node([command, 'detect', 'photo.jpg', '--json']);
    const result = JSON.parse(stdout) as { images: { faces: unknown[] }[] };
    expect(result.images[0]?.faces.length).toBeGreaterThanOrEqual(1);
  });
});
