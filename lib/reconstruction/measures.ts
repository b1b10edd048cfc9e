import { GEOMETRY_MEASURES, type GeometryMeasure } from '../analysis/geometry-measures.js';
import type { ReferencePointId } from '../analysis/geometry-points.js';
import { abortSignal, invalid, plainObject } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { CANONICAL_VERTICES } from './canonical.js';
import { FACE_POINTS, facePoint } from './face-points.js';
import { checkMesh } from './mesh-check.js';
import type { Mesh } from './types.js';

/** A distance on the face: as `GEOMETRY_MEASURES` names it, those in pairs with `.left` and `.right`, which are the picture's sides. */
export interface DistanceDefinition {
  readonly id: string;
  readonly name: string;
  readonly of: readonly [ReferencePointId, ReferencePointId];
  readonly source: string;
}

const mirrored = (id: ReferencePointId): ReferencePointId => id.replace('.left', '.right') as ReferencePointId;

const MORE: readonly DistanceDefinition[] = [
  { id: 'biocular-width', name: 'biocular width', of: ['ex.left', 'ex.right'], source: 'Farkas 1994' },
  { id: 'nasal-tip-protrusion', name: 'nasal tip protrusion', of: ['sn', 'prn'], source: 'Farkas 1994' },
  { id: 'ala-length.left', name: 'ala length', of: ['prn', 'al.left'], source: 'Farkas 1994' },
  { id: 'ala-length.right', name: 'ala length', of: ['prn', 'al.right'], source: 'Farkas 1994' },
];

/** Every distance that `faceMeasures` takes: those of the 2D measures, and some that need depth. */
export const FACE_DISTANCES: readonly DistanceDefinition[] = [
  ...(GEOMETRY_MEASURES as readonly GeometryMeasure[]).flatMap(({ id, name, paired, definition, source }) => {
    if (definition.kind !== 'distance') return [];
    const [from, to] = definition.of;
    if (!paired) return [{ id, name, of: definition.of, source }];
    const right = [mirrored(from), mirrored(to)] as const;
    return [
      { id: `${id}.left`, name, of: definition.of, source },
      { id: `${id}.right`, name, of: right, source },
    ];
  }),
  ...MORE,
];

export interface FaceDistance extends DistanceDefinition {
  /** Straight through space. */
  readonly millimetres: number;
}

/** With the way over the skin. */
export interface SurfaceDistance extends FaceDistance {
  /**
   * Millimetres, the shortest way over the triangles; absent where an end is the mean of several vertices (pupils, stomion), which
   * lies on no triangle, and where no way leads there.
   */
  readonly geodesic?: number;
}

/** Distances on a face in millimetres. */
export interface FaceMeasures {
  readonly unit: 'mm';
  /**
   * What depth is worth: the network's prior on heads, fitted to one picture. Distances across the face are as good as its landmarks and
   * its scale; those that run in depth, and ways over the skin, are a likely head's. None is a measurement of the person.
   */
  readonly depth: 'prior';
  readonly distances: readonly SurfaceDistance[];
}

/**
 * Straight distances between named points of a face of fixed topology; see `FaceMeasures.depth` for what those that run in depth are
 * worth. Pure function.
 *
 * @param mesh of `fitCanonicalFace`, or any mesh whose 468 vertices are its
 * @throws LineamentError `INVALID_ARGUMENT`
 */
export function faceDistances(mesh: Pick<Mesh, 'positions'>): FaceDistance[] {
  const positions = mesh?.positions;
  if (!(positions instanceof Float32Array) || positions.length !== 3 * CANONICAL_VERTICES) {
    throw invalid('mesh', `mesh of ${CANONICAL_VERTICES} vertices`, mesh);
  }
  if (!positions.every(Number.isFinite)) throw invalid('mesh.positions', 'finite numbers', positions);
  return FACE_DISTANCES.map((definition) => {
    const [p, q] = [facePoint(mesh, definition.of[0]), facePoint(mesh, definition.of[1])];
    return { ...definition, millimetres: Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) };
  });
}

/**
 * Euclidean and geodesic distances between named points of a face of fixed topology. Geodesics are exact on the mesh (on a sphere, whose
 * way they follow below it, 0.3 % too short at 48 × 24 facets); skin between the vertices is as curved as 898 triangles are.
 *
 * @param mesh of `fitCanonicalFace`, or any mesh whose 468 vertices are its
 * @returns Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`. Thread-safe.
 */
export async function faceMeasures(
  runtime: Runtime,
  mesh: Mesh,
  options: { readonly signal?: AbortSignal } = {},
): Promise<FaceMeasures> {
  plainObject('options', options, ['signal']);
  checkMesh('mesh', mesh);
  const straight = faceDistances(mesh);
  const single = (id: ReferencePointId): number | undefined => {
    const vertices: readonly number[] = FACE_POINTS[id];
    return vertices.length === 1 ? vertices[0] : undefined;
  };
  const sources = new Set<number>();
  for (const { of } of FACE_DISTANCES) {
    const from = single(of[0]);
    if (from !== undefined && single(of[1]) !== undefined) sources.add(from);
  }
  const rows = await geodesicDistances(runtime, mesh, [...sources], options);
  const row = new Map([...sources].map((vertex, i) => [vertex, rows[i]!]));
  const distances = straight.map((distance): SurfaceDistance => {
    const [from, to] = [single(distance.of[0]), single(distance.of[1])];
    const way = from === undefined || to === undefined ? Number.NaN : row.get(from)![to]!;
    return Number.isFinite(way) ? { ...distance, geodesic: way } : distance;
  });
  return { unit: 'mm', depth: 'prior', distances };
}

/**
 * Lengths of the shortest ways over a mesh, from each source to every vertex: one array of n millimetres for each source, Infinity where no
 * way leads. Exact for the surface that the triangles are (window propagation after Mitchell, Mount and Papadimitriou 1987). Meant for
 * meshes of up to some ten thousand vertices. Edges of three triangles and more are followed, but not crossed.
 *
 * @returns Rejects with `INVALID_ARGUMENT` (a source that is no vertex), `NO_SURFACE`, `ABORTED`, `OUT_OF_MEMORY`, `CLOSED`. Thread-safe.
 */
export async function geodesicDistances(
  runtime: Runtime,
  mesh: Mesh,
  sources: readonly number[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Float64Array[]> {
  plainObject('options', options, ['signal']);
  const { positions, indices } = checkMesh('mesh', mesh);
  const vertices = positions.length / 3;
  const isVertex = (i: unknown): boolean => Number.isInteger(i) && (i as number) >= 0 && (i as number) < vertices;
  if (!Array.isArray(sources) || sources.length === 0 || !sources.every(isVertex)) {
    throw invalid('sources', `list of vertices below ${vertices}`, sources);
  }
  const signal = options.signal && abortSignal('options.signal', options.signal);
  const lengths = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.geodesicDistances(runtime.executor, { positions, indices }, Uint32Array.from(sources), token),
  );
  return sources.map((_, i) => lengths.subarray(i * vertices, (i + 1) * vertices));
}
