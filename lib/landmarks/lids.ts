import type { Networks } from '../models/network.js';
import type { Frame, Point } from '../types.js';
import { FACE_MESH_NETWORK, locateFaceMesh } from './dense-mesh.js';

/** The network that finds the lids, by the id of its card. */
export const LID_NETWORK = FACE_MESH_NETWORK;

/** Points of the lids: six for each eye, in the order of landmarks 36 to 47. */
export const LID_COUNT = 12;

/**
 * Points of the mesh that stand for landmarks 36 to 47: corner, two of the upper lid, corner, two of the lower lid, of the
 * picture's left eye and then of its right one.
 */
const MESH_LIDS = [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380] as const;

/**
 * The lids of each face: 12 points in pixels of the picture, in the order of landmarks 36 to 47 (left is the picture's), or
 * absent where the network sees no face. They follow the lids where the 68 points do not: those draw open lids on closed eyes. They
 * are points of the dense mesh (`locateFaceMesh`). Behind dark glasses it guesses, and where the eyes are less than some 30 pixels
 * apart, narrow eyes may look closed. Thread-safe; calls may overlap.
 *
 * @param faces 68 points in pixels for each face
 * @throws LineamentError as `locateFaceMesh` does
 */
export async function locateLids(
  networks: Networks,
  frame: Frame,
  faces: readonly (readonly Point[])[],
  signal?: AbortSignal,
): Promise<(Point[] | undefined)[]> {
  const meshes = await locateFaceMesh(networks, frame, faces, signal);
  return meshes.map((mesh) => mesh && MESH_LIDS.map((i): Point => [mesh.points[3 * i]!, mesh.points[3 * i + 1]!]));
}
