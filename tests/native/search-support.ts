import { expect } from 'vitest';
import type { VectorHit, VectorIndex, VectorSearchOptions } from '../../lib/search/index.js';
import { normal, random } from '../support/random.js';

/** n × dims numbers; near one of `clusters` centres where that is above zero. */
export function vectors(count: number, dims: number, seed: number, clusters = 0): Float32Array {
  const next = random(seed);
  const centres = Float32Array.from({ length: clusters * dims }, () => normal(next));
  const out = new Float32Array(count * dims);
  for (let i = 0; i < count; i++) {
    const centre = clusters > 0 ? Math.floor(next() * clusters) * dims : -1;
    for (let d = 0; d < dims; d++) {
      out[i * dims + d] = centre < 0 ? normal(next) : centres[centre + d]! + 0.3 * normal(next);
    }
  }
  return out;
}

/** At unit length, in double precision and then in 32 bits, as the index keeps them. */
export function unit(vector: Float32Array): Float32Array {
  let largest = 0;
  for (const v of vector) largest = Math.max(largest, Math.abs(v));
  let sum = 0;
  for (const v of vector) sum += (v / largest) ** 2;
  return vector.map((v) => v / (Math.sqrt(sum) * largest));
}

export interface Entry {
  readonly vector: Float32Array;
  readonly group: number;
}

/** What an index must agree with. */
export type Model = Map<number, Entry>;

export const row = (all: Float32Array, i: number, dims: number): Float32Array => all.subarray(i * dims, (i + 1) * dims);

/** Every vector compared in double precision. */
export function oracle(model: Model, query: Float32Array, options: VectorSearchOptions): VectorHit[] {
  const q = unit(query);
  const hits: VectorHit[] = [];
  for (const [key, { vector, group }] of model) {
    if (options.groups?.includes(group) === false || options.only?.includes(key) === false) continue;
    if (options.except?.includes(key) === true) continue;
    let similarity = 0;
    for (let i = 0; i < q.length; i++) similarity += q[i]! * vector[i]!;
    if (similarity >= (options.threshold ?? -2)) hits.push({ key, similarity });
  }
  hits.sort((a, b) => b.similarity - a.similarity || a.key - b.key);
  return hits.slice(0, options.k ?? (options.threshold === undefined ? 10 : (options.limit ?? 10_000)));
}

/** The index finds what the oracle finds: the same keys in the same order, cosines to 1e-7 (rounding of unit lengths). */
export async function expectSame(
  index: VectorIndex,
  model: Model,
  queries: Float32Array,
  options: VectorSearchOptions = {},
): Promise<void> {
  const found = await index.search(queries, options);
  expect(found.length).toBe(queries.length / index.dims);
  for (const [q, hits] of found.entries()) {
    const wanted = oracle(model, row(queries, q, index.dims), options);
    expect(hits.map((hit) => hit.key)).toEqual(wanted.map((hit) => hit.key));
    for (const [i, hit] of hits.entries()) expect(Math.abs(hit.similarity - wanted[i]!.similarity)).toBeLessThan(1e-7);
  }
}
