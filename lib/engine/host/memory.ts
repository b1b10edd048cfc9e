import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import type { GpuDevice, GpuStatus } from '../../native/index.js';
import type { DeviceMemory } from './types.js';

interface Group {
  readonly limit: number;
  readonly used: number;
}

const read = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

/** A whole number of bytes; absent for `max` and whatever else is none. */
async function bytesIn(path: string): Promise<number | undefined> {
  const text = (await read(path))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A value of a file of lines `name value`. */
async function entryIn(path: string, name: string, unit = 1): Promise<number | undefined> {
  const found = new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec((await read(path)) ?? '')?.[1];
  return found === undefined ? undefined : Number(found) * unit;
}

/** Names of the files of a control group's memory, by version of the interface. */
const V2 = { mount: 'sys/fs/cgroup', limit: 'memory.max', used: 'memory.current', idle: 'inactive_file' };
const V1 = {
  mount: 'sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  idle: 'total_inactive_file',
};

/** Limit and use of one group; absent where it has no limit. Pages of files that nobody looked at lately are given up when memory is short, so they count as free. */
async function groupAt(folder: string, names: typeof V2): Promise<Group | undefined> {
  const [limit, used, idle = 0] = await Promise.all([
    bytesIn(join(folder, names.limit)),
    bytesIn(join(folder, names.used)),
    entryIn(join(folder, 'memory.stat'), names.idle),
  ]);
  return limit === undefined || used === undefined ? undefined : { limit, used: Math.max(0, used - idle) };
}

/** The control groups of this process, and all above them: each may have a limit. In a container the path may be the host's, and only the mount's own group is seen. */
async function groupsOf(root: string): Promise<Group[]> {
  const lines = ((await read(join(root, 'proc/self/cgroup'))) ?? '').split('\n').map((line) => line.split(':'));
  const v1 = lines.find(([, controllers]) => controllers?.split(',').includes('memory'));
  const v2 = lines.find(([number, controllers]) => number === '0' && controllers === '');
  const [names, line] = v1 === undefined ? [V2, v2] : [V1, v1];
  if (line === undefined) return [];
  const parts = line
    .slice(2)
    .join(':')
    .split('/')
    .filter((part) => part !== '' && part !== '..');
  const folders = parts.map((_, i) => join(root, names.mount, ...parts.slice(0, i + 1)));
  const groups = await Promise.all([join(root, names.mount), ...folders].map((folder) => groupAt(folder, names)));
  return groups.filter((group): group is Group => group !== undefined);
}

/**
 * Memory that this process may still take: on Linux what the kernel takes for available (`MemAvailable` of proc(5)) or what the limits of
 * its control groups leave (version 2 and 1), whichever is less; elsewhere what the system calls free. `root` stands for `/`.
 */
export async function machineMemory(root = '/'): Promise<DeviceMemory> {
  const [total, free, groups] = await Promise.all([
    entryIn(join(root, 'proc/meminfo'), 'MemTotal', 1024),
    entryIn(join(root, 'proc/meminfo'), 'MemAvailable', 1024),
    groupsOf(root),
  ]);
  let least: DeviceMemory = { device: 'cpu', total: total ?? totalmem(), free: free ?? freemem(), source: 'system' };
  for (const { limit, used } of groups) {
    if (limit >= least.total && limit - used >= least.free) continue;
    const left = Math.min(least.free, Math.max(0, limit - used));
    least = { device: 'cpu', total: Math.min(least.total, limit), free: left, source: 'cgroup' };
  }
  return least;
}

const memoryOf = ({ name, index, total, free }: GpuDevice): DeviceMemory => ({
  device: `${name || 'GPU'} (${index})`,
  total,
  free,
  source: 'nvml',
});

/** The GPUs whose memory the driver tells. */
export const gpuMemory = ({ devices }: GpuStatus): DeviceMemory[] =>
  devices.filter(({ problem }) => problem === undefined).map(memoryOf);

/**
 * The GPU that CUDA counts as its first: the one that `CUDA_VISIBLE_DEVICES` names first, by number or by the beginning of its UUID; otherwise
 * number 0. Absent where that is none of them, or the driver does not tell its memory.
 *
 * CUDA numbers GPUs from the fastest on and the driver by their place on the bus, unless `CUDA_DEVICE_ORDER` is `PCI_BUS_ID`: where they are not all
 * of a kind, a number may mean any of them, and the one with the least free memory is taken (CUDA C++ Programming Guide, environment variables).
 */
export function firstGpu(
  { devices }: GpuStatus,
  visible = process.env['CUDA_VISIBLE_DEVICES'],
  order = process.env['CUDA_DEVICE_ORDER'],
): DeviceMemory | undefined {
  const named = visible?.split(',')[0]?.trim();
  if (named !== undefined && !/^\d+$/.test(named)) {
    return known(devices.find(({ uuid }) => named !== '' && uuid?.startsWith(named) === true));
  }
  const number = Number(named ?? 0);
  const sure = order === 'PCI_BUS_ID' || devices.every(({ name }) => name === devices[0]?.name);
  if (sure || number >= devices.length) return known(devices.find(({ index }) => index === number));
  const [least] = devices.filter(({ problem }) => problem === undefined).sort((a, b) => a.free - b.free);
  return known(least);
}

const known = (device: GpuDevice | undefined): DeviceMemory | undefined =>
  device === undefined || device.problem !== undefined ? undefined : memoryOf(device);
