import type { IrBuilder, Value } from './graph/ir.js';
import { readManifest } from './manifest.js';
import type { Network } from './network.js';
import { convertGraphModel, type GraphModelPlan } from './tfjs/convert.js';
import { parseGraphModel } from './tfjs/graph-model.js';

const HUMAN = '@vladmandic/human';

function human(id: string, stem: string, plan: Omit<GraphModelPlan, 'id'>): Network {
  const topology = { package: HUMAN, path: `models/${stem}.json` };
  const data = { package: HUMAN, path: `models/${stem}.bin` };
  return {
    id,
    sources: [topology, data],
    build: (reader) => {
      const json = reader.json(topology) as { weightsManifest?: unknown };
      const weights = readManifest(json.weightsManifest, reader.read(data), `${data.package}/${data.path}`);
      return convertGraphModel(parseGraphModel(json, weights, `${topology.package}/${topology.path}`), { id, ...plan });
    },
  };
}

type Finish = GraphModelPlan['finish'];

/** Gives the values names and nothing else. */
const named =
  (...names: readonly string[]): Finish =>
  (_, values) =>
    Object.fromEntries(names.map((name, i) => [name, values[i] as Value]));

/** A value as [N, ...rest]. */
const shaped = (ir: IrBuilder, value: Value | undefined, rest: readonly number[]): Value =>
  ir.reshape(`${value?.name}.shaped`, value as Value, [1, ...rest]);

const MOVENET = 'StatefulPartitionedCall/';

/** Networks of @vladmandic/human (TensorFlow.js graph models). */
export const humanNetworks: readonly Network[] = [
  human('human_blazeface', 'blazeface', {
    input: 'input',
    shape: [1, 256, 256, 3],
    outputs: ['Identity', 'Identity_1', 'Identity_2', 'Identity_3'],
    finish: (ir, [near, far, nearBoxes, farBoxes]) => ({
      regressors: ir.concat('regressors', [nearBoxes as Value, farBoxes as Value], 1),
      scores: ir.unary('scores', 'Sigmoid', shaped(ir, ir.concat('logits', [near as Value, far as Value], 1), [896])),
    }),
    batched: true,
  }),
  human('human_faceres', 'faceres', {
    input: 'input_1',
    shape: [1, 224, 224, 3],
    outputs: ['global_pooling/Mean', 'age_pred/Softmax', 'gender_pred/Sigmoid'],
    finish: named('descriptor', 'age', 'gender'),
    batched: true,
  }),
  human('human_iris', 'iris', {
    input: 'input_1',
    shape: [1, 64, 64, 3],
    outputs: ['Identity'],
    finish: (ir, [all]) => ({ landmarks: shaped(ir, all, [76, 3]) }),
    batched: true,
  }),
  human('human_emotion', 'emotion', {
    input: 'input_1',
    shape: [1, 64, 64, 1],
    outputs: ['Identity'],
    finish: named('probabilities'),
    batched: true,
  }),
  human('human_antispoof', 'antispoof', {
    input: 'conv2d_input',
    shape: [1, 128, 128, 3],
    outputs: ['Identity'],
    finish: named('real'),
    batched: true,
  }),
  human('human_liveness', 'liveness', {
    input: 'conv2d_1_input',
    shape: [1, 32, 32, 3],
    outputs: ['Identity'],
    finish: named('probabilities'),
    batched: true,
  }),
  human('human_handlandmark', 'handlandmark-lite', {
    input: 'input_1',
    shape: [1, 224, 224, 3],
    outputs: ['Identity', 'Identity_1', 'Identity_2', 'Identity_3'],
    finish: (ir, [screen, presence, handedness, world]) => ({
      landmarks: shaped(ir, screen, [21, 3]),
      presence: presence as Value,
      handedness: handedness as Value,
      world: shaped(ir, world, [21, 3]),
    }),
    batched: true,
  }),
  human('human_movenet', 'movenet-lightning', {
    input: `${MOVENET}sub_1`,
    shape: [1, 192, 192, 3],
    outputs: ['Identity'],
    finish: (ir, [all]) => ({ keypoints: shaped(ir, all, [17, 3]) }),
    batched: false,
  }),
  human('human_centernet', 'centernet', {
    input: 'tower_0/images',
    shape: [1, 512, 512, 3],
    outputs: ['tower_0/detections'],
    finish: named('detections'),
    batched: false,
  }),
];
