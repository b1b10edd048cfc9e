import { ImportError } from '../error.js';
import { broadcast, type Value } from '../graph/ir.js';
import { ELEMENT, type OnnxGraph } from '../onnx.js';
import type { TfContext } from './convert.js';
import { intAttr, intsAttr, type TfNode, typeAttr } from './graph-model.js';

/**
 * Operations on plain tensors that networks with built-in post-processing use: indexing, selection, integers. They run
 * on a few values, so they are written in the origin's order, with 64-bit indices, at batch 1.
 */
export function convertTensorOp(context: TfContext, node: TfNode): readonly Value[] {
  const { ir, model } = context;
  const { name } = node;
  const input = (i: number): Value => context.value(node.input?.[i] ?? '');
  const scalar = (i: number): number => ir.numbers(input(i), name)[0] ?? 0;
  switch (node.op) {
    case 'Cast': {
      const to = typeAttr(node, 'DstT') === 'DT_FLOAT' ? ELEMENT.float32 : ELEMENT.int64;
      return [ir.raw(name, [input(0)], input(0).shape, (g, [x = '']) => g.op('Cast', [x], { to }))];
    }
    case 'ExpandDims': {
      const axis = scalar(1);
      const shape = [...input(0).shape];
      shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
      return [reshaped(context, name, input(0), shape)];
    }
    case 'Squeeze': {
      const dims = intsAttr(node, 'squeeze_dims').map((d) => (d < 0 ? d + input(0).shape.length : d));
      const drop = (d: number, i: number): boolean => (dims.length > 0 ? dims.includes(i) : d === 1);
      return [
        reshaped(
          context,
          name,
          input(0),
          input(0).shape.filter((d, i) => !drop(d, i)),
        ),
      ];
    }
    case 'Pack': {
      const parts = (node.input ?? []).map((reference) => context.value(reference));
      const rank = parts[0]?.shape.length ?? 0;
      const axis = (intAttr(node, 'axis') + rank + 1) % (rank + 1);
      const shape = [...(parts[0]?.shape ?? [])];
      shape.splice(axis, 0, parts.length);
      const emit = (g: OnnxGraph, names: readonly string[]): string => {
        const rows = names.map((x) => g.op('Unsqueeze', [x, g.int64([axis])]));
        return g.op('Concat', rows, { axis });
      };
      return [ir.raw(name, parts, shape, emit)];
    }
    case 'Unpack': {
      const axis = intAttr(node, 'axis');
      const shape = input(0).shape.filter((_, i) => i !== axis);
      return Array.from({ length: intAttr(node, 'num', 1) }, (_, i) =>
        ir.raw(`${name}:${i}`, [input(0)], shape, (g, [x = '']) => g.op('Gather', [x, g.int64(i)], { axis })),
      );
    }
    case 'ArgMax': {
      const axis = scalar(1);
      const shape = input(0).shape.filter((_, i) => i !== axis);
      const emit = (g: OnnxGraph, [x = '']: readonly string[]): string => g.op('ArgMax', [x], { axis, keepdims: 0 });
      return [ir.raw(name, [input(0)], shape, emit)];
    }
    case 'TopKV2': {
      const k = scalar(1);
      const shape = [...input(0).shape.slice(0, -1), k];
      const made = new Map<OnnxGraph, string[]>();
      const emit =
        (which: number) =>
        (g: OnnxGraph, [x = '']: readonly string[]): string => {
          const pair = made.get(g) ?? g.multi('TopK', [x, g.int64([k])], 2, { axis: -1, largest: 1, sorted: 1 });
          made.set(g, pair);
          return pair[which] ?? '';
        };
      return [0, 1].map((which) => ir.raw(`${name}:${which}`, [input(0)], shape, emit(which)));
    }
    case 'FloorDiv':
    case 'FloorMod': {
      // Indices are never negative, so truncating division is floor division.
      const op = node.op === 'FloorDiv' ? 'Div' : 'Mod';
      return [binary(context, node, op, input(0), input(1))];
    }
    case 'Equal':
      return [binary(context, node, 'Equal', input(0), input(1))];
    case 'GatherNd': {
      const indices = input(1).shape;
      const depth = indices[indices.length - 1] ?? 0;
      const shape = [...indices.slice(0, -1), ...input(0).shape.slice(depth)];
      const emit = (g: OnnxGraph, [x = '', i = '']: readonly string[]): string => g.op('GatherND', [x, i]);
      return [ir.raw(name, [input(0), input(1)], shape, emit)];
    }
    case 'GatherV2': {
      const axis = scalar(2);
      const shape = [...input(0).shape.slice(0, axis), ...input(1).shape, ...input(0).shape.slice(axis + 1)];
      const emit = (g: OnnxGraph, [x = '', i = '']: readonly string[]): string => g.op('Gather', [x, i], { axis });
      return [ir.raw(name, [input(0), input(1)], shape, emit)];
    }
    case 'StridedSlice':
      return [stridedSlice(context, node, input)];
    default:
      throw new ImportError(
        'OPERATOR_UNSUPPORTED',
        `${model.origin}: "${name}" is a ${node.op}, which has no conversion`,
      );
  }
}

function reshaped(context: TfContext, name: string, value: Value, shape: readonly number[]): Value {
  const target = [...shape];
  return context.ir.raw(name, [value], shape, (g, [x = '']) => g.op('Reshape', [x, g.int64(target)]));
}

function binary(context: TfContext, node: TfNode, op: string, a: Value, b: Value): Value {
  const shape = broadcast(a.shape, b.shape, node.name);
  return context.ir.raw(node.name, [a, b], shape, (g, names) => g.op(op, names));
}

function stridedSlice(context: TfContext, node: TfNode, input: (i: number) => Value): Value {
  const { ir, model } = context;
  const [begin, end, step] = [1, 2, 3].map((i) => ir.numbers(input(i), node.name)) as [number[], number[], number[]];
  const special = intAttr(node, 'ellipsis_mask') !== 0 || intAttr(node, 'new_axis_mask') !== 0;
  if (special || step.some((s) => s !== 1)) {
    const text = `"${node.name}" slices with an ellipsis, a new axis or a step`;
    throw new ImportError('OPERATOR_UNSUPPORTED', `${model.origin}: ${text}`);
  }
  return ir.slice(node.name, input(0), begin, end, {
    begin: intAttr(node, 'begin_mask'),
    end: intAttr(node, 'end_mask'),
    shrink: intAttr(node, 'shrink_axis_mask'),
  });
}
