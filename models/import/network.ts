import type { SourceReader, SourceRef } from './source.js';

/** A network of the starter pack: the files it comes from and the function that turns them into an ONNX file. */
export interface Network {
  readonly id: string;
  readonly sources: readonly SourceRef[];
  build(reader: SourceReader): Uint8Array;
}
