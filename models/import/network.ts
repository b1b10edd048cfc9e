import type { SourceReader, SourceRef } from './source.js';

/** A file of the starter pack: the files it comes from and the function that makes it, an ONNX file or a mesh, of them. */
export interface Network {
  readonly id: string;
  readonly sources: readonly SourceRef[];
  build(reader: SourceReader): Uint8Array;
}
