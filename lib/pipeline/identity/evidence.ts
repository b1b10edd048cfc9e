import { LineamentError } from '../../errors.js';
import type { Embedding } from '../../types.js';

/** One face of a track that was recognised. */
export interface Look {
  /** Of length 1. */
  readonly embedding: Embedding;
  /** How much it counts, 0–1: see {@link lookWeight}. */
  readonly weight: number;
  /** Of the frame, ms since the epoch. */
  readonly timestamp: number;
  /** Whom it is nearest to by itself, where that is a match. */
  readonly votes: { readonly known?: string | undefined; readonly stranger?: string | undefined };
}

/**
 * The mean of looks, weighted by the squares of their weights.
 *
 * Cosines with the mean brought to length 1 are too high for thresholds that were measured on single looks (some 2 to 3 times as many false
 * matches as the threshold names), the looks' mean cosine, which is that times the length, is too low (a third of them). Times the root of the length
 * it comes out as named: 0.8 % at the threshold of 1 %, with 21 % of genuine pairs missed against 32 % by single looks of weight 0.5 and
 * more (164 labelled faces with five degraded looks each, preset `fast`).
 */
export interface JoinedLook {
  /** The mean brought to length 1. */
  readonly embedding: Embedding;
  /** What cosines with it are to be multiplied by before they are compared with thresholds: the root of the mean's length. */
  readonly factor: number;
}

/** A bounded number of looks at one person; the worst make room for better ones. */
export class Evidence {
  readonly #most: number;
  #looks: Look[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get looks(): readonly Look[] {
    return this.#looks;
  }

  /** Sum of the weights of the looks that are kept. */
  get weight(): number {
    return this.#looks.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Weight of the best look; 0 without any. */
  get best(): number {
    return this.#looks.reduce((most, { weight }) => Math.max(most, weight), 0);
  }

  /** Whether a look of this weight would be kept. */
  wants(weight: number): boolean {
    return this.#looks.length < this.#most || weight > Math.min(...this.#looks.map((look) => look.weight));
  }

  /** Keeps the look where there is room, or in the place of the worst where that is worse. Says whether it did. */
  add(look: Look): boolean {
    this.#check(look.embedding);
    if (!this.wants(look.weight)) return false;
    this.#looks.push(look);
    if (this.#looks.length > this.#most) {
      const worst = this.#looks.reduce((a, b) => (b.weight < a.weight ? b : a));
      this.#looks = this.#looks.filter((one) => one !== worst);
    }
    return true;
  }

  #check({ model, dims }: Embedding): void {
    const first = this.#looks[0]?.embedding;
    if (first !== undefined && (first.model !== model || first.dims !== dims)) {
      throw new LineamentError('EMBEDDING_MISMATCH', `looks of '${first.model}' and of '${model}' in one track`);
    }
  }

  replace(looks: readonly Look[]): void {
    this.#looks = [...looks];
  }

  /** Looks that by themselves are nearest to this person. */
  votes(kind: 'known' | 'stranger', id: string): number {
    return this.#looks.filter((look) => look.votes[kind] === id).length;
  }

  /** Mean cosine of the looks with a face, weighted as they are joined; 1 without looks. */
  agreement(embedding: Embedding): number {
    this.#check(embedding);
    let sum = 0;
    for (const look of this.#looks) sum += share(look) * dot(look.embedding.vector, embedding.vector);
    return this.#looks.length === 0 ? 1 : sum / this.#looks.reduce((all, look) => all + share(look), 0);
  }

  /** Absent without looks, or where they cancel each other out. */
  joined(): JoinedLook | undefined {
    const first = this.#looks[0];
    if (first === undefined) return undefined;
    const mean = new Float64Array(first.embedding.dims);
    const total = this.#looks.reduce((all, look) => all + share(look), 0);
    for (const look of this.#looks) {
      const part = share(look) / total;
      for (let i = 0; i < mean.length; i++) mean[i]! += part * look.embedding.vector[i]!;
    }
    const length = Math.hypot(...mean);
    if (!(length > 1e-6)) return undefined;
    const vector = Float32Array.from(mean, (x) => x / length);
    return { embedding: { ...first.embedding, vector }, factor: Math.sqrt(length) };
  }
}

/** What a look counts for in the mean. Never nothing: a track may have no better one. */
const share = ({ weight }: Look): number => Math.max(1e-4, weight * weight);

/** In double precision. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
