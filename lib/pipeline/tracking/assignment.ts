import { LineamentError } from '../../errors.js';

/**
 * The assignment of rows to columns with the least sum of costs, each row and column used once at most: R. Jonker and A. Volgenant,
 * "A shortest augmenting path algorithm for dense and sparse linear assignment problems", Computing 38, 1987, in the form for
 * rectangles of D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Trans. AES 52(4), 2016. Exact,
 * O(min² · max) time; the same input gives the same answer.
 *
 * `cost` holds `rows` × `columns` numbers row by row; `Infinity` forbids a pair. With `limit`, a pair is made only where it pays:
 * leaving a pair unmade costs `limit`, so none of `limit` or more is ever made. Without it as many pairs as can be are made.
 * The result holds the column of each row, −1 for none. Throws `INVALID_ARGUMENT` for NaN, −Infinity and wrong lengths.
 */
export function assign(cost: Float64Array, rows: number, columns: number, limit = Infinity): Int32Array {
  if (cost.length !== rows * columns || Number.isNaN(limit)) {
    throw new LineamentError('INVALID_ARGUMENT', `assignment of ${rows} x ${columns} with ${cost.length} costs`);
  }
  const result = new Int32Array(rows).fill(-1);
  if (rows === 0 || columns === 0) return result;
  const forbidden = limit === Infinity ? largeFor(cost) : 0;
  const flip = rows > columns;
  const [n, m] = flip ? [columns, rows] : [rows, columns];
  // A pair that does not pay is worth nothing: the best complete assignment of these values, without the worthless
  // pairs, is the best partial one.
  const value = new Float64Array(n * m);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const v = cost[r * columns + c]!;
      if (Number.isNaN(v) || v === -Infinity) throw new LineamentError('INVALID_ARGUMENT', `a cost of ${v}`);
      value[flip ? c * m + r : r * m + c] =
        v === Infinity ? forbidden : limit === Infinity ? v : Math.min(v - limit, 0);
    }
  }
  const partner = shortestPaths(value, n, m);
  for (let i = 0; i < n; i++) {
    const j = partner[i]!;
    const [r, c] = flip ? [j, i] : [i, j];
    const v = cost[r * columns + c]!;
    if (v < limit) result[r] = c;
  }
  return result;
}

/** Worse than any assignment without it. */
function largeFor(cost: Float64Array): number {
  let sum = 1;
  for (const v of cost) if (Number.isFinite(v)) sum += 2 * Math.abs(v);
  return sum;
}

/** The column of each of `n` rows in the cheapest complete assignment; n ≤ m, all values finite. */
function shortestPaths(value: Float64Array, n: number, m: number): Int32Array {
  const u = new Float64Array(n);
  const v = new Float64Array(m);
  const columnOf = new Int32Array(n).fill(-1);
  const rowOf = new Int32Array(m).fill(-1);
  const from = new Int32Array(m);
  const length = new Float64Array(m);
  const open = new Int32Array(m);
  const done = new Int32Array(m);
  for (let start = 0; start < n; start++) {
    length.fill(Infinity);
    for (let j = 0; j < m; j++) open[j] = j;
    let left = m;
    let finished = 0;
    let row = start;
    let reached = 0;
    let sink = -1;
    // Dijkstra over reduced costs, from the row that has no column to the nearest column that has no row.
    while (sink < 0) {
      const base = reached - u[row]!;
      let best = Infinity;
      let at = -1;
      for (let k = 0; k < left; k++) {
        const j = open[k]!;
        const d = base + value[row * m + j]! - v[j]!;
        if (d < length[j]!) {
          length[j] = d;
          from[j] = row;
        }
        // Of equals a free column: the path ends there.
        if (length[j]! < best || (length[j]! === best && rowOf[j]! < 0 && at >= 0 && rowOf[open[at]!]! >= 0)) {
          best = length[j]!;
          at = k;
        }
      }
      const j = open[at]!;
      reached = best;
      open[at] = open[--left]!;
      if (rowOf[j]! < 0) sink = j;
      else {
        done[finished++] = j;
        row = rowOf[j]!;
      }
    }
    u[start]! += reached;
    for (let k = 0; k < finished; k++) {
      const j = done[k]!;
      u[rowOf[j]!]! += reached - length[j]!;
      v[j]! -= reached - length[j]!;
    }
    for (let j = sink; ; ) {
      const r = from[j]!;
      rowOf[j] = r;
      const next = columnOf[r]!;
      columnOf[r] = j;
      if (r === start) break;
      j = next;
    }
  }
  return columnOf;
}
