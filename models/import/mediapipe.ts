import { ImportError } from './error.js';
import type { IrBuilder, Value } from './graph/ir.js';
import type { Network } from './network.js';
import type { SourceReader, SourceRef } from './source.js';
import { subsetIndices } from './tflite/attention.js';
import { convertTflite, type TflitePlan } from './tflite/convert.js';
import { parseTflite, type TfliteModel } from './tflite/model.js';

interface PackedFile {
  readonly filename: string;
  readonly start: number;
  readonly end: number;
}

/** A file of a MediaPipe package, or a part of its packed assets, which the loader script beside them describes. */
export interface MediapipeSource {
  readonly file: SourceRef;
  readonly packed?: { readonly loader: SourceRef; readonly name: string };
}

const direct = (name: string, path: string): MediapipeSource => ({ file: { package: `@mediapipe/${name}`, path } });

/** A part of a package's packed assets. */
export const packed = (name: string, part: string): MediapipeSource => {
  const file = { package: `@mediapipe/${name}`, path: `${name}_solution_packed_assets.data` };
  const loader = { package: `@mediapipe/${name}`, path: `${name}_solution_packed_assets_loader.js` };
  return { file, packed: { loader, name: part } };
};

/** Where a part of packed assets lies, as the loader script says: loadPackage({"files": [{filename, start, end}…]}). */
export function packedRange(script: string, name: string, origin: string): readonly [number, number] {
  const list = /loadPackage\(\{"files":\s*(\[[^\]]*\])/.exec(script)?.[1];
  const files = list === undefined ? [] : (JSON.parse(list) as PackedFile[]);
  const file = files.find((f) => f.filename.endsWith(`/${name}`));
  if (!file) throw new ImportError('SOURCE_CORRUPT', `${origin}: the loader does not mention ${name}; run \`npm ci\``);
  return [file.start, file.end];
}

/** The bytes of a source, and what to call it in messages. */
export function readBytes(reader: SourceReader, source: MediapipeSource): readonly [Uint8Array, string] {
  const data = reader.read(source.file);
  const label = `${source.file.package}/${source.file.path}`;
  if (!source.packed) return [data, label];
  const { loader, name } = source.packed;
  const script = Buffer.from(reader.read(loader)).toString('latin1');
  const [start, end] = packedRange(script, name, `${loader.package}/${loader.path}`);
  if (end > data.byteLength) throw new ImportError('SOURCE_TRUNCATED', `${label} ends before ${name}; run \`npm ci\``);
  return [data.subarray(start, end), `${label}#${name}`];
}

/** The files that a source is read from. */
export const sourceFiles = (source: MediapipeSource): readonly SourceRef[] =>
  source.packed ? [source.file, source.packed.loader] : [source.file];

const tfliteSources = new Map<string, MediapipeSource>();

/** The TFLite file that a network of this module comes from. */
export function tfliteBytes(reader: SourceReader, id: string): Uint8Array {
  const source = tfliteSources.get(id);
  if (!source) throw new ImportError('USAGE', `${id} does not come from a TFLite file`);
  return readBytes(reader, source)[0];
}

function mediapipe(
  id: string,
  source: MediapipeSource,
  plan: Omit<TflitePlan, 'id' | 'finish'>,
  finish: (ir: IrBuilder, values: readonly Value[], model: TfliteModel) => Readonly<Record<string, Value>>,
): Network {
  tfliteSources.set(id, source);
  return {
    id,
    sources: sourceFiles(source),
    build: (reader) => {
      const model = parseTflite(...readBytes(reader, source));
      return convertTflite(model, { id, ...plan, finish: (ir, values) => finish(ir, values, model) });
    },
  };
}

const shaped = (ir: IrBuilder, value: Value | undefined, rest: readonly number[]): Value =>
  ir.reshape(`${value?.name}.shaped`, value as Value, [1, ...rest]);

const sigmoid = (ir: IrBuilder, value: Value | undefined, rest: readonly number[]): Value =>
  ir.unary(`${value?.name}.sigmoid`, 'Sigmoid', shaped(ir, value, rest));

/**
 * 478 landmarks from the attention mesh's outputs, as mediapipe/modules/face_landmark does it: lips, eyes and irises
 * replace x and y of the mesh (a later one wins), z stays the mesh's, and an iris has the mean z of its eye's contour
 * (the first 16 of the eye's landmarks).
 */
function refine(ir: IrBuilder, values: readonly Value[], model: TfliteModel): Value {
  const crops = model.operators.filter((operator) => operator.custom === 'Landmarks2TransformMatrix');
  const [lips, leftEye, rightEye] = crops.map((crop) => subsetIndices(crop, model.origin));
  if (!lips || !leftEye || !rightEye) throw new ImportError('SOURCE_CORRUPT', `${model.origin}: not three crops`);
  const source = Array.from({ length: 478 }, (_, i) => i);
  let at = 468;
  for (const list of [lips, leftEye, rightEye]) {
    for (const landmark of list) source[landmark] = at++;
  }
  for (let i = 468; i < 478; i++) source[i] = at++;
  const [mesh, ...parts] = values as [Value, ...Value[]];
  const points = shaped(ir, mesh, [468, 3]);
  const inputs = [
    points,
    ...parts.map((part) => shaped(ir, part, [part.shape[3] === undefined ? 0 : part.shape[3] / 2, 2])),
  ];
  return ir.raw('landmarks', inputs, [1, 478, 3], (g, [all = '', ...refined]) => {
    const xy = g.op('Gather', [all, g.int64([0, 1])], { axis: 2 });
    const z = g.op('Gather', [all, g.int64([2])], { axis: 2 });
    const chosen = g.op('Gather', [g.op('Concat', [xy, ...refined], { axis: 1 }), g.int64(source)], { axis: 1 });
    const iris = (eye: readonly number[]): string => {
      const contour = g.op('Gather', [z, g.int64(eye.slice(0, 16))], { axis: 1 });
      const mean = g.op('ReduceMean', [contour], { axes: [1], keepdims: 1 });
      return g.op('Gather', [mean, g.int64([0, 0, 0, 0, 0])], { axis: 1 });
    };
    const depth = g.op('Concat', [z, iris(leftEye), iris(rightEye)], { axis: 1 });
    return g.op('Concat', [chosen, depth], { axis: 2 });
  });
}

const pose = (id: string, size: 'lite' | 'full'): Network =>
  mediapipe(
    id,
    direct('pose', `pose_landmark_${size}.tflite`),
    { outputs: ['Identity', 'Identity_1', 'Identity_2', 'Identity_4'], batched: true },
    (ir, [screen, score, mask, world]) => ({
      landmarks: shaped(ir, screen, [39, 5]),
      score: score as Value,
      mask: shaped(ir, mask, [256, 256]),
      world: shaped(ir, world, [39, 3]),
    }),
  );

/** Networks of MediaPipe's npm packages (TFLite). */
export const mediapipeNetworks: readonly Network[] = [
  mediapipe(
    'mediapipe_face_short',
    direct('face_detection', 'face_detection_short_range.tflite'),
    { outputs: ['regressors', 'classificators'], batched: true },
    (ir, [boxes, logits]) => ({ regressors: boxes as Value, scores: sigmoid(ir, logits, [896]) }),
  ),
  mediapipe(
    'mediapipe_face_mesh',
    packed('face_mesh', 'face_landmark_with_attention.tflite'),
    {
      outputs: [
        'output_mesh_identity',
        'output_lips',
        'output_left_eye',
        'output_right_eye',
        'output_left_iris',
        'output_right_iris',
        'conv_faceflag',
      ],
      batched: true,
    },
    (ir, values, model) => ({
      landmarks: refine(ir, values.slice(0, 6), model),
      presence: sigmoid(ir, values[6], [1]),
    }),
  ),
  mediapipe(
    'mediapipe_face_mesh468',
    packed('face_mesh', 'face_landmark.tflite'),
    { outputs: ['conv2d_21', 'conv2d_31'], batched: true },
    (ir, [mesh, flag]) => ({ landmarks: shaped(ir, mesh, [468, 3]), presence: sigmoid(ir, flag, [1]) }),
  ),
  mediapipe(
    'mediapipe_pose_detection',
    packed('pose', 'pose_detection.tflite'),
    { outputs: ['Identity', 'Identity_1'], batched: true },
    (ir, [boxes, logits]) => ({ regressors: boxes as Value, scores: sigmoid(ir, logits, [2254]) }),
  ),
  pose('mediapipe_pose_lite', 'lite'),
  pose('mediapipe_pose_full', 'full'),
  mediapipe(
    'mediapipe_palm',
    packed('hands', 'palm_detection_lite.tflite'),
    { outputs: ['Identity', 'Identity_1'], batched: true },
    (ir, [boxes, logits]) => ({ regressors: boxes as Value, scores: sigmoid(ir, logits, [2016]) }),
  ),
];
