/** A face as the commands write it: JSON, and the cells of a table. */
import type { ExpressionReading } from '../analysis/index.js';
import type { AnalyzedFace } from '../index.js';
import type { HeadPose } from '../landmarks/index.js';
import { boxJson, pointsJson, round } from './photos.js';
import { degrees } from './terminal.js';

/** A face with everything that was measured, as JSON. */
export function faceJson(face: AnalyzedFace, withVector: boolean): object {
  const { pose, exposure, expression, gender, embedding } = face;
  return {
    box: boxJson(face),
    score: round(face.score, 4),
    ...(face.landmarks && { landmarks: pointsJson(face.landmarks) }),
    ...(pose && { pose: { roll: round(pose.roll), yaw: round(pose.yaw), pitch: round(pose.pitch) } }),
    ...(face.size !== undefined && { size: round(face.size) }),
    ...(face.sharpness !== undefined && { sharpness: round(face.sharpness) }),
    ...(exposure && {
      exposure: {
        mean: round(exposure.mean),
        contrast: round(exposure.contrast),
        underexposed: round(exposure.underexposed, 4),
        overexposed: round(exposure.overexposed, 4),
      },
    }),
    ...(face.age !== undefined && { age: round(face.age, 1) }),
    ...(gender && { gender: { label: gender.label, probability: round(gender.probability, 4) } }),
    ...(expression && {
      expression: {
        label: expression.label,
        probability: round(expression.probability, 4),
        probabilities: Object.fromEntries(Object.entries(expression.probabilities).map(([k, v]) => [k, round(v, 4)])),
      },
    }),
    ...(face.headPose && { headPose: headPoseJson(face.headPose) }),
    ...(face.quality && {
      quality: {
        score: face.quality.score,
        components: rounded(face.quality.components, ({ value, unit, score }) => ({
          value: round(value, 4),
          unit,
          score,
        })),
        guidance: face.quality.guidance,
      },
    }),
    ...(face.symmetry && {
      symmetry: {
        score: round(face.symmetry.score, 1),
        asymmetry: round(face.symmetry.asymmetry),
        regions: rounded(face.symmetry.regions, ({ score }) => round(score, 1)),
      },
    }),
    ...(face.geometry && { geometry: rounded(face.geometry.measures, (value) => round(value, 4)) }),
    ...(face.actionUnits && {
      actionUnits: {
        intensity: rounded(face.actionUnits.intensity, (value) => round(value)),
        baseline: face.actionUnits.baseline,
      },
    }),
    ...(face.expressionReading && { expressionReading: readingJson(face.expressionReading) }),
    ...(withVector &&
      embedding && {
        embedding: {
          model: embedding.model,
          dims: embedding.dims,
          vector: Array.from(embedding.vector, (value) => Number(value.toPrecision(9))),
        },
      }),
  };
}

/** The columns of the table of faces, without its first ones. */
export const FACE_COLUMNS = [
  { title: 'score', right: true },
  { title: 'size', right: true },
  { title: 'quality', right: true },
  { title: 'roll', right: true },
  { title: 'yaw', right: true },
  { title: 'pitch', right: true },
  { title: 'age', right: true },
  { title: 'gender' },
  { title: 'expression' },
] as const;

/** One face as cells for {@link FACE_COLUMNS}; what is not known is empty. */
export function faceCells(face: AnalyzedFace): string[] {
  const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
  return [
    face.score.toFixed(2),
    face.size === undefined ? '' : `${face.size.toFixed(0)} px`,
    face.quality?.score.toFixed(0) ?? '',
    ...(['roll', 'yaw', 'pitch'] as const).map((angle) => (face.pose ? degrees(face.pose[angle]) : '')),
    face.age?.toFixed(0) ?? '',
    face.gender ? `${face.gender.label} ${percent(face.gender.probability)}` : '',
    face.expression ? `${face.expression.label} ${percent(face.expression.probability)}` : '',
  ];
}

/** What stands between a face and a good picture of it: the most important hint. */
export const hintOf = (face: AnalyzedFace): string => face.quality?.guidance[0]?.text ?? '';

function rounded<K extends string, T, U>(values: Readonly<Partial<Record<K, T>>>, by: (value: T) => U): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, by(value as T)]));
}

function headPoseJson({ roll, yaw, pitch, translation, reprojectionError, confidence }: HeadPose): object {
  return {
    roll: round(roll),
    yaw: round(yaw),
    pitch: round(pitch),
    translation: translation.map((value) => round(value)),
    reprojectionError: { pixels: round(reprojectionError.pixels), relative: round(reprojectionError.relative, 4) },
    confidence: round(confidence, 4),
  };
}

function readingJson(reading: ExpressionReading): object {
  const { label, probability, probabilities, valence, arousal, intensity, agreement } = reading;
  return {
    label,
    probability: round(probability, 4),
    probabilities: rounded(probabilities, (value) => round(value, 4)),
    valence: round(valence),
    arousal: round(arousal),
    intensity: round(intensity),
    agreement: rounded({ ...agreement }, (value: number) => round(value)),
  };
}
