import type { Weight } from '../weights.js';
import { FaceApiLayers } from './layers.js';

/**
 * A small Xception (Chollet 2017) with two heads. Input [N,3,112,112]; outputs `age` [N,1] in years and
 * `gender` [N,2] probabilities (male, female).
 */
export function buildAgeGender(id: string, weights: ReadonlyMap<string, Weight>): Uint8Array {
  const net = new FaceApiLayers(id, weights);
  const g = net.graph;
  const reduction = (input: string, prefix: string, active: boolean): string => {
    let x = net.separable(active ? net.relu(input) : input, `${prefix}/separable_conv0`);
    x = net.separable(net.relu(x), `${prefix}/separable_conv1`);
    x = net.pool('MaxPool', x, 3, 2, 'same');
    const expanded = `${prefix}/expansion_conv`;
    return net.add(x, net.conv(input, `${expanded}/filters`, `${expanded}/bias`, { stride: 2 }));
  };
  const main = (input: string, prefix: string): string => {
    let x = input;
    for (let i = 0; i < 3; i++) x = net.separable(net.relu(x), `${prefix}/separable_conv${i}`);
    return net.add(x, input);
  };
  let x = g.input('input', ['N', 3, 112, 112]);
  x = net.relu(net.conv(x, 'entry_flow/conv_in/filters', 'entry_flow/conv_in/bias', { stride: 2 }));
  x = reduction(x, 'entry_flow/reduction_block_0', false);
  x = reduction(x, 'entry_flow/reduction_block_1', true);
  x = main(x, 'middle_flow/main_block_0');
  x = main(x, 'middle_flow/main_block_1');
  x = reduction(x, 'exit_flow/reduction_block', true);
  x = net.relu(net.separable(x, 'exit_flow/separable_conv'));
  const features = net.globalMean(x);
  g.output('age', net.dense(features, 'fc/age/weights', 'fc/age/bias'), ['N', 1]);
  const gender = net.dense(features, 'fc/gender/weights', 'fc/gender/bias');
  g.output('gender', g.op('Softmax', [gender], { axis: 1 }), ['N', 2]);
  return g.serialize();
}
