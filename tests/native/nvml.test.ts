import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { machineMemory, openEngineHost } from '../../lib/engine/host/index.js';
import { gpuStatus, loadAddon } from '../../lib/native/index.js';
import { lineament } from '../cli/run.js';
import { root } from '../support/child.js';
import { codeOf } from '../support/code.js';

const compiler = spawnSync('g++', ['--version']).status === 0;
const MiB = 2 ** 20;

let folder: string;
let library: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-nvml-'));
  library = join(folder, 'libnvidia-ml.so.1');
  const source = join(root, 'native', 'tests', 'inference', 'fake_nvml.cpp');
  if (compiler) expect(spawnSync('g++', ['-std=c++20', '-shared', '-fPIC', '-o', library, source]).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  delete process.env['LINEAMENT_NVML'];
});

describe('the memory of GPUs', () => {
  it('is absent, with a reason, where there is no library', async () => {
    process.env['LINEAMENT_NVML'] = join(folder, 'nowhere.so');
    const { state, problem, devices } = await gpuStatus();
    expect([state, devices]).toEqual(['no library', []]);
    expect(problem).toBeTruthy();
  });

  it('is what the driver of this machine says', async () => {
    const { state, problem, devices } = await gpuStatus();
    expect(state === 'ready').toBe(problem === undefined);
    for (const { total, free } of devices) expect(free).toBeLessThanOrEqual(total);
  });

  it('refuses what is no path', async () => {
    const addon = loadAddon();
    const executor = addon.createExecutor(1);
    try {
      for (const path of ['a\0b', 5 as unknown as string]) {
        expect(await codeOf(() => addon.gpuReport(executor, path))).toBe('INVALID_ARGUMENT');
      }
    } finally {
      await executor.close();
    }
  });

  it.skipIf(!compiler)('comes from the library that is named', async () => {
    process.env['LINEAMENT_NVML'] = library;
    expect(await gpuStatus()).toEqual({
      state: 'ready',
      path: library,
      driver: '570.133.20',
      devices: [
        {
          index: 0,
          name: 'NVIDIA H200',
          uuid: 'GPU-00000000-0000-0000-0000-000000000001',
          total: 143771 * MiB,
          free: 143201 * MiB,
          used: 570 * MiB,
        },
        {
          index: 1,
          name: 'NVIDIA L4',
          uuid: 'GPU-00000000-0000-0000-0000-000000000002',
          total: 23034 * MiB,
          free: 11034 * MiB,
          used: 12000 * MiB,
        },
      ],
    });
    await using host = await openEngineHost({});
    const [machine, ...gpus] = (await host.memory()).devices;
    expect(machine?.total).toBe((await machineMemory()).total);
    expect(gpus.map(({ device, free, source }) => [device, free, source])).toEqual([
      ['NVIDIA H200 (0)', 143201 * MiB, 'nvml'],
      ['NVIDIA L4 (1)', 11034 * MiB, 'nvml'],
    ]);
  });

  it.skipIf(!compiler)('is shown by the doctor', async () => {
    const gpu = async (how: string): Promise<{ status: string; detail: string; fix?: string } | undefined> => {
      const env = { LINEAMENT_NVML: library, LINEAMENT_FAKE_NVML: how };
      const { stdout } = await lineament(['doctor', '--json'], { env });
      const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
      return checks.find(({ name }) => name === 'GPU');
    };
    const well = await gpu('lost');
    expect(well?.status).toBe('ok');
    expect(well?.detail).toContain('0: NVIDIA H200, 150157 MB of 150755 MB free');
    expect(well?.detail).toContain('memory unknown (GPU is lost');
    expect(await gpu('mismatch')).toMatchObject({ status: 'warn', fix: expect.stringContaining('driver') });
  });
});
