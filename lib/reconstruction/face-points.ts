import type { ReferencePointId } from '../analysis/geometry-points.js';
import type { Mesh } from './types.js';

/**
 * Where the reference points of the 2D measures (`REFERENCE_POINTS`, after Farkas 1994) lie on the canonical face: the vertex, or the
 * vertices whose mean it is; of a pair, that on the picture's left and that on its right. Skin points: bony ones (nasion, gnathion,
 * zygion, gonion, tragion) are palpated on people and lie near these.
 */
export const FACE_POINTS = {
  g: [9],
  n: [168],
  prn: [4],
  sn: [2],
  ls: [0],
  sto: [13, 14],
  li: [17],
  gn: [152],
  'ex.left': [33],
  'ex.right': [263],
  'en.left': [133],
  'en.right': [362],
  'ps.left': [159],
  'ps.right': [386],
  'pi.left': [145],
  'pi.right': [374],
  'p.left': [33, 159, 133, 145],
  'p.right': [263, 386, 362, 374],
  'sci.left': [105],
  'sci.right': [334],
  'bm.left': [107],
  'bm.right': [336],
  'bl.left': [70],
  'bl.right': [300],
  'al.left': [102],
  'al.right': [331],
  'ch.left': [61],
  'ch.right': [291],
  'cph.left': [37],
  'cph.right': [267],
  'zy.left': [227],
  'zy.right': [447],
  't.left': [234],
  't.right': [454],
  'go.left': [172],
  'go.right': [397],
} as const satisfies Record<ReferencePointId, readonly number[]>;

/** Where a reference point is on a mesh of 468 vertices. */
export function facePoint(mesh: Pick<Mesh, 'positions'>, id: ReferencePointId): [number, number, number] {
  const vertices: readonly number[] = FACE_POINTS[id];
  const sum: [number, number, number] = [0, 0, 0];
  for (const vertex of vertices)
    for (let k = 0; k < 3; k++) sum[k]! += mesh.positions[3 * vertex + k]! / vertices.length;
  return sum;
}
