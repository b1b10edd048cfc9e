import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot, sha256 } from '../source.js';

/** A rectangle of one of the photographs that @vladmandic/face-api carries (demo/sample1.jpg … sample6.jpg), in pixels. */
export interface Crop {
  readonly sample: 1 | 2 | 3 | 4 | 5 | 6;
  readonly box: readonly [x: number, y: number, width: number, height: number];
}

/** What the networks are shown: whole pictures, heads, single eyes, bodies, a hand. */
export const CROPS = {
  whole: [
    { sample: 1, box: [0, 0, 1920, 1280] },
    { sample: 4, box: [0, 0, 1920, 1448] },
    { sample: 6, box: [0, 0, 1920, 1537] },
  ],
  head: [
    { sample: 1, box: [1404, 147, 340, 340] },
    { sample: 3, box: [500, 280, 370, 370] },
    { sample: 5, box: [1290, 325, 400, 400] },
  ],
  eye: [
    { sample: 1, box: [1480, 250, 90, 90] },
    { sample: 6, box: [1545, 335, 90, 90] },
  ],
  body: [
    { sample: 4, box: [860, 20, 1060, 1060] },
    { sample: 6, box: [120, 420, 1100, 1100] },
  ],
  hand: [
    { sample: 2, box: [745, 991, 230, 230] },
    { sample: 4, box: [696, 665, 230, 230] },
  ],
} as const satisfies Record<string, readonly Crop[]>;

export type CropKind = keyof typeof CROPS;

/** Interleaved 8-bit RGB. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** SHA-256 of `data`: tells a changed JPEG decoder from a changed network. */
  readonly sha256: string;
}

const decoded = new Map<number, Promise<{ data: Uint8Array; width: number; height: number }>>();

function decode(sample: number): Promise<{ data: Uint8Array; width: number; height: number }> {
  let known = decoded.get(sample);
  if (!known) {
    const path = join(packageRoot('@vladmandic/face-api'), `demo/sample${sample}.jpg`);
    known = sharp(path)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
      .then(({ data, info }) => ({ data, width: info.width, height: info.height }));
    decoded.set(sample, known);
  }
  return known;
}

/**
 * A crop stretched to `width` × `height` by bilinear interpolation between pixel centres, rounded to 8 bits: written
 * here so that recording and test see the very same numbers whatever an image library does.
 */
export async function cropPixels(crop: Crop, width: number, height: number): Promise<Pixels> {
  const source = await decode(crop.sample);
  const [left, top, cropWidth, cropHeight] = crop.box;
  const data = new Uint8Array(width * height * 3);
  const axis = (i: number, scale: number, start: number, size: number): readonly [number, number, number] => {
    const at = Math.min(Math.max(start + (i + 0.5) * scale - 0.5, 0), size - 1);
    const low = Math.floor(at);
    return [low, Math.min(low + 1, size - 1), at - low];
  };
  for (let y = 0; y < height; y++) {
    const [y0, y1, fy] = axis(y, cropHeight / height, top, source.height);
    for (let x = 0; x < width; x++) {
      const [x0, x1, fx] = axis(x, cropWidth / width, left, source.width);
      for (let c = 0; c < 3; c++) {
        const at = (row: number, col: number): number => source.data[(row * source.width + col) * 3 + c] ?? 0;
        const upper = at(y0, x0) * (1 - fx) + at(y0, x1) * fx;
        const lower = at(y1, x0) * (1 - fx) + at(y1, x1) * fx;
        data[(y * width + x) * 3 + c] = Math.round(upper * (1 - fy) + lower * fy);
      }
    }
  }
  return { width, height, data, sha256: sha256(data) };
}

/** What a card says of its network's input. */
export interface InputFacts {
  readonly width: number;
  readonly height: number;
  readonly colour: 'RGB' | 'BGR' | 'GRAY';
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** Pixels as the card wants them: value = pixel × scale + offset per channel; NCHW for ours, NHWC for the peers. */
export function toTensor(pixels: Pixels, input: InputFacts, layout: 'NCHW' | 'NHWC'): Float32Array {
  const area = pixels.width * pixels.height;
  const channels = input.colour === 'GRAY' ? 1 : 3;
  const tensor = new Float32Array(area * channels);
  for (let i = 0; i < area; i++) {
    const [r = 0, g = 0, b = 0] = pixels.data.subarray(i * 3, i * 3 + 3);
    const values =
      input.colour === 'RGB' ? [r, g, b] : input.colour === 'BGR' ? [b, g, r] : [0.2989 * r + 0.587 * g + 0.114 * b];
    for (let c = 0; c < channels; c++) {
      const value = (values[c] ?? 0) * (input.scale[c] ?? 1) + (input.offset[c] ?? 0);
      tensor[layout === 'NCHW' ? c * area + i : i * channels + c] = value;
    }
  }
  return tensor;
}
