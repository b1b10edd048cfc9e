import { dirname, resolve } from 'node:path';
import type { NativeExecutor, NativeToken } from './addon.js';
import { addonPath, loadAddon } from './load.js';
import type { NativeIndex } from './search.js';

/** A CUDA device, as the driver describes it. */
export interface CudaDevice {
  readonly name: string;
  /** Compute capability, such as `9.0`; 7.5 or later is needed. */
  readonly capability: string;
  readonly multiprocessors: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes, now. */
  readonly freeMemory: number;
  readonly usable: boolean;
  /** Why it cannot be used. */
  readonly problem?: string;
}

/**
 * How far the way to a CUDA device goes. `no library`: liblineament_cuda is not there. `unloadable`: the file is no library for
 * this machine, or needs what is not there. `wrong version`: it is from other sources than the addon. `no driver`: none, or one
 * that is too old. `no device`: the driver knows none. `failed`: the driver reported something else. `ready`: see `devices`.
 */
export type CudaState = 'no library' | 'unloadable' | 'wrong version' | 'no driver' | 'no device' | 'failed' | 'ready';

export interface CudaStatus {
  readonly state: CudaState;
  /** The library that was asked. */
  readonly path: string;
  /** What is wrong; absent where ready. */
  readonly problem?: string;
  /** What to do about it. */
  readonly fix?: string;
  /** The highest CUDA version of the driver, 1000 × major + 10 × minor. */
  readonly driverVersion?: number;
  /** The CUDA version that the library was built with. */
  readonly runtimeVersion?: number;
  /** True: a library made for tests, which does what a device would do on the processor, slowly. */
  readonly reference: boolean;
  /** By number, as `device` options count them. */
  readonly devices: readonly CudaDevice[];
}

/** An index whose vectors lie on a device; calls take turns. `save` writes what `openIndex` opens. */
export interface NativeCudaIndex extends NativeIndex {
  readonly precision: 'exact';
  /** Bytes of the device's memory. */
  readonly deviceBytes: number;
  /** Adds what a snapshot of exact precision holds to an index that is empty. `STORE_CORRUPT`, `STORE_VERSION`. */
  load(executor: NativeExecutor, path: string, token?: NativeToken): Promise<void>;
}

/**
 * A device for geometry: the option `cuda` of `projectDepth`, `depthNormals`, `filterDepth` and `createVolume` says that they are done
 * there. Calls take turns. The device's memory goes when the object is collected and nothing that was made with it is in use.
 */
export interface NativeCudaGeometry {
  /** Bytes of the device's memory. */
  readonly deviceBytes: number;
}

/** What the addon exports for CUDA. Neither the library nor the driver is touched before the first call. */
export interface NativeCuda {
  cudaReport(executor: NativeExecutor, path: string): Promise<CudaStatus>;
  /**
   * `device`: its number. `mostBytes`: of the device's memory, 0 for all there is. `PROVIDER_UNAVAILABLE` says why there is no
   * such device.
   */
  createCudaIndex(
    executor: NativeExecutor,
    path: string,
    dims: number,
    device: number,
    mostBytes: number,
  ): Promise<NativeCudaIndex>;
  /** As `createCudaIndex`. */
  openCudaGeometry(
    executor: NativeExecutor,
    path: string,
    device: number,
    mostBytes: number,
  ): Promise<NativeCudaGeometry>;
}

const LIBRARY = process.platform === 'win32' ? 'lineament_cuda.dll' : 'liblineament_cuda.so';

/** The CUDA plugin: the file that `LINEAMENT_CUDA` names, otherwise the one beside the addon, whether it is there or not. */
export function cudaLibrary(): string {
  const named = process.env['LINEAMENT_CUDA'];
  if (named) return resolve(named);
  loadAddon();
  return resolve(dirname(addonPath() ?? ''), LIBRARY);
}

/**
 * Looks for the CUDA plugin, the driver and devices. This loads the library and starts the driver, so it is only done where it is
 * asked for. What is missing is part of the answer. Rejects with `ADDON_NOT_FOUND` only.
 */
export async function cudaStatus(): Promise<CudaStatus> {
  const addon = loadAddon();
  const executor = addon.createExecutor(1);
  try {
    return await addon.cudaReport(executor, cudaLibrary());
  } finally {
    await executor.close();
  }
}
