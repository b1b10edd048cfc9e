import { ImportError } from '../error.js';
import type { IrBuilder, Value } from '../graph/ir.js';
import { ELEMENT, type OnnxGraph } from '../onnx.js';
import { type FlexValue, readFlexMap } from './flexbuffer.js';
import type { TfliteOperator } from './model.js';

/**
 * The three custom operations of MediaPipe's attention mesh (version 2 of each, as the CPU reference in
 * mediapipe/util/tflite/operations defines them): a crop around some landmarks, levelled by the line between two of
 * them; a bilinear reading of a feature map through it; and the way back for the landmarks found there.
 */
export function convertAttention(
  ir: IrBuilder,
  operator: TfliteOperator,
  input: (i: number) => Value,
  name: string,
): Value {
  switch (operator.custom) {
    case 'Landmarks2TransformMatrix':
      return landmarksToMatrix(ir, operator, input(0), name);
    case 'TransformTensorBilinear':
      return transformTensor(ir, operator, input(0), input(1), name);
    case 'TransformLandmarks':
      return transformLandmarks(ir, input(0), input(1), name);
    default:
      throw new ImportError(
        'OPERATOR_UNSUPPORTED',
        `${ir.origin}: "${name}" is the custom operation ${operator.custom}`,
      );
  }
}

function option(options: ReadonlyMap<string, FlexValue>, key: string, where: string): number {
  const value = options.get(key);
  if (typeof value === 'number') return value;
  throw new ImportError('SOURCE_CORRUPT', `${where}: option ${key} is missing`);
}

/** The landmark indices whose bounding box an operation crops: also the landmarks that the crop's head refines. */
export function subsetIndices(operator: TfliteOperator, where: string): readonly number[] {
  const subset = readFlexMap(operator.customOptions, where).get('subset_idxs');
  if (subset === undefined || typeof subset === 'number') {
    throw new ImportError('SOURCE_CORRUPT', `${where}: option subset_idxs is missing`);
  }
  return subset;
}

/**
 * [N,468,3] to [N,4,4]. With (dx,dy) from the left to the right landmark and h its length, the rotation that levels the
 * face is cos = dx/h, sin = -dy/h; the matrix is shift(centre) · rotation⁻¹ · scale(size/output) · shift(-output/2).
 */
function landmarksToMatrix(ir: IrBuilder, operator: TfliteOperator, landmarks: Value, name: string): Value {
  const where = `${ir.origin}: "${name}"`;
  const options = readFlexMap(operator.customOptions, where);
  const get = (key: string): number => option(options, key, where);
  if (get('target_rotation_radians') !== 0) {
    throw new ImportError('OPERATOR_UNSUPPORTED', `${where}: crops levelled to another angle have no conversion`);
  }
  const subset = subsetIndices(operator, where);
  const [width, height] = [get('output_width'), get('output_height')];
  const [scaleX, scaleY] = [get('scale_x'), get('scale_y')];
  const [left, right] = [get('left_rotation_idx'), get('right_rotation_idx')];
  return ir.raw(name, [landmarks], [1, 4, 4], (g, [points = '']) => {
    const mul = (a: string, b: string): string => g.op('Mul', [a, b]);
    const add = (a: string, b: string): string => g.op('Add', [a, b]);
    const sub = (a: string, b: string): string => g.op('Sub', [a, b]);
    const neg = (a: string): string => g.op('Neg', [a]);
    // [N,K,1] columns of x and y at some landmarks.
    const column = (indices: readonly number[], axis: number): string =>
      g.op('Gather', [g.op('Gather', [points, g.int64(indices)], { axis: 1 }), g.int64([axis])], { axis: 2 });
    const dx = sub(column([right], 0), column([left], 0));
    const dy = sub(column([right], 1), column([left], 1));
    const h = g.op('Sqrt', [add(mul(dx, dx), mul(dy, dy))]);
    const cos = g.op('Div', [dx, h]);
    const sin = neg(g.op('Div', [dy, h]));
    const [x, y] = [column(subset, 0), column(subset, 1)];
    const u = sub(mul(x, cos), mul(y, sin));
    const v = add(mul(x, sin), mul(y, cos));
    const extent = (t: string): readonly [string, string] => {
      const [high, low] = ['ReduceMax', 'ReduceMin'].map((op) => g.op(op, [t], { axes: [1], keepdims: 1 }));
      return [sub(high ?? '', low ?? ''), mul(add(high ?? '', low ?? ''), g.float(0.5))];
    };
    const [sizeU, midU] = extent(u);
    const [sizeV, midV] = extent(v);
    const centreX = add(mul(midU, cos), mul(midV, sin));
    const centreY = sub(mul(midV, cos), mul(midU, sin));
    const sx = mul(sizeU, g.float(scaleX / width));
    const sy = mul(sizeV, g.float(scaleY / height));
    const [a, b, c, d] = [mul(cos, sx), mul(sin, sy), neg(mul(sin, sx)), mul(cos, sy)];
    const half = (p: string, q: string): string => add(mul(p, g.float(width / 2)), mul(q, g.float(height / 2)));
    const zero = mul(h, g.float(0));
    const one = add(zero, g.float(1));
    const rows = [
      [a, b, zero, sub(centreX, half(a, b))],
      [c, d, zero, sub(centreY, half(c, d))],
      [zero, zero, one, zero],
      [zero, zero, zero, one],
    ];
    return g.op('Reshape', [g.op('Concat', rows.flat(), { axis: 1 }), g.int64([0, 4, 4])]);
  });
}

/** The first two rows of [N,4,4] without the third column: [N,2,3]. */
function affine(g: OnnxGraph, matrix: string): string {
  const rows = g.op('Slice', [matrix, g.int64([0]), g.int64([2]), g.int64([1])]);
  return g.op('Gather', [rows, g.int64([0, 1, 3])], { axis: 2 });
}

/**
 * Bilinear reading of [1,H,W,C] at the images of the output's pixel centres; nothing (zero) where such a point lies
 * outside the centres of the border pixels.
 */
function transformTensor(ir: IrBuilder, operator: TfliteOperator, data: Value, matrix: Value, name: string): Value {
  const where = `${ir.origin}: "${name}"`;
  const options = readFlexMap(operator.customOptions, where);
  const [width, height] = [option(options, 'output_width', where), option(options, 'output_height', where)];
  const [, h = 1, w = 1, channels = 1] = data.shape;
  const image = ir.transposed(`${name}.nchw`, data);
  const sampled = ir.raw(`${name}.sampled`, [image, matrix], [1, channels, height, width], (g, [x = '', m = '']) => {
    const centres: number[] = [];
    for (let row = 0; row < height; row++) {
      for (let col = 0; col < width; col++) centres.push(col + 0.5, row + 0.5, 1);
    }
    const base = g.initializer(`${name}.centres`, 'float32', [height * width, 3], Float32Array.from(centres));
    const turned = g.op('Transpose', [affine(g, m)], { perm: [0, 2, 1] });
    // Pixel centres of the source lie at +0.5; -1..1 spans the centres of the border pixels.
    const points = g.op('Sub', [g.op('MatMul', [base, turned]), g.float(0.5)]);
    const grid = g.op('Sub', [g.op('Mul', [points, g.float([2 / (w - 1), 2 / (h - 1)])]), g.float(1)]);
    const shaped = g.op('Reshape', [grid, g.int64([0, height, width, 2])]);
    const attributes = { mode: 'bilinear', padding_mode: 'border', align_corners: 1 };
    const read = g.op('GridSample', [x, shaped], attributes);
    const farthest = g.op('ReduceMax', [g.op('Abs', [grid])], { axes: [2], keepdims: 1 });
    const inside = g.op('Cast', [g.op('LessOrEqual', [farthest, g.float(1)])], { to: ELEMENT.float32 });
    return g.op('Mul', [read, g.op('Reshape', [inside, g.int64([0, 1, height, width])])]);
  });
  return ir.fromNchw(name, sampled);
}

/** [N,K,2] through the matrix. */
function transformLandmarks(ir: IrBuilder, landmarks: Value, matrix: Value, name: string): Value {
  return ir.raw(name, [landmarks, matrix], landmarks.shape, (g, [points = '', m = '']) => {
    const rows = affine(g, m);
    const linear = g.op('Transpose', [g.op('Gather', [rows, g.int64([0, 1])], { axis: 2 })], { perm: [0, 2, 1] });
    const shift = g.op('Transpose', [g.op('Gather', [rows, g.int64([2])], { axis: 2 })], { perm: [0, 2, 1] });
    return g.op('Add', [g.op('MatMul', [points, linear]), shift]);
  });
}
