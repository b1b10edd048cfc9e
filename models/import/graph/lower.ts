import { ImportError } from '../error.js';
import { type Attribute, type Dim, OnnxGraph } from '../onnx.js';
import { permuteWeight, reshapeWeight, type Weight, weightValues } from '../weights.js';
import { optimise } from './fuse.js';
import { type IrNode, type Padding, reachable, type Value } from './ir.js';

interface Names {
  nchw?: string;
  plain?: string;
}

/**
 * Writes an IR graph as ONNX with images in NCHW, the layout that ONNX Runtime's kernels are made for. Each value is
 * kept in the layout in which it was made and transposed at most once when something needs the other.
 */
export class Lowering {
  readonly graph: OnnxGraph;
  private readonly names = new Map<Value, Names>();

  /** With `batch` a string, the first dimension is free and called so. */
  constructor(
    id: string,
    private readonly batch: Dim,
  ) {
    this.graph = new OnnxGraph(id);
  }

  /** Declares an image input [N,C,H,W] for a value of shape [1,H,W,C]. */
  input(name: string, value: Value): void {
    const [, h = 1, w = 1, c = 1] = value.shape;
    this.names.set(value, { nchw: this.graph.input(name, [this.batch, c, h, w]) });
  }

  /** Writes outputs in the origin's order. */
  output(name: string, value: Value): void {
    this.graph.output(name, this.plain(value), this.outputShape(value.shape));
  }

  private outputShape(shape: readonly number[]): Dim[] {
    return shape.map((d, i) => (i === 0 ? this.batch : d));
  }

  private of(value: Value): Names {
    let names = this.names.get(value);
    if (!names) {
      names = {};
      this.names.set(value, names);
    }
    return names;
  }

  /** Writes the nodes that make `values`, which must come in the order of `reachable`. */
  emitAll(values: readonly Value[]): void {
    for (const value of values) {
      if (value.constant === undefined && !this.names.has(value)) this.emit(value, this.of(value));
    }
  }

  private node(value: Value): IrNode {
    if (!value.producer) throw new ImportError('GRAPH_INVALID', `"${value.name}" is read but was never given`);
    return value.producer;
  }

  /** Name of the value as NCHW. */
  nchw(value: Value): string {
    const names = this.of(value);
    if (names.nchw === undefined) {
      if (value.constant) {
        const { shape } = value.constant;
        const full = reshapeWeight(value.constant, [...new Array<number>(4 - shape.length).fill(1), ...shape]);
        return this.graph.weight(permuteWeight(full, [0, 3, 1, 2]), `${value.name}.nchw`);
      }
      names.nchw = this.graph.op('Transpose', [names.plain ?? ''], { perm: [0, 3, 1, 2] });
    }
    return names.nchw;
  }

  /** Name of the value in the origin's order. */
  plain(value: Value): string {
    const names = this.of(value);
    if (names.plain === undefined) {
      if (value.constant) {
        names.plain = this.plainConstant(value.constant);
        return names.plain;
      }
      const [, h, w, c] = value.shape;
      // A 1×1 map and a single channel have the same order in both layouts.
      if (h === 1 && w === 1) names.plain = this.reshapeTo(names.nchw ?? '', [1, 1, c ?? 1]);
      else names.plain = this.graph.op('Transpose', [names.nchw ?? ''], { perm: [0, 2, 3, 1] });
    }
    return names.plain;
  }

  private plainConstant(weight: Weight): string {
    if (weight.storage.kind !== 'int32') return this.graph.weight(weight, `${weight.name}.plain`);
    const values = Array.from(weight.storage.data);
    if (weight.shape.length === 0) return this.graph.int64(values[0] ?? 0);
    if (weight.shape.length === 1) return this.graph.int64(values);
    const data = BigInt64Array.from(values, BigInt);
    return this.graph.initializer(`${weight.name}.int`, 'int64', weight.shape, data);
  }

  private reshapeTo(name: string, rest: readonly number[]): string {
    return this.graph.op('Reshape', [name, this.graph.int64([typeof this.batch === 'string' ? 0 : 1, ...rest])]);
  }

  /**
   * Padding as `auto_pad`: at a stride of two, explicit numbers would say the same but stop ONNX Runtime from following
   * sizes through its blocked layout, which costs it the fusion of additions and activations behind.
   */
  private padding(padding: Padding, kernel: readonly number[]): Record<string, Attribute> {
    return padding === 'same' && kernel.some((k) => k > 1) ? { auto_pad: 'SAME_UPPER' } : {};
  }

  private constantFor(constant: Value, image: boolean): string {
    const weight = constant.constant as Weight;
    if (!image) return this.plain(constant);
    const rank = weight.shape.length;
    // [C] (or [1,1,1,C]) against NCHW is [C,1,1]; a full image is transposed.
    const channels = weight.shape[rank - 1] ?? 1;
    if (weight.shape.slice(0, -1).every((d) => d === 1)) {
      const shape = rank === 0 ? [] : [channels, 1, 1];
      return this.graph.weight(reshapeWeight(weight, shape), `${weight.name}.c11`);
    }
    return this.nchw(constant);
  }

  private emit(value: Value, names: Names): void {
    const g = this.graph;
    const node = this.node(value);
    const image = value.shape.length === 4;
    switch (node.kind) {
      case 'conv':
        names.nchw = this.emitConv(value, node);
        return;
      case 'unary':
      case 'clip': {
        const layout = image && this.of(node.input).nchw !== undefined ? 'nchw' : 'plain';
        const x = layout === 'nchw' ? this.nchw(node.input) : this.plain(node.input);
        names[layout] = node.kind === 'unary' ? g.op(node.op, [x]) : this.emitClip(x, node.range);
        return;
      }
      case 'prelu':
        names.nchw = this.emitPrelu(this.nchw(node.input), node.slope);
        return;
      case 'binary': {
        // A computed operand of lower rank only lines up with an image in the origin's order.
        const asImage = image && [node.a, node.b].every((v) => v.constant !== undefined || v.shape.length === 4);
        const side = (v: Value): string => {
          if (v.constant) return this.constantFor(v, asImage);
          return asImage ? this.nchw(v) : this.plain(v);
        };
        names[asImage ? 'nchw' : 'plain'] = g.op(node.op, [side(node.a), side(node.b)]);
        return;
      }
      case 'pool': {
        const attributes: Record<string, Attribute> = {
          kernel_shape: node.size,
          strides: node.stride,
          ...this.padding(node.padding, node.size),
        };
        names.nchw = g.op(node.op, [this.nchw(node.input)], attributes);
        return;
      }
      case 'pad': {
        if (image && node.pads.every(([from, to], axis) => from === 0 && (to === 0 || axis === 3))) {
          names.nchw = this.widen(value, node.input);
          return;
        }
        const order = image ? [0, 3, 1, 2] : node.pads.map((_, i) => i);
        const pads = [0, 1].flatMap((end) => order.map((axis) => node.pads[axis]?.[end] ?? 0));
        const x = image ? this.nchw(node.input) : this.plain(node.input);
        names[image ? 'nchw' : 'plain'] = g.op('Pad', [x, g.int64(pads)], { mode: 'constant' });
        return;
      }
      case 'resize': {
        const [, ih = 1, iw = 1] = node.input.shape;
        const [, h = 1, w = 1] = value.shape;
        const scales = g.float([1, 1, h / ih, w / iw]);
        const attributes = { mode: 'linear', coordinate_transformation_mode: node.mode };
        names.nchw = g.op('Resize', [this.nchw(node.input), '', scales], attributes);
        return;
      }
      case 'toNchw':
        names.plain = this.nchw(node.input);
        return;
      case 'fromNchw':
        names.nchw = this.plain(node.input);
        return;
      case 'depthToSpace':
        names.nchw = g.op('DepthToSpace', [this.nchw(node.input)], { blocksize: node.block, mode: 'DCR' });
        return;
      case 'mean': {
        const pooled = g.op('GlobalAveragePool', [this.nchw(node.input)]);
        if (node.keep) names.nchw = pooled;
        else names.plain = g.op('Flatten', [pooled], { axis: 1 });
        return;
      }
      case 'concat': {
        const axis = image ? ([0, 2, 3, 1][node.axis] ?? 0) : node.axis;
        const parts = node.inputs.map((v) => (image ? this.nchw(v) : this.plain(v)));
        names[image ? 'nchw' : 'plain'] = g.op('Concat', parts, { axis });
        return;
      }
      case 'reshape':
        names.plain = this.emitReshape(value, node.input);
        return;
      case 'dense': {
        const w = g.weight(node.weight);
        const x = this.plain(node.input);
        names.plain = node.bias ? g.op('Gemm', [x, w, g.weight(node.bias)]) : g.op('MatMul', [x, w]);
        return;
      }
      case 'softmax':
        names.plain = g.op('Softmax', [this.plain(node.input)], { axis: node.axis });
        return;
      case 'raw':
        names.plain = node.emit(
          g,
          node.inputs.map((v) => this.plain(v)),
        );
        return;
    }
  }

  /**
   * PReLU with a slope per channel as slope·x + (1 − slope)·relu(x), two depthwise convolutions by numbers: ONNX Runtime
   * has no PReLU in its blocked layout, and leaving that layout and coming back costs more (measured: the meshes take a
   * third longer).
   */
  private emitPrelu(x: string, slope: Weight): string {
    const slopes = Array.from(weightValues(slope));
    const scaled = (value: string, factors: readonly number[]): string => {
      const weights = this.graph.float(factors, [factors.length, 1, 1, 1]);
      return this.graph.op('Conv', [value, weights], { kernel_shape: [1, 1], group: factors.length });
    };
    const linear = scaled(x, slopes);
    const positive = scaled(
      this.graph.op('Relu', [x]),
      slopes.map((v) => 1 - v),
    );
    return this.graph.op('Add', [positive, linear]);
  }

  /**
   * Zero channels appended: a convolution by the identity, which has the same values and keeps ONNX Runtime's blocked
   * layout and with it the fusion of what follows; a Pad would end both.
   */
  private widen(value: Value, input: Value): string {
    const [inner, outer] = [input.shape[3] ?? 1, value.shape[3] ?? 1];
    const identity = new Uint8Array(outer * inner);
    for (let i = 0; i < inner; i++) identity[i * inner + i] = 1;
    const weight: Weight = {
      name: `${value.name}.identity`,
      shape: [outer, inner, 1, 1],
      storage: { kind: 'uint8', data: identity, scale: 1, min: 0 },
    };
    return this.graph.op('Conv', [this.nchw(input), this.graph.weight(weight)], { kernel_shape: [1, 1] });
  }

  private emitReshape(value: Value, input: Value): string {
    const [, h, w] = input.shape;
    // From a 1×1 map the order does not matter: read whichever layout is there.
    const flat = input.shape.length === 4 && h === 1 && w === 1 && this.of(input).nchw !== undefined;
    const x = flat ? this.nchw(input) : this.plain(input);
    const keepsBatch = value.shape[0] === input.shape[0] && typeof this.batch === 'string';
    const shape = keepsBatch ? [0, ...value.shape.slice(1)] : value.shape;
    return this.graph.op('Reshape', [x, this.graph.int64(shape)]);
  }

  private emitClip(x: string, range: { readonly low: number; readonly high: number }): string {
    if (range.low === 0 && range.high === Number.POSITIVE_INFINITY) return this.graph.op('Relu', [x]);
    const low = Number.isFinite(range.low) ? this.graph.float(range.low) : '';
    const inputs = Number.isFinite(range.high) ? [x, low, this.graph.float(range.high)] : [x, low];
    return this.graph.op('Clip', inputs);
  }

  private emitConv(value: Value, node: Extract<IrNode, { kind: 'conv' }>): string {
    const g = this.graph;
    const [channels = 1, , kh = 1, kw = 1] = node.weight.shape;
    const inputs = [this.nchw(node.input), g.weight(node.weight, `${value.name}.w`, node.factor)];
    if (node.offset) {
      inputs.push(g.initializer(`${value.name}.b`, 'float32', [channels], Float32Array.from(node.offset)));
    }
    const attributes: Record<string, Attribute> = {
      kernel_shape: [kh, kw],
      strides: node.stride,
      ...this.padding(node.padding, [kh, kw]),
      group: node.depthwise ? channels : 1,
    };
    if (node.dilation[0] !== 1 || node.dilation[1] !== 1) attributes.dilations = node.dilation;
    return g.op('Conv', inputs, attributes);
  }
}

/** Fuses and writes a graph with one image input, called `input`, and the given outputs in the origin's order. */
export function lower(
  id: string,
  input: Value,
  outputs: Readonly<Record<string, Value>>,
  batched: boolean,
): Uint8Array {
  optimise(Object.values(outputs));
  const lowering = new Lowering(id, batched ? 'N' : 1);
  lowering.input('input', input);
  lowering.emitAll(reachable(Object.values(outputs)));
  for (const [name, value] of Object.entries(outputs)) lowering.output(name, value);
  return lowering.graph.serialize();
}
