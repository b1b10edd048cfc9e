import type { Weight } from '../weights.js';
import { type ChannelScale, FaceApiLayers } from './layers.js';

const BATCH_NORM_EPSILON = 0.0010000000474974513;
const STRIDE_TWO_PAIRS: ReadonlySet<number> = new Set([2, 4, 6, 12]);

/** Batch normalisation as factor and offset: y = x·γ/√(σ²+ε) + β − μ·γ/√(σ²+ε). */
function batchNorm(layers: FaceApiLayers, prefix: string): ChannelScale {
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((part) =>
    layers.values(`${prefix}/${part}`),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const factor = Float64Array.from(gamma, (g, i) => g / Math.sqrt((variance[i] ?? 0) + BATCH_NORM_EPSILON));
  const offset = Float64Array.from(beta, (b, i) => b - (mean[i] ?? 0) * (factor[i] ?? 0));
  return { factor, offset };
}

/**
 * SSD (Liu et al. 2016) on MobileNet v1 (Howard et al. 2017), trained for faces.
 *
 * Input [N,3,H,W] with H and W free multiples of 32. Outputs the raw encodings `boxes` [N,A,4] (ty,tx,th,tw) and
 * `scores` [N,A] (probability of the face class); the anchors follow from H and W and are made by the caller.
 * Maps are H/32·2, H/32, then halved and rounded up four times; the layer order is row, column, anchor.
 */
export function buildSsd(id: string, weights: ReadonlyMap<string, Weight>): Uint8Array {
  const net = new FaceApiLayers(id, weights);
  const g = net.graph;
  const point = (x: string, prefix: string, stride: number): string =>
    net.relu6(net.conv(x, `${prefix}/weights`, `${prefix}/convolution_bn_offset`, { stride }));

  let x = g.input('input', ['N', 3, 'H', 'W']);
  x = point(x, 'MobilenetV1/Conv2d_0_pointwise', 2);
  const maps: string[] = [];
  for (let pair = 1; pair <= 13; pair++) {
    const prefix = `MobilenetV1/Conv2d_${pair}_depthwise`;
    const stride = STRIDE_TWO_PAIRS.has(pair) ? 2 : 1;
    const scale = batchNorm(net, `${prefix}/BatchNorm`);
    x = net.relu6(net.depthwise(x, `${prefix}/depthwise_weights`, { stride }, scale));
    x = point(x, `MobilenetV1/Conv2d_${pair}_pointwise`, 1);
    if (pair === 11 || pair === 13) maps.push(x);
  }
  for (let extra = 0; extra < 8; extra++) {
    x = point(x, `Prediction/Conv2d_${extra}_pointwise`, 1 + (extra % 2));
    if (extra % 2 === 1) maps.push(x);
  }

  const head = (map: string, name: string, width: number): string => {
    const y = net.conv(map, `${name}/weights`, `${name}/biases`);
    return g.op('Reshape', [g.op('Transpose', [y], { perm: [0, 2, 3, 1] }), g.int64([0, -1, width])]);
  };
  const predictor = (i: number, part: string): string => `Prediction/BoxPredictor_${i}/${part}`;
  const boxes = maps.map((map, i) => head(map, predictor(i, 'BoxEncodingPredictor'), 4));
  const classes = maps.map((map, i) => head(map, predictor(i, 'ClassPredictor'), 3));
  g.output('boxes', g.op('Concat', boxes, { axis: 1 }), ['N', 'A', 4]);
  const face = g.op('Gather', [g.op('Concat', classes, { axis: 1 }), g.int64(1)], { axis: 2 });
  g.output('scores', g.op('Sigmoid', [face]), ['N', 'A']);
  return g.serialize();
}
