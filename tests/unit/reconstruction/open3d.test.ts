// What the addon for Open3D says where it is not there. What it computes: tests/oracles/open3d.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { addonPath, loadAddon } from '../../../lib/native/index.js';
import { openOpen3d } from '../../../lib/reconstruction/index.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-open3d-'));
const before = process.env['LINEAMENT_OPEN3D'];
afterEach(() => {
  if (before === undefined) delete process.env['LINEAMENT_OPEN3D'];
  else process.env['LINEAMENT_OPEN3D'] = before;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failure(work: Promise<unknown>): Promise<LineamentError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LineamentError)) throw new Error(`expected a LineamentError, not ${String(error)}`);
  return error;
}

describe('openOpen3d without its addon', () => {
  it('says which file is missing and how to get it', async () => {
    const missing = path.join(folder, 'nowhere', 'lineament_open3d.node');
    process.env['LINEAMENT_OPEN3D'] = missing;
    for (const error of [await failure(openOpen3d()), await failure(openOpen3d({ library: missing }))]) {
      expect(error.code).toBe('ADDON_NOT_FOUND');
      expect(error.message).toContain(missing);
      expect(error.fix).toContain('libopen3d-dev');
      expect(error.fix).toContain('scripts/build-open3d.mjs');
      expect(error.fix).toContain('LINEAMENT_OPEN3D');
    }
  });

  it('refuses what is no addon, and leaves the environment as it was', async () => {
    const text = path.join(folder, 'text.node');
    writeFileSync(text, 'not an addon');
    const policy = process.env['OMP_WAIT_POLICY'];
    const error = await failure(openOpen3d({ library: text }));
    expect(error.code).toBe('ADDON_NOT_FOUND');
    expect(error.cause).toBeInstanceOf(Error);
    expect(process.env['OMP_WAIT_POLICY']).toBe(policy);
  });

  it('refuses another addon', async () => {
    loadAddon();
    const error = await failure(openOpen3d({ library: addonPath() ?? '' }));
    expect(error.code).toBe('ADDON_NOT_FOUND');
    expect(error.message).toContain('no addon for Open3D');
  });

  it.each([[{ library: '' }], [{ library: 3 }], [{ threads: 0 }], [{ threads: 2.5 }], [{ thread: 1 }], [null]])(
    'refuses %j',
    async (options) => {
      expect((await failure(openOpen3d(options as never))).code).toBe('INVALID_ARGUMENT');
    },
  );
});
