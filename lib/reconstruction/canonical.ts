import { LineamentError } from '../errors.js';
import { openPack, readVerified } from '../models/pack.js';
import type { Mesh } from './types.js';

/** Vertices of the canonical face; landmarks 0–467 of the face mesh networks (those from 468 on are irises and no vertices). */
export const CANONICAL_VERTICES = 468;

/**
 * The face that MediaPipe's 468 landmarks have on average, as a mesh: vertex i is landmark i, the same place on everybody. One
 * sheet of 898 triangles with one border, the face's oval; eyes and mouth are closed. The origin lies inside the head, at the height of the nose.
 * Frame: millimetres, X to the picture's right, Y down, Z away from the viewer, of a face that looks at the camera (the frame of the
 * file that it comes from, centimetres with Y up and Z to the viewer, turned half around X).
 *
 * The arrays are shared by all callers: copy them before you change them.
 */
export interface CanonicalFace extends Mesh {
  /** Of MediaPipe's canonical face texture: all within 0–1, no two triangles overlap. */
  readonly uvs: Float32Array;
  /** Vertices that say where a head is, and how much each counts: away from lips, lids and brows, which move. */
  readonly basis: { readonly vertices: Uint32Array; readonly weights: Float64Array };
}

/** Of models/pack/face468.mesh; models/import/canonical-face.ts writes it and describes its layout. */
const FILE = {
  file: 'face468.mesh',
  bytes: 14970,
  sha256: 'd2d554b722dad6dea2530cd076666d29f9f3cd764a1ca623d1af29bbb547735f',
} as const;

const faces = new Map<string, Promise<CanonicalFace>>();

/**
 * The canonical face of the starter pack, or of the folder of models that is named. Read once for each folder. Rejects with
 * `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_HASH_MISMATCH`.
 */
export async function canonicalFace(models?: string): Promise<CanonicalFace> {
  const { folder } = await openPack(models);
  const known = faces.get(folder);
  if (known !== undefined) return known;
  const reading = readVerified(folder, FILE).then(parseFaceMesh);
  faces.set(folder, reading);
  // A failure is not remembered: the file may be put right while the program runs.
  reading.catch(() => faces.delete(folder));
  return reading;
}

/** @internal Reads a face468.mesh. Throws `MODEL_CORRUPT`. */
export function parseFaceMesh(data: Uint8Array): CanonicalFace {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const corrupt = (): LineamentError => new LineamentError('MODEL_CORRUPT', `${FILE.file} is no mesh of a face`);
  if (data.byteLength < 24 || Buffer.from(data.subarray(0, 8)).toString('latin1') !== 'LNMFACE1') throw corrupt();
  const [vertices, triangles, basis] = [8, 12, 16].map((at) => view.getUint32(at, true)) as [number, number, number];
  if (data.byteLength !== 24 + 4 * (5 * vertices + basis) + 2 * (3 * triangles + basis)) throw corrupt();
  let at = 24;
  const next = (bytes: number): number => {
    at += bytes;
    return at - bytes;
  };
  const f32 = (): number => view.getFloat32(next(4), true);
  const u16 = (): number => view.getUint16(next(2), true);
  const positions = Float32Array.from({ length: 3 * vertices }, f32);
  const uvs = Float32Array.from({ length: 2 * vertices }, f32);
  const weights = Float64Array.from({ length: basis }, f32);
  const indices = Uint32Array.from({ length: 3 * triangles }, u16);
  const numbers = Uint32Array.from({ length: basis }, u16);
  if (indices.some((i) => i >= vertices) || numbers.some((i) => i >= vertices)) throw corrupt();
  return { positions, uvs, indices, basis: { vertices: numbers, weights } };
}

/** Parts of the face by vertices, in order around each; left and right are those of the picture. */
export const FACE_REGIONS = {
  /** The border of the mesh, from the middle of the forehead clockwise in the picture. */
  faceOval: [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  ],
  /** From the left corner over the upper lip. */
  outerLips: [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146],
  innerLips: [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95],
  /** From the outer corner over the upper lid. */
  leftEye: [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
  rightEye: [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
  /** From the inner end of the upper edge to its outer end and back along the lower edge. */
  leftBrow: [107, 66, 105, 63, 70, 46, 53, 52, 65, 55],
  rightBrow: [336, 296, 334, 293, 300, 276, 283, 282, 295, 285],
  /** From between the eyes to the tip. */
  noseBridge: [168, 6, 197, 195, 5, 4, 1],
} as const satisfies Record<string, readonly number[]>;

/** A part of the face. */
export type FaceRegion = keyof typeof FACE_REGIONS;
