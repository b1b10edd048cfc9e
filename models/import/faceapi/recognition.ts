import type { Weight } from '../weights.js';
import { type ChannelScale, type ConvOptions, FaceApiLayers } from './layers.js';

/** (conv + bias) × weight + offset as one factor and one offset. */
function scaleOf(net: FaceApiLayers, prefix: string): ChannelScale {
  const bias = net.values(`${prefix}/conv/bias`);
  const weights = net.values(`${prefix}/scale/weights`);
  const biases = net.values(`${prefix}/scale/biases`);
  return {
    factor: Float64Array.from(weights),
    offset: Float64Array.from(weights, (w, i) => w * (bias[i] ?? 0) + (biases[i] ?? 0)),
  };
}

/**
 * The residual network behind dlib's face recogniser (dlib `dnn_face_recognition_ex`), 29 convolutions.
 * Input [N,3,150,150]; output `descriptor` [N,128], not normalised.
 */
export function buildRecognition(id: string, weights: ReadonlyMap<string, Weight>): Uint8Array {
  const net = new FaceApiLayers(id, weights);
  const g = net.graph;
  const cl = (x: string, prefix: string, options: ConvOptions = {}): string =>
    net.scaledConv(x, `${prefix}/conv/filters`, scaleOf(net, prefix), options);

  const residual = (x: string, prefix: string): string => {
    const y = cl(net.relu(cl(x, `${prefix}/conv1`)), `${prefix}/conv2`);
    return net.relu(net.add(y, x));
  };
  // Halves the map; the shortcut is the mean of 2×2 with zero channels appended. Where the unpadded convolution ends one
  // pixel short of the shortcut, its result is padded with zeros at the bottom and the right.
  const down = (x: string, prefix: string, channels: number, channelsAdded: number, short: boolean): string => {
    let y = cl(net.relu(cl(x, `${prefix}/conv1`, { stride: 2, padding: 'valid' })), `${prefix}/conv2`);
    let shortcut = net.pool('AveragePool', x, 2, 2, 'valid');
    if (short) y = g.op('Pad', [y, g.int64([0, 0, 0, 0, 0, 0, 1, 1])], { mode: 'constant' });
    if (channelsAdded > 0) {
      shortcut = g.op('Pad', [shortcut, g.int64([0, 0, 0, 0, 0, channelsAdded, 0, 0])], { mode: 'constant' });
    }
    return net.relu(net.anchor(net.add(y, shortcut), channels));
  };

  let x = g.input('input', ['N', 3, 150, 150]);
  x = net.pool('MaxPool', cl(x, 'conv32_down', { stride: 2, padding: 'valid' }), 3, 2, 'valid');
  // The rectifier may as well follow the pooling; as a maximum it is computed on a plain tensor.
  x = net.anchor(g.op('Max', [x, g.float(0)]), 32);
  for (const i of [1, 2, 3]) x = residual(x, `conv32_${i}`);
  x = down(x, 'conv64_down', 64, 32, false);
  for (const i of [1, 2, 3]) x = residual(x, `conv64_${i}`);
  x = down(x, 'conv128_down', 128, 64, false);
  for (const i of [1, 2]) x = residual(x, `conv128_${i}`);
  x = down(x, 'conv256_down', 256, 128, true);
  for (const i of [1, 2]) x = residual(x, `conv256_${i}`);
  x = down(x, 'conv256_down_out', 256, 0, true);
  g.output('descriptor', net.dense(net.globalMean(x), 'fc'), ['N', 128]);
  return g.serialize();
}
