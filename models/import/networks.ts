import { buildAgeGender } from './faceapi/age-gender.js';
import { buildExpression, buildLandmarks } from './faceapi/dense-blocks.js';
import { buildRecognition } from './faceapi/recognition.js';
import { buildSsd } from './faceapi/ssd.js';
import { buildTiny } from './faceapi/tiny.js';
import { humanNetworks } from './human.js';
import { readManifest } from './manifest.js';
import { mediapipeNetworks } from './mediapipe.js';
import type { Network } from './network.js';
import type { Weight } from './weights.js';

const FACE_API = '@vladmandic/face-api';

function faceApi(
  id: string,
  stem: string,
  build: (id: string, weights: ReadonlyMap<string, Weight>) => Uint8Array,
): Network {
  const manifest = { package: FACE_API, path: `model/${stem}_model-weights_manifest.json` };
  const data = { package: FACE_API, path: `model/${stem}_model.bin` };
  return {
    id,
    sources: [manifest, data],
    build: (reader) =>
      build(id, readManifest(reader.json(manifest), reader.read(data), `${data.package}/${data.path}`)),
  };
}

/** Every network that `npm run models` makes, in the order of its progress lines. */
export const networks: readonly Network[] = [
  faceApi('faceapi_ssd', 'ssd_mobilenetv1', buildSsd),
  faceApi('faceapi_recognition', 'face_recognition', buildRecognition),
  faceApi('faceapi_landmarks68', 'face_landmark_68', (id, w) => buildLandmarks(id, w, false)),
  faceApi('faceapi_landmarks68_tiny', 'face_landmark_68_tiny', (id, w) => buildLandmarks(id, w, true)),
  faceApi('faceapi_expression', 'face_expression', buildExpression),
  faceApi('faceapi_age_gender', 'age_gender', buildAgeGender),
  faceApi('faceapi_tiny', 'tiny_face_detector', buildTiny),
  ...humanNetworks,
  ...mediapipeNetworks,
];
