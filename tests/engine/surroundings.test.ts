import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../lib/index.js';
import { packageFolder, packageRoot } from '../../lib/native/package.js';
import { findRuntimeLibraries } from '../../lib/native/runtime-library.js';
import { sample } from '../support/samples.js';

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineament-surroundings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Opening with this library fails with this code, and an engine opens as usual right after. */
async function refused(runtime: string, code: string): Promise<Error> {
  const error = await openEngine({ runtime }).then(
    () => undefined,
    (e: unknown) => e as Error,
  );
  expect(error).toMatchObject({ code });
  await using usual = await openEngine();
  await expect(usual.detect(sample(3))).resolves.toHaveLength(3);
  return error!;
}

describe('a libonnxruntime', () => {
  it('that is missing', async () => {
    await refused(join(folder, 'libonnxruntime.so.1'), 'RUNTIME_NOT_FOUND');
  });

  it('that is cut off', async () => {
    const [usual] = await findRuntimeLibraries();
    const path = join(folder, 'libcut.so');
    await writeFile(path, (await readFile(usual!.path)).subarray(0, 100_000));
    expect((await refused(path, 'RUNTIME_INCOMPATIBLE')).message).toContain(path);
  });

  it('that is no library at all', async () => {
    const path = join(folder, 'libtext.so');
    await writeFile(path, 'not a library');
    await refused(path, 'RUNTIME_INCOMPATIBLE');
  });

  it("that is for another machine's processor", async (context) => {
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    const bin = join(packageFolder('onnxruntime-node') ?? '', 'bin', 'napi-v6', process.platform, other);
    const name = (await readdir(bin).catch(() => [])).find((n) => n.includes('libonnxruntime'));
    if (name === undefined) return context.skip('onnxruntime-node carries no library for another processor');
    await refused(join(bin, name), 'RUNTIME_INCOMPATIBLE');
  });

  it('that is too old, or something else by that name', async (context) => {
    const compile = async (name: string, source: string): Promise<string> => {
      await writeFile(join(folder, `${name}.c`), source);
      const out = join(folder, `lib${name}.so`);
      await run('cc', ['-shared', '-fPIC', '-o', out, join(folder, `${name}.c`)]);
      return out;
    };
    const hasCompiler = await run('cc', ['--version']).then(
      () => true,
      () => false,
    );
    if (!hasCompiler) return context.skip('there is no C compiler');
    const old = await compile(
      'old',
      `static const void* none(unsigned v) { (void)v; return 0; }
       static const char* version(void) { return "1.0.0"; }
       static const struct { const void* (*get)(unsigned); const char* (*version)(void); } base = { none, version };
       const void* OrtGetApiBase(void) { return &base; }`,
    );
    expect((await refused(old, 'RUNTIME_INCOMPATIBLE')).message).toContain('1.0.0');
    await refused(await compile('other', 'int answer(void) { return 42; }'), 'RUNTIME_INCOMPATIBLE');
  });

  it('without the provider that is asked for', async () => {
    await expect(openEngine({ providers: ['nonsense'] })).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await expect(openEngine({ providers: ['coreml', 'cpu'] })).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await using usual = await openEngine();
    await expect(usual.detect(sample(3))).resolves.toHaveLength(3);
  });
});

describe('a model file', () => {
  const pack = join(packageRoot, 'models', 'pack');
  const broken = 'faceapi_landmarks68.onnx';

  it('that is tampered with, cut or missing stops what needs it, and nothing else', async () => {
    const own = join(folder, 'pack');
    await rm(own, { recursive: true, force: true });
    const { mkdir } = await import('node:fs/promises');
    await mkdir(own);
    for (const name of await readdir(pack)) if (name !== broken) await symlink(join(pack, name), join(own, name));
    const good = await readFile(join(pack, broken));
    await using engine = await openEngine({ models: own });

    await expect(engine.detect(sample(3), { landmarks: true })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(engine.detect(sample(3))).resolves.toHaveLength(3);

    const tampered = Buffer.from(good);
    tampered[1000]! ^= 0x40;
    await writeFile(join(own, broken), tampered);
    const error = await engine.detect(sample(3), { landmarks: true }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'MODEL_HASH_MISMATCH', fix: expect.stringContaining('npm run models') });
    expect((error as Error).message).toContain(join(own, broken));

    await writeFile(join(own, broken), good.subarray(0, good.length >> 1));
    await expect(engine.detect(sample(3), { landmarks: true })).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });

    await copyFile(join(pack, broken), join(own, broken));
    await expect(engine.detect(sample(3), { landmarks: true })).resolves.toHaveLength(3);
  });

  it('pack that is not there is named', async () => {
    await expect(openEngine({ models: join(folder, 'nothing') })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining(join(folder, 'nothing')),
    });
  });
});
