import { resolve } from 'node:path';
import type { NativeExecutor } from './addon.js';
import { loadAddon } from './load.js';

/** The memory of an NVIDIA GPU, in bytes, as the driver says now. */
export interface GpuDevice {
  /** As the driver counts them: by their place on the bus. */
  readonly index: number;
  /** Empty where the driver does not even say that. */
  readonly name: string;
  readonly uuid?: string;
  readonly total: number;
  readonly free: number;
  readonly used: number;
  /** Why the numbers are not known; they are 0 then. */
  readonly problem?: string;
}

/**
 * How far the way to the driver's numbers goes. `no library`: it did not bring its management library, so there is none. `unusable`: the file is
 * no library for this machine, or lacks a function. `no driver`: it is not loaded, or of another version than its library. `no device`: it
 * has none. `failed`: it reported something else. `ready`: see `devices`.
 */
export type GpuState = 'no library' | 'unusable' | 'no driver' | 'no device' | 'failed' | 'ready';

export interface GpuStatus {
  readonly state: GpuState;
  /** The library that was asked, or looked for. */
  readonly path: string;
  /** Version of the driver. */
  readonly driver?: string;
  /** What is wrong; absent where ready. */
  readonly problem?: string;
  readonly devices: readonly GpuDevice[];
}

/** What the addon exports for GPUs. The driver's library is not looked for before the first call. */
export interface NativeNvml {
  /** `path`: the library; empty for the driver's own. */
  gpuReport(executor: NativeExecutor, path: string): Promise<GpuStatus>;
}

/**
 * Asks the driver for the memory of each GPU (NVML), on a thread of its own. `LINEAMENT_NVML` names another library than the driver's. What is
 * missing is part of the answer. Rejects with `ADDON_NOT_FOUND` only.
 */
export async function gpuStatus(): Promise<GpuStatus> {
  const addon = loadAddon();
  const named = process.env['LINEAMENT_NVML'];
  const executor = addon.createExecutor(1);
  try {
    return await addon.gpuReport(executor, named ? resolve(named) : '');
  } finally {
    await executor.close();
  }
}
