import { invalid } from '../../errors/validate.js';
import type { Box, Embedding } from '../../types.js';
import type { Detection } from '../types.js';
import { assign } from './assignment.js';

/** What was seen of one person in one frame: a face, a body, or both. */
export interface Observation {
  readonly face?: Detection;
  readonly person?: Detection;
  /** One of them is confident: it may begin a track. */
  readonly strong: boolean;
  readonly embedding?: Embedding;
}

/** Heights of a face's middle within a person's box, and sizes of a face over it, that go together. */
const UPPER = { least: -0.08, most: 0.45 } as const;
const SIZE = { least: 0.05, most: 0.7 } as const;

/**
 * How badly a face sits on a person, 0 (in the middle of its upper part) to 1; `Infinity` where it cannot be this person's. Upright
 * people stand seven and a half heads high; cut off by the picture's edge or behind a table they are less, down to head and shoulders.
 */
export function faceMisfit(face: Box, person: Box): number {
  const [, , pw, ph] = person;
  const u = (face[0] + face[2] / 2 - person[0]) / pw;
  const v = (face[1] + face[3] / 2 - person[1]) / ph;
  const size = face[3] / ph;
  if (size < SIZE.least || size > SIZE.most || v < UPPER.least || v > UPPER.most || u < 0 || u > 1) return Infinity;
  // A head's middle is about as far below the top of the box as half its height, and a little more.
  const below = Math.abs(v - 0.6 * size) / 0.4;
  return Math.min(1, 0.7 * Math.abs(2 * u - 1) + 0.3 * below);
}

/** Scores from which on detections are taken at all, and from which on they may begin a track. */
export interface ScoreLimits {
  readonly weak: number;
  readonly confident: number;
  readonly confidentPerson: number;
}

/** Puts faces and the persons that they belong to together: the assignment that fits best over all. */
export function pairDetections(
  detections: readonly Detection[],
  { weak, confident, confidentPerson }: ScoreLimits,
): Observation[] {
  const observe = (face: Detection | undefined, person: Detection | undefined): Observation => {
    const embedding = face?.embedding ?? person?.embedding;
    return {
      ...(face === undefined ? {} : { face }),
      ...(person === undefined ? {} : { person }),
      strong: (face?.score ?? -1) >= confident || (person?.score ?? -1) >= confidentPerson,
      ...(embedding === undefined ? {} : { embedding }),
    };
  };
  const faces: Detection[] = [];
  const persons: Detection[] = [];
  for (const [i, d] of detections.entries()) {
    const valid =
      (d?.kind === 'face' || d?.kind === 'person') &&
      d.box.length === 4 &&
      d.box.every(Number.isFinite) &&
      d.box[2] > 0 &&
      d.box[3] > 0 &&
      Number.isFinite(d.score);
    if (!valid) throw invalid(`detections[${i}]`, 'detection with a kind, a finite box and a score', d);
    if (d.score >= weak) (d.kind === 'face' ? faces : persons).push(d);
  }
  if (faces.length === 0 || persons.length === 0) {
    return [...faces.map((face) => observe(face, undefined)), ...persons.map((person) => observe(undefined, person))];
  }
  const cost = new Float64Array(faces.length * persons.length);
  for (const [i, face] of faces.entries()) {
    for (const [j, person] of persons.entries()) cost[i * persons.length + j] = faceMisfit(face.box, person.box);
  }
  const partner = assign(cost, faces.length, persons.length, 0.9);
  const taken = new Set(partner);
  return [
    ...faces.map((face, i) => observe(face, persons[partner[i]!])),
    ...persons.filter((_, j) => !taken.has(j)).map((person) => observe(undefined, person)),
  ];
}
