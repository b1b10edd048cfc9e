import { LineamentError } from '../../../lib/errors.js';
import type { Template } from '../../../lib/templates/index.js';
import type { Embedding } from '../../../lib/types.js';

/** Deterministic numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = s;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A standard normal number (Box and Muller). */
export const normal = (rand: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - rand())) * Math.cos(2 * Math.PI * rand());

export function unit(values: ArrayLike<number>): Float32Array {
  const length = Math.hypot(...Array.from(values));
  return Float32Array.from(values, (v) => v / length);
}

/** A direction drawn evenly from the sphere. */
export const direction = (rand: () => number, dims: number): Float32Array =>
  unit(Array.from({ length: dims }, () => normal(rand)));

/** A direction with about the given cosine to another: what another picture of the same person gives. */
export function near(rand: () => number, centre: Float32Array, cosine: number): Float32Array {
  const other = direction(rand, centre.length);
  const along = dot(centre, other);
  const across = unit(other.map((v, i) => v - along * centre[i]!));
  return unit(centre.map((v, i) => cosine * v + Math.sqrt(1 - cosine * cosine) * across[i]!));
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export const embedding = (vector: Float32Array, model = 'm'): Embedding => ({ model, dims: vector.length, vector });

export const template = (vector: Float32Array, more: Partial<Template> = {}): Template => ({
  model: 'm',
  dims: vector.length,
  vector,
  samples: 1,
  createdAt: 1_790_000_000_000,
  ...more,
});

/** A template that uses every field. */
export const FULL: Template = {
  model: 'dlib128+faceres1024',
  modelHash: '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
  dims: 4,
  vector: Float32Array.of(0.5, -0.5, 0.5, -0.5),
  quality: 87.5,
  samples: 3,
  createdAt: 1_790_000_000_123,
  expiresAt: 1_800_000_000_456,
  consent: 'consent/42',
  capture: {
    capturedAt: 1_780_000_000_789,
    device: 'camera 1',
    source: 'gäste/tür.jpg',
    faceWidth: 120.25,
    faceHeight: 151.5,
    yaw: -3.25,
    pitch: 1.5,
    roll: 0.125,
    extension: '{"operator":"ü"}',
  },
  protection: { scheme: 'rotation-1', keyId: 'k1' },
  extensions: [
    { type: 9, data: Uint8Array.of() },
    { type: 200, data: Uint8Array.of(1, 2, 3) },
  ],
};

/** What a call throws or rejects with; fails when it does neither. */
export async function failure(work: () => unknown): Promise<LineamentError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof LineamentError) return error;
    throw new Error('threw something that is not a LineamentError', { cause: error });
  }
  throw new Error('did not fail');
}
