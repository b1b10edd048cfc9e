import { invalid, oneOf } from '../errors/validate.js';
import { MIRROR } from '../landmarks/mirror.js';
import type { Point, Pose } from '../types.js';
import {
  angleAt,
  areaOf,
  bothWays,
  distance,
  interOcular,
  lengthOf,
  type MeasureOptions,
  turningOf,
} from './geometry-frame.js';
import { GEOMETRY_MEASURES, type GeometryMeasureId, type MeasureDefinition } from './geometry-measures.js';
import {
  CONTOURS,
  type ContourName,
  REFERENCE_POINT_IDS,
  type ReferencePointId,
  referencePoint,
} from './geometry-points.js';

/** The proportions of a face. */
export interface FaceGeometry {
  /**
   * Values by id, units as in `GEOMETRY_MEASURES` and MEASURES.md: lengths over the distance of the outer corners of the eyes,
   * indices in percent, angles in degrees. What cannot be said (a ratio over nothing) is absent.
   */
  readonly measures: Readonly<Partial<Record<GeometryMeasureId, number>>>;
  /** Where the reference points are in the picture, pixels; not corrected. */
  readonly points: Readonly<Record<ReferencePointId, Point>>;
  /** The orientation that was taken out before measuring; absent where it was not. */
  readonly pose?: Pose;
}

/** A line of the face in the picture, and what is measured along it. */
export interface FaceContour {
  /** The line's points in pixels; a closed line goes back to the first. */
  readonly line: readonly Point[];
  readonly closed: boolean;
  /** Over the distance of the outer corners of the eyes. */
  readonly length: number;
  /** Inside a closed line, over the square of that distance. */
  readonly area?: number;
  /** All turns along the line, whichever way, degrees: 360 for a convex closed line. */
  readonly turning: number;
  /** Turning in radians over `length`; absent for a line of no length. */
  readonly curvature?: number;
}

/**
 * Distances, indices, angles and contours of a face after Farkas, from 68 landmarks in pixels. What is measured is listed in
 * `GEOMETRY_MEASURES`, from which points in `REFERENCE_POINTS`; both say what is only near to the anatomical point.
 *
 * Turning, scaling and moving the face in the picture changes the values by rounding only; with `correctPose`, the default,
 * the turn of the head is taken out as well, as far as one picture allows (see `frontalize`: trust it up to some 30°). The values
 * of the mirrored landmarks are those of the other side (`mirrorLandmarks`; with width 0, in every digit). These are
 * proportions in a picture: not millimetres, and not what a calliper finds on bone.
 *
 * Absent when the points do not span a face; `INVALID_ARGUMENT` for other than 68 finite points or an unknown option. Pure function.
 */
export function measureGeometry(landmarks: readonly Point[], options: MeasureOptions = {}): FaceGeometry | undefined {
  const both = bothWays(landmarks, options);
  if (both === undefined) return undefined;
  const units = [interOcular(both.seen), interOcular(both.mirrored)] as const;
  if (!(units[0] > 0) || !(units[1] > 0)) return undefined;
  const measures: Partial<Record<GeometryMeasureId, number>> = {};
  const put = (id: string, value: number): void => {
    if (Number.isFinite(value)) measures[id as GeometryMeasureId] = value;
  };
  for (const { id, paired, definition } of GEOMETRY_MEASURES) {
    // The right half is measured as the left half of the mirror image, by the same steps.
    const left = measured(definition, both.seen, units[0]);
    const right = measured(definition, both.mirrored, units[1]);
    if (paired) {
      put(`${id}.left`, left);
      put(`${id}.right`, right);
    } else {
      put(id, (left + right) / 2);
    }
  }
  const points = Object.fromEntries(REFERENCE_POINT_IDS.map((id) => [id, referencePoint(landmarks, id)]));
  return {
    measures,
    points: points as Record<ReferencePointId, Point>,
    ...(both.pose === undefined ? {} : { pose: both.pose }),
  };
}

/**
 * The lines of the face in the picture with length, area and curvature; of a line in pairs (`brow`, `eye`, `half jaw`) that of the
 * picture's left, or of the right with `side`. As they are in the picture: correct the pose with `frontalize` first where it matters.
 * Absent when the outer corners of the eyes coincide; `INVALID_ARGUMENT` as for {@link measureGeometry}. Pure function.
 */
export function faceContour(
  landmarks: readonly Point[],
  name: ContourName,
  side: 'left' | 'right' = 'left',
): FaceContour | undefined {
  const both = bothWays(landmarks, { correctPose: false });
  const contour = Object.hasOwn(CONTOURS, name) ? CONTOURS[name] : undefined;
  if (contour === undefined) throw invalid('name', `one of ${Object.keys(CONTOURS).join(', ')}`, name);
  oneOf('side', side, ['left', 'right']);
  if (both === undefined) return undefined;
  const mirrored = contour.paired && side === 'right';
  const points = mirrored ? both.mirrored : both.seen;
  const unit = interOcular(points);
  if (!(unit > 0)) return undefined;
  const curvature = measured({ kind: 'curvature', contour: name }, points, unit);
  return {
    line: contour.landmarks.map((i) => landmarks[mirrored ? MIRROR[i]! : i]!),
    closed: contour.closed,
    length: measured({ kind: 'length', contour: name }, points, unit),
    ...(contour.closed ? { area: measured({ kind: 'area', contour: name }, points, unit) } : {}),
    turning: measured({ kind: 'turning', contour: name }, points, unit),
    ...(Number.isFinite(curvature) ? { curvature } : {}),
  };
}

function measured(definition: MeasureDefinition, face: readonly Point[], unit: number): number {
  const at = (id: ReferencePointId): Point => referencePoint(face, id);
  const along = ([a, b]: readonly [ReferencePointId, ReferencePointId]): number => distance(at(a), at(b));
  const degrees = 180 / Math.PI;
  switch (definition.kind) {
    case 'distance':
      return along(definition.of) / unit;
    case 'index':
      return (100 * along(definition.of)) / along(definition.over);
    case 'angle': {
      const [a, vertex, b] = definition.of;
      return angleAt(at(vertex), at(a), at(b));
    }
    case 'inclination': {
      const [inner, outer] = definition.of.map(at) as [Point, Point];
      const [l, r] = [at('ex.left'), at('ex.right')];
      // Outwards along the eyes' line, and up from it, for the picture's left half.
      const [ux, uy] = [l[0] - r[0], l[1] - r[1]];
      const [vx, vy] = [outer[0] - inner[0], outer[1] - inner[1]];
      return vx === 0 && vy === 0 ? Number.NaN : Math.atan2(vy * ux - vx * uy, vx * ux + vy * uy) * degrees;
    }
    default: {
      const { landmarks, closed } = CONTOURS[definition.contour];
      const line = landmarks.map((i) => face[i]!);
      if (definition.kind === 'length') return lengthOf(line, closed) / unit;
      if (definition.kind === 'area') return areaOf(line) / unit ** 2;
      const turning = turningOf(line, closed);
      return definition.kind === 'turning' ? turning * degrees : (turning * unit) / lengthOf(line, closed);
    }
  }
}
