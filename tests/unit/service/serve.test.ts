// `lineament serve`, from the sources and as it is published: compiled, bundled, without the packages that it was built from.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../support/child.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-serve-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const photo = path.join(root, 'node_modules/@vladmandic/face-api/demo/sample1.jpg');
const source = ['--import', 'tsx', path.join(root, 'lib/cli/main.ts'), 'serve'];

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly log: () => string;
  readonly ended: Promise<number | null>;
}

function start(
  args: readonly string[],
  { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Started {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:VITEST|LINEAMENT_SERVICE_)/.test(name)),
  );
  const child = spawn(process.execPath, [...args], {
    cwd,
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let log = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, said: () => said, log: () => log, ended };
}

/** Waits for the address and the key. */
async function listening({ said, log, ended }: Started): Promise<{ address: string; key: string }> {
  let over: number | null | undefined;
  ended.then((code) => {
    over = code;
  });
  const look = (): RegExpExecArray | null => /(http:\/\/127\.0\.0\.1:\d+)[\s\S]*?(lin_[\w-]{20,})/.exec(said());
  await expect.poll(() => over !== undefined || look() !== null, { timeout: 90_000 }).toBe(true);
  const found = look();
  if (found === null) throw new Error(`the service ended with ${over}: ${log()}`);
  return { address: found[1] ?? '', key: found[2] ?? '' };
}

async function detect(address: string, key: string): Promise<number> {
  const form = new FormData();
  form.append('image', new Blob([readFileSync(photo)]), 'photo.jpg');
  const answer = await fetch(`${address}/api/v1/detect`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${key}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { faces: unknown[] }).faces.length;
}

describe('lineament serve', () => {
  it('starts with nothing configured but where its data lies, says where it is, and stops when it is told to', async () => {
    const data = path.join(folder, 'xdg');
    const started = start([...source, '--port', '0', '--preset', 'fast'], { env: { XDG_DATA_HOME: data } });
    const { address, key } = await listening(started);
    expect(started.said()).toContain(`${address}/docs`);
    expect(await detect(address, key)).toBeGreaterThan(0);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(started.log()).toContain('closed');
    expect(started.log()).not.toContain(key);
    expect(readdirSync(path.join(data, 'lineament', 'service'))).toContain('gallery');
  });

  it('with --json writes lines of JSON, and one object with the key', async () => {
    const started = start([
      ...source,
      '--json',
      '--port',
      '0',
      '--preset',
      'fast',
      '--data',
      path.join(folder, 'json'),
    ]);
    const { address, key } = await listening(started);
    const said = JSON.parse(started.said()) as Record<string, unknown>;
    expect(said).toMatchObject({ address, key, docs: `${address}/docs` });
    await fetch(`${address}/health`);
    started.child.kill('SIGINT');
    expect(await started.ended).toBe(0);
    const lines = started
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ message }) => message)).toEqual(expect.arrayContaining(['listening', 'request', 'closed']));
    expect(started.log()).not.toContain(key);
  });

  it('prints what is set, and where it is wrong', async () => {
    const file = path.join(folder, 'lineament.yaml');
    writeFileSync(file, 'server:\n  port: 9999\n');
    const printed = start([
      ...source,
      '--config',
      file,
      '--host',
      'localhost',
      '--set',
      'limits.images=4',
      '--print-config',
    ]);
    expect(await printed.ended).toBe(0);
    expect(printed.said()).toMatch(/^ {2}port: 9999$/m);
    expect(printed.said()).toMatch(/^ {2}host: localhost$/m);
    expect(printed.said()).toMatch(/^ {2}images: 4$/m);
    writeFileSync(file, 'server:\n  hots: 9999\n');
    const wrong = start([...source, '--config', file]);
    expect(await wrong.ended).toBe(2);
    expect(wrong.log()).toContain(`${file}:2:3: Unknown key 'hots' in server. Did you mean 'host'?`);
    const open = start([...source, '--host', '0.0.0.0', '--set', 'auth.enabled=false']);
    expect(await open.ended).toBe(2);
    expect(open.log()).toContain('CONFIG_INVALID');
  });
});

// What `npm run build` leaves: absent in a checkout that was not built, or was built before there was a service.
const built = path.join(root, 'dist');
const bundle = path.join(built, 'service', 'vendor.js');
const isBundled = existsSync(bundle) && !/from ['"]fastify['"]/.test(readFileSync(bundle, 'utf8'));

describe('the build', () => {
  it.skipIf(!isBundled)('runs without the packages that it was built from (needs npm run build)', async () => {
    const place = path.join(folder, 'package');
    mkdirSync(path.join(place, 'node_modules'), { recursive: true });
    cpSync(built, path.join(place, 'dist'), { recursive: true });
    cpSync(path.join(root, 'package.json'), path.join(place, 'package.json'));
    symlinkSync(path.join(root, 'models'), path.join(place, 'models'));
    // The two real dependencies with theirs, and the runtime that a platform package carries.
    for (const name of [
      'sharp',
      'bindings',
      'file-uri-to-path',
      'detect-libc',
      'semver',
      '@img',
      'onnxruntime-node',
      'onnxruntime-common',
    ]) {
      const from = path.join(root, 'node_modules', name);
      if (existsSync(from)) cpSync(from, path.join(place, 'node_modules', name), { recursive: true });
    }
    expect(existsSync(path.join(place, 'node_modules', 'fastify'))).toBe(false);
    const addon = ['build/Release', 'build/Debug']
      .map((one) => path.join(root, one, 'lineament.node'))
      .find(existsSync);
    const env = addon === undefined ? {} : { LINEAMENT_ADDON: addon };
    const main = path.join(place, 'dist', 'cli', 'main.js');
    const options = ['--port', '0', '--preset', 'fast', '--data', path.join(folder, 'built')];
    const started = start([main, 'serve', ...options], { cwd: place, env });
    const { address, key } = await listening(started);
    expect(await detect(address, key)).toBeGreaterThan(0);
    expect((await fetch(`${address}/docs/swagger-ui-bundle.js`)).status).toBe(200);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  it.skipIf(!isBundled)('carries licences, stays small, and shows no types of others (needs npm run build)', () => {
    const files = readdirSync(path.join(built, 'service'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
    const bytes = files
      .filter((file) => !file.endsWith('.map'))
      .reduce((sum, file) => sum + readFileSync(file).length, 0);
    expect(bytes).toBeLessThan(6e6);
    const licences = readFileSync(path.join(built, 'service', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['fastify', 'swagger-ui-dist', 'jose', 'prom-client', 'yaml', 'ajv', 'ws']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
    }
    // From the entry, along its imports.
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
        if (name.startsWith('.')) visit(path.resolve(path.dirname(file), name.replace(/\.js$/, '.d.ts')));
        else expect(name, file).toMatch(/^node:/);
      }
    };
    visit(path.join(built, 'service', 'index.d.ts'));
    visit(path.join(built, 'client', 'index.d.ts'));
    expect([...seen].map((file) => path.relative(built, file))).not.toContain(path.join('service', 'vendor.d.ts'));
  });
});
