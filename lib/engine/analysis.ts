import {
  type ActionUnits,
  type ExpressionReading,
  type FaceGeometry,
  type FaceQuality,
  type FaceSymmetry,
  measureActionUnits,
  measureGeometry,
  measureQuality,
  measureSymmetry,
  readEmotions,
  readExpression,
} from '../analysis/index.js';
import { readExpressions } from '../attributes/attributes.js';
import { type HeadPose, solveHeadPose } from '../landmarks/head-pose.js';
import { locateLids } from '../landmarks/lids.js';
import { uprightRegion } from '../landmarks/locate.js';
import { estimatePose } from '../landmarks/pose.js';
import type { Box, Expression, Face, Frame, Point } from '../types.js';
import { expressionScale, type Stages } from './faces.js';
import type { Ask } from './options.js';

/** What `Engine.analyze` can say of a face beyond what the networks give. What was not asked, or cannot be said, is absent. */
export interface FaceAnalysis {
  /** Where the head is and where it looks, in six degrees of freedom. */
  readonly headPose?: HeadPose;
  /** Components of image quality, a unified score, and hints for the person. */
  readonly quality?: FaceQuality;
  /** Distances, indices and angles, free of size and turn. */
  readonly geometry?: FaceGeometry;
  /** Left and right compared. */
  readonly symmetry?: FaceSymmetry;
  /** Intensities of the action units that 68 points can see. */
  readonly actionUnits?: ActionUnits;
  /** Both expression networks and the action units, with how far they agree. */
  readonly expressionReading?: ExpressionReading;
  /**
   * The lids of the eyes, 12 points in the order of landmarks 36 to 47, for `ExpressionTracker.update`: where `landmarks` were
   * asked for beside `quality`, `actionUnits` or `expressionReading`, and the mesh sees a face.
   */
  readonly lids?: readonly Point[];
}

/** A face and everything that was asked about it. */
export interface AnalyzedFace extends Face, FaceAnalysis {}

interface Located {
  readonly box: Box;
  readonly landmarks: readonly Point[];
  readonly expression?: Expression | undefined;
}

/** Measures what was asked of faces whose landmarks are known, in their order; `boxes` are those of all faces of the picture. */
export async function analyseFaces(
  { runtime, networks, preset, signal, check }: Stages,
  frame: Frame,
  faces: readonly Located[],
  boxes: readonly Box[],
  ask: Ask,
): Promise<FaceAnalysis[]> {
  const points = faces.map(({ landmarks }) => landmarks);
  // The networks first: expression is part of quality and of the reading, and one may not have been asked for by itself.
  const faceapi =
    ask.expressionReading && faces.some(({ expression }) => expression === undefined)
      ? await readExpressions(
          networks,
          frame,
          points.map((p) => uprightRegion(p, expressionScale(preset), 1)),
          signal,
          preset.attributes?.expression,
        )
      : faces.map(({ expression }) => expression);
  const human = ask.expressionReading ? await readEmotions(networks, frame, points, signal) : undefined;
  check();
  const eyes =
    ask.quality || ask.actionUnits || ask.expressionReading
      ? await locateLids(networks, frame, points, signal)
      : undefined;
  check();
  const qualities = ask.quality
    ? await measureQuality(
        runtime,
        frame,
        faces.map(({ box, landmarks }, i) => {
          const pose = estimatePose(landmarks);
          const expression = faceapi[i];
          return { box, landmarks, lids: eyes?.[i], ...(pose && { pose }), ...(expression && { expression }) };
        }),
        { boxes, ...(signal === undefined ? {} : { signal }) },
      )
    : undefined;
  check();
  return faces.map(({ landmarks }, i): FaceAnalysis => {
    const headPose = ask.headPose ? solveHeadPose(landmarks, { width: frame.width, height: frame.height }) : undefined;
    const quality = qualities?.[i];
    const geometry = ask.geometry ? measureGeometry(landmarks) : undefined;
    const symmetry = ask.symmetry ? measureSymmetry(landmarks) : undefined;
    const lids = eyes?.[i];
    const units =
      ask.actionUnits || ask.expressionReading
        ? measureActionUnits(landmarks, { baseline: ask.baseline, lids })
        : undefined;
    const reading = ask.expressionReading
      ? readExpression({ faceapi: faceapi[i]?.probabilities, human: human?.[i], units })
      : undefined;
    return {
      ...(headPose && { headPose }),
      ...(quality && { quality }),
      ...(geometry && { geometry }),
      ...(symmetry && { symmetry }),
      ...(ask.actionUnits && units && { actionUnits: units }),
      ...(reading && { expressionReading: reading }),
      ...(ask.landmarks && lids && { lids }),
    };
  });
}
