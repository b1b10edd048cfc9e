/** One-to-many search by cosine: exact, in memory or over a mapped file. */
export type { IndexPrecision } from '../native/search.js';
export {
  createVectorIndex,
  INDEX_PRECISIONS,
  type OpenVectorIndexOptions,
  openVectorIndex,
  type VectorHit,
  type VectorIndex,
  type VectorIndexOptions,
  type VectorSearchOptions,
} from './vector-index.js';
