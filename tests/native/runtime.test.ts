import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeAddon, NativeExecutor } from '../../lib/native/addon.js';
import { addonPath, loadAddon, packageFolder } from '../../lib/native/index.js';
import { codeOf, havePack, libraryPath, network } from './support.js';

const linux = process.platform === 'linux';
const compiler = linux && spawnSync('g++', ['--version']).status === 0;

/** Code and message of what openRuntime rejects with. */
async function problem(open: () => Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await open();
    return { code: 'resolved', message: '' };
  } catch (error) {
    return { code: String((error as { code?: unknown }).code), message: (error as Error).message };
  }
}

describe('openRuntime', () => {
  let addon: NativeAddon;
  let executor: NativeExecutor;
  let library: string;
  let folder: string;

  beforeAll(async () => {
    addon = loadAddon();
    executor = addon.createExecutor(2);
    library = await libraryPath();
    folder = mkdtempSync(join(tmpdir(), 'lineament-runtime-'));
  });
  afterAll(async () => {
    await executor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const file = (name: string, content: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('opens the library once, whatever the path is called', async () => {
    const link = join(folder, 'link.so');
    symlinkSync(library, link);
    const [a, b] = await Promise.all([addon.openRuntime(executor, library), addon.openRuntime(executor, link)]);
    expect(a.path).toBe(b.path);
    expect(a.version).toMatch(/^1\.\d+\.\d+/);
    expect(a.api).toBeGreaterThanOrEqual(12);
    expect(a.providers).toContain('cpu');
  });

  it('says RUNTIME_NOT_FOUND where there is no file', async () => {
    for (const path of [join(folder, 'absent.so'), folder]) {
      const { code, message } = await problem(() => addon.openRuntime(executor, path));
      expect(code).toBe('RUNTIME_NOT_FOUND');
      expect(message).toContain(path);
      expect(message).toContain('install');
    }
  });

  it('says INVALID_ARGUMENT for what is no path', async () => {
    expect(await codeOf(async () => addon.openRuntime(executor, ''))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => addon.openRuntime(executor, 'a\0b'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => addon.openRuntime(executor, 7 as unknown as string))).toBe('INVALID_ARGUMENT');
  });

  it.skipIf(!linux)('says RUNTIME_INCOMPATIBLE for a truncated library, without dying', async () => {
    const head = Buffer.alloc(4096);
    readSync(openSync(library, 'r'), head);
    const cuts: readonly (readonly [string, Uint8Array | string])[] = [
      ['empty.so', ''],
      ['short.so', head.subarray(0, 40)],
      ['page.so', head],
      ['text.so', 'this is no library at all, but it is longer than a header of sixty-four bytes'],
    ];
    for (const [name, content] of cuts) {
      const { code, message } = await problem(() => addon.openRuntime(executor, file(name, content)));
      expect([name, code]).toEqual([name, 'RUNTIME_INCOMPATIBLE']);
      expect(message).toContain(name);
    }
    const half = join(folder, 'half.so');
    copyFileSync(library, half);
    spawnSync('truncate', ['-s', '50%', half]);
    spawnSync('truncate', ['-s', '20000000', half]);
    const { code, message } = await problem(() => addon.openRuntime(executor, half));
    expect(code).toBe('RUNTIME_INCOMPATIBLE');
    expect(message).toContain('truncated');
  });

  const carried = packageFolder('onnxruntime-node');
  const otherArch = process.arch === 'x64' ? 'arm64' : 'x64';
  const foreign = carried && join(carried, 'bin', 'napi-v6', 'linux', otherArch, 'libonnxruntime.so.1');
  it.skipIf(!linux || !foreign || !existsSync(foreign))(
    'names both machines for a library of another one',
    async () => {
      const { code, message } = await problem(() => addon.openRuntime(executor, foreign ?? ''));
      expect(code).toBe('RUNTIME_INCOMPATIBLE');
      expect(message).toContain(otherArch);
      expect(message).toContain(process.arch);
    },
  );

  it('says RUNTIME_INCOMPATIBLE for a library that is not ONNX Runtime', async () => {
    const { code, message } = await problem(() => addon.openRuntime(executor, addonPath() ?? ''));
    expect(code).toBe('RUNTIME_INCOMPATIBLE');
    expect(message).toContain('OrtGetApiBase');
  });

  it.skipIf(!compiler)('names the versions where the library is too old, too new or refuses', async () => {
    const build = (name: string, version: string): string => {
      const source = file(
        `${name}.cpp`,
        `extern "C" {
         static const void* get(unsigned) { return 0; }
         static const char* version() { return "${version}"; }
         struct Base { const void* (*get)(unsigned); const char* (*version)(); };
         static const Base base = {get, version};
         __attribute__((visibility("default"))) const Base* OrtGetApiBase() { return &base; }
         }`,
      );
      const out = join(folder, `${name}.so`);
      expect(spawnSync('g++', ['-shared', '-fPIC', '-o', out, source]).status).toBe(0);
      return out;
    };
    for (const version of ['1.11.1', '0.9', '2.0.0', 'nonsense', '1.30.0']) {
      const path = build(`fake-${version}`, version);
      const { code, message } = await problem(() => addon.openRuntime(executor, path));
      expect(code).toBe('RUNTIME_INCOMPATIBLE');
      expect(message).toContain(version);
      if (version === '1.11.1') expect(message).toContain('1.12');
    }
  });

  describe.skipIf(!havePack)('providers', () => {
    it('that are absent or cannot start are PROVIDER_UNAVAILABLE, never the processor', async () => {
      const runtime = await addon.openRuntime(executor, library);
      const model = network('faceapi_landmarks68_tiny');
      for (const name of ['coreml', 'directml', 'nonsense', 'CPU', '']) {
        if (runtime.providers.includes(name)) continue;
        const { code, message } = await problem(() =>
          runtime.createSession(executor, model, { threads: 1, providers: [name, 'cpu'] }),
        );
        expect([name, code]).toEqual([name, 'PROVIDER_UNAVAILABLE']);
        expect(message).toContain(runtime.providers.join(', '));
      }
    });

    it('that need a library beside the runtime say so where it is missing', async () => {
      // The CPU build of the runtime lists cuda and tensorrt, whose own libraries are downloads of their own.
      const runtime = await addon.openRuntime(executor, library);
      const model = network('faceapi_landmarks68_tiny');
      for (const name of ['cuda', 'tensorrt']) {
        const { code } = await problem(async () => {
          const session = await runtime.createSession(executor, model, { threads: 1, providers: [name] });
          await session.close();
        });
        expect(['PROVIDER_UNAVAILABLE', 'resolved']).toContain(code);
        if (!existsSync(join(library, '..', `libonnxruntime_providers_${name}.so`))) {
          expect(code).toBe('PROVIDER_UNAVAILABLE');
        }
      }
    });
  });
});
