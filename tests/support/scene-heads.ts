/** Heads cut out of the sample photographs, at any size, and how they are laid into a picture. */
import sharp from 'sharp';
import type { Box } from '../../lib/types.js';
import { sample } from './samples.js';

/** [sample, x, y, width, height]: the mean of the boxes that the two detectors of the starter pack give. */
export const HEADS: readonly (readonly [photo: number, ...box: Box])[] = [
  [6, 244, 507, 215, 244],
  [6, 1473, 290, 233, 267],
  [6, 663, 348, 209, 275],
  [6, 1160, 336, 210, 246],
  [3, 589, 359, 198, 229],
  [3, 1484, 325, 196, 239],
  [1, 1481, 241, 168, 187],
  [4, 668, 93, 174, 205],
  [5, 782, 134, 162, 189],
  [5, 1417, 424, 188, 226],
  [4, 1281, 177, 164, 210],
  [1, 420, 387, 181, 207],
];
/** How many different heads there are; none of them shows the same person. */
export const SCENE_HEADS = HEADS.length;

/** The ellipse that is cut out, over the face's box: half axes, and where its middle lies. */
export const CUT = { x: 0.7, y: 0.75, middle: 0.45, soft: 0.12 } as const;

/** Premultiplied rgb and alpha of a head at one size. */
export interface Patch {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Cuts the heads out of the photographs, at a face height of about 240 pixels. */
export async function cutHeads(): Promise<Patch[]> {
  return Promise.all(
    HEADS.map(async ([photo, x, y, w, h]) => {
      const [left, top] = [Math.round(x + w / 2 - CUT.x * w), Math.round(y + CUT.middle * h - CUT.y * h)];
      const [width, height] = [Math.round(2 * CUT.x * w), Math.round(2 * CUT.y * h)];
      const inside = Math.max(0, top);
      const { data } = await sharp(sample(photo))
        .extract({ left, top: inside, width, height: height - (inside - top) })
        .extend({ top: inside - top, extendWith: 'copy' })
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const rgba = new Uint8Array(width * height * 4);
      for (let j = 0; j < height; j++) {
        for (let i = 0; i < width; i++) {
          const r = Math.hypot((i + 0.5) / (width / 2) - 1, (j + 0.5) / (height / 2) - 1);
          const alpha = Math.min(1, Math.max(0, (1 - r) / CUT.soft));
          const p = j * width + i;
          for (let c = 0; c < 3; c++) rgba[4 * p + c] = Math.round(data[3 * p + c]! * alpha);
          rgba[4 * p + 3] = Math.round(255 * alpha);
        }
      }
      return { width, height, data: rgba };
    }),
  );
}

/** Half as large, each pixel the mean of four. */
function halve(from: Patch): Patch {
  const [width, height] = [from.width >> 1, from.height >> 1];
  const data = new Uint8Array(width * height * 4);
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < 4 * width; i++) {
      const at = 8 * j * from.width + 8 * (i >> 2) + (i & 3);
      const below = at + 4 * from.width;
      const { data: d } = from;
      data[4 * j * width + i] = (d[at]! + d[at + 4]! + d[below]! + d[below + 4]! + 2) >> 2;
    }
  }
  return { width, height, data };
}

/** Halved while it is more than twice as large, then bilinear. */
export function resize(base: Patch, width: number, height: number): Patch {
  let from = base;
  while (from.height >= 2 * height) from = halve(from);
  const data = new Uint8Array(width * height * 4);
  const axis = (n: number, size: number): { at: Int32Array; share: Float32Array } => {
    const at = new Int32Array(n);
    const share = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      const u = Math.min(size - 1.001, Math.max(0, ((i + 0.5) * size) / n - 0.5));
      at[i] = Math.floor(u);
      share[i] = u - at[i]!;
    }
    return { at, share };
  };
  const xs = axis(width, from.width);
  const ys = axis(height, from.height);
  const row = 4 * from.width;
  for (let j = 0; j < height; j++) {
    const fy = ys.share[j]!;
    for (let i = 0; i < width; i++) {
      const fx = xs.share[i]!;
      const p = ys.at[j]! * row + 4 * xs.at[i]!;
      for (let c = p; c < p + 4; c++) {
        const upper = from.data[c]! * (1 - fx) + from.data[c + 4]! * fx;
        const lower = from.data[c + row]! * (1 - fx) + from.data[c + row + 4]! * fx;
        data[4 * (j * width + i) + c - p] = upper * (1 - fy) + lower * fy + 0.5;
      }
    }
  }
  return { width, height, data };
}

/** The mean of a patch moved along (dx, dy), as an open shutter sees it. */
export function smear(patch: Patch, dx: number, dy: number): Patch {
  const steps = Math.min(9, Math.ceil(Math.max(Math.abs(dx), Math.abs(dy))) + 1);
  if (steps < 2) return patch;
  const [mx, my] = [Math.ceil(Math.abs(dx) / 2), Math.ceil(Math.abs(dy) / 2)];
  const [width, height] = [patch.width + 2 * mx, patch.height + 2 * my];
  const sum = new Uint16Array(width * height * 4);
  for (let k = 0; k < steps; k++) {
    const x = mx + Math.round(dx * (k / (steps - 1) - 0.5));
    const y = my + Math.round(dy * (k / (steps - 1) - 0.5));
    for (let j = 0; j < patch.height; j++) {
      let to = 4 * ((j + y) * width + x);
      for (let from = 4 * j * patch.width; from < 4 * (j + 1) * patch.width; from++) sum[to++]! += patch.data[from]!;
    }
  }
  const data = new Uint8Array(sum.length);
  for (let k = 0; k < sum.length; k++) data[k] = (sum[k]! + (steps >> 1)) / steps;
  return { width, height, data };
}

/** Lays a patch over an rgb picture. */
export function blend(frame: Uint8Array, width: number, height: number, patch: Patch, left: number, top: number): void {
  const [i0, i1] = [Math.max(0, -left), Math.min(patch.width, width - left)];
  const j1 = Math.min(patch.height, height - top);
  for (let j = Math.max(0, -top); j < j1; j++) {
    let from = 4 * (j * patch.width + i0);
    let to = 3 * ((top + j) * width + left + i0);
    for (let i = i0; i < i1; i++, from += 4, to += 3) {
      const rest = 255 - patch.data[from + 3]!;
      if (rest === 255) continue;
      for (let c = 0; c < 3; c++) frame[to + c] = patch.data[from + c]! + (frame[to + c]! * rest + 127) / 255;
    }
  }
}
