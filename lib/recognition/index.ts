/** Who a face is: aligned chips, embeddings and their comparison. */
export {
  ARCFACE_CHIP,
  type BoxChip,
  type Chip,
  chipRegionOf,
  type FacePlace,
  type FivePointChip,
  fivePointsOf,
} from './chips.js';
export { type Candidate, checkEmbedding, type Match, rank, similarity } from './compare.js';
export { embedFaces } from './embed.js';
export { embeddingDims, RECOGNISERS, type Recogniser, type RecogniserName, type RecognitionPlan } from './plan.js';
export { type ChipGeometry, chipRegion, chipTemplate } from './template.js';
