/** A face as the service writes it: snake_case, and no more digits than mean something. */
import type { ActionUnits, ExpressionReading, FaceQuality } from '../../analysis/index.js';
import type { AnalyzedFace } from '../../index.js';
import type { HeadPose } from '../../landmarks/index.js';
import type { Embedding, Face, Point, Pose } from '../../types.js';
import type { Static } from '../vendor.js';
import type { Face as FaceSchema, Quality as QualitySchema } from './faces.js';

export type FaceJson = Static<typeof FaceSchema>;

export const round = (value: number, digits = 2): number => {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
};

export const boxJson = ({ box }: Pick<Face, 'box'>): number[] => box.map((value) => round(value));

/** Numbers that are read back as the very same single-precision ones. */
export const vectorJson = ({ vector }: Pick<Embedding, 'vector'>): number[] =>
  Array.from(vector, (value) => Number(value.toPrecision(9)));

export function faceJson(face: AnalyzedFace): FaceJson {
  const { exposure, expression, gender, symmetry } = face;
  return {
    box: boxJson(face),
    score: round(face.score, 4),
    ...(face.landmarks && { landmarks: pointsJson(face.landmarks) }),
    ...(face.lids && { lids: pointsJson(face.lids) }),
    ...(face.pose && { pose: poseJson(face.pose) }),
    ...(face.headPose && { head_pose: headPoseJson(face.headPose) }),
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
    ...(face.quality && { quality: qualityJson(face.quality) }),
    ...(face.age !== undefined && { age: round(face.age, 1) }),
    ...(gender && { gender: { label: gender.label, probability: round(gender.probability, 4) } }),
    ...(expression && {
      expression: {
        label: expression.label,
        probability: round(expression.probability, 4),
        probabilities: rounded(expression.probabilities, 4),
      },
    }),
    ...(face.expressionReading && { expression_reading: readingJson(face.expressionReading) }),
    ...(face.actionUnits && { action_units: unitsJson(face.actionUnits) }),
    ...(face.geometry && { geometry: rounded(face.geometry.measures, 4) }),
    ...(symmetry && {
      symmetry: {
        score: round(symmetry.score, 1),
        asymmetry: round(symmetry.asymmetry),
        regions: Object.fromEntries(
          Object.entries(symmetry.regions).map(([name, { score }]) => [name, round(score, 1)]),
        ),
      },
    }),
    ...(face.embedding && { embedding: vectorJson(face.embedding) }),
  };
}

const pointsJson = (points: readonly Point[]): number[][] => points.map(([x, y]) => [round(x), round(y)]);

const poseJson = ({ roll, yaw, pitch }: Pose) => ({ roll: round(roll), yaw: round(yaw), pitch: round(pitch) });

function rounded<K extends string>(values: Readonly<Partial<Record<K, number>>>, digits: number): Record<K, number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, round(value as number, digits)]),
  ) as Record<K, number>;
}

function headPoseJson({ translation, reprojectionError, confidence, ...angles }: HeadPose) {
  return {
    ...poseJson(angles),
    translation: translation.map((value) => round(value)),
    reprojection_error: { pixels: round(reprojectionError.pixels), relative: round(reprojectionError.relative, 4) },
    confidence: round(confidence, 4),
  };
}

function qualityJson({ score, components, guidance }: FaceQuality): Static<typeof QualitySchema> {
  return {
    score,
    components: Object.fromEntries(
      Object.entries(components).map(([name, one]) => [
        name,
        { value: round(one.value, 4), unit: one.unit, score: one.score },
      ]),
    ),
    guidance: guidance.map(({ code, text, component }) => ({ code, text, component })),
  };
}

function unitsJson({ intensity, baseline }: ActionUnits) {
  return { intensity: rounded(intensity, 2), baseline };
}

function readingJson({ label, probability, probabilities, valence, arousal, intensity }: ExpressionReading) {
  return {
    label,
    probability: round(probability, 4),
    probabilities: rounded(probabilities, 4),
    valence: round(valence),
    arousal: round(arousal),
    intensity: round(intensity),
  };
}
