import { decodeSsd, joined, type Outputs, sigmoid } from './outputs.js';
import type { CropKind } from './photographs.js';

/** How a network is compared with its origin. */
export interface Case {
  readonly id: string;
  readonly crops: CropKind;
  readonly peer: /** face-api itself: the network's name in `faceapi.nets`; it normalises the pixels on its own. */
    | {
        readonly kind: 'face-api';
        readonly net: string;
        readonly call: 'forwardInput' | 'runNet';
        readonly size?: number;
      }
    /** A TensorFlow.js graph model; `integers` where it takes the pixels themselves. */
    | { readonly kind: 'tfjs'; readonly stem: string; readonly outputs: readonly string[]; readonly integers?: boolean }
    /** A TFLite file, run by TensorFlow Lite in WebAssembly. */
    | { readonly kind: 'tflite'; readonly outputs: readonly string[] }
    /** A TFLite file with MediaPipe's own operations, run by MediaPipe. */
    | { readonly kind: 'mediapipe' };
  /** From the peer's outputs (in the order above) to ours. */
  readonly reference: (peer: readonly Float32Array[]) => Outputs;
  /** Applied to our outputs before comparing, where the two are given in different forms. */
  readonly ours?: (outputs: Outputs) => Outputs;
  /** Largest accepted error relative to the output's magnitude (but at least to 1). */
  readonly tolerance: number;
  /** Outputs for which another bound holds. */
  readonly looser?: Readonly<Record<string, number>>;
}

/** The bound of one output of a case. */
export function toleranceOf(item: Case, output: string): number {
  return item.looser?.[output] ?? item.tolerance;
}

const none = new Float32Array();
const named =
  (...names: readonly string[]) =>
  (peer: readonly Float32Array[]): Outputs =>
    Object.fromEntries(names.map((name, i) => [name, peer[i] ?? none]));

const faceApi = (id: string, net: string, ...names: readonly string[]): Case => ({
  id,
  crops: 'head',
  peer: { kind: 'face-api', net, call: names[0] === 'landmarks' ? 'runNet' : 'forwardInput' },
  reference: named(...names),
  tolerance: 1e-5,
});

const tfjs = (
  id: string,
  stem: string,
  crops: CropKind,
  outputs: readonly string[],
  reference: Case['reference'],
): Case => ({
  id,
  crops,
  peer: { kind: 'tfjs', stem, outputs },
  reference,
  tolerance: 2e-5,
});

const tflite = (id: string, crops: CropKind, outputs: readonly string[], reference: Case['reference']): Case => ({
  id,
  crops,
  peer: { kind: 'tflite', outputs },
  reference,
  tolerance: 2e-5,
});

const detector = (peer: readonly Float32Array[]): Outputs => ({
  regressors: peer[0] ?? none,
  scores: sigmoid(peer[1] ?? none),
});

const pose = (id: string): Case => ({
  ...tflite(id, 'body', ['Identity', 'Identity_1', 'Identity_2', 'Identity_4'], ([landmarks, score, mask, world]) => ({
    landmarks: landmarks ?? none,
    score: score ?? none,
    mask: sigmoid(mask ?? none),
    world: world ?? none,
  })),
  ours: (outputs) => ({ ...outputs, mask: sigmoid(outputs.mask ?? none) }),
  // The mask's logits reach 1800 in the float32 of either runtime; next to zero that is a hundredth of a logit.
  looser: { mask: 1e-2 },
  tolerance: 1e-4,
});

/** One case per imported network. */
export const cases: readonly Case[] = [
  {
    id: 'faceapi_ssd',
    crops: 'whole',
    peer: { kind: 'face-api', net: 'ssdMobilenetv1', call: 'forwardInput' },
    reference: named('boxes', 'scores'),
    ours: (outputs) => ({ ...outputs, boxes: decodeSsd(outputs.boxes ?? none) }),
    tolerance: 5e-4,
  },
  faceApi('faceapi_recognition', 'faceRecognitionNet', 'descriptor'),
  faceApi('faceapi_landmarks68', 'faceLandmark68Net', 'landmarks'),
  faceApi('faceapi_landmarks68_tiny', 'faceLandmark68TinyNet', 'landmarks'),
  faceApi('faceapi_expression', 'faceExpressionNet', 'probabilities'),
  faceApi('faceapi_age_gender', 'ageGenderNet', 'age', 'gender'),
  {
    ...faceApi('faceapi_tiny', 'tinyFaceDetector', 'grid'),
    crops: 'whole',
    peer: { kind: 'face-api', net: 'tinyFaceDetector', call: 'forwardInput', size: 416 },
  },
  tfjs('human_blazeface', 'blazeface', 'whole', ['Identity', 'Identity_1', 'Identity_2', 'Identity_3'], (peer) =>
    detector([joined(peer[2], peer[3]), joined(peer[0], peer[1])]),
  ),
  tfjs(
    'human_faceres',
    'faceres',
    'head',
    ['global_pooling/Mean', 'age_pred/Softmax', 'gender_pred/Sigmoid'],
    named('descriptor', 'age', 'gender'),
  ),
  tfjs('human_iris', 'iris', 'eye', ['Identity'], named('landmarks')),
  tfjs('human_emotion', 'emotion', 'head', ['Identity'], named('probabilities')),
  tfjs('human_antispoof', 'antispoof', 'head', ['Identity'], named('real')),
  tfjs('human_liveness', 'liveness', 'head', ['Identity'], named('probabilities')),
  tfjs(
    'human_handlandmark',
    'handlandmark-lite',
    'hand',
    ['Identity', 'Identity_1', 'Identity_2', 'Identity_3'],
    named('landmarks', 'presence', 'handedness', 'world'),
  ),
  {
    ...tfjs('human_movenet', 'movenet-lightning', 'body', ['Identity'], named('keypoints')),
    peer: { kind: 'tfjs', stem: 'movenet-lightning', outputs: ['Identity'], integers: true },
  },
  tfjs('human_centernet', 'centernet', 'whole', ['tower_0/detections'], named('detections')),
  tflite('mediapipe_face_short', 'head', ['regressors', 'classificators'], detector),
  {
    id: 'mediapipe_face_mesh',
    crops: 'head',
    peer: { kind: 'mediapipe' },
    reference: ([landmarks, flag]) => ({ landmarks: landmarks ?? none, presence: sigmoid(flag ?? none) }),
    tolerance: 2e-5,
  },
  tflite('mediapipe_face_mesh468', 'head', ['conv2d_21', 'conv2d_31'], (peer) => ({
    landmarks: peer[0] ?? none,
    presence: sigmoid(peer[1] ?? none),
  })),
  tflite('mediapipe_pose_detection', 'whole', ['Identity', 'Identity_1'], detector),
  pose('mediapipe_pose_lite'),
  pose('mediapipe_pose_full'),
  tflite('mediapipe_palm', 'whole', ['Identity', 'Identity_1'], detector),
];
