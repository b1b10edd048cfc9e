import { EMOTION_NETWORK } from '../analysis/expression/emotion-network.js';
import {
  AGE_GENDER_NETWORKS,
  EXPRESSION_NETWORKS,
  readAgeGender,
  readBoxAgeGender,
  readExpressions,
} from '../attributes/attributes.js';
import { type Detection, detectFaces } from '../detection/detect.js';
import { DETECTORS } from '../detection/plan.js';
import type { Region } from '../image/geometry.js';
import { type Runtime, statistic } from '../inference/runtime.js';
import { LID_NETWORK } from '../landmarks/lids.js';
import { LANDMARKERS, locateLandmarks, uprightRegion } from '../landmarks/locate.js';
import { estimatePose } from '../landmarks/pose.js';
import type { Networks } from '../models/network.js';
import { STATISTICS } from '../native/addon.js';
import type { ChipSeats } from '../recognition/chip-batches.js';
import { chipNeeds, type FacePlace } from '../recognition/chips.js';
import { embedFaces } from '../recognition/embed.js';
import { RECOGNISERS } from '../recognition/plan.js';
import type { Box, Exposure, Expression, Face, Frame, Gender, Point } from '../types.js';
import type { AnalyzedFace } from './analysis.js';
import type { Ask } from './options.js';
import type { Preset } from './presets.js';

/** What the stages work with. */
export interface Stages {
  readonly runtime: Runtime;
  readonly networks: Networks;
  readonly preset: Preset;
  /** Folder of the models. */
  readonly models: string;
  /** Throws when the engine was closed or the call aborted: asked between stages. */
  readonly check: () => void;
  readonly signal: AbortSignal | undefined;
  /** Where chips join those of other calls; absent where each call runs by itself. */
  readonly chips: ChipSeats | undefined;
}

/** Ids of the networks that an answer certainly needs. */
export function networksFor(preset: Preset, ask: Ask): string[] {
  const ids: string[] = [DETECTORS[preset.detection.network]];
  if (needsLandmarks(preset, ask, givesFivePoints(preset))) ids.push(LANDMARKERS[preset.landmarks.network]);
  if (ask.embedding) ids.push(...preset.recognition.members.map(({ network }) => RECOGNISERS[network].card));
  if (ask.attributes.has('expression') || ask.expressionReading) {
    ids.push(EXPRESSION_NETWORKS[preset.attributes?.expression ?? 'faceapi'].card);
  }
  if (wantsAgeGender(ask)) ids.push(AGE_GENDER_NETWORKS[preset.attributes?.ageGender ?? 'faceapi']);
  if (ask.expressionReading) ids.push(EMOTION_NETWORK);
  if (ask.quality || ask.actionUnits || ask.expressionReading) ids.push(LID_NETWORK);
  return ids;
}

/** Whether anything is asked that is measured from landmarks. */
const wantsAnalysis = (ask: Ask): boolean =>
  ask.headPose || ask.quality || ask.geometry || ask.symmetry || ask.actionUnits || ask.expressionReading;

const wantsAgeGender = (ask: Ask): boolean => ask.attributes.has('age') || ask.attributes.has('gender');

/** Whether a detector gives the five points that recognisers align faces by. */
const givesFivePoints = ({ detection: { network } }: Preset): boolean => network.startsWith('scrfd');

/** Whether the 68 points are needed; `five` says that the five points of every face are known. */
function needsLandmarks(preset: Preset, ask: Ask, five: boolean): boolean {
  if (ask.landmarks || ask.pose || ask.attributes.has('expression') || wantsAnalysis(ask)) return true;
  if (wantsAgeGender(ask) && preset.attributes?.ageGender !== 'insightface') return true;
  return (
    ask.embedding &&
    preset.recognition.members.some(({ network }) => {
      const needs = chipNeeds(RECOGNISERS[network].chip);
      return needs === 'landmarks' || (needs === 'five' && !five);
    })
  );
}

/** Side of the square that the preset's expression network sees, over the longer extent of the landmarks. */
export function expressionScale({ attributeScale, attributes }: Preset): number {
  const network: { readonly card: string; readonly scale?: number } =
    EXPRESSION_NETWORKS[attributes?.expression ?? 'faceapi'];
  return network.scale ?? attributeScale;
}

/** The faces of a picture with what was asked about them, best score first. */
export async function findFaces(stages: Stages, frame: Frame, ask: Ask): Promise<AnalyzedFace[]> {
  const { networks, preset, signal, check } = stages;
  check();
  let plan = preset.detection;
  let found = await detectFaces(networks, frame, plan, signal);
  check();
  if (found.length === 0 && preset.fallback !== undefined) {
    plan = preset.fallback;
    found = await detectFaces(networks, frame, plan, signal);
    check();
  }
  const detections = select(found, ask);
  if (detections.length === 0) return [];
  const fivePoints = detections.map(({ keypoints }) => (keypoints?.length === 5 ? keypoints : undefined));
  const landmarks = needsLandmarks(preset, ask, !fivePoints.includes(undefined))
    ? await locateLandmarks(
        networks,
        frame,
        detections.map((d) => d.box),
        plan.faceScale,
        preset.landmarks,
        signal,
      )
    : undefined;
  check();
  const places = detections.map(
    ({ box }, i): FacePlace => ({
      box: scaledBox(box, plan.faceScale),
      fivePoints: fivePoints[i],
      landmarks: landmarks?.[i],
    }),
  );
  const boxes = found.map(({ box }) => box);
  const faces = await describeFaces(stages, frame, detections, places, boxes, ask);
  for (const [i, face] of faces.entries()) {
    SEEN.set(face, { faceScale: plan.faceScale, fivePoints: fivePoints[i] });
  }
  return faces;
}

/** What is known of a face besides what it says, for those that are looked at again. */
interface Seen {
  /** How the detector that found it draws its boxes: `DetectionPlan.faceScale`. */
  readonly faceScale: number;
  /** As that detector gave them. */
  readonly fivePoints: readonly Point[] | undefined;
}

const SEEN = new WeakMap<object, Seen>();

/** Faces that were found before, in their order, with what is asked about them now. Landmarks that a face has are taken as they are. */
export async function lookAgain(
  stages: Stages,
  frame: Frame,
  faces: readonly Face[],
  ask: Ask,
): Promise<AnalyzedFace[]> {
  const { networks, preset, signal, check } = stages;
  check();
  const whole = (face: Face): Box => scaledBox(face.box, SEEN.get(face)?.faceScale ?? preset.detection.faceScale);
  const five = faces.every((face) => SEEN.get(face)?.fivePoints !== undefined || face.landmarks !== undefined);
  const needed = needsLandmarks(preset, ask, five);
  const unplaced = needed ? faces.filter((face) => face.landmarks === undefined) : [];
  const located = await locateLandmarks(networks, frame, unplaced.map(whole), 1, preset.landmarks, signal);
  check();
  const places = faces.map(
    (face): FacePlace => ({
      box: whole(face),
      fivePoints: SEEN.get(face)?.fivePoints,
      landmarks: face.landmarks ?? located[unplaced.indexOf(face)],
    }),
  );
  const boxes = faces.map(({ box }) => box);
  const again = await describeFaces(stages, frame, faces, places, boxes, ask);
  return again.map((face, i): AnalyzedFace => {
    const known = faces[i]!;
    const both = { ...known, ...face };
    const seen = SEEN.get(known);
    if (seen !== undefined) SEEN.set(both, seen);
    return both;
  });
}

const scaledBox = ([x, y, w, h]: Box, scale: number): Box => [
  x + (w * (1 - scale)) / 2,
  y + (h * (1 - scale)) / 2,
  w * scale,
  h * scale,
];

/** What is asked of faces whose boxes, and landmarks where they are needed, are known (`places`); `boxes` are those of all faces of the picture. */
async function describeFaces(
  stages: Stages,
  frame: Frame,
  detections: readonly Detection[],
  places: readonly FacePlace[],
  boxes: readonly Box[],
  ask: Ask,
): Promise<AnalyzedFace[]> {
  const { networks, preset, signal, check, chips } = stages;
  // What is left does not depend on each other; a failure of one is the failure of the call, after the others have ended,
  // so that nothing of a call runs on after it has been answered.
  const work = [
    ask.embedding ? embedFaces(networks, frame, places, preset.recognition, signal, chips) : undefined,
    ask.attributes.size > 0 ? attributesOf(stages, frame, places, ask) : undefined,
    ask.statistics ? statisticsOf(stages, frame, detections) : undefined,
  ] as const;
  const settled = await Promise.allSettled(work);
  const failed = settled.find((s) => s.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  check();
  const [embeddings, attributes, statistics] = await Promise.all(work);
  const analyses = wantsAnalysis(ask)
    ? // Loaded when it is asked for: a quarter of the library's files, and start-up is what one waits for.
      await (await import('./analysis.js')).analyseFaces(
        stages,
        frame,
        detections.map(({ box }, i) => ({
          box,
          landmarks: places[i]!.landmarks!,
          expression: attributes?.[i]?.expression,
        })),
        boxes,
        ask,
      )
    : undefined;
  check();
  return detections.map(({ box, score }, i): AnalyzedFace => {
    const points = places[i]!.landmarks;
    const pose = ask.pose && points !== undefined ? estimatePose(points) : undefined;
    const embedding = embeddings?.[i];
    return {
      box,
      score,
      ...(ask.landmarks && points !== undefined ? { landmarks: points } : {}),
      ...(pose === undefined ? {} : { pose }),
      ...statistics?.[i],
      ...(embedding === undefined ? {} : { embedding }),
      ...attributes?.[i],
      ...analyses?.[i],
    };
  });
}

function select(found: readonly Detection[], ask: Ask): readonly Detection[] {
  const large = found.filter(({ box }) => Math.min(box[2], box[3]) >= ask.minFaceSize);
  if (large.length <= ask.maxFaces) return large;
  const prominence = ({ box, score }: Detection): number => box[2] * box[3] * score;
  const kept = new Set([...large].sort((a, b) => prominence(b) - prominence(a)).slice(0, ask.maxFaces));
  return large.filter((d) => kept.has(d));
}

async function attributesOf(
  { networks, preset, signal }: Stages,
  frame: Frame,
  places: readonly FacePlace[],
  ask: Ask,
): Promise<{ expression?: Expression; age?: number; gender?: Gender }[]> {
  const squares = (scale: number): Region[] => places.map(({ landmarks }) => uprightRegion(landmarks!, scale, 1));
  const readAge = (): ReturnType<typeof readAgeGender> =>
    preset.attributes?.ageGender === 'insightface'
      ? readBoxAgeGender(
          networks,
          frame,
          places.map(({ box }) => box!),
          signal,
        )
      : readAgeGender(networks, frame, squares(preset.attributeScale), signal);
  const [expressions, ageGender] = await Promise.all([
    ask.attributes.has('expression')
      ? readExpressions(networks, frame, squares(expressionScale(preset)), signal, preset.attributes?.expression)
      : undefined,
    wantsAgeGender(ask) ? readAge() : undefined,
  ]);
  return places.map((_, i) => {
    const expression = expressions?.[i];
    const both = ageGender?.[i];
    return {
      ...(expression === undefined ? {} : { expression }),
      ...(both !== undefined && ask.attributes.has('age') ? { age: both.age } : {}),
      ...(both !== undefined && ask.attributes.has('gender') ? { gender: both.gender } : {}),
    };
  });
}

async function statisticsOf(
  { runtime, signal }: Stages,
  frame: Frame,
  detections: readonly Detection[],
): Promise<{ sharpness?: number; size: number; exposure?: Exposure }[]> {
  const boxes = Float64Array.from(detections.flatMap(({ box }) => box));
  const values = await runtime.statistics(frame, boxes, signal);
  return detections.map(({ box }, i) => {
    const row = values.subarray(i * STATISTICS.length, (i + 1) * STATISTICS.length);
    const of = (name: (typeof STATISTICS)[number]): number => row[statistic(name)]!;
    const size = Math.min(box[2], box[3]);
    const sharpness = of('laplacianVariance');
    if (Number.isNaN(sharpness)) return { size };
    const exposure = {
      mean: of('mean'),
      contrast: of('contrast'),
      underexposed: of('underexposed'),
      overexposed: of('overexposed'),
    };
    return { sharpness, size, exposure };
  });
}
