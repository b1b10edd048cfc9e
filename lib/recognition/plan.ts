import type { ChipGeometry } from './template.js';

/** A recognition network of the starter pack and the chip that it wants. */
export interface Recogniser {
  /** Id of its card. */
  readonly card: string;
  readonly output: string;
  readonly dims: number;
  readonly chip: ChipGeometry;
}

export const RECOGNISERS = {
  /** dlib's ResNet: 128 numbers. */
  dlib128: { card: 'faceapi_recognition', output: 'descriptor', dims: 128, chip: { size: 150, padding: 0.25 } },
  /** HSE faceres: 1024 numbers. */
  faceres1024: { card: 'human_faceres', output: 'descriptor', dims: 1024, chip: { size: 224, padding: 0.45 } },
} as const satisfies Record<string, Recogniser>;

export type RecogniserName = keyof typeof RECOGNISERS;

/** How embeddings are made: plain data. */
export interface RecognitionPlan {
  /** Name that goes into `Embedding.model`; one for everything that is comparable. */
  readonly model: string;
  /** Networks and their weights in the fusion: the similarity of the fusion is the weighted mean of theirs. */
  readonly members: readonly { readonly network: RecogniserName; readonly weight: number }[];
  /** Average with the mirrored chip: twice the work. Embeddings with and without are comparable. */
  readonly mirror: boolean;
}

/** Length of the embeddings that a plan makes. */
export function embeddingDims(plan: RecognitionPlan): number {
  return plan.members.reduce((sum, member) => sum + RECOGNISERS[member.network].dims, 0);
}
