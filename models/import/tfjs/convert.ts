import { ImportError } from '../error.js';
import { IrBuilder, type Padding, type Value } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { permuteWeight, type Weight } from '../weights.js';
import { boolAttr, type GraphModel, intAttr, intsAttr, stringAttr, stringsAttr, type TfNode } from './graph-model.js';
import { convertTensorOp } from './tensor-ops.js';

/** Values by `name` or `name:index`, and the means to make more of them. */
export interface TfContext {
  readonly ir: IrBuilder;
  readonly model: GraphModel;
  /** The values a node makes, one per output. */
  value(reference: string): Value;
}

function padding(node: TfNode, origin: string): Padding {
  const text = stringAttr(node, 'padding').toLowerCase();
  if (text === 'same' || text === 'valid') return text;
  throw new ImportError('OPERATOR_UNSUPPORTED', `${origin}: "${node.name}" has the padding "${text}"`);
}

const middle = (list: readonly number[]): [number, number] => [list[1] ?? 1, list[2] ?? 1];

/** What to make of a graph model. */
export interface GraphModelPlan {
  readonly id: string;
  /** The node fed from outside, which may be any node: what leads up to it is left out. */
  readonly input: string;
  /** Shape of the input in the origin's order, batch 1. */
  readonly shape: readonly number[];
  /** Nodes of the origin whose values become outputs. */
  readonly outputs: readonly string[];
  /** The public outputs, made from those values. */
  readonly finish: (ir: IrBuilder, values: readonly Value[]) => Readonly<Record<string, Value>>;
  /** False where the origin's own post-processing works on one image only. */
  readonly batched: boolean;
}

/**
 * Turns a TensorFlow.js graph model into an ONNX file with the input `input` [N,C,H,W].
 * Throws `OPERATOR_UNSUPPORTED` naming node and operation.
 */
export function convertGraphModel(model: GraphModel, plan: GraphModelPlan): Uint8Array {
  const ir = new IrBuilder(model.origin);
  const values = new Map<string, readonly Value[]>();
  const given = ir.input(plan.input, plan.shape);
  values.set(plan.input, [given]);
  const parse = (reference: string): [string, number] => {
    const [name = '', index] = reference.replace(/^\^/, '').split(':');
    return [name, Number(index ?? 0)];
  };
  const context: TfContext = {
    ir,
    model,
    value(reference) {
      const [name, index] = parse(reference);
      const value = values.get(name)?.[index];
      if (!value) throw new ImportError('SOURCE_CORRUPT', `${model.origin}: nothing makes "${reference}"`);
      return value;
    },
  };
  // Depth first with an explicit stack: a node is converted when all it reads has been.
  const stack = plan.outputs.map((name) => parse(name)[0]).reverse();
  const open = new Set<string>();
  while (stack.length > 0) {
    const name = stack[stack.length - 1] ?? '';
    if (values.has(name)) {
      stack.pop();
      continue;
    }
    const node = model.nodes.get(name);
    if (!node) throw new ImportError('SOURCE_CORRUPT', `${model.origin}: node "${name}" is missing`);
    const needed = (node.input ?? [])
      .filter((reference) => !reference.startsWith('^'))
      .map((reference) => parse(reference)[0])
      .filter((dependency) => !values.has(dependency));
    if (needed.length > 0) {
      if (open.has(name)) throw new ImportError('SOURCE_CORRUPT', `${model.origin}: "${name}" depends on itself`);
      open.add(name);
      stack.push(...needed);
      continue;
    }
    stack.pop();
    values.set(name, convertNode(context, node));
  }
  const results = plan.finish(
    ir,
    plan.outputs.map((name) => context.value(name)),
  );
  return lower(plan.id, given, results, plan.batched);
}

function convertNode(context: TfContext, node: TfNode): readonly Value[] {
  const { ir, model } = context;
  const input = (i: number): Value => context.value(node.input?.[i] ?? '');
  const { name } = node;
  switch (node.op) {
    case 'Const': {
      const weight = model.weights.get(name);
      if (!weight) throw new ImportError('WEIGHT_MISSING', `${model.origin}: no weight for "${name}"`);
      return [ir.constant(weight)];
    }
    case 'Identity':
      return [input(0)];
    case 'Conv2D':
    case '_FusedConv2D':
    case 'DepthwiseConv2dNative':
    case 'FusedDepthwiseConv2dNative':
      return [convolution(context, node)];
    case '_FusedMatMul': {
      const bias = stringsAttr(node, 'fused_ops').includes('BiasAdd') ? constant(context, input(2), name) : undefined;
      const dense = ir.dense(`${name}.dense`, input(0), constant(context, input(1), name), bias);
      return [activation(context, node, dense, 3)];
    }
    case 'AddV2':
    case 'Add':
    case 'BiasAdd':
      return [ir.binary(name, 'Add', input(0), input(1))];
    case 'AddN': {
      const all = (node.input ?? []).map((reference) => context.value(reference));
      return [all.reduce((sum, v, i) => ir.binary(`${name}.${i}`, 'Add', sum, v))];
    }
    case 'Sub':
      return [ir.binary(name, 'Sub', input(0), input(1))];
    case 'Mul':
      return [ir.binary(name, 'Mul', input(0), input(1))];
    case 'RealDiv':
      return [ir.binary(name, 'Div', input(0), input(1))];
    case 'SquaredDifference': {
      const difference = ir.binary(`${name}.difference`, 'Sub', input(0), input(1));
      return [ir.binary(name, 'Mul', difference, difference)];
    }
    case 'Relu':
      return [ir.clip(name, input(0), 0, Number.POSITIVE_INFINITY)];
    case 'Relu6':
      return [ir.clip(name, input(0), 0, 6)];
    case 'Minimum':
      return [ir.clip(name, input(0), Number.NEGATIVE_INFINITY, ir.numbers(input(1), name)[0] ?? 0)];
    case 'Maximum':
      return [ir.clip(name, input(0), ir.numbers(input(1), name)[0] ?? 0, Number.POSITIVE_INFINITY)];
    case 'Sigmoid':
    case 'Sqrt':
      return [ir.unary(name, node.op, input(0))];
    case 'Prelu':
      return [ir.prelu(name, input(0), constant(context, input(1), name))];
    case 'MaxPool': {
      const size = middle(intsAttr(node, 'ksize'));
      return [ir.pool(name, 'MaxPool', input(0), size, middle(intsAttr(node, 'strides')), padding(node, model.origin))];
    }
    case 'Pad': {
      const flat = ir.numbers(input(1), name);
      const pads = input(0).shape.map((_, i) => [flat[i * 2] ?? 0, flat[i * 2 + 1] ?? 0] as const);
      return [ir.pad(name, input(0), pads)];
    }
    case 'ResizeBilinear': {
      const [height = 0, width = 0] = ir.numbers(input(1), name);
      const half = boolAttr(node, 'half_pixel_centers') ? 'half_pixel' : 'asymmetric';
      const mode = boolAttr(node, 'align_corners') ? 'align_corners' : half;
      return [ir.resize(name, input(0), height, width, mode)];
    }
    case 'Mean': {
      const axes = ir.numbers(input(1), name).join();
      if (axes !== '1,2')
        throw new ImportError('OPERATOR_UNSUPPORTED', `${model.origin}: "${name}" averages over ${axes}`);
      return [ir.mean(name, input(0), boolAttr(node, 'keep_dims'))];
    }
    case 'ConcatV2': {
      const count = intAttr(node, 'N', (node.input?.length ?? 1) - 1);
      const parts = Array.from({ length: count }, (_, i) => input(i));
      return [ir.concat(name, parts, ir.numbers(input(count), name)[0] ?? 0)];
    }
    case 'Reshape':
      return [ir.reshape(name, input(0), ir.numbers(input(1), name))];
    case 'Softmax':
      return [ir.softmax(name, input(0))];
    default:
      return convertTensorOp(context, node);
  }
}

function constant(context: TfContext, value: Value, where: string): Weight {
  if (value.constant) return value.constant;
  throw new ImportError('OPERATOR_UNSUPPORTED', `${context.model.origin}: "${where}" needs constant weights`);
}

function convolution(context: TfContext, node: TfNode): Value {
  const { ir, model } = context;
  const input = (i: number): Value => context.value(node.input?.[i] ?? '');
  if (stringAttr(node, 'data_format') === 'NCHW') {
    throw new ImportError('OPERATOR_UNSUPPORTED', `${model.origin}: "${node.name}" is in NCHW`);
  }
  const depthwise = node.op.includes('epthwise');
  const weight = permuteWeight(constant(context, input(1), node.name), depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]);
  const hasBias = stringsAttr(node, 'fused_ops').includes('BiasAdd');
  const convolved = ir.conv(`${node.name}.conv`, input(0), {
    weight,
    depthwise,
    stride: middle(intsAttr(node, 'strides')),
    dilation: middle(intsAttr(node, 'dilations')),
    padding: padding(node, model.origin),
    ...(hasBias ? { offset: Float64Array.from(ir.numbers(input(2), node.name)) } : {}),
  });
  return activation(context, node, convolved, 3);
}

function activation(context: TfContext, node: TfNode, value: Value, slopeInput: number): Value {
  const { ir, model } = context;
  let result = value;
  for (const op of stringsAttr(node, 'fused_ops')) {
    if (op === 'BiasAdd') continue;
    if (op === 'Relu') result = ir.clip(node.name, result, 0, Number.POSITIVE_INFINITY);
    else if (op === 'Relu6') result = ir.clip(node.name, result, 0, 6);
    else if (op === 'Prelu') {
      result = ir.prelu(node.name, result, constant(context, context.value(node.input?.[slopeInput] ?? ''), node.name));
    } else throw new ImportError('OPERATOR_UNSUPPORTED', `${model.origin}: "${node.name}" fuses ${op}`);
  }
  return result;
}
