import { ImportError } from './error.js';
import { ProtoWriter } from './protobuf.js';
import { elementCount, type Weight, weightValues } from './weights.js';

/** Element types used here, with their numbers in ONNX's TensorProto.DataType. */
export const ELEMENT = {
  float32: 1,
  uint8: 2,
  uint16: 4,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;
export type ElementName = keyof typeof ELEMENT;

/** A dimension: a number, or the name of a free one. */
export type Dim = number | string;

/** An attribute value. A plain number is an integer, a plain array integers; floats are marked so. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

const OPSET = 17;
const IR_VERSION = 8;
/** Constants up to this many elements are stored as float32 whatever the origin's storage. */
const SMALL = 1024;

interface NodeRecord {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface ValueRecord {
  readonly name: string;
  readonly element: ElementName;
  readonly shape: readonly Dim[];
}

function rawBytes(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Collects nodes and constants and writes them as an ONNX model (IR 8, opset 17, protobuf, little-endian raw data).
 * Same calls, same bytes. Constants of a source network keep their own storage:
 *
 *     <w>.q (uint8) -> <w>.cast -> <w>.mul (× <w>.scale) -> <w>.add (+ <w>.min) -> <w>      float32
 *     <w>.h (float16) -> <w>.cast -> <w>                                                    float32
 *
 * ONNX Runtime folds these when a session is made; a loader may expand them itself by this pattern.
 */
export class OnnxGraph {
  private readonly nodes: NodeRecord[] = [];
  private readonly initializers: ProtoWriter[] = [];
  private readonly inputs: ValueRecord[] = [];
  private readonly outputs: ValueRecord[] = [];
  private readonly renamed = new Map<string, string>();
  private readonly produced = new Set<string>();
  private readonly constants = new Map<string, string>();
  private readonly emitted = new Map<string, string>();
  private counter = 0;

  constructor(readonly name: string) {}

  /** Declares a graph input. */
  input(name: string, shape: readonly Dim[], element: ElementName = 'float32'): string {
    this.inputs.push({ name, element, shape });
    this.produced.add(name);
    return name;
  }

  /** Declares `value` a graph output called `name`. */
  output(name: string, value: string, shape: readonly Dim[], element: ElementName = 'float32'): void {
    if (this.renamed.has(value) || this.inputs.some((v) => v.name === value)) {
      this.node('Identity', [value], [name], {}, name);
    } else {
      this.renamed.set(value, name);
    }
    this.outputs.push({ name, element, shape });
  }

  private node(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    name: string,
  ): void {
    for (const value of inputs) {
      if (value !== '' && !this.produced.has(value)) {
        throw new ImportError(
          'GRAPH_INVALID',
          `${this.name}: ${op} "${name}" reads "${value}", which nothing produces`,
        );
      }
    }
    for (const value of outputs) {
      if (this.produced.has(value)) {
        throw new ImportError('GRAPH_INVALID', `${this.name}: "${value}" is produced twice`);
      }
      this.produced.add(value);
    }
    this.nodes.push({ op, name, inputs, outputs, attributes });
  }

  /** Adds a node with one output and returns that output's name. An empty string is an absent optional input. */
  op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = `${op}_${this.counter++}`;
    this.node(op, inputs, [name], attributes, name);
    return name;
  }

  /** Adds a node with several outputs. */
  multi(
    op: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const name = `${op}_${this.counter++}`;
    const outputs = Array.from({ length: outputCount }, (_, i) => `${name}.${i}`);
    this.node(op, inputs, outputs, attributes, name);
    return outputs;
  }

  /** Adds a constant under `name`. */
  initializer(name: string, element: ElementName, shape: readonly number[], data: ArrayBufferView): string {
    if (this.produced.has(name)) throw new ImportError('GRAPH_INVALID', `${this.name}: "${name}" is produced twice`);
    this.produced.add(name);
    const tensor = new ProtoWriter();
    if (shape.length > 0) tensor.packedInts(1, shape);
    this.initializers.push(tensor.int(2, ELEMENT[element]).string(8, name).bytes(9, rawBytes(data)));
    return name;
  }

  private shared(key: string, make: (name: string) => string): string {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = make(`const_${this.constants.size}`);
    this.constants.set(key, name);
    return name;
  }

  /** A shared int64 constant; a plain number is a scalar. */
  int64(values: number | readonly number[]): string {
    const list = typeof values === 'number' ? [values] : values;
    const shape = typeof values === 'number' ? [] : [list.length];
    return this.shared(`int64:${shape}:${list}`, (name) =>
      this.initializer(
        name,
        'int64',
        shape,
        BigInt64Array.from(list, (v) => BigInt(v)),
      ),
    );
  }

  /** A shared float32 constant; a plain number is a scalar. */
  float(values: number | readonly number[], shape?: readonly number[]): string {
    const list = typeof values === 'number' ? [values] : values;
    const dims = shape ?? (typeof values === 'number' ? [] : [list.length]);
    return this.shared(`float32:${dims}:${list}`, (name) =>
      this.initializer(name, 'float32', dims, Float32Array.from(list)),
    );
  }

  /**
   * A source network's constant, in its own storage, as a float32 value called `name`. With `factor`, the values of
   * each index of the first axis are multiplied by its entry, which 8-bit weights take up in their scale and minimum.
   * Those are always written as vectors [O,1,…]: a session with scalars was measured to take four times as long to make.
   * Constants of at most 1024 elements are written as float32: nothing to unfold.
   */
  weight(weight: Weight, name: string = weight.name, factor?: Float64Array): string {
    const known = this.emitted.get(name);
    if (known !== undefined) return known;
    const { storage, shape } = weight;
    if (storage.kind === 'uint8' && elementCount(shape) > SMALL) {
      const dims = shape.map((d, axis) => (axis === 0 ? d : 1));
      const line = (v: number): Float32Array =>
        Float32Array.from({ length: shape[0] ?? 1 }, (_, i) => v * (factor?.[i] ?? 1));
      const q = this.initializer(`${name}.q`, 'uint8', shape, storage.data);
      const scale = this.initializer(`${name}.scale`, 'float32', dims, line(storage.scale));
      const min = this.initializer(`${name}.min`, 'float32', dims, line(storage.min));
      this.node('Cast', [q], [`${name}.f`], { to: ELEMENT.float32 }, `${name}.cast`);
      this.node('Mul', [`${name}.f`, scale], [`${name}.s`], {}, `${name}.mul`);
      this.node('Add', [`${name}.s`, min], [name], {}, `${name}.add`);
    } else if (storage.kind === 'float16' && !factor && elementCount(shape) > SMALL) {
      const half = this.initializer(`${name}.h`, 'float16', shape, storage.data);
      this.node('Cast', [half], [name], { to: ELEMENT.float32 }, `${name}.cast`);
    } else {
      const inner = elementCount(shape) / (factor?.length ?? 1);
      const values = weightValues(weight);
      this.initializer(
        name,
        'float32',
        shape,
        factor ? values.map((v, i) => v * (factor[Math.floor(i / inner)] ?? 1)) : values,
      );
    }
    this.emitted.set(name, name);
    return name;
  }

  private encodeAttribute(name: string, value: Attribute): ProtoWriter {
    const w = new ProtoWriter().string(1, name);
    if (typeof value === 'number') return w.int(3, value).int(20, 2);
    if (typeof value === 'string') return w.string(4, value).int(20, 3);
    if ('float' in value) return w.float(2, value.float).int(20, 1);
    return w.packedInts(8, value).int(20, 7);
  }

  private encodeValue(value: ValueRecord): ProtoWriter {
    const shape = new ProtoWriter();
    for (const dim of value.shape) {
      shape.message(1, typeof dim === 'number' ? new ProtoWriter().int(1, dim) : new ProtoWriter().string(2, dim));
    }
    const tensor = new ProtoWriter().int(1, ELEMENT[value.element]).message(2, shape);
    return new ProtoWriter().string(1, value.name).message(2, new ProtoWriter().message(1, tensor));
  }

  /** The model file. */
  serialize(): Uint8Array {
    if (this.outputs.length === 0) throw new ImportError('GRAPH_INVALID', `${this.name}: no outputs`);
    const rename = (value: string): string => this.renamed.get(value) ?? value;
    const graph = new ProtoWriter();
    for (const node of this.nodes) {
      const w = new ProtoWriter();
      for (const value of node.inputs) w.string(1, rename(value));
      for (const value of node.outputs) w.string(2, rename(value));
      w.string(3, node.name).string(4, node.op);
      for (const key of Object.keys(node.attributes).sort()) {
        const value = node.attributes[key];
        if (value !== undefined) w.message(5, this.encodeAttribute(key, value));
      }
      graph.message(1, w);
    }
    graph.string(2, this.name);
    for (const tensor of this.initializers) graph.message(5, tensor);
    for (const value of this.inputs) graph.message(11, this.encodeValue(value));
    for (const value of this.outputs) graph.message(12, this.encodeValue(value));
    return new ProtoWriter()
      .int(1, IR_VERSION)
      .string(2, 'lineament')
      .message(7, graph)
      .message(8, new ProtoWriter().string(1, '').int(2, OPSET))
      .finish();
  }
}
