import type { Embedding } from '../../lib/types.js';
import { normal, random } from '../support/random.js';

export const MODEL = 'test-net';
export const DIMS = 64;

/** Faces of a model that does not exist: points on the sphere, and others near them. */
export class Faces {
  readonly #next: () => number;
  readonly #dims: number;
  readonly #model: string;

  constructor(seed: number, dims = DIMS, model = MODEL) {
    this.#next = random(seed);
    this.#dims = dims;
    this.#model = model;
  }

  /** A new face. */
  face(): Embedding {
    return this.#unit(Array.from({ length: this.#dims }, () => normal(this.#next)));
  }

  /** Another picture of a face, with about this cosine. */
  like(face: Embedding, cosine = 0.9): Embedding {
    const noise = this.face().vector;
    const along = Math.sqrt(1 - cosine * cosine);
    return this.#unit(Array.from(face.vector, (x, i) => cosine * x + along * noise[i]!));
  }

  #unit(numbers: readonly number[]): Embedding {
    const length = Math.hypot(...numbers);
    return { model: this.#model, dims: this.#dims, vector: Float32Array.from(numbers, (x) => x / length) };
  }
}
