import type { Weight } from '../weights.js';
import { FaceApiLayers } from './layers.js';

/**
 * Tiny YOLO v2 (Redmon and Farhadi 2017) with separable convolutions. Input [N,3,H,W], H and W multiples of 32;
 * output `grid` [N,H/32,W/32,25]: per cell five anchors × (x, y, w, h, score), all before any activation.
 */
export function buildTiny(id: string, weights: ReadonlyMap<string, Weight>): Uint8Array {
  const net = new FaceApiLayers(id, weights);
  const g = net.graph;
  const leaky = (x: string): string => g.op('LeakyRelu', [x], { alpha: { float: 0.1 } });
  let x = g.input('input', ['N', 3, 'H', 'W']);
  x = leaky(net.conv(x, 'conv0/filters', 'conv0/bias', { padding: 'valid' }));
  x = net.pool('MaxPool', x, 2, 2, 'same');
  for (let i = 1; i <= 5; i++) {
    const d = net.depthwise(x, `conv${i}/depthwise_filter`);
    x = leaky(net.conv(d, `conv${i}/pointwise_filter`, `conv${i}/bias`));
    x = net.pool('MaxPool', x, 2, i < 5 ? 2 : 1, 'same');
  }
  x = net.conv(x, 'conv8/filters', 'conv8/bias', { padding: 'valid' });
  g.output('grid', g.op('Transpose', [x], { perm: [0, 2, 3, 1] }), ['N', 'GH', 'GW', 25]);
  return g.serialize();
}
