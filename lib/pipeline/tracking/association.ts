import { intersectionOverUnion } from '../../image/geometry.js';
import type { Box } from '../../types.js';
import { assign } from './assignment.js';
import { type Measured, measure } from './motion.js';
import { faceMisfit, type Observation } from './observation.js';
import type { Looks } from './options.js';
import { KINDS, type Kind, type Part, type TrackRecord } from './record.js';

/** 99 % of the boxes of the right track are nearer: χ² with four degrees of freedom. */
const GATE = 13.28;
/** A likelihood that costs all of its share. */
const SURPRISE = 25;
const WIDTH = 0.5;
/** Boxes that overlap so much go together whatever the filter expected. */
const OVERLAP = 0.3;
/** A pair that costs more is not made. */
const LIMIT = 0.85;
/** What looks can add or take away. */
const LOOK_WEIGHT = 0.3;
/** Added where a face was only expected in a person's box, or the other way round. */
const JOIN = 0.25;

/** Generalised intersection over union, −1 to 1: H. Rezatofighi et al., CVPR 2019. */
export function generalisedIou(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  const common = w > 0 && h > 0 ? w * h : 0;
  const union = a[2] * a[3] + b[2] * b[3] - common;
  const hull =
    (Math.max(a[0] + a[2], b[0] + b[2]) - Math.min(a[0], b[0])) *
    (Math.max(a[1] + a[3], b[1] + b[3]) - Math.min(a[1], b[1]));
  return common / union - (hull - union) / hull;
}

/** An observation with its boxes as the filters see them. */
export interface Candidate {
  readonly observation: Observation;
  readonly measured: { readonly [kind in Kind]: Measured | undefined };
}

export const candidate = (observation: Observation): Candidate => ({
  observation,
  measured: {
    face: observation.face === undefined ? undefined : measure(observation.face.box),
    person: observation.person === undefined ? undefined : measure(observation.person.box),
  },
});

/** How far a box is from where a part is expected: 0 to 1 and a little more, `Infinity` behind the gate. */
function partCost(part: Part, box: Box, measured: Measured): number {
  if (part.isFar(box, GATE)) return Infinity;
  const { distance, width } = part.motion.surprise(measured);
  const shape = generalisedIou(part.box, box);
  if (distance > GATE && intersectionOverUnion(part.box, box) <= OVERLAP) return Infinity;
  return 0.25 * (1 - shape) + 0.5 * Math.min(1, (distance + WIDTH * width) / SURPRISE);
}

/** What it costs to go on with this track by this observation; `Infinity` where it cannot be. */
export function pairCost(track: TrackRecord, { observation, measured }: Candidate, looks: Looks | undefined): number {
  let [sum, count] = [0, 0];
  let broken = false;
  for (const kind of KINDS) {
    const part = track[kind];
    const z = measured[kind];
    if (part === undefined || z === undefined) continue;
    const cost = partCost(part, observation[kind]!.box, z);
    if (cost === Infinity) broken = true;
    else {
      sum += cost;
      count++;
    }
  }
  let cost: number;
  if (count > 0) cost = sum / count + (broken ? JOIN : 0);
  else if (broken) return Infinity;
  else {
    // Nothing in common: a face may be that of a person, and the other way round.
    const face = observation.face?.box ?? track.face?.box;
    const person = observation.person?.box ?? track.person?.box;
    const misfit = face === undefined || person === undefined ? Infinity : faceMisfit(face, person);
    if (misfit === Infinity) return Infinity;
    cost = 0.5 * misfit + JOIN;
  }
  if (looks === undefined) return cost;
  const cosine = track.cosine(observation.embedding);
  if (cosine === undefined) return cost;
  // Where somebody was, somebody else may come: who looks different is not who was lost.
  if (track.state === 'lost' && cosine < looks.different) return Infinity;
  const affinity = (cosine - looks.different) / (looks.same - looks.different);
  return Math.max(0, cost + LOOK_WEIGHT * (0.5 - Math.min(1, Math.max(-0.5, affinity))));
}

/** How badly the last sight of a track overlaps with an observation: for those that turned round while nobody looked. */
export function lastSightCost(track: TrackRecord, { observation }: Candidate): number {
  for (const kind of KINDS) {
    const [part, detection] = [track[kind], observation[kind]];
    if (part === undefined || detection === undefined) continue;
    const overlap = intersectionOverUnion(part.seenBox, detection.box);
    if (overlap > OVERLAP) return LIMIT * (1 - overlap);
  }
  return Infinity;
}

/** The pairs that cost least; what is paired is taken out of both lists. */
export function pairUp(
  tracks: TrackRecord[],
  candidates: Candidate[],
  cost: (track: TrackRecord, candidate: Candidate) => number,
  found: (track: TrackRecord, candidate: Candidate) => void,
): void {
  const [n, m] = [tracks.length, candidates.length];
  if (n === 0 || m === 0) return;
  const costs = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) costs[i * m + j] = cost(tracks[i]!, candidates[j]!);
  const partner = assign(costs, n, m, LIMIT);
  const taken = new Set<number>();
  const left: TrackRecord[] = [];
  for (let i = 0; i < n; i++) {
    const j = partner[i]!;
    if (j < 0) left.push(tracks[i]!);
    else {
      taken.add(j);
      found(tracks[i]!, candidates[j]!);
    }
  }
  const rest = candidates.filter((_, j) => !taken.has(j));
  tracks.splice(0, n, ...left);
  candidates.splice(0, m, ...rest);
}
