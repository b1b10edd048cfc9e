import type { NativeExecutor, NativeToken } from './addon.js';
import type { NativeCudaGeometry } from './cuda.js';
import type { NativeLens, NativeSize } from './depth.js';

/** More neighbours of a point than this are not looked at. */
export const MOST_NEIGHBOURS = 1024;
/** The most points of a cloud. */
export const MOST_POINTS = 2 ** 27;

/** Points and what is known of them; see native/cloud/point_cloud.h. */
export interface NativePointCloud {
  /** n × 3 finite numbers within ± 10⁹. */
  readonly positions: Float32Array;
  readonly normals?: Float32Array | undefined;
  readonly colours?: Uint8Array | undefined;
}

/**
 * Pixels to each side, 1 to 16, and the share of the depth by which a pixel's neighbour on the same surface differs
 * at most.
 */
export interface NativeNormalWindow {
  readonly radius: number;
  readonly step: number;
}

/**
 * Tight RGB: the depth map's own pixels, or (with `fx`) a picture with its camera and 4 × 4 numbers, row by row, from
 * the depth camera's frame to its own.
 */
export interface NativeColours extends NativeSize, Partial<NativeLens> {
  readonly pixels: Uint8Array;
  readonly transform?: Float64Array | undefined;
}

export interface NativeProjectOptions extends NativeSize, NativeLens {
  readonly leastConfidence: number;
  readonly normals?: NativeNormalWindow | undefined;
  readonly picture?: NativeColours | undefined;
  readonly cuda?: NativeCudaGeometry | undefined;
}

/** See native/cloud/icp.h. */
export interface NativeRegistration {
  /** m × [voxel, maximal distance, scale of the loss, iterations]. */
  readonly levels: Float64Array;
  readonly loss: 'none' | 'huber' | 'tukey';
  /** 4 × 4 numbers row by row. */
  readonly start?: Float64Array | undefined;
  readonly leastTurn: number;
  readonly leastShift: number;
}

export interface NativeRegistered {
  readonly transform: Float64Array;
  readonly fitness: number;
  readonly inlierRmse: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * What the addon exports for point clouds. The same bytes for any number of threads; tokens are polled between parts
 * of the work.
 */
export interface NativeClouds {
  projectDepth(
    executor: NativeExecutor,
    depth: Float32Array,
    confidence: Float32Array | undefined,
    options: NativeProjectOptions,
    token?: NativeToken,
  ): Promise<NativePointCloud & { readonly pixels: Uint32Array }>;
  /** 3 × width × height. */
  depthNormals(
    executor: NativeExecutor,
    depth: Float32Array,
    confidence: Float32Array | undefined,
    options: NativeSize &
      NativeLens & {
        readonly leastConfidence: number;
        readonly normals: NativeNormalWindow;
        readonly cuda?: NativeCudaGeometry | undefined;
      },
    token?: NativeToken,
  ): Promise<Float32Array>;
  /** `radius` 0: none. */
  cloudNormals(
    executor: NativeExecutor,
    cloud: NativePointCloud,
    options: {
      readonly neighbours: number;
      readonly radius: number;
      readonly x: number;
      readonly y: number;
      readonly z: number;
    },
    token?: NativeToken,
  ): Promise<Float32Array>;
  voxelMeans(
    executor: NativeExecutor,
    cloud: NativePointCloud,
    size: number,
    token?: NativeToken,
  ): Promise<NativePointCloud>;
  poissonDisk(
    executor: NativeExecutor,
    cloud: NativePointCloud,
    radius: number,
    seed: number,
    token?: NativeToken,
  ): Promise<NativePointCloud & { readonly kept: Uint32Array }>;
  statisticalInliers(
    executor: NativeExecutor,
    cloud: NativePointCloud,
    options: { readonly neighbours: number; readonly ratio: number },
    token?: NativeToken,
  ): Promise<NativePointCloud & { readonly kept: Uint32Array }>;
  radiusInliers(
    executor: NativeExecutor,
    cloud: NativePointCloud,
    options: { readonly neighbours: number; readonly radius: number },
    token?: NativeToken,
  ): Promise<NativePointCloud & { readonly kept: Uint32Array }>;
  registerClouds(
    executor: NativeExecutor,
    source: NativePointCloud,
    target: NativePointCloud,
    options: NativeRegistration,
    token?: NativeToken,
  ): Promise<NativeRegistered>;
}
