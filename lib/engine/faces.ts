import { EMOTION_NETWORK } from '../analysis/expression/emotion-network.js';
import { ATTRIBUTE_NETWORKS, readAgeGender, readExpressions } from '../attributes/attributes.js';
import { type Detection, detectFaces } from '../detection/detect.js';
import { DETECTORS } from '../detection/plan.js';
import { type Runtime, statistic } from '../inference/runtime.js';
import { LID_NETWORK } from '../landmarks/lids.js';
import { LANDMARKERS, locateLandmarks, uprightRegion } from '../landmarks/locate.js';
import { estimatePose } from '../landmarks/pose.js';
import type { Networks } from '../models/network.js';
import { STATISTICS } from '../native/addon.js';
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
}

/** Ids of the networks that an answer certainly needs. */
export function networksFor(preset: Preset, ask: Ask): string[] {
  const ids: string[] = [DETECTORS[preset.detection.network]];
  if (needsLandmarks(ask)) ids.push(LANDMARKERS[preset.landmarks.network]);
  if (ask.embedding) ids.push(...preset.recognition.members.map(({ network }) => RECOGNISERS[network].card));
  if (ask.attributes.has('expression')) ids.push(ATTRIBUTE_NETWORKS.expression);
  if (ask.attributes.has('age') || ask.attributes.has('gender')) ids.push(ATTRIBUTE_NETWORKS.ageGender);
  if (ask.expressionReading) ids.push(EMOTION_NETWORK);
  if (ask.expressionReading && !ask.attributes.has('expression')) ids.push(ATTRIBUTE_NETWORKS.expression);
  if (ask.quality || ask.actionUnits || ask.expressionReading) ids.push(LID_NETWORK);
  return ids;
}

/** Whether anything is asked that is measured from landmarks. */
const wantsAnalysis = (ask: Ask): boolean =>
  ask.headPose || ask.quality || ask.geometry || ask.symmetry || ask.actionUnits || ask.expressionReading;

const needsLandmarks = (ask: Ask): boolean =>
  ask.landmarks || ask.pose || ask.embedding || ask.attributes.size > 0 || wantsAnalysis(ask);

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
  const landmarks = needsLandmarks(ask)
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
  const boxes = found.map(({ box }) => box);
  const faces = await describeFaces(stages, frame, detections, landmarks, boxes, ask);
  for (const face of faces) FACE_SCALES.set(face, plan.faceScale);
  return faces;
}

/** How the detector that found a face draws its boxes (`DetectionPlan.faceScale`), for those that are looked at again. */
const FACE_SCALES = new WeakMap<object, number>();

/** Faces that were found before, in their order, with what is asked about them now. Landmarks that a face has are taken as they are. */
export async function lookAgain(
  stages: Stages,
  frame: Frame,
  faces: readonly Face[],
  ask: Ask,
): Promise<AnalyzedFace[]> {
  const { networks, preset, signal, check } = stages;
  check();
  const unplaced = needsLandmarks(ask) ? faces.filter((face) => face.landmarks === undefined) : [];
  const located = await locateLandmarks(
    networks,
    frame,
    unplaced.map((face) => scaledBox(face.box, FACE_SCALES.get(face) ?? preset.detection.faceScale)),
    1,
    preset.landmarks,
    signal,
  );
  check();
  const landmarks = needsLandmarks(ask)
    ? faces.map((face) => face.landmarks ?? located[unplaced.indexOf(face)]!)
    : undefined;
  const boxes = faces.map(({ box }) => box);
  const again = await describeFaces(stages, frame, faces, landmarks, boxes, ask);
  return again.map((face, i): AnalyzedFace => ({ ...faces[i]!, ...face }));
}

const scaledBox = ([x, y, w, h]: Box, scale: number): Box => [
  x + (w * (1 - scale)) / 2,
  y + (h * (1 - scale)) / 2,
  w * scale,
  h * scale,
];

/** What is asked of faces whose boxes, and landmarks where they are needed, are known; `boxes` are those of all faces of the picture. */
async function describeFaces(
  stages: Stages,
  frame: Frame,
  detections: readonly Detection[],
  landmarks: readonly (readonly Point[])[] | undefined,
  boxes: readonly Box[],
  ask: Ask,
): Promise<AnalyzedFace[]> {
  const { networks, preset, signal, check } = stages;
  // What is left does not depend on each other; a failure of one is the failure of the call, after the others have ended,
  // so that nothing of a call runs on after it has been answered.
  const work = [
    ask.embedding && landmarks ? embedFaces(networks, frame, landmarks, preset.recognition, signal) : undefined,
    ask.attributes.size > 0 && landmarks ? attributesOf(stages, frame, landmarks, ask) : undefined,
    ask.statistics ? statisticsOf(stages, frame, detections) : undefined,
  ] as const;
  const settled = await Promise.allSettled(work);
  const failed = settled.find((s) => s.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  check();
  const [embeddings, attributes, statistics] = await Promise.all(work);
  const analyses =
    landmarks !== undefined && wantsAnalysis(ask)
      ? // Loaded when it is asked for: a quarter of the library's files, and start-up is what one waits for.
        await (await import('./analysis.js')).analyseFaces(
          stages,
          frame,
          detections.map(({ box }, i) => ({ box, landmarks: landmarks[i]!, expression: attributes?.[i]?.expression })),
          boxes,
          ask,
        )
      : undefined;
  check();
  return detections.map(({ box, score }, i): AnalyzedFace => {
    const points = landmarks?.[i];
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
  landmarks: readonly (readonly Point[])[],
  ask: Ask,
): Promise<{ expression?: Expression; age?: number; gender?: Gender }[]> {
  const squares = landmarks.map((points) => uprightRegion(points, preset.attributeScale, 1));
  const [expressions, ageGender] = await Promise.all([
    ask.attributes.has('expression') ? readExpressions(networks, frame, squares, signal) : undefined,
    ask.attributes.has('age') || ask.attributes.has('gender')
      ? readAgeGender(networks, frame, squares, signal)
      : undefined,
  ]);
  return landmarks.map((_, i) => {
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
