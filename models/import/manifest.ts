import { ImportError } from './error.js';
import { checkFinite, elementCount, type Weight, type WeightStorage } from './weights.js';

interface ManifestWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, uint8: 1, uint16: 2, float16: 2, bool: 1 };

/**
 * Reads the weights of a TensorFlow.js manifest (also face-api's own form of it) from the bytes that follow each other
 * in `data`. Layout: https://www.tensorflow.org/js/guide/save_load, "weightsManifest".
 * Throws `SOURCE_TRUNCATED` when the file is shorter than the manifest says, `SOURCE_CORRUPT` when it is longer.
 */
export function readManifest(manifest: unknown, data: Uint8Array, origin: string): Map<string, Weight> {
  if (!Array.isArray(manifest)) throw new ImportError('SOURCE_CORRUPT', `${origin}: the weight manifest is not a list`);
  const weights = new Map<string, Weight>();
  let at = 0;
  for (const group of manifest as readonly { weights?: readonly ManifestWeight[] }[]) {
    for (const entry of group.weights ?? []) {
      const stored = entry.quantization?.dtype ?? entry.dtype;
      const size = BYTES[stored];
      if (size === undefined || !Array.isArray(entry.shape) || entry.shape.some((d) => !Number.isInteger(d) || d < 0)) {
        throw new ImportError(
          'SOURCE_CORRUPT',
          `${origin}: weight "${entry.name}" has type ${stored} and shape [${entry.shape}]`,
        );
      }
      const count = elementCount(entry.shape);
      const length = count * size;
      if (at + length > data.byteLength) {
        throw new ImportError(
          'SOURCE_TRUNCATED',
          `${origin}: ${data.byteLength} bytes, but weight "${entry.name}" ends at ${at + length}; reinstall it with \`npm ci\``,
        );
      }
      // A copy is aligned whatever the offset in the file.
      const bytes = new Uint8Array(data.subarray(at, at + length));
      at += length;
      const weight = { name: entry.name, shape: entry.shape, storage: storageOf(entry, stored, bytes) };
      checkFinite(weight, origin);
      weights.set(entry.name, weight);
    }
  }
  if (at !== data.byteLength) {
    throw new ImportError('SOURCE_CORRUPT', `${origin}: ${data.byteLength} bytes, but the manifest describes ${at}`);
  }
  return weights;
}

function storageOf(entry: ManifestWeight, stored: string, bytes: Uint8Array): WeightStorage {
  const { buffer } = bytes;
  const scale = entry.quantization?.scale ?? 1;
  const min = entry.quantization?.min ?? 0;
  switch (stored) {
    case 'float32':
      return { kind: 'float32', data: new Float32Array(buffer) };
    case 'int32':
      return { kind: 'int32', data: new Int32Array(buffer) };
    case 'float16':
      return { kind: 'float16', data: new Uint16Array(buffer) };
    case 'uint16':
      return { kind: 'uint16', data: new Uint16Array(buffer), scale, min };
    case 'bool':
      return { kind: 'int32', data: Int32Array.from(bytes) };
    default:
      // A quantised integer constant (a shape, an axis) is rounded back to integers, as TensorFlow.js does.
      return entry.dtype === 'int32'
        ? { kind: 'int32', data: Int32Array.from(bytes, (q) => Math.round(q * scale + min)) }
        : { kind: 'uint8', data: bytes, scale, min };
  }
}
