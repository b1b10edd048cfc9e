import { weightValues } from '../weights.js';
import { type IrNode, nodeInputs, reachable, type Value } from './ir.js';

/** A constant as one number per channel (or one for all), or undefined when it is neither. */
export function perChannel(value: Value, channels: number): Float64Array | undefined {
  if (!value.constant) return undefined;
  const values = weightValues(value.constant);
  if (values.length === 1) return new Float64Array(channels).fill(values[0] ?? 0);
  const shape = value.shape;
  if (values.length !== channels || shape[shape.length - 1] !== channels) return undefined;
  return Float64Array.from(values);
}

const FOLD_LIMIT = 65536;

/**
 * Rewrites one node with what precedes it, or returns it unchanged:
 * - a factor or an offset per channel goes into the convolution before it (weights that keep a compact storage and are
 *   large are left alone when a factor would force them to float32);
 * - elsewhere, a factor or an offset per channel of an image becomes a depthwise convolution by itself: also that keeps
 *   ONNX Runtime in its blocked layout;
 * - neighbouring clips, minimums, maximums and rectifiers become one clip.
 * A value that something else reads too is never absorbed.
 */
function fuseNode(node: IrNode): IrNode {
  if (node.kind === 'binary') return fuseBinary(node);
  if (node.kind === 'conv') return fusePadding(node);
  if (node.kind === 'pool' && node.padding === 'valid') {
    // Where nothing is left over, the two kinds of padding are the same; this one keeps sizes known to ONNX Runtime.
    const [, h = 1, w = 1] = node.input.shape;
    const [even, odd] = [node.size, node.stride].map((pair) => pair.join());
    return even === odd && h % node.size[0] === 0 && w % node.size[1] === 0 ? { ...node, padding: 'same' } : node;
  }
  if (node.kind === 'clip') {
    const before = node.input.producer;
    if (before?.kind === 'clip' && node.input.uses === 1) {
      const low = Math.max(before.range.low, node.range.low);
      const high = Math.max(low, Math.min(before.range.high, node.range.high));
      return { kind: 'clip', input: before.input, range: { low, high } };
    }
    return Number.isFinite(node.range.high) && before?.kind === 'binary'
      ? { ...node, input: anchored(node.input) }
      : node;
  }
  return node;
}

/** A depthwise convolution by one: the identity, to which factors and offsets can be added. */
function byOne(input: Value): Extract<IrNode, { kind: 'conv' }> {
  const channels = input.shape[3] ?? 1;
  const ones = new Float32Array(channels).fill(1);
  return {
    kind: 'conv',
    input,
    weight: { name: `${input.name}.ones`, shape: [channels, 1, 1, 1], storage: { kind: 'float32', data: ones } },
    depthwise: true,
    stride: [1, 1],
    dilation: [1, 1],
    padding: 'valid',
  };
}

/**
 * The same image through a convolution by one: ONNX Runtime fuses a clip with two bounds only into a convolution, and
 * leaves its blocked layout for any other.
 */
function anchored(input: Value): Value {
  if (input.shape.length !== 4) return input;
  return { name: `${input.name}.one`, shape: input.shape, producer: byOne(input), uses: 1 };
}

/** An explicit pad before an unpadded convolution that amounts to the origin's own "same" padding. */
function fusePadding(node: Extract<IrNode, { kind: 'conv' }>): IrNode {
  const pad = node.input.producer;
  if (node.padding !== 'valid' || pad?.kind !== 'pad' || node.input.uses !== 1) return node;
  const [, , kh = 1, kw = 1] = node.weight.shape;
  const [, h = 1, w = 1] = pad.input.shape;
  const same = (size: number, kernel: number, stride: number, dilation: number): readonly [number, number] => {
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const needed = [
    [0, 0],
    same(h, kh, node.stride[0], node.dilation[0]),
    same(w, kw, node.stride[1], node.dilation[1]),
    [0, 0],
  ];
  const equal = needed.every((pair, axis) => pair[0] === pad.pads[axis]?.[0] && pair[1] === pad.pads[axis]?.[1]);
  return equal ? { ...node, input: pad.input, padding: 'same' } : node;
}

function fuseBinary(node: Extract<IrNode, { kind: 'binary' }>): IrNode {
  const constantFirst = node.a.constant !== undefined;
  const value = constantFirst ? node.b : node.a;
  const constant = constantFirst ? node.a : node.b;
  if (value.constant || value.shape.length !== 4 || node.op === 'Div') return node;
  const channels = value.shape[3] ?? 1;
  const numbers = perChannel(constant, channels);
  if (!numbers || (constant.shape.length === 4 && constant.shape.some((d, i) => i < 3 && d !== 1))) return node;
  const conv = value.producer?.kind === 'conv' && value.uses === 1 ? value.producer : byOne(value);
  const offset = conv.offset ?? new Float64Array(channels);
  if (node.op === 'Add') return { ...conv, offset: offset.map((v, i) => v + (numbers[i] ?? 0)) };
  if (node.op === 'Sub' && !constantFirst) return { ...conv, offset: offset.map((v, i) => v - (numbers[i] ?? 0)) };
  if (node.op !== 'Mul') return node;
  const compact = conv.weight.storage.kind === 'float16';
  if (compact && weightValues(conv.weight).length > FOLD_LIMIT) return node;
  const factor = conv.factor ?? new Float64Array(channels).fill(1);
  return {
    ...conv,
    factor: factor.map((v, i) => v * (numbers[i] ?? 1)),
    offset: offset.map((v, i) => v * (numbers[i] ?? 1)),
  };
}

/** Counts the readers of every value and fuses what can be fused; call once, before lowering. */
export function optimise(outputs: readonly Value[]): void {
  const order = reachable(outputs);
  for (const value of [...order, ...outputs]) {
    if (value.producer) for (const input of nodeInputs(value.producer)) input.uses = 0;
    value.uses = 0;
  }
  for (const value of order) {
    if (value.producer) for (const input of nodeInputs(value.producer)) input.uses++;
  }
  for (const output of outputs) output.uses++;
  for (const value of order) {
    if (value.producer) value.producer = fuseNode(value.producer);
  }
}
