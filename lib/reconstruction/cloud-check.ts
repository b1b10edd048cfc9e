import { invalid } from '../errors/validate.js';
import { MOST_POINTS } from '../native/cloud.js';
import type { PointCloud } from './types.js';

/** The arrays of a cloud, whose lengths fit each other; what is in them native code looks at. */
export function checkCloud(name: string, cloud: PointCloud): PointCloud {
  if (typeof cloud !== 'object' || cloud === null) throw invalid(name, 'point cloud', cloud);
  const { positions, normals, colours } = cloud;
  if (!(positions instanceof Float32Array) || positions.length % 3 !== 0) {
    throw invalid(`${name}.positions`, 'Float32Array of three numbers for each point', positions);
  }
  if (positions.length / 3 > MOST_POINTS) {
    throw invalid(`${name}.positions`, `at most ${MOST_POINTS} points`, positions.length / 3);
  }
  if (normals !== undefined && (!(normals instanceof Float32Array) || normals.length !== positions.length)) {
    throw invalid(`${name}.normals`, `Float32Array of length ${positions.length}`, normals);
  }
  if (colours !== undefined && (!(colours instanceof Uint8Array) || colours.length !== positions.length)) {
    throw invalid(`${name}.colours`, `Uint8Array of length ${positions.length}`, colours);
  }
  return cloud;
}

/** [x, y, z], finite. */
export function checkPoint(name: string, value: unknown): readonly [number, number, number] {
  if (!Array.isArray(value) || value.length !== 3 || !value.every((v) => Number.isFinite(v))) {
    throw invalid(name, 'three finite numbers', value);
  }
  return [value[0], value[1], value[2]];
}

/** 16 numbers of a matrix, row by row, whose last row is 0 0 0 1. */
export function checkTransform(name: string, value: unknown): Float64Array {
  const numbers = ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value as ArrayLike<number>) : [];
  if (numbers.length !== 16 || !numbers.every((v) => Number.isFinite(v))) {
    throw invalid(name, 'sixteen finite numbers, row by row', value);
  }
  if (numbers[12] !== 0 || numbers[13] !== 0 || numbers[14] !== 0 || numbers[15] !== 1) {
    throw invalid(name, 'matrix whose last row is 0 0 0 1', value);
  }
  return Float64Array.from(numbers);
}
