import type { Weight } from '../weights.js';
import { FaceApiLayers } from './layers.js';

/**
 * face-api's feature extractor: blocks of separable convolutions whose results are added up densely.
 * o1 = relu(conv0, stride 2); o2 = conv1(o1); o3 = conv2(relu(o1+o2)); o4 = conv3(relu(o1+o2+o3)); out = relu(sum).
 */
function extractor(net: FaceApiLayers, input: string, blocks: number, terms: number): string {
  let x = input;
  for (let b = 0; b < blocks; b++) {
    const prefix = `dense${b}`;
    const first =
      b === 0
        ? net.conv(x, `${prefix}/conv0/filters`, `${prefix}/conv0/bias`, { stride: 2 })
        : net.separable(x, `${prefix}/conv0`, 2);
    let sum = net.relu(first);
    let active = sum;
    for (let t = 1; t < terms; t++) {
      sum = net.add(net.separable(active, `${prefix}/conv${t}`), sum);
      active = net.relu(sum);
    }
    x = active;
  }
  return x;
}

function build(
  id: string,
  weights: ReadonlyMap<string, Weight>,
  blocks: number,
  terms: number,
): [FaceApiLayers, string] {
  const net = new FaceApiLayers(id, weights);
  const input = net.graph.input('input', ['N', 3, 112, 112]);
  return [net, net.globalMean(extractor(net, input, blocks, terms))];
}

/** 68 landmarks: `landmarks` [N,68,2] as (x,y) in 0..1 of the 112×112 input. */
export function buildLandmarks(id: string, weights: ReadonlyMap<string, Weight>, tiny: boolean): Uint8Array {
  const [net, features] = build(id, weights, tiny ? 3 : 4, tiny ? 3 : 4);
  const flat = net.dense(features, 'fc/weights', 'fc/bias');
  net.graph.output('landmarks', net.graph.op('Reshape', [flat, net.graph.int64([0, 68, 2])]), ['N', 68, 2]);
  return net.graph.serialize();
}

/** Seven expressions: `probabilities` [N,7]. */
export function buildExpression(id: string, weights: ReadonlyMap<string, Weight>): Uint8Array {
  const [net, features] = build(id, weights, 4, 4);
  const logits = net.dense(features, 'fc/weights', 'fc/bias');
  net.graph.output('probabilities', net.graph.op('Softmax', [logits], { axis: 1 }), ['N', 7]);
  return net.graph.serialize();
}
