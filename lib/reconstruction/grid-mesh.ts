import { abortSignal, boolean, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { MOST_DEPTH_SIDE } from '../native/depth.js';
import type { Frame } from '../types.js';
import { checkDepth } from './depth-check.js';
import type { DepthMap, Mesh, Texture } from './types.js';

export interface MeshFromDepthOptions {
  /** Every so many pixels of every so many rows make a vertex; 1 when absent. */
  readonly step?: number;
  /**
   * Neighbours are parted where their depths differ by more than this share of the nearer depth and the surface between them would
   * at the same time be seen more slantingly than `angle`; 0.02 when absent.
   */
  readonly jump?: number;
  /** Degrees between the view and the surface's normal, 0 to below 90; 75 when absent. */
  readonly angle?: number;
  /** Triangles whose height is a lesser part of their longest side are left out, 0 to below 0.86; 0.02 when absent. */
  readonly sliver?: number;
  /** Pixels of less confidence make no vertex; 0 (all that have a depth) when absent. */
  readonly minConfidence?: number;
  /** Normals weighted by area; true when absent. */
  readonly normals?: boolean;
  /** A picture with a pixel for each of the depth map: it gives the vertices' colours. */
  readonly picture?: Frame;
  /** A picture of what the depth map shows, of any size: it becomes the mesh's texture. */
  readonly texture?: Texture;
  readonly signal?: AbortSignal;
}

/** A mesh whose vertices are pixels of a depth map. */
export interface DepthMesh extends Mesh {
  readonly uvs: Float32Array;
  /** n: row × width + column of each vertex's pixel, ascending. */
  readonly pixels: Uint32Array;
}

/**
 * Triangles over the grid of a depth map, in the camera's frame (millimetres): two for each square of four neighbours, parted by its
 * shorter diagonal, one where a corner is missing, none across a step in depth. They turn counterclockwise seen from the camera.
 * The texture coordinates are the pixel's centre over the size of the depth map, so that a picture of what the map shows is the
 * texture. No vertex is without a triangle.
 *
 * Rejects with `NO_SURFACE` (no two neighbours have a depth and belong together), `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`,
 * `OUT_OF_MEMORY`. Thread-safe; the same bytes for any number of threads.
 */
export async function meshFromDepth(
  runtime: Runtime,
  map: DepthMap,
  options: MeshFromDepthOptions = {},
): Promise<DepthMesh> {
  plainObject('options', options, [
    'step',
    'jump',
    'angle',
    'sliver',
    'minConfidence',
    'normals',
    'picture',
    'texture',
    'signal',
  ]);
  const asked = {
    ...checkDepth(map),
    step: positiveInteger('step', options.step ?? 1, MOST_DEPTH_SIDE),
    jump: numberIn('jump', options.jump ?? 0.02, 0, 1e6),
    angle: numberIn('angle', options.angle ?? 75, 0, 89.999),
    sliver: numberIn('sliver', options.sliver ?? 0.02, 0, 0.859),
    minConfidence: numberIn('minConfidence', options.minConfidence ?? 0, 0, 1),
    normals: boolean('normals', options.normals ?? true),
  };
  const { picture, texture } = options;
  if (picture !== undefined && (picture?.width !== map.width || picture.height !== map.height)) {
    throw invalid('picture', `frame of ${map.width} × ${map.height} pixels`, picture);
  }
  const signal = options.signal && abortSignal('signal', options.signal);
  const { addon, executor } = runtime;
  const made = await cancellable(addon, signal, async (token) => {
    const colours = picture && (await addon.convert(executor, picture, 'rgb', token));
    return addon.meshFromDepth(executor, map.depth, map.confidence, colours, asked, token);
  });
  return { ...(made as DepthMesh), ...(texture === undefined ? {} : { texture }) };
}
