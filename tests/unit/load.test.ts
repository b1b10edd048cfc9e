import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRuntimeLibraries } from '../../lib/native/runtime-library.js';
import { lastJson, runChild } from '../support/child.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineament-load-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const loading = `
  const { loadAddon } = await import('./lib/native/load.ts');
  try { loadAddon(); console.log('{"code":null}'); }
  catch (error) { console.log(JSON.stringify(error)); }
`;

describe('the addon', () => {
  it('that LINEAMENT_ADDON names is the only one tried', async () => {
    const path = join(folder, 'nowhere.node');
    expect(lastJson(await runChild(loading, { LINEAMENT_ADDON: path }))).toMatchObject({
      code: 'ADDON_NOT_FOUND',
      message: expect.stringContaining(`${path}: no such file`),
      fix: expect.stringContaining('LINEAMENT_ADDON'),
    });
  });

  it('that cannot be loaded is named with the reason', async () => {
    const path = join(folder, 'text.node');
    await writeFile(path, 'this is no shared library');
    expect(lastJson(await runChild(loading, { LINEAMENT_ADDON: path }))).toMatchObject({
      code: 'ADDON_NOT_FOUND',
      message: expect.stringContaining(path),
    });
  });
});

describe('the runtime library', () => {
  it('is found, or its absence has a fix', async () => {
    const found = await findRuntimeLibraries().catch((error: unknown) => error);
    if (Array.isArray(found)) expect(found.length).toBeGreaterThan(0);
    else expect(found).toMatchObject({ code: 'RUNTIME_NOT_FOUND', fix: expect.stringContaining('npm install') });
  });

  it('that is named and missing is an error, not a reason to look elsewhere', async () => {
    await expect(findRuntimeLibraries(join(folder, 'no.so'))).rejects.toMatchObject({ code: 'RUNTIME_NOT_FOUND' });
    await expect(findRuntimeLibraries(folder)).rejects.toMatchObject({ code: 'RUNTIME_NOT_FOUND' });
  });
});

describe('importing the library', () => {
  it('loads neither the decoder, nor the addon, nor ONNX Runtime', async () => {
    const result = await runChild(`
      import { createRequire } from 'node:module';
      await import('./lib/index.ts');
      const loaded = Object.keys(createRequire(process.cwd() + '/x.js').cache);
      const shared = process.report.getReport().sharedObjects;
      console.log(JSON.stringify([...loaded, ...shared].filter((p) => /sharp|libvips|onnxruntime|lineament\\.node/.test(p))));
    `);
    expect(lastJson(result)).toEqual([]);
  });
});
