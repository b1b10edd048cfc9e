/** Answer to "are these the same person?". */
export interface Verification {
  readonly similarity: number;
  readonly threshold: number;
  /** False match rate at `threshold`; absent where the calibration does not reach. */
  readonly fmr?: number;
  readonly match: boolean;
}

/** What embeddings come from. */
export interface RecogniserIdentity {
  /** `Embedding.model`. */
  readonly model: string;
  readonly dims: number;
  /** SHA-256 (hex) over its networks, in their order. */
  readonly hash: string;
}
