import { ImportError } from '../error.js';
import type { OnnxGraph } from '../onnx.js';
import { elementCount, type Weight, weightValues } from '../weights.js';

/**
 * The form between a source network and ONNX: values with shapes in the origin's order (NHWC for images, batch 1) and
 * the handful of operations that matter for fusion. Everything else is a `raw` node that writes its own ONNX nodes.
 */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  readonly constant?: Weight;
  producer?: IrNode;
  /** How many nodes and outputs read it; counted by `optimise`. */
  uses: number;
}

export type Padding = 'same' | 'valid';

/** Smallest and largest value let through. */
export interface ClipRange {
  readonly low: number;
  readonly high: number;
}

export type IrNode =
  | {
      readonly kind: 'conv';
      readonly input: Value;
      /** Output channels first (OIHW; for depthwise C1HW), storage as in the origin. */
      readonly weight: Weight;
      readonly depthwise: boolean;
      readonly stride: readonly [number, number];
      readonly dilation: readonly [number, number];
      readonly padding: Padding;
      /** Per output channel, applied to the result of the convolution: x·factor + offset. */
      readonly factor?: Float64Array;
      readonly offset?: Float64Array;
    }
  | { readonly kind: 'unary'; readonly op: string; readonly input: Value }
  | { readonly kind: 'clip'; readonly input: Value; readonly range: ClipRange }
  | { readonly kind: 'prelu'; readonly input: Value; readonly slope: Weight }
  | { readonly kind: 'binary'; readonly op: 'Add' | 'Sub' | 'Mul' | 'Div'; readonly a: Value; readonly b: Value }
  | {
      readonly kind: 'pool';
      readonly op: 'MaxPool' | 'AveragePool';
      readonly input: Value;
      readonly size: readonly [number, number];
      readonly stride: readonly [number, number];
      readonly padding: Padding;
    }
  | { readonly kind: 'pad'; readonly input: Value; readonly pads: readonly (readonly [number, number])[] }
  | {
      readonly kind: 'resize';
      readonly input: Value;
      readonly mode: 'half_pixel' | 'align_corners' | 'asymmetric';
    }
  | { readonly kind: 'mean'; readonly input: Value; readonly keep: boolean }
  | { readonly kind: 'concat'; readonly inputs: readonly Value[]; readonly axis: number }
  | { readonly kind: 'reshape'; readonly input: Value }
  | { readonly kind: 'dense'; readonly input: Value; readonly weight: Weight; readonly bias?: Weight }
  | { readonly kind: 'softmax'; readonly input: Value; readonly axis: number }
  /** The same image with its axes in the order N,C,H,W, and back: no data moves when the layout is right already. */
  | { readonly kind: 'toNchw'; readonly input: Value }
  | { readonly kind: 'fromNchw'; readonly input: Value }
  | { readonly kind: 'depthToSpace'; readonly input: Value; readonly block: number }
  | {
      readonly kind: 'raw';
      readonly inputs: readonly Value[];
      /** Receives the inputs in the origin's order and returns the name of the result. */
      readonly emit: (graph: OnnxGraph, names: readonly string[]) => string;
    };

/** Values that a node reads. */
export function nodeInputs(node: IrNode): readonly Value[] {
  switch (node.kind) {
    case 'binary':
      return [node.a, node.b];
    case 'concat':
    case 'raw':
      return node.inputs;
    default:
      return [node.input];
  }
}

const spatial = (size: number, kernel: number, stride: number, padding: Padding): number =>
  padding === 'same' ? Math.ceil(size / stride) : Math.floor((size - kernel) / stride) + 1;

/** Shape of two operands after broadcasting. */
export function broadcast(a: readonly number[], b: readonly number[], where: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ImportError('SOURCE_CORRUPT', `${where}: shapes [${a}] and [${b}] do not fit together`);
    }
    return x === 1 ? y : x;
  });
}

/** Every value that `outputs` depend on, each after those it reads. */
export function reachable(outputs: readonly Value[]): Value[] {
  const order: Value[] = [];
  const state = new Map<Value, 'open' | 'done'>();
  const stack = [...outputs].reverse();
  while (stack.length > 0) {
    const value = stack[stack.length - 1] as Value;
    if (state.get(value) !== undefined) {
      stack.pop();
      if (state.get(value) === 'open') {
        state.set(value, 'done');
        order.push(value);
      }
      continue;
    }
    state.set(value, 'open');
    if (value.producer) stack.push(...nodeInputs(value.producer).filter((v) => !state.has(v)));
  }
  return order;
}

/** Builds values and nodes with inferred shapes. */
export class IrBuilder {
  constructor(readonly origin: string) {}

  input(name: string, shape: readonly number[]): Value {
    return { name, shape, uses: 0 };
  }

  constant(weight: Weight): Value {
    return { name: weight.name, shape: weight.shape, constant: weight, uses: 0 };
  }

  add(name: string, shape: readonly number[], node: IrNode): Value {
    if (shape.some((d) => !Number.isInteger(d) || d < 1)) {
      throw new ImportError('SOURCE_CORRUPT', `${this.origin}: "${name}" would have the shape [${shape}]`);
    }
    return { name, shape, producer: node, uses: 0 };
  }

  private dims4(value: Value, name: string): readonly [number, number, number, number] {
    const [n, h, w, c] = value.shape;
    if (value.shape.length !== 4 || !n || !h || !w || !c) {
      throw new ImportError('SOURCE_CORRUPT', `${this.origin}: "${name}" needs an image but reads [${value.shape}]`);
    }
    return [n, h, w, c];
  }

  conv(name: string, input: Value, node: Omit<Extract<IrNode, { kind: 'conv' }>, 'kind' | 'input'>): Value {
    const [n, h, w, c] = this.dims4(input, name);
    const [out = 0, inner = 0, kh = 0, kw = 0] = node.weight.shape;
    if (inner !== (node.depthwise ? 1 : c) || (node.depthwise && out !== c)) {
      const text = `weights [${node.weight.shape}] do not fit the input [${input.shape}]`;
      throw new ImportError('OPERATOR_UNSUPPORTED', `${this.origin}: convolution "${name}": ${text}`);
    }
    const eh = (kh - 1) * node.dilation[0] + 1;
    const ew = (kw - 1) * node.dilation[1] + 1;
    const shape = [n, spatial(h, eh, node.stride[0], node.padding), spatial(w, ew, node.stride[1], node.padding), out];
    return this.add(name, shape, { ...node, kind: 'conv', input });
  }

  unary(name: string, op: string, input: Value): Value {
    return this.add(name, input.shape, { kind: 'unary', op, input });
  }

  clip(name: string, input: Value, low: number, high: number): Value {
    return this.add(name, input.shape, { kind: 'clip', input, range: { low, high } });
  }

  prelu(name: string, input: Value, slope: Weight): Value {
    return this.add(name, input.shape, { kind: 'prelu', input, slope });
  }

  binary(name: string, op: 'Add' | 'Sub' | 'Mul' | 'Div', a: Value, b: Value): Value {
    return this.add(name, broadcast(a.shape, b.shape, `${this.origin}: "${name}"`), { kind: 'binary', op, a, b });
  }

  pool(
    name: string,
    op: 'MaxPool' | 'AveragePool',
    input: Value,
    size: readonly [number, number],
    stride: readonly [number, number],
    padding: Padding,
  ): Value {
    const [n, h, w, c] = this.dims4(input, name);
    const shape = [n, spatial(h, size[0], stride[0], padding), spatial(w, size[1], stride[1], padding), c];
    return this.add(name, shape, { kind: 'pool', op, input, size, stride, padding });
  }

  pad(name: string, input: Value, pads: readonly (readonly [number, number])[]): Value {
    const shape = input.shape.map((d, i) => d + (pads[i]?.[0] ?? 0) + (pads[i]?.[1] ?? 0));
    return this.add(name, shape, { kind: 'pad', input, pads });
  }

  resize(
    name: string,
    input: Value,
    height: number,
    width: number,
    mode: Extract<IrNode, { kind: 'resize' }>['mode'],
  ): Value {
    const [n, , , c] = this.dims4(input, name);
    return this.add(name, [n, height, width, c], { kind: 'resize', input, mode });
  }

  /** Mean over the two image axes. */
  mean(name: string, input: Value, keep: boolean): Value {
    const [n, , , c] = this.dims4(input, name);
    return this.add(name, keep ? [n, 1, 1, c] : [n, c], { kind: 'mean', input, keep });
  }

  concat(name: string, inputs: readonly Value[], axis: number): Value {
    const first = inputs[0];
    if (!first) throw new ImportError('SOURCE_CORRUPT', `${this.origin}: "${name}" joins nothing`);
    const at = axis < 0 ? axis + first.shape.length : axis;
    const shape = first.shape.map((d, i) => (i === at ? inputs.reduce((sum, v) => sum + (v.shape[i] ?? 0), 0) : d));
    return this.add(name, shape, { kind: 'concat', inputs, axis: at });
  }

  /** One dimension may be -1. */
  reshape(name: string, input: Value, target: readonly number[]): Value {
    const known = target.reduce((p, d) => (d === -1 ? p : p * d), 1);
    const shape = target.map((d) => (d === -1 ? elementCount(input.shape) / known : d));
    if (elementCount(shape) !== elementCount(input.shape)) {
      throw new ImportError('SOURCE_CORRUPT', `${this.origin}: "${name}" reshapes [${input.shape}] to [${target}]`);
    }
    return this.add(name, shape, { kind: 'reshape', input });
  }

  /** [N,C] times [C,M]. */
  dense(name: string, input: Value, weight: Weight, bias?: Weight): Value {
    const node: IrNode = bias ? { kind: 'dense', input, weight, bias } : { kind: 'dense', input, weight };
    return this.add(name, [input.shape[0] ?? 1, weight.shape[1] ?? 0], node);
  }

  softmax(name: string, input: Value): Value {
    return this.add(name, input.shape, { kind: 'softmax', input, axis: input.shape.length - 1 });
  }

  /** A plain value with the axes [N,C,H,W] of an image. */
  transposed(name: string, input: Value): Value {
    const [n, h, w, c] = this.dims4(input, name);
    return this.add(name, [n, c, h, w], { kind: 'toNchw', input });
  }

  /** The image whose axes [N,C,H,W] a plain value has. */
  fromNchw(name: string, input: Value): Value {
    const [n, c, h, w] = this.dims4(input, name);
    return this.add(name, [n, h, w, c], { kind: 'fromNchw', input });
  }

  /** TensorFlow's depth_to_space: blocks of channels become blocks of pixels. */
  depthToSpace(name: string, input: Value, block: number): Value {
    const [n, h, w, c] = this.dims4(input, name);
    return this.add(name, [n, h * block, w * block, c / (block * block)], { kind: 'depthToSpace', input, block });
  }

  /**
   * TensorFlow's strided slice with steps of one; the masks have a bit per axis: ignore the begin, ignore the end, drop
   * the axis.
   */
  slice(
    name: string,
    input: Value,
    begin: readonly number[],
    end: readonly number[],
    masks: { readonly begin: number; readonly end: number; readonly shrink: number },
  ): Value {
    const has = (mask: number, axis: number): boolean => (mask & (1 << axis)) !== 0;
    const starts: number[] = [];
    const ends: number[] = [];
    begin.forEach((from, axis) => {
      const size = input.shape[axis] ?? 0;
      const wrap = (v: number): number => Math.min(size, v < 0 ? v + size : v);
      const start = has(masks.begin, axis) ? 0 : wrap(from);
      starts.push(start);
      if (has(masks.shrink, axis)) ends.push(start + 1);
      else ends.push(has(masks.end, axis) ? size : wrap(end[axis] ?? size));
    });
    const sliced = input.shape.map((d, axis) => (axis < begin.length ? (ends[axis] ?? d) - (starts[axis] ?? 0) : d));
    if (sliced.every((d, axis) => d === input.shape[axis]) && masks.shrink === 0) return input;
    const shape = sliced.filter((_, axis) => !(axis < begin.length && has(masks.shrink, axis)));
    const axes = starts.map((_, axis) => axis);
    return this.raw(name, [input], shape, (g, [x = '']) => {
      const y = g.op('Slice', [x, g.int64(starts), g.int64(ends), g.int64(axes)]);
      return shape.length === sliced.length ? y : g.op('Reshape', [y, g.int64(shape)]);
    });
  }

  raw(
    name: string,
    inputs: readonly Value[],
    shape: readonly number[],
    emit: (graph: OnnxGraph, names: readonly string[]) => string,
  ): Value {
    return this.add(name, shape, { kind: 'raw', inputs, emit });
  }

  /** The numbers of a constant; throws `OPERATOR_UNSUPPORTED` for a computed value. */
  numbers(value: Value, where: string): number[] {
    if (!value.constant) {
      throw new ImportError('OPERATOR_UNSUPPORTED', `${this.origin}: "${where}" needs the constant "${value.name}"`);
    }
    return Array.from(weightValues(value.constant));
  }
}
