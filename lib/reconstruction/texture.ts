import { abortSignal, boolean, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { packRegions } from '../image/geometry.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import type { CameraIntrinsics } from '../landmarks/camera.js';
import type { Frame, Point } from '../types.js';
import { checkTransform } from './cloud-check.js';
import { checkIntrinsics } from './depth-check.js';
import { checkMesh } from './mesh-check.js';
import type { Mesh, Texture } from './types.js';

/** Longest side of a baked texture. */
export const MOST_TEXTURE_SIDE = 8192;

/** Photographs that are laid over a mesh at a time, at most. */
export const MOST_PHOTOGRAPHS = 64;

/** A photograph and where it was taken from. */
export interface Photograph {
  readonly frame: Frame;
  readonly camera: CameraIntrinsics;
  /** 16 numbers row by row, camera from mesh: X_camera = pose · X_mesh, a rotation and a shift in millimetres. The identity when absent. */
  readonly pose?: ArrayLike<number>;
}

export interface BakeTextureOptions {
  /** Side of the texture in texels, 1 to 8192; default 1024. */
  readonly size?: number;
  /** How narrow the transition from one photograph to the next is, 1 to 16; default 2. */
  readonly sharpness?: number;
  /** Makes photographs equally bright, and of one colour, where they show the same; default true. */
  readonly equalise?: boolean;
  readonly signal?: AbortSignal;
}

export interface BakedTexture {
  readonly texture: Texture;
  /** size²: 1 where a photograph shows the texel, 0 where the colour was made up of what is near. */
  readonly known: Uint8Array;
  /** Share of the mesh's texels that a photograph shows. */
  readonly coverage: number;
  /** What red, green and blue of each photograph were multiplied by. */
  readonly gains: readonly (readonly [red: number, green: number, blue: number])[];
}

/**
 * The texture of a mesh from one or several photographs, over its UVs (see `unwrapMesh` for meshes without). Each texel's place is
 * looked for in every photograph: a depth buffer says whether something hides it, and what is seen squarely and from near counts most,
 * with soft transitions at what hides and at the picture's edge. Texels that nothing shows, on the mesh and beside it, are filled
 * smoothly, so that smaller versions of the texture (mip maps) take nothing foreign in. Where UVs overlap, the first triangle has the texel.
 *
 * @param mesh with `uvs`; its frame is that of the poses
 * @returns Rejects with `INVALID_ARGUMENT`, `NO_SURFACE` (no photograph shows any of the mesh), `ABORTED`, `OUT_OF_MEMORY`, `CLOSED`.
 * Thread-safe; the same bytes for any number of threads.
 */
export async function bakeTexture(
  runtime: Runtime,
  mesh: Mesh,
  photographs: readonly Photograph[],
  options: BakeTextureOptions = {},
): Promise<BakedTexture> {
  plainObject('options', options, ['size', 'sharpness', 'equalise', 'signal']);
  checkMesh('mesh', mesh);
  if (mesh.uvs === undefined) throw invalid('mesh.uvs', 'Float32Array of two numbers for each vertex', undefined);
  if (!Array.isArray(photographs) || photographs.length === 0 || photographs.length > MOST_PHOTOGRAPHS) {
    throw invalid('photographs', `1 to ${MOST_PHOTOGRAPHS} photographs`, photographs);
  }
  const views = photographs.map((one: Photograph, i) => {
    const name = `photographs[${i}]`;
    plainObject(name, one, ['frame', 'camera', 'pose']);
    const { fx, fy, cx, cy } = checkIntrinsics(one.camera);
    return {
      image: checkFrame(`${name}.frame`, one.frame),
      camera: Float64Array.of(fx, fy, cx, cy),
      pose: checkTransform(`${name}.pose`, one.pose ?? IDENTITY).subarray(0, 12),
    };
  });
  const size = positiveInteger('options.size', options.size ?? 1024, MOST_TEXTURE_SIDE);
  const sharpness = numberIn('options.sharpness', options.sharpness ?? 2, 1, 16);
  const equalise = boolean('options.equalise', options.equalise ?? true);
  const signal = options.signal && abortSignal('options.signal', options.signal);
  const { positions, indices, normals, uvs } = mesh;
  const given = { positions, indices, uvs, ...(normals && { normals }) };
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.bakeTexture(runtime.executor, given, views, { size, sharpness, equalise }, token),
  );
  return {
    texture: { data: made.data, width: size, height: size },
    known: made.known,
    coverage: made.coverage,
    gains: photographs.map((_, i) => [made.gains[3 * i]!, made.gains[3 * i + 1]!, made.gains[3 * i + 2]!]),
  };
}

/** A part of a picture, as a depth map covers it; a `FaceDepth` is one. */
export interface PhotoPart {
  readonly width: number;
  readonly height: number;
  /** Its first pixel in the picture; the picture's first one when absent. */
  readonly origin?: Point;
}

/**
 * The cheap texture: the part of the photograph that a depth map covers, for meshes whose UVs are the map's pixels (`meshFromDepth`).
 * Hidden parts of such a mesh are not there, and a texel is a pixel; nothing is sampled anew. The whole photograph when `part` is absent.
 * Rejects with `INVALID_ARGUMENT` (a part beyond the picture), `ABORTED`, `CLOSED`.
 */
export async function photoTexture(
  runtime: Runtime,
  frame: Frame,
  part: PhotoPart = frame,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Texture> {
  plainObject('options', options, ['signal']);
  const image = checkFrame('frame', frame);
  if (typeof part !== 'object' || part === null) throw invalid('part', 'part of the picture', part);
  const width = positiveInteger('part.width', part.width, frame.width);
  const height = positiveInteger('part.height', part.height, frame.height);
  const [x, y] = part.origin ?? [0, 0];
  const inside = (at: number, most: number): boolean => Number.isInteger(at) && at >= 0 && at <= most;
  if (!inside(x, frame.width - width) || !inside(y, frame.height - height)) {
    throw invalid('part.origin', 'pixel whose part lies in the picture', part.origin);
  }
  const signal = options.signal && abortSignal('options.signal', options.signal);
  const data = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.warp(
      runtime.executor,
      image,
      packRegions([[1, 0, x, 0, 1, y]]),
      { width, height, colour: 'rgb' },
      { filter: 'bilinear', border: 'replicate' },
      token,
    ),
  );
  return { data, width, height };
}

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

function checkFrame(name: string, frame: Frame): Frame {
  if (typeof frame !== 'object' || frame === null || !(frame.data instanceof Uint8Array)) {
    throw invalid(name, 'frame', frame);
  }
  positiveInteger(`${name}.width`, frame.width);
  positiveInteger(`${name}.height`, frame.height);
  return frame;
}
