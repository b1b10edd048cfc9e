import { oneOf } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { Runtime } from '../inference/runtime.js';
import { isMesh } from './files-check.js';
import { type EncodeOptions, encode, encoding } from './files-encode.js';
import type { Mesh } from './types.js';

export interface StlOptions extends EncodeOptions {
  /** `binary` when absent. */
  readonly encoding?: 'binary' | 'ascii';
}

/**
 * The triangles of a mesh as STL (3D Systems, 1988): corners and facet normals, nothing else. Millimetres, Y up and Z towards the
 * viewer unless `frame` says otherwise. Made on the compute threads. Rejects as `encodePly` does, and for a point cloud.
 */
export async function encodeStl(runtime: Runtime, mesh: Mesh, options: StlOptions = {}): Promise<Uint8Array> {
  const shared = encoding(options, ['encoding'], 'y-up');
  const ascii = oneOf('options.encoding', options.encoding ?? 'binary', ['binary', 'ascii']) === 'ascii';
  if (typeof mesh === 'object' && mesh !== null && !isMesh(mesh)) {
    throw new LineamentError('INVALID_ARGUMENT', 'STL holds triangles, and a point cloud has none');
  }
  return encode(runtime, 'stl', mesh, shared, { ascii });
}
