import { beforeAll, describe, expect, it } from 'vitest';
import { runTensor } from '../../models/import/check/ours.js';
import { decodeSsd, difference, joined, type Outputs, sigmoid } from '../../models/import/check/outputs.js';
import { currentPack, golden, goldenValues, hasGolden, withNetwork } from './support.js';

type Expected = (value: (name: string) => Float32Array) => Outputs;

interface GoldenCase {
  readonly id: string;
  readonly file: string;
  readonly expected: Expected;
  readonly ours?: (outputs: Outputs) => Outputs;
  /** The golden input is made of pixels, which the card's scale and offset apply to. */
  readonly pixels?: boolean;
  readonly tolerance: number;
}

const only =
  (names: Readonly<Record<string, string>>): Expected =>
  (value) =>
    Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [ours, value(theirs)]));

const detector =
  (boxes: readonly string[], logits: readonly string[]): Expected =>
  (value) => ({ regressors: joined(...boxes.map(value)), scores: sigmoid(joined(...logits.map(value))) });

const faceApi = (id: string, file: string, names: Readonly<Record<string, string>>): GoldenCase => ({
  id,
  file: `faceapi_${file}`,
  expected: only(names),
  pixels: true,
  tolerance: 1e-5,
});

const pose = { landmarks: 'Identity', score: 'Identity_1', world: 'Identity_4' };

const goldenCases: readonly GoldenCase[] = [
  {
    ...faceApi('faceapi_ssd', 'ssd_mobilenetv1', { boxes: 'boxes', scores: 'scores' }),
    ours: (outputs) => ({ ...outputs, boxes: decodeSsd(outputs.boxes!) }),
    tolerance: 2e-4,
  },
  faceApi('faceapi_recognition', 'face_recognition', { descriptor: 'descriptor' }),
  faceApi('faceapi_landmarks68', 'face_landmark_68', { landmarks: 'landmarks' }),
  faceApi('faceapi_landmarks68_tiny', 'face_landmark_68_tiny', { landmarks: 'landmarks' }),
  faceApi('faceapi_expression', 'face_expression', { probabilities: 'probs' }),
  faceApi('faceapi_age_gender', 'age_gender', { age: 'age', gender: 'gender' }),
  faceApi('faceapi_tiny', 'tiny_face_detector', { grid: 'grid' }),
  {
    id: 'human_blazeface',
    file: 'human_blazeface',
    expected: detector(['Identity_2', 'Identity_3'], ['Identity', 'Identity_1']),
    tolerance: 1e-5,
  },
  {
    id: 'human_faceres',
    file: 'human_faceres',
    expected: only({ descriptor: 'global_pooling_Mean', age: 'age_pred_Softmax', gender: 'gender_pred_Sigmoid' }),
    tolerance: 1e-5,
  },
  { id: 'human_iris', file: 'human_iris', expected: only({ landmarks: 'Identity' }), tolerance: 1e-5 },
  { id: 'human_emotion', file: 'human_emotion', expected: only({ probabilities: 'Identity' }), tolerance: 1e-5 },
  { id: 'human_antispoof', file: 'human_antispoof', expected: only({ real: 'Identity' }), tolerance: 1e-5 },
  { id: 'human_liveness', file: 'human_liveness', expected: only({ probabilities: 'Identity' }), tolerance: 1e-5 },
  {
    id: 'human_handlandmark',
    file: 'human_handlandmark-lite',
    expected: only({ landmarks: 'Identity', presence: 'Identity_1', handedness: 'Identity_2', world: 'Identity_3' }),
    tolerance: 1e-5,
  },
  {
    id: 'human_movenet',
    file: 'human_movenet-lightning',
    expected: only({ keypoints: 'Identity' }),
    pixels: true,
    tolerance: 1e-5,
  },
  {
    id: 'human_centernet',
    file: 'human_centernet',
    expected: only({ detections: 'tower_0_detections' }),
    tolerance: 1e-5,
  },
  {
    id: 'mediapipe_face_short',
    file: 'tflite_face_detection_short_range',
    expected: detector(['regressors'], ['classificators']),
    tolerance: 1e-5,
  },
  {
    id: 'mediapipe_face_mesh468',
    file: 'tflite_face_landmark',
    expected: (value) => ({ landmarks: value('conv2d_21'), presence: sigmoid(value('conv2d_31')) }),
    tolerance: 1e-5,
  },
  {
    id: 'mediapipe_pose_detection',
    file: 'tflite_pose_detection',
    expected: detector(['Identity'], ['Identity_1']),
    tolerance: 1e-5,
  },
  { id: 'mediapipe_pose_lite', file: 'tflite_pose_landmark_lite', expected: only(pose), tolerance: 5e-5 },
  { id: 'mediapipe_pose_full', file: 'tflite_pose_landmark_full', expected: only(pose), tolerance: 5e-5 },
];

beforeAll(() => {
  if (hasGolden) currentPack();
}, 120_000);

describe('networks agree with ../shared/golden/nets', () => {
  for (const item of goldenCases) {
    it.skipIf(!hasGolden)(item.id, { timeout: 60_000 }, async () => {
      const file = golden(item.file);
      const [, height = 1, width = 1, channels = 1] = file.input.shape;
      const area = width * height;
      await withNetwork(item.id, async (session, card) => {
        const tensor = new Float32Array(area * channels);
        for (let i = 0; i < tensor.length; i++) {
          const uniform = (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 24;
          let value = uniform * file.input.scale + file.input.offset;
          if (file.input.int) value = Math.floor(value);
          const c = i % channels;
          if (item.pixels) value = value * card.input.scale[c]! + card.input.offset[c]!;
          tensor[c * area + Math.floor(i / channels)] = value;
        }
        const raw = await runTensor(session, card, tensor, width, height);
        const ours = item.ours?.(raw) ?? raw;
        const expected = item.expected((name) => goldenValues(file, name));
        for (const [name, values] of Object.entries(expected)) {
          const { error, magnitude } = difference(ours[name]!, values);
          expect(error, name).toBeLessThanOrEqual(item.tolerance * Math.max(1, magnitude));
        }
      });
    });
  }
});
