import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Frame, FrameFormat } from '../types.js';

/** Planar layouts, which the addon reads and does not write. Sides are even. */

/** Rows of chroma that are converted before others have their turn. */
const ROWS = 128;

interface Planes {
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  /** From one chroma sample to the next in its row. */
  readonly step: 1 | 2;
}

function planesOf(data: Uint8Array, width: number, height: number, format: 'i420' | 'nv12'): Planes {
  const luma = width * height;
  if (format === 'nv12') return { y: data, u: data.subarray(luma), v: data.subarray(luma + 1), step: 2 };
  return { y: data, u: data.subarray(luma), v: data.subarray(luma + luma / 4), step: 1 };
}

/**
 * `rgb`, `gray`, `yuyv`, `nv12` or `i420` with tight rows as `i420` or `nv12` (BT.601, limited range). Chroma of four pixels (of two rows for
 * `yuyv`) is averaged. The event loop is left free in between.
 */
export async function toPlanar(frame: Frame, format: 'i420' | 'nv12'): Promise<Uint8Array> {
  const { width, height } = frame;
  const data = new Uint8Array((width * height * 3) / 2);
  const to = planesOf(data, width, height, format);
  const fill = fillers[frame.format];
  if (fill === undefined) throw new Error(`no way from ${frame.format} to ${format}`);
  for (let row = 0; row < height / 2; row += ROWS) {
    if (row > 0) await nextTurn();
    fill(frame, to, row, Math.min(height / 2, row + ROWS));
  }
  return data;
}

type Fill = (frame: Frame, to: Planes, first: number, end: number) => void;

const fillers: Partial<Record<FrameFormat, Fill>> = {
  i420: fromPlanes,
  nv12: fromPlanes,
  yuyv: fromYuyv,
  rgb: fromRgb,
  gray: fromGray,
};

function fromPlanes({ data, width, height, format }: Frame, to: Planes, first: number, end: number): void {
  const from = planesOf(data, width, height, format as 'i420' | 'nv12');
  to.y.set(data.subarray(first * 2 * width, end * 2 * width), first * 2 * width);
  const half = width / 2;
  for (let i = first * half; i < end * half; i++) {
    to.u[i * to.step] = from.u[i * from.step]!;
    to.v[i * to.step] = from.v[i * from.step]!;
  }
}

function fromYuyv({ data, width }: Frame, to: Planes, first: number, end: number): void {
  const half = width / 2;
  const stride = width * 2;
  for (let row = first; row < end; row++) {
    for (let i = 0; i < half; i++) {
      const a = row * 2 * stride + i * 4;
      const b = a + stride;
      const y = row * 2 * width + i * 2;
      to.y[y] = data[a]!;
      to.y[y + 1] = data[a + 2]!;
      to.y[y + width] = data[b]!;
      to.y[y + width + 1] = data[b + 2]!;
      const c = (row * half + i) * to.step;
      to.u[c] = (data[a + 1]! + data[b + 1]! + 1) >> 1;
      to.v[c] = (data[a + 3]! + data[b + 3]! + 1) >> 1;
    }
  }
}

/** Coefficients of ITU-R BT.601, 8 bits of fraction. */
function fromRgb({ data, width }: Frame, to: Planes, first: number, end: number): void {
  const half = width / 2;
  for (let row = first; row < end; row++) {
    for (let i = 0; i < half; i++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = 0; k < 4; k++) {
        const pixel = (row * 2 + (k >> 1)) * width + i * 2 + (k & 1);
        const red = data[pixel * 3]!;
        const green = data[pixel * 3 + 1]!;
        const blue = data[pixel * 3 + 2]!;
        to.y[pixel] = ((66 * red + 129 * green + 25 * blue + 128) >> 8) + 16;
        r += red;
        g += green;
        b += blue;
      }
      const c = (row * half + i) * to.step;
      to.u[c] = ((-38 * r - 74 * g + 112 * b + 512) >> 10) + 128;
      to.v[c] = ((112 * r - 94 * g - 18 * b + 512) >> 10) + 128;
    }
  }
}

function fromGray({ data, width }: Frame, to: Planes, first: number, end: number): void {
  for (let i = first * 2 * width; i < end * 2 * width; i++) to.y[i] = ((220 * data[i]! + 128) >> 8) + 16;
  const half = width / 2;
  for (let i = first * half; i < end * half; i++) {
    to.u[i * to.step] = 128;
    to.v[i * to.step] = 128;
  }
}
