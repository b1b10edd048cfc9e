/** The little linear algebra that poses need: vectors of three, 3 × 3 matrices as rows, small dense systems. */

export type Vector = readonly [x: number, y: number, z: number];

/** Three rows. */
export type Matrix3 = readonly [Vector, Vector, Vector];

export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** `a` at length 1; not finite for the zero vector. */
export function unit(a: Vector): Vector {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}

export const apply = (m: Matrix3, v: Vector): Vector => [dot(m[0], v), dot(m[1], v), dot(m[2], v)];

export const transpose = (m: Matrix3): Matrix3 => [
  [m[0][0], m[1][0], m[2][0]],
  [m[0][1], m[1][1], m[2][1]],
  [m[0][2], m[1][2], m[2][2]],
];

export function multiply(a: Matrix3, b: Matrix3): Matrix3 {
  const columns = transpose(b);
  return [apply(columns, a[0]), apply(columns, a[1]), apply(columns, a[2])];
}

/** exp([w]×): the rotation by |w| radians about w (Rodrigues' formula). */
export function rotationAbout(w: Vector): Matrix3 {
  const [x, y, z] = w;
  const angle = Math.hypot(x, y, z);
  const half = Math.sin(angle / 2) / angle;
  // sin(a)/a and (1 − cos a)/a², with their limits at 0.
  const s = angle < 1e-12 ? 1 : Math.sin(angle) / angle;
  const c = angle < 1e-12 ? 0.5 : 2 * half * half;
  return [
    [1 - c * (y * y + z * z), c * x * y - s * z, c * x * z + s * y],
    [c * x * y + s * z, 1 - c * (x * x + z * z), c * y * z - s * x],
    [c * x * z - s * y, c * y * z + s * x, 1 - c * (x * x + y * y)],
  ];
}

/** The least rotation that carries +z onto the unit vector `to`, which must not be −z. */
export function fromForward(to: Vector): Matrix3 {
  const [x, y, z] = to;
  const k = 1 / (1 + z);
  return [
    [1 - k * x * x, -k * x * y, x],
    [-k * x * y, 1 - k * y * y, y],
    [-x, -y, z],
  ];
}

/**
 * Gauss-Jordan elimination with row pivoting on n rows of n + k numbers, in place: the last k columns of what it returns
 * solve for the k right-hand sides. Absent when the matrix is singular to rounding or not finite.
 */
function eliminate(rows: number[][]): number[][] | undefined {
  const n = rows.length;
  let largest = 0;
  for (const row of rows) for (let k = 0; k < n; k++) largest = Math.max(largest, Math.abs(row[k]!));
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r]![c]!) > Math.abs(rows[pivot]![c]!)) pivot = r;
    if (!(Math.abs(rows[pivot]![c]!) > largest * 1e-14)) return undefined;
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    const top = rows[c]!;
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const row = rows[r]!;
      const f = row[c]! / top[c]!;
      for (let k = c; k < row.length; k++) row[k]! -= f * top[k]!;
    }
  }
  return rows.map((row, r) => row.slice(n).map((value) => value / row[r]!));
}

/** The solution of an augmented system, n rows of n + 1 numbers (overwritten); absent when it is singular. */
export function solve(rows: number[][]): number[] | undefined {
  return eliminate(rows)?.map((row) => row[0]!);
}

/** The inverse of a square matrix; absent when it is singular. */
export function invert(matrix: readonly (readonly number[])[]): number[][] | undefined {
  return eliminate(matrix.map((row, r) => [...row, ...row.map((_, k) => (k === r ? 1 : 0))]));
}
