import type { Template, TemplateProtection } from '../../lib/templates/index.js';
import { noise } from '../native/support.js';

export { codeOf } from '../support/code.js';

export const MODEL = { model: 'test-32', dims: 32 };

/** Points on the unit sphere, the same for the same seed. */
export function unitVectors(count: number, seed: number, dims = MODEL.dims): Float32Array[] {
  const numbers = noise(count * dims, -1, 1, seed);
  return Array.from({ length: count }, (_, i) => {
    const vector = numbers.slice(i * dims, (i + 1) * dims);
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  });
}

export function template(vector: Float32Array, more: Partial<Template> = {}): Template {
  return { model: MODEL.model, dims: vector.length, vector, samples: 1, createdAt: 1_700_000_000_000, ...more };
}

export const probe = (vector: Float32Array, protection?: TemplateProtection) => ({
  model: MODEL.model,
  dims: vector.length,
  vector,
  ...(protection === undefined ? {} : { protection }),
});

/** The `k` nearest by dot products in double precision, best first. */
export function nearest(
  vectors: readonly Float32Array[],
  query: Float32Array,
  k: number,
): { at: number; cosine: number }[] {
  return vectors
    .map((vector, at) => ({ at, cosine: vector.reduce((sum, x, i) => sum + x * query[i]!, 0) }))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, k);
}
