import { invalid } from '../errors/validate.js';
import { wrapError } from '../errors.js';
import type { Runtime } from '../inference/runtime.js';
import type { NativeCudaGeometry } from '../native/addon.js';
import { cudaLibrary } from '../native/index.js';

/**
 * Where work on depth maps and volumes is done: `cpu`, or a CUDA device by its number in `cudaStatus()` (`cuda` is `cuda:0`). Both give
 * the same: to the last bit where processor and device round alike, otherwise within some units of the last place.
 *
 * `cuda` needs the plugin (`LINEAMENT_CUDA`, or liblineament_cuda beside the addon) and rejects with `PROVIDER_UNAVAILABLE`, which says
 * what is missing and what to do; the processor never takes over by itself. Plugin and driver are started by the first call that asks
 * for them. Calls for one device take turns, and what a call needs of its memory is kept for the next.
 */
export type ReconstructionDevice = 'cpu' | 'cuda' | `cuda:${number}`;

/** Devices in use in this thread, by plugin and number. */
const opened = new Map<string, Promise<NativeCudaGeometry>>();

/** @internal The device that an option names; absent: the processor. */
export async function cudaOf(runtime: Runtime, device: unknown): Promise<NativeCudaGeometry | undefined> {
  if (device === undefined || device === 'cpu') return undefined;
  const number = typeof device === 'string' ? /^cuda(?::(\d{1,3}))?$/.exec(device) : null;
  if (number === null) throw invalid('device', "'cpu', 'cuda' or 'cuda:N'", device);
  const ordinal = Number(number[1] ?? 0);
  const library = cudaLibrary();
  const key = `${ordinal} ${library}`;
  let geometry = opened.get(key);
  if (geometry === undefined) {
    geometry = runtime.addon.openCudaGeometry(runtime.executor, library, ordinal, 0);
    opened.set(key, geometry);
  }
  try {
    return await geometry;
  } catch (error) {
    // A driver may be installed, a plugin built: the next call asks again.
    if (opened.get(key) === geometry) opened.delete(key);
    throw wrapError(error);
  }
}
