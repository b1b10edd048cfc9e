import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstGpu, gpuMemory, machineMemory } from '../../../lib/engine/host/memory.js';
import type { GpuStatus } from '../../../lib/native/index.js';

const GiB = 2 ** 30;
let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineament-memory-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A folder that stands for `/` with 16 GiB of memory, of which 10 are available, and these files. */
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, String(count++));
  const all = { 'proc/meminfo': `MemTotal:       ${16 * 2 ** 20} kB\nMemAvailable:   ${10 * 2 ** 20} kB\n`, ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

test('without limits: what the kernel calls available', async () => {
  const root = await machine({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.stat': 'inactive_file 5\n' });
  expect(await machineMemory(root)).toEqual({ device: 'cpu', total: 16 * GiB, free: 10 * GiB, source: 'system' });
  const bare = await machine({});
  expect(await machineMemory(bare)).toEqual({ device: 'cpu', total: 16 * GiB, free: 10 * GiB, source: 'system' });
});

test('version 2: the limit of any group above counts, and old pages of files as free', async () => {
  const root = await machine({
    'proc/self/cgroup': '0::/pods/one/container\n',
    'sys/fs/cgroup/pods/one/memory.max': `${2 * GiB}\n`,
    'sys/fs/cgroup/pods/one/memory.current': `${1.5 * GiB}\n`,
    'sys/fs/cgroup/pods/one/memory.stat': `anon 1\ninactive_file ${GiB / 2}\nactive_file 7\n`,
    'sys/fs/cgroup/pods/one/container/memory.max': 'max\n',
    'sys/fs/cgroup/pods/one/container/memory.current': '1234\n',
  });
  expect(await machineMemory(root)).toEqual({ device: 'cpu', total: 2 * GiB, free: GiB, source: 'cgroup' });
});

test("version 2 in a container: the mount is the container's own group", async () => {
  const root = await machine({
    'proc/self/cgroup': '0::/../../docker/abc\n',
    'sys/fs/cgroup/memory.max': `${GiB}\n`,
    'sys/fs/cgroup/memory.current': `${3 * GiB}\n`,
  });
  // More than the limit while the kernel reclaims: nothing is left, never less than nothing.
  expect(await machineMemory(root)).toEqual({ device: 'cpu', total: GiB, free: 0, source: 'cgroup' });
});

test('version 1, with the number that stands for no limit above', async () => {
  const group = 'sys/fs/cgroup/memory';
  const root = await machine({
    'proc/self/cgroup': '11:cpu,cpuacct:/a:b\n7:memory:/a:b\n0::/\n',
    [`${group}/memory.limit_in_bytes`]: '9223372036854771712\n',
    [`${group}/memory.usage_in_bytes`]: `${9 * GiB}\n`,
    [`${group}/a:b/memory.limit_in_bytes`]: `${4 * GiB}\n`,
    [`${group}/a:b/memory.usage_in_bytes`]: `${2 * GiB}\n`,
    [`${group}/a:b/memory.stat`]: `inactive_file 1\ntotal_inactive_file ${GiB}\n`,
  });
  expect(await machineMemory(root)).toEqual({ device: 'cpu', total: 4 * GiB, free: 3 * GiB, source: 'cgroup' });
});

test('a limit that leaves more than the machine has: the machine decides', async () => {
  const root = await machine({
    'proc/self/cgroup': '0::/\n',
    'sys/fs/cgroup/memory.max': `${12 * GiB}\n`,
    'sys/fs/cgroup/memory.current': '0\n',
  });
  const { free, total } = await machineMemory(root);
  expect([free, total]).toEqual([10 * GiB, 12 * GiB]);
});

test('this machine', async () => {
  const { free, total } = await machineMemory();
  expect(free).toBeGreaterThan(0);
  expect(total).toBeGreaterThanOrEqual(free);
});

const gpus: GpuStatus = {
  state: 'ready',
  path: 'libnvidia-ml.so.1',
  devices: [
    { index: 0, name: 'NVIDIA L4', uuid: 'GPU-aaaa-1', total: 24 * GiB, free: 20 * GiB, used: 4 * GiB },
    { index: 1, name: 'NVIDIA GH200', uuid: 'GPU-bbbb-2', total: 0, free: 0, used: 0, problem: 'Not Supported' },
    { index: 2, name: '', uuid: 'GPU-cccc-3', total: 8 * GiB, free: GiB, used: 7 * GiB },
  ],
};

test('GPUs whose memory is known, by name and number', () => {
  expect(gpuMemory(gpus)).toEqual([
    { device: 'NVIDIA L4 (0)', total: 24 * GiB, free: 20 * GiB, source: 'nvml' },
    { device: 'GPU (2)', total: 8 * GiB, free: GiB, source: 'nvml' },
  ]);
  expect(gpuMemory({ state: 'no library', path: '', devices: [] })).toEqual([]);
});

test('the GPU that CUDA takes', () => {
  const free = (visible?: string, order = 'PCI_BUS_ID'): number | undefined => firstGpu(gpus, visible, order)?.free;
  expect(firstGpu(gpus, undefined, 'PCI_BUS_ID')?.device).toBe('NVIDIA L4 (0)');
  expect(free('2,0')).toBe(GiB);
  expect(free('GPU-cccc')).toBe(GiB);
  expect(free('1')).toBeUndefined();
  expect(free('7')).toBeUndefined();
  // Set and empty: CUDA sees none.
  expect(free('')).toBeUndefined();
  expect(free('MIG-1')).toBeUndefined();
});

test('of GPUs of several kinds the one with the least free memory, where CUDA numbers them by speed', () => {
  expect(firstGpu(gpus, undefined, 'FASTEST_FIRST')?.device).toBe('GPU (2)');
  expect(firstGpu(gpus, '0', '')?.device).toBe('GPU (2)');
  expect(firstGpu(gpus, '7', '')).toBeUndefined();
  expect(firstGpu(gpus, 'GPU-aaaa', '')?.device).toBe('NVIDIA L4 (0)');
  const twins = { ...gpus, devices: gpus.devices.map((device) => ({ ...device, name: 'NVIDIA L4' })) };
  expect(firstGpu(twins, '0', '')?.device).toBe('NVIDIA L4 (0)');
});
