import { abortSignal, boolean, invalid, plainObject, positiveInteger } from '../errors/validate.js';
import { throwIfAborted } from '../errors.js';
import type { Runtime } from '../inference/runtime.js';
import type { FaceMesh } from '../landmarks/dense-mesh.js';
import type { Frame } from '../types.js';
import { canonicalFace } from './canonical.js';
import { fitCanonicalFace } from './canonical-fit.js';
import { type CameraSource, cameraOf } from './cloud-camera.js';
import { depthFromLandmarks, type FaceDepth } from './depth.js';
import { meshFromDepth } from './grid-mesh.js';
import { type LevelOfDetail, levelsOfDetail } from './lod.js';
import { RECONSTRUCT_OPTIONS, type ReconstructFaceOptions } from './reconstruct-options.js';
import { smoothMesh } from './surface.js';
import { photoTexture } from './texture.js';
import type { Mesh } from './types.js';

/** Milliseconds of each stage; `texture` runs beside `surface`. */
export interface ReconstructionStages {
  readonly depth: number;
  readonly surface: number;
  readonly levels: number;
  readonly texture: number;
  /** From the dense mesh to the end. */
  readonly total: number;
}

/** A face rebuilt from one photograph. */
export interface FaceReconstruction {
  /** Depth of the part of the picture that the face covers. */
  readonly depth: FaceDepth;
  /** How the camera is known; the distance from it, and a little of the shape, is as good as its focal length. */
  readonly cameraSource: CameraSource;
  /**
   * The visible surface, finest level first, each with texture coordinates into `texture`; camera frame, millimetres.
   */
  readonly levels: readonly LevelOfDetail[];
  /** 468 vertices, each at the same place on everybody; camera frame, millimetres. Hidden parts are as the network guesses them. */
  readonly canonical: Mesh;
  readonly stages: ReconstructionStages;
}

/** Vertices over the box of the face, at most; of large faces only every second or third pixel becomes one. */
const GRID_VERTICES = 40_000;

/** Below it lies the rim of the face, a pixel or two that are seen so slantingly that their depth means little. */
const LEAST_CONFIDENCE = 0.1;

/** Pairs of smoothing steps. */
const SMOOTHING = 8;

/** Each level has this part of the triangles of the one before. */
const RATIO = 4;

/**
 * A face of a photograph as a textured surface with levels of detail: depth from the dense mesh of its landmarks, triangles between
 * its pixels, fewer of them step by step. Without hair, ears and neck: the mesh ends at the oval of the face. Where the face turns away
 * from the camera the surface ends; what the camera did not see is left out, not made up. The shape is a prior fitted to the picture,
 * not a measurement (see `depthFromLandmarks`).
 *
 * @param mesh of the face, from `locateFaceMesh`
 * @param models folder of the models, which holds the canonical face; the starter pack when absent
 * @returns Rejects with `NO_SURFACE` where no pixel of the picture sees the face, `INVALID_ARGUMENT`, `MODEL_NOT_FOUND`,
 * `MODEL_CORRUPT`, `MODEL_HASH_MISMATCH`, `ABORTED`, `CLOSED`. Thread-safe; the same bytes for any number of threads.
 */
export async function reconstructFace(
  runtime: Runtime,
  frame: Frame,
  mesh: FaceMesh,
  options: ReconstructFaceOptions = {},
  models?: string,
): Promise<FaceReconstruction> {
  plainObject('options', options, RECONSTRUCT_OPTIONS);
  const { scale, exif } = options;
  const count = positiveInteger('levels', options.levels ?? 4, 8);
  const most = positiveInteger('triangles', options.triangles ?? 20_000);
  const textured = boolean('texture', options.texture ?? true);
  const signal = options.signal && abortSignal('signal', options.signal);
  const stopped = signal && { signal };
  if (!(mesh?.points instanceof Float32Array)) throw invalid('mesh', 'mesh of a face', mesh);
  const stages = { depth: 0, surface: 0, levels: 0, texture: 0 };
  const timed = async <T>(stage: keyof typeof stages, work: Promise<T>): Promise<T> => {
    const begin = performance.now();
    const result = await work;
    stages[stage] = performance.now() - begin;
    return result;
  };
  const given = {
    ...(options.intrinsics && { intrinsics: options.intrinsics }),
    ...(options.fieldOfView !== undefined && { fieldOfView: options.fieldOfView }),
  };
  const { camera, source: cameraSource } = cameraOf({ exif }, frame.width, frame.height, given);
  throwIfAborted(signal);
  const { indices: triangles } = await canonicalFace(models);
  const begun = performance.now();
  const depth = await timed(
    'depth',
    depthFromLandmarks(runtime, mesh.points, frame, {
      region: 'face',
      triangles,
      intrinsics: camera,
      ...(scale && { scale }),
      ...stopped,
    }),
  );
  const [surface, texture] = await Promise.all([
    timed('surface', surfaceOf(runtime, depth, signal)),
    textured ? timed('texture', photoTexture(runtime, frame, depth, stopped)) : undefined,
  ]);
  const finest = Math.min(most, surface.indices.length / 3);
  const targets = Array.from({ length: count }, (_, i) => Math.max(1, Math.floor(finest / RATIO ** i)));
  const chain = await timed('levels', levelsOfDetail(runtime, surface, { triangles: targets, ...stopped }));
  return {
    depth,
    cameraSource,
    levels: texture === undefined ? chain : chain.map((level) => ({ ...level, mesh: { ...level.mesh, texture } })),
    canonical: await fitCanonicalFace(mesh.points, depth, models),
    stages: { ...stages, total: performance.now() - begun },
  };
}

/**
 * Triangles between the pixels. Smoothed along and across, as pixels make steps of the face's outline that are millimetres deep where it
 * turns away; texture coordinates follow the vertices to where the photograph shows them.
 */
async function surfaceOf(runtime: Runtime, depth: FaceDepth, signal: AbortSignal | undefined): Promise<Mesh> {
  const stopped = signal && { signal };
  const step = Math.ceil(Math.sqrt((depth.width * depth.height) / GRID_VERTICES));
  const grid = await meshFromDepth(runtime, depth, {
    step,
    minConfidence: LEAST_CONFIDENCE,
    ...stopped,
  });
  const mesh = await smoothMesh(runtime, grid, { iterations: SMOOTHING, border: 'along', ...stopped });
  const { fx, fy, cx, cy } = depth.camera;
  const { positions } = mesh;
  const uvs = new Float32Array((positions.length / 3) * 2);
  for (let i = 0, k = 0; k < uvs.length; i += 3, k += 2) {
    const z = positions[i + 2]!;
    uvs[k] = Math.min(1, Math.max(0, ((fx * positions[i]!) / z + cx) / depth.width));
    uvs[k + 1] = Math.min(1, Math.max(0, ((fy * positions[i + 1]!) / z + cy) / depth.height));
  }
  return { ...mesh, uvs };
}
