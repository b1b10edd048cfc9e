import { oneOf } from '../errors/validate.js';
import type { Runtime } from '../inference/runtime.js';
import type { Geometry } from './files-check.js';
import { type EncodeOptions, encode, encoding, line } from './files-encode.js';

export interface PlyOptions extends EncodeOptions {
  /** `binary` (little endian) when absent. */
  readonly encoding?: 'binary' | 'ascii';
  /** File name of the texture, for a `comment TextureFile` as MeshLab reads it. */
  readonly textureFile?: string;
}

/**
 * A mesh or a point cloud as PLY (G. Turk, 1994): float `x y z`, `nx ny nz`, `s t` (from the bottom-left corner of the texture),
 * uchar `red green blue`, as far as they are known, and `vertex_indices`. Millimetres in the camera frame unless `frame` says
 * otherwise. Text has the shortest digits that read back as the same floats. Made on the compute threads; the arrays are read in
 * place. Rejects with `INVALID_ARGUMENT` (nothing to write, numbers that are not finite, indices out of range), `OUT_OF_MEMORY`,
 * `ABORTED`, `CLOSED`.
 */
export async function encodePly(runtime: Runtime, geometry: Geometry, options: PlyOptions = {}): Promise<Uint8Array> {
  const shared = encoding(options, ['encoding', 'textureFile'], 'camera');
  const ascii = oneOf('options.encoding', options.encoding ?? 'binary', ['binary', 'ascii']) === 'ascii';
  const library = line('options.textureFile', options.textureFile ?? '');
  return encode(runtime, 'ply', geometry, shared, { ascii, library });
}
