import { ImportError } from '../error.js';
import { IrBuilder, type Padding, type Value } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { permuteWeight, type Weight } from '../weights.js';
import { convertAttention } from './attention.js';
import type { FlatTable } from './flatbuffer.js';
import type { TfliteModel, TfliteOperator } from './model.js';

/** What to make of a TFLite file. */
export interface TflitePlan {
  readonly id: string;
  /** The tensors of the origin (by name) whose values the outputs are made from. */
  readonly outputs: readonly string[];
  /** The public outputs, made from those values. */
  readonly finish: (ir: IrBuilder, values: readonly Value[]) => Readonly<Record<string, Value>>;
  readonly batched: boolean;
}

// Numbers of tensorflow/lite/schema/schema.fbs, BuiltinOperator.
const OP = {
  ADD: 0,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEPTH_TO_SPACE: 5,
  DEQUANTIZE: 6,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  RESHAPE: 22,
  RESIZE_BILINEAR: 23,
  CUSTOM: 32,
  PAD: 34,
  STRIDED_SLICE: 45,
  PRELU: 54,
  DENSIFY: 124,
} as const;

/**
 * Turns a TFLite model into an ONNX file with the input `input` [N,C,H,W].
 * Throws `OPERATOR_UNSUPPORTED` naming the operation.
 */
export function convertTflite(model: TfliteModel, plan: TflitePlan): Uint8Array {
  const ir = new IrBuilder(model.origin);
  const values: (Value | undefined)[] = model.tensors.map((t) => (t.weight ? ir.constant(t.weight) : undefined));
  const [inputIndex = -1] = model.inputs;
  const given = ir.input('input', model.tensors[inputIndex]?.shape ?? []);
  values[inputIndex] = given;
  for (const operator of model.operators) {
    const inputs = operator.inputs.map((i) => {
      const value = i < 0 ? undefined : values[i];
      if (i >= 0 && !value)
        throw new ImportError('SOURCE_CORRUPT', `${model.origin}: tensor ${i} is read before it is made`);
      return value;
    });
    const output = operator.outputs[0] ?? -1;
    const name = model.tensors[output]?.name ?? `operator_${output}`;
    values[output] = convertOperator(ir, model, operator, inputs, name);
  }
  const named = new Map(model.tensors.map((t, i) => [t.name, values[i]]));
  const picked = plan.outputs.map((name) => {
    const value = named.get(name);
    if (!value) throw new ImportError('SOURCE_CORRUPT', `${model.origin}: there is no tensor "${name}"`);
    return value;
  });
  return lower(plan.id, given, plan.finish(ir, picked), plan.batched);
}

function activate(ir: IrBuilder, origin: string, name: string, value: Value, code: number): Value {
  switch (code) {
    case 0:
      return value;
    case 1:
      return ir.clip(name, value, 0, Number.POSITIVE_INFINITY);
    case 3:
      return ir.clip(name, value, 0, 6);
    default:
      throw new ImportError('OPERATOR_UNSUPPORTED', `${origin}: "${name}" has the activation ${code}`);
  }
}

function convertOperator(
  ir: IrBuilder,
  model: TfliteModel,
  operator: TfliteOperator,
  inputs: readonly (Value | undefined)[],
  name: string,
): Value {
  const { origin } = model;
  const input = (i: number): Value => {
    const value = inputs[i];
    if (!value) throw new ImportError('SOURCE_CORRUPT', `${origin}: "${name}" lacks its input ${i}`);
    return value;
  };
  const constant = (i: number): Weight => {
    const weight = input(i).constant;
    if (!weight) throw new ImportError('OPERATOR_UNSUPPORTED', `${origin}: "${name}" needs constant weights`);
    return weight;
  };
  const o = operator.options;
  const code = (id: number): number => o?.byte(id) ?? 0;
  const act = (value: Value, id: number): Value => activate(ir, origin, name, value, code(id));
  const padding = (): Padding => (code(0) === 0 ? 'same' : 'valid');
  switch (operator.code) {
    case OP.DEQUANTIZE:
    case OP.DENSIFY:
      // Constants keep their half precision; the reader has made sparse ones dense.
      return ir.constant({ ...constant(0), name });
    case OP.CONV_2D:
      return act(convolution(ir, name, input, constant, o, false), 3);
    case OP.DEPTHWISE_CONV_2D:
      return act(convolution(ir, name, input, constant, o, true), 4);
    case OP.ADD:
      return act(ir.binary(`${name}.sum`, 'Add', input(0), input(1)), 0);
    case OP.MUL:
      return act(ir.binary(`${name}.product`, 'Mul', input(0), input(1)), 0);
    case OP.RELU:
      return ir.clip(name, input(0), 0, Number.POSITIVE_INFINITY);
    case OP.RELU6:
      return ir.clip(name, input(0), 0, 6);
    case OP.LOGISTIC:
      return ir.unary(name, 'Sigmoid', input(0));
    case OP.PRELU:
      return ir.prelu(name, input(0), constant(1));
    case OP.MAX_POOL_2D: {
      const size = [o?.int(4) ?? 1, o?.int(3) ?? 1] as const;
      return act(ir.pool(`${name}.pool`, 'MaxPool', input(0), size, [o?.int(2) ?? 1, o?.int(1) ?? 1], padding()), 5);
    }
    case OP.PAD: {
      const flat = ir.numbers(input(1), name);
      return ir.pad(
        name,
        input(0),
        input(0).shape.map((_, i) => [flat[i * 2] ?? 0, flat[i * 2 + 1] ?? 0] as const),
      );
    }
    case OP.RESIZE_BILINEAR: {
      const [height = 0, width = 0] = ir.numbers(input(1), name);
      const mode = code(2) ? 'align_corners' : code(3) ? 'half_pixel' : 'asymmetric';
      return ir.resize(name, input(0), height, width, mode);
    }
    case OP.RESHAPE:
      return ir.reshape(name, input(0), model.tensors[operator.outputs[0] ?? -1]?.shape ?? []);
    case OP.CONCATENATION:
      return act(
        ir.concat(
          name,
          inputs.map((_, i) => input(i)),
          o?.int(0) ?? 0,
        ),
        1,
      );
    case OP.DEPTH_TO_SPACE:
      return ir.depthToSpace(name, input(0), o?.int(0) ?? 1);
    case OP.STRIDED_SLICE: {
      const [begin, end] = [1, 2].map((i) => ir.numbers(input(i), name)) as [number[], number[]];
      return ir.slice(name, input(0), begin, end, {
        begin: o?.int(0) ?? 0,
        end: o?.int(1) ?? 0,
        shrink: o?.int(4) ?? 0,
      });
    }
    case OP.CUSTOM:
      return convertAttention(ir, operator, (i) => input(i), name);
    default:
      throw new ImportError(
        'OPERATOR_UNSUPPORTED',
        `${origin}: "${name}" is operation ${operator.code}, which has no conversion`,
      );
  }
}

function convolution(
  ir: IrBuilder,
  name: string,
  input: (i: number) => Value,
  constant: (i: number) => Weight,
  o: FlatTable | undefined,
  depthwise: boolean,
): Value {
  const weight = permuteWeight(constant(1), depthwise ? [3, 0, 1, 2] : [0, 3, 1, 2]);
  return ir.conv(`${name}.conv`, input(0), {
    weight,
    depthwise,
    stride: [o?.int(2) ?? 1, o?.int(1) ?? 1],
    dilation: depthwise ? [o?.int(6, 1) ?? 1, o?.int(5, 1) ?? 1] : [o?.int(5, 1) ?? 1, o?.int(4, 1) ?? 1],
    padding: (o?.byte(0) ?? 0) === 0 ? 'same' : 'valid',
    offset: Float64Array.from(ir.numbers(input(2), name)),
  });
}
