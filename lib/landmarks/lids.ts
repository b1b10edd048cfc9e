import { applyRegion } from '../image/geometry.js';
import type { Networks } from '../models/network.js';
import type { Frame, Point } from '../types.js';
import { checkLandmarks } from './check.js';
import { uprightRegion } from './locate.js';

/** MediaPipe's attention mesh in the starter pack, by the id of its card. */
export const LID_NETWORK = 'mediapipe_face_mesh';

/** Points of the lids: six for each eye, in the order of landmarks 36 to 47. */
export const LID_COUNT = 12;

/**
 * Points of the mesh that stand for landmarks 36 to 47: corner, two of the upper lid, corner, two of the lower lid, of the
 * picture's left eye and then of its right one.
 */
const MESH_LIDS = [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380] as const;

/** Numbers for each of the mesh's 478 points: x, y, z. */
const DIMENSIONS = 3;

/**
 * Side of the turned square over the longer extent of the 68 points. On 19 shut and 315 open eyes of photographs 1.5 and 1.7 part
 * them best (area under the curve of the aspect ratio 0.993 and 0.994; 1.3: 0.988, 1.9: 0.990; the 68 points: 0.66), and 1.7 is the
 * better one on faces whose eyes are less than 30 pixels apart.
 */
const CROP = 1.7;

/** Probability of a face from which the lids are taken for such. */
const MIN_PRESENCE = 0.5;

/**
 * The lids of each face: 12 points in pixels of the picture, in the order of landmarks 36 to 47 (left is the picture's), or
 * absent where the network sees no face. They follow the lids where the 68 points do not: those draw open lids on closed eyes. From
 * MediaPipe's attention mesh (I. Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", CVPR
 * workshops 2020), on a square around the 68 points turned upright. All faces run as batches, 5 to 8 ms for each; the first call reads
 * the network, which takes 13 MB. Behind dark glasses it guesses, and where the eyes are less than some 30 pixels apart, narrow
 * eyes may look closed. Thread-safe; calls may overlap.
 *
 * @param faces 68 points in pixels for each face
 * @throws LineamentError INVALID_ARGUMENT for anything but 68 finite points; rejects with `MODEL_NOT_FOUND` where the pack lacks
 * the network, `ABORTED`, `CLOSED`
 */
export async function locateLids(
  networks: Networks,
  frame: Frame,
  faces: readonly (readonly Point[])[],
  signal?: AbortSignal,
): Promise<(Point[] | undefined)[]> {
  const points = faces.map((face, i) => checkLandmarks(`faces[${i}]`, face));
  if (points.length === 0) return [];
  const network = await networks.get(LID_NETWORK);
  const size = network.card.input.width;
  const regions = points.map((face) => uprightRegion(face, CROP, size));
  const [mesh, presence] = await network.outputs(frame, regions, ['landmarks', 'presence'], { signal });
  return regions.map((region, face): Point[] | undefined => {
    if (!(presence![face]! >= MIN_PRESENCE)) return undefined;
    const at = face * (mesh!.length / regions.length);
    return MESH_LIDS.map((i) => applyRegion(region, mesh![at + i * DIMENSIONS]!, mesh![at + i * DIMENSIONS + 1]!));
  });
}
