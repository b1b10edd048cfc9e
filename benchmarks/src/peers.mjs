// The peers, each opened in its recommended warm configuration. Inputs are raw RGB pixels, so that decoding is the same
// for everybody: {data: Uint8Array, width, height, channels: 3}.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BENCH, MODULES } from './paths.mjs';

const require = createRequire(path.join(BENCH, 'package.json'));
const WASM = `${path.join(MODULES, '@tensorflow', 'tfjs-backend-wasm', 'dist')}${path.sep}`;

/**
 * @vladmandic/face-api on tfjs-wasm (SIMD, one thread: the backend has no threads in Node).
 * @param {{detector?: 'ssd'|'tiny', minConfidence?: number, maxResults?: number}} options
 */
export async function openFaceApi({ detector = 'ssd', minConfidence = 0.5, maxResults = 100 } = {}) {
  const tf = require('@tensorflow/tfjs');
  require('@tensorflow/tfjs-backend-wasm').setWasmPaths(WASM);
  const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
  await tf.setBackend('wasm');
  await tf.ready();
  const dir = path.join(MODULES, '@vladmandic', 'face-api', 'model');
  await faceapi.nets[detector === 'ssd' ? 'ssdMobilenetv1' : 'tinyFaceDetector'].loadFromDisk(dir);
  await faceapi.nets.faceLandmark68Net.loadFromDisk(dir);
  await faceapi.nets.faceRecognitionNet.loadFromDisk(dir);
  const options =
    detector === 'ssd'
      ? new faceapi.SsdMobilenetv1Options({ minConfidence, maxResults })
      : new faceapi.TinyFaceDetectorOptions({ inputSize: 416, scoreThreshold: minConfidence });
  const tensor = (frame) => tf.tensor3d(frame.data, [frame.height, frame.width, 3], 'int32');
  return {
    name: '@vladmandic/face-api',
    tf,
    faceapi,
    options,
    /** Detection, 68 landmarks and 128-d descriptor of every face. */
    async analyze(frame) {
      const input = tensor(frame);
      try {
        const found = await faceapi.detectAllFaces(input, options).withFaceLandmarks().withFaceDescriptors();
        return found.map((f) => ({
          box: [f.detection.box.x, f.detection.box.y, f.detection.box.width, f.detection.box.height],
          score: f.detection.score,
          landmarks: f.landmarks.positions.map((p) => [p.x, p.y]),
          embedding: f.descriptor,
        }));
      } finally {
        input.dispose();
      }
    },
    /** Detection only. */
    async detect(frame) {
      const input = tensor(frame);
      try {
        const found = await faceapi.detectAllFaces(input, options);
        return found.map((f) => ({ box: [f.box.x, f.box.y, f.box.width, f.box.height], score: f.score }));
      } finally {
        input.dispose();
      }
    },
    /** face-api's own distance turned so that larger is more alike. */
    similarity: (a, b) => -Math.sqrt(a.reduce((s, x, i) => s + (x - b[i]) ** 2, 0)),
  };
}

/** Node's fetch has no file scheme; Human's wasm build loads its models with fetch. */
function allowFileFetch() {
  const original = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    const text = typeof url === 'string' ? url : (url?.url ?? String(url));
    if (!text.startsWith('file:')) return original(url, init);
    const body = fs.readFileSync(fileURLToPath(text));
    const type = text.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    return new Response(body, { status: 200, headers: { 'content-type': type } });
  };
}

/**
 * @vladmandic/human on tfjs-wasm with blazeface, face mesh and description (age, gender, embedding); the rest is off.
 * @param {{minConfidence?: number, maxDetected?: number}} options
 */
export async function openHuman({ minConfidence = 0.5, maxDetected = 100 } = {}) {
  allowFileFetch();
  require('@tensorflow/tfjs-backend-wasm').setWasmPaths(WASM);
  const { Human } = require(path.join(MODULES, '@vladmandic', 'human', 'dist', 'human.node-wasm.js'));
  const off = { enabled: false };
  const human = new Human({
    backend: 'wasm',
    wasmPath: WASM,
    modelBasePath: `${pathToFileURL(path.join(MODULES, '@vladmandic', 'human', 'models')).href}/`,
    debug: false,
    async: false,
    cacheSensitivity: 0,
    skipAllowed: false,
    warmup: 'none',
    filter: { enabled: false },
    gesture: off,
    body: off,
    hand: off,
    object: off,
    segmentation: off,
    face: {
      enabled: true,
      detector: { maxDetected, minConfidence, rotation: false, return: false, skipFrames: 0, skipTime: 0 },
      mesh: { enabled: true },
      description: { enabled: true, skipFrames: 0, skipTime: 0 },
      attention: off,
      iris: off,
      emotion: off,
      antispoof: off,
      liveness: off,
    },
  });
  await human.load();
  const run = async (frame) => {
    const input = human.tf.tensor4d(frame.data, [1, frame.height, frame.width, 3], 'int32');
    try {
      const result = await human.detect(input);
      if (result.error) throw new Error(String(result.error));
      return result.face;
    } finally {
      human.tf.dispose(input);
    }
  };
  return {
    name: '@vladmandic/human',
    tf: human.tf,
    human,
    /** Detection, 468-point mesh and 1024-d description of every face. */
    async analyze(frame) {
      const faces = await run(frame);
      return faces.map((f) => ({
        box: [...f.box],
        score: f.boxScore ?? f.score,
        embedding: f.embedding ? Float32Array.from(f.embedding) : undefined,
        points: f.mesh?.length ?? 0,
      }));
    },
    /** Detection (Human has no call without the mesh and description that were switched on at opening). */
    async detect(frame) {
      const faces = await run(frame);
      return faces.map((f) => ({ box: [...f.box], score: f.boxScore ?? f.score }));
    },
    /** Human's own similarity, 0..1. */
    similarity: (a, b) => human.match.similarity(Array.from(a), Array.from(b)),
  };
}
