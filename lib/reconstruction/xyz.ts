import { plainObject } from '../errors/validate.js';
import type { Runtime } from '../inference/runtime.js';
import type { Geometry } from './files-check.js';
import { type EncodeOptions, encode, encoding } from './files-encode.js';

export type XyzOptions = Omit<EncodeOptions, 'comment'>;

/**
 * The points of a cloud, or the vertices of a mesh, as text: `x y z` in each line, with ` red green blue` from 0 to 255 behind it
 * where colours are known. Millimetres in the camera frame unless `frame` says otherwise. Made on the compute threads. Rejects as
 * `encodePly` does.
 */
export async function encodeXyz(runtime: Runtime, geometry: Geometry, options: XyzOptions = {}): Promise<Uint8Array> {
  plainObject('options', options, ['frame', 'signal']);
  return encode(runtime, 'xyz', geometry, encoding(options, [], 'camera'));
}
