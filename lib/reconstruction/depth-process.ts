import { abortSignal, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { MOST_DEPTH_PIXELS } from '../native/depth.js';
import { checkDepth, positive } from './depth-check.js';
import { cudaOf, type ReconstructionDevice } from './device.js';
import type { DepthMap } from './types.js';

export interface FilterDepthOptions {
  /** Pixels from the middle of the window to its border, 1 to 16; default twice `spatial`, rounded up. */
  readonly radius?: number;
  /** Standard deviation of the weights by distance in the picture, in pixels; default 1.5. */
  readonly spatial?: number;
  /** Millimetres of difference in depth from which a neighbour has no say; default 10. Three to five times the noise is usual. */
  readonly range?: number;
  /** Where it is computed; `cpu` when absent. */
  readonly device?: ReconstructionDevice;
  readonly signal?: AbortSignal;
}

/**
 * The same depth with less noise and its edges where they were: a bilateral filter (C. Tomasi, R. Manduchi, "Bilateral Filtering
 * for Gray and Color Images", ICCV 1998) with Tukey's biweight (1 − (Δ / range)²)² for the difference in depth, so that what lies
 * beyond an edge has no say at all. Pixels without depth neither gain one nor count. Confidence stays. Surfaces that are seen
 * at an angle keep their slope but for the `spatial` pixels along their edges, which are drawn towards the middle.
 *
 * Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`, `PROVIDER_UNAVAILABLE` (a device that is not there). Thread-safe; the same
 * bytes for any number of threads, the last digits differ between SIMD levels and devices.
 */
export async function filterDepth<T extends DepthMap>(
  runtime: Runtime,
  map: T,
  options: FilterDepthOptions = {},
): Promise<T> {
  plainObject('options', options, ['radius', 'spatial', 'range', 'device', 'signal']);
  const { width, height } = checkDepth(map);
  const spatial = numberIn('spatial', options.spatial ?? 1.5, 0.01, 100);
  const radius = positiveInteger('radius', options.radius ?? Math.min(16, Math.ceil(2 * spatial)), 16);
  const range = numberIn('range', options.range ?? 10, 1e-6, 1e6);
  const signal = options.signal && abortSignal('signal', options.signal);
  const how = { width, height, radius, spatial, range, cuda: await cudaOf(runtime, options.device) };
  const depth = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.filterDepth(runtime.executor, map.depth, how, token),
  );
  return { ...map, depth };
}

export interface FillDepthOptions {
  /** Holes of more pixels stay open; default 2500. */
  readonly mostPixels?: number;
  /** Holes whose rim spans more millimetres lie between two surfaces and stay open; default 40. */
  readonly mostSpan?: number;
  readonly signal?: AbortSignal;
}

/**
 * The same depth with its small holes closed. A hole is an area without depth, connected by sides, that does not reach the map's
 * border. Inside it 1/Z becomes the membrane through the rim (Laplace's equation), which continues a plane in space as that plane.
 * The confidence of what is filled is half the mean of the rim's.
 *
 * Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`. Thread-safe; the same bytes for any number of threads.
 */
export async function fillDepth<T extends DepthMap>(
  runtime: Runtime,
  map: T,
  options: FillDepthOptions = {},
): Promise<T> {
  plainObject('options', options, ['mostPixels', 'mostSpan', 'signal']);
  const shape = checkDepth(map);
  const mostPixels = positiveInteger('mostPixels', options.mostPixels ?? 2500, MOST_DEPTH_PIXELS);
  const mostSpan = positive('mostSpan', options.mostSpan ?? 40);
  const signal = options.signal && abortSignal('signal', options.signal);
  const { depth, confidence } = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.fillDepth(runtime.executor, map.depth, map.confidence, { ...shape, mostPixels, mostSpan }, token),
  );
  return { ...map, depth, confidence };
}
