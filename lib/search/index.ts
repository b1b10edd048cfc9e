/** One-to-many search by cosine: exact, in memory or over a mapped file. */
export type { CudaDevice, CudaState, CudaStatus } from '../native/cuda.js';
export { cudaStatus } from '../native/cuda.js';
export type { IndexPrecision } from '../native/search.js';
export {
  type CudaVectorIndex,
  type CudaVectorIndexOptions,
  createCudaVectorIndex,
  type OpenCudaVectorIndexOptions,
  openCudaVectorIndex,
} from './cuda-index.js';
export { INDEX_PRECISIONS, type VectorIndexOptions } from './options.js';
export { createVectorSnapshot, type VectorSnapshot } from './snapshot.js';
export {
  createVectorIndex,
  type OpenVectorIndexOptions,
  openVectorIndex,
  type VectorHit,
  type VectorIndex,
  type VectorSearchOptions,
} from './vector-index.js';
