import { boolean, invalid, plainObject } from '../errors/validate.js';
import { apply, type Matrix3, type Vector } from '../landmarks/linear.js';
import type { Mesh } from './types.js';

export interface AlignFacesOptions {
  /** Lets the first face grow or shrink too; default false: both are millimetres. */
  readonly scale?: boolean;
  /** How much each vertex counts, at least 0; all the same when absent. See `CanonicalFace.basis` for what moves little. */
  readonly weights?: ArrayLike<number>;
}

/** How one face lies on another: b ≈ scale · rotation · a + translation. */
export interface FaceAlignment {
  readonly rotation: Matrix3;
  /** Millimetres. */
  readonly translation: Vector;
  /** 1 where it was not asked for. */
  readonly scale: number;
  /** n × 3: the first face's vertices, laid on the second. */
  readonly positions: Float32Array;
  /** n: millimetres from each of them to the second face's vertex. */
  readonly differences: Float32Array;
  /** Root of the weighted mean square of `differences`, and the largest of them. */
  readonly rms: number;
  readonly largest: number;
}

/**
 * Lays one mesh of fixed topology on another, vertex on vertex, with the least weighted sum of squares: B. Horn, "Closed-form
 * solution of absolute orientation using unit quaternions", JOSA A 4(4), 1987; the scale as S. Umeyama, PAMI 13(4), 1991. Never a
 * mirror image. Where all vertices lie on a line, one of the turns about it is taken.
 *
 * @param a from `fitCanonicalFace`, or any mesh
 * @param b a mesh with as many vertices
 * @throws LineamentError `INVALID_ARGUMENT`: meshes of different sizes, numbers that are not finite, weights of which none is above
 * 0, all vertices of `a` at one place where a scale is asked for. Pure function.
 */
export function alignFaces(
  a: Pick<Mesh, 'positions'>,
  b: Pick<Mesh, 'positions'>,
  options: AlignFacesOptions = {},
): FaceAlignment {
  plainObject('options', options, ['scale', 'weights']);
  const from = checkPositions('a', a);
  const to = checkPositions('b', b);
  if (from.length !== to.length) throw invalid('b', `mesh of ${from.length / 3} vertices`, to);
  const weights = checkWeights(options.weights, from.length / 3);
  const scaled = options.scale !== undefined && boolean('options.scale', options.scale);

  const [centreA, centreB] = [centre(from, weights), centre(to, weights)];
  // Sums of products of what is left of a (rows) and of b (columns).
  const s = [0, 1, 2].map(() => [0, 0, 0]) as [number[], number[], number[]];
  let spread = 0;
  for (let i = 0; i < weights.length; i++) {
    for (let r = 0; r < 3; r++) {
      const p = from[3 * i + r]! - centreA[r]!;
      spread += weights[i]! * p * p;
      for (let c = 0; c < 3; c++) s[r]![c]! += weights[i]! * p * (to[3 * i + c]! - centreB[c]!);
    }
  }
  const rotation = turnOf(s);
  let scale = 1;
  if (scaled) {
    if (!(spread > 0)) throw invalid('a', 'vertices at more than one place', from);
    let along = 0;
    for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) along += rotation[c]![r]! * s[r]![c]!;
    scale = along / spread;
  }
  const turned = apply(rotation, centreA).map((v) => v * scale);
  const translation = centreB.map((v, k) => v - turned[k]!) as unknown as Vector;

  const positions = new Float32Array(from.length);
  const differences = new Float32Array(weights.length);
  let [sum, total, largest] = [0, 0, 0];
  for (let i = 0; i < weights.length; i++) {
    const p = apply(rotation, [from[3 * i]!, from[3 * i + 1]!, from[3 * i + 2]!]);
    let square = 0;
    for (let k = 0; k < 3; k++) {
      const at = scale * p[k]! + translation[k]!;
      positions[3 * i + k] = at;
      square += (at - to[3 * i + k]!) ** 2;
    }
    differences[i] = Math.sqrt(square);
    largest = Math.max(largest, differences[i]!);
    sum += weights[i]! * square;
    total += weights[i]!;
  }
  return { rotation, translation, scale, positions, differences, rms: Math.sqrt(sum / total), largest };
}

function checkPositions(name: string, mesh: Pick<Mesh, 'positions'>): Float32Array {
  const positions = mesh?.positions;
  const right = positions instanceof Float32Array && positions.length > 0 && positions.length % 3 === 0;
  if (!right || !positions.every(Number.isFinite))
    throw invalid(`${name}.positions`, 'three finite numbers for each vertex', positions);
  return positions;
}

function checkWeights(value: ArrayLike<number> | undefined, count: number): Float64Array {
  const weights = value === undefined ? new Float64Array(count).fill(1) : Float64Array.from(value);
  const right =
    weights.length === count && weights.every((w) => w >= 0 && Number.isFinite(w)) && weights.some((w) => w > 0);
  if (!right) throw invalid('options.weights', `${count} numbers of at least 0, not all of them 0`, value);
  return weights;
}

function centre(positions: Float32Array, weights: Float64Array): Vector {
  const sum: [number, number, number] = [0, 0, 0];
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    for (let k = 0; k < 3; k++) sum[k]! += weights[i]! * positions[3 * i + k]!;
    total += weights[i]!;
  }
  return [sum[0] / total, sum[1] / total, sum[2] / total];
}

/** The rotation that carries a's directions onto b's best: Horn's quaternion, the eigenvector of the largest eigenvalue. */
function turnOf(s: readonly (readonly number[])[]): Matrix3 {
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = s as [
    [number, number, number],
    [number, number, number],
    [number, number, number],
  ];
  const [w, x, y, z] = largestEigenvector([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]) as [number, number, number, number];
  return [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
  ];
}

/** Of length 1, by Jacobi's rotations of a small symmetric matrix, which is overwritten. */
function largestEigenvector(m: number[][]): number[] {
  const n = m.length;
  const vectors: number[][] = m.map((_, i) => m.map((__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += m[p]![q]! ** 2;
    if (off === 0) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (m[p]![q] === 0) continue;
        const theta = (m[q]![q]! - m[p]![p]!) / (2 * m[p]![q]!);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const sine = t * c;
        for (let k = 0; k < n; k++) {
          const [a, b] = [m[k]![p]!, m[k]![q]!];
          m[k]![p] = c * a - sine * b;
          m[k]![q] = sine * a + c * b;
        }
        for (let k = 0; k < n; k++) {
          const [a, b] = [m[p]![k]!, m[q]![k]!];
          m[p]![k] = c * a - sine * b;
          m[q]![k] = sine * a + c * b;
          const [u, v] = [vectors[k]![p]!, vectors[k]![q]!];
          vectors[k]![p] = c * u - sine * v;
          vectors[k]![q] = sine * u + c * v;
        }
        m[p]![q] = 0;
        m[q]![p] = 0;
      }
    }
  }
  let best = 0;
  for (let i = 1; i < n; i++) if (m[i]![i]! > m[best]![best]!) best = i;
  return vectors.map((row) => row[best]!);
}
