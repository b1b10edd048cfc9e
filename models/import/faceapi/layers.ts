import { ImportError } from '../error.js';
import { type Attribute, OnnxGraph } from '../onnx.js';
import { permuteWeight, reshapeWeight, type Weight, weightValues } from '../weights.js';

/** Per-channel factor and offset that follow a convolution. */
export interface ChannelScale {
  readonly factor: Float64Array;
  readonly offset: Float64Array;
}

export interface ConvOptions {
  readonly stride?: number;
  readonly padding?: 'same' | 'valid';
}

/** The building blocks that face-api's networks share, on NCHW values. */
export class FaceApiLayers {
  readonly graph: OnnxGraph;

  constructor(
    name: string,
    private readonly weights: ReadonlyMap<string, Weight>,
  ) {
    this.graph = new OnnxGraph(name);
  }

  /** The weight called `name`; throws `WEIGHT_MISSING`. */
  get(name: string): Weight {
    const weight = this.weights.get(name);
    if (!weight) {
      throw new ImportError(
        'WEIGHT_MISSING',
        `${this.graph.name}: the manifest has no weight "${name}"; run \`npm ci\``,
      );
    }
    return weight;
  }

  values(name: string): Float32Array {
    return weightValues(this.get(name));
  }

  private convAttributes(kernel: readonly number[], options: ConvOptions, group = 1): Record<string, Attribute> {
    const stride = options.stride ?? 1;
    const size = kernel[0] ?? 1;
    const attributes: Record<string, Attribute> = { kernel_shape: kernel, strides: [stride, stride], group };
    if ((options.padding ?? 'same') === 'same' && size > 1) {
      // Stride 1 needs no knowledge of the input's size: explicit padding is the plainer form.
      if (stride === 1) attributes.pads = new Array<number>(4).fill((size - 1) / 2);
      else attributes.auto_pad = 'SAME_UPPER';
    }
    return attributes;
  }

  /** Full convolution; HWIO weights of the origin become OIHW. */
  conv(x: string, filters: string, bias: string, options: ConvOptions = {}): string {
    const source = this.get(filters);
    const w = this.graph.weight(permuteWeight(source, [3, 2, 0, 1]));
    const b = this.graph.weight(this.get(bias));
    return this.graph.op('Conv', [x, w, b], this.convAttributes(source.shape.slice(0, 2), options));
  }

  /**
   * Full convolution followed by a factor and an offset per output channel, folded: the stored 8-bit weights stay as
   * they are and only their scale and minimum become vectors, so nothing is lost and nothing is left to compute.
   */
  scaledConv(x: string, filters: string, scale: ChannelScale, options: ConvOptions = {}): string {
    const source = this.get(filters);
    const w = this.graph.weight(permuteWeight(source, [3, 2, 0, 1]), filters, scale.factor);
    const b = this.graph.initializer(
      `${filters}.offset`,
      'float32',
      [scale.offset.length],
      Float32Array.from(scale.offset),
    );
    return this.graph.op('Conv', [x, w, b], this.convAttributes(source.shape.slice(0, 2), options));
  }

  /** Depthwise convolution, optionally followed by a folded factor and offset; HWC1 weights become C1HW. */
  depthwise(x: string, filters: string, options: ConvOptions = {}, scale?: ChannelScale): string {
    const source = this.get(filters);
    const channels = source.shape[2] ?? 0;
    const w = this.graph.weight(permuteWeight(source, [2, 3, 0, 1]), filters, scale?.factor);
    const inputs = [x, w];
    if (scale) {
      inputs.push(this.graph.initializer(`${filters}.offset`, 'float32', [channels], Float32Array.from(scale.offset)));
    }
    return this.graph.op('Conv', inputs, this.convAttributes(source.shape.slice(0, 2), options, channels));
  }

  /** Depthwise and pointwise convolution under face-api's usual names, with the bias on the latter. */
  separable(x: string, prefix: string, stride = 1): string {
    const y = this.depthwise(x, `${prefix}/depthwise_filter`, { stride });
    return this.conv(y, `${prefix}/pointwise_filter`, `${prefix}/bias`);
  }

  /**
   * The same values, through a depthwise convolution by one. ONNX Runtime loses track of sizes in its blocked layout
   * behind unpadded convolutions and poolings and then leaves every later residual addition unfused; a convolution
   * that reads a plain tensor of known size puts it back on the track, for less than it costs.
   */
  anchor(x: string, channels: number): string {
    const ones = this.graph.float(new Array<number>(channels).fill(1), [channels, 1, 1, 1]);
    return this.graph.op('Conv', [x, ones], { kernel_shape: [1, 1], group: channels });
  }

  relu(x: string): string {
    return this.graph.op('Relu', [x]);
  }

  relu6(x: string): string {
    return this.graph.op('Clip', [x, this.graph.float(0), this.graph.float(6)]);
  }

  add(a: string, b: string): string {
    return this.graph.op('Add', [a, b]);
  }

  pool(kind: 'MaxPool' | 'AveragePool', x: string, size: number, stride: number, padding: 'same' | 'valid'): string {
    const attributes: Record<string, Attribute> = { kernel_shape: [size, size], strides: [stride, stride] };
    if (padding === 'same') attributes.auto_pad = 'SAME_UPPER';
    return this.graph.op(kind, [x], attributes);
  }

  /** Fully connected layer on [N,C]; weights are [C,M] as in the origin. */
  dense(x: string, weights: string, bias?: string): string {
    const w = this.graph.weight(this.get(weights));
    return bias === undefined
      ? this.graph.op('MatMul', [x, w])
      : this.graph.op('Gemm', [x, w, this.graph.weight(this.get(bias))]);
  }

  /** [N,C,H,W] to [N,C] by the mean. */
  globalMean(x: string): string {
    return this.graph.op('Flatten', [this.graph.op('GlobalAveragePool', [x])], { axis: 1 });
  }

  /** The same weight seen with another shape. */
  reshaped(name: string, shape: readonly number[]): Weight {
    return reshapeWeight(this.get(name), shape);
  }
}
