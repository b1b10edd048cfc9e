import sharp from 'sharp';
import type { Frame, Point } from '../../lib/types.js';
import { normal, random } from '../support/random.js';

/** Ways to make a picture worse on purpose. All take and give tight RGB frames; landmarks stay where they were unless said. */

const clamp = (v: number): number => Math.min(255, Math.max(0, Math.round(v)));

/** Each sample through `of(value, x, y, channel)`. */
export function mapPixels(frame: Frame, of: (v: number, x: number, y: number, c: number) => number): Frame {
  const { width, height } = frame;
  const data = new Uint8Array(frame.data.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, i++) data[i] = clamp(of(frame.data[i]!, x, y, c));
    }
  }
  return { ...frame, data };
}

const toSharp = ({ data, width, height }: Frame) => sharp(data, { raw: { width, height, channels: 3 } });

async function fromSharp(image: ReturnType<typeof sharp>): Promise<Frame> {
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 3, format: 'rgb' };
}

export const blur = (frame: Frame, sigma: number): Promise<Frame> => fromSharp(toSharp(frame).blur(sigma));

export const jpeg = async (frame: Frame, quality: number): Promise<Frame> =>
  fromSharp(sharp(await toSharp(frame).jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer()));

export const png = async (frame: Frame): Promise<Frame> => fromSharp(sharp(await toSharp(frame).png().toBuffer()));

/** Normally distributed grain, the same on all channels and in every run. */
export function noise(frame: Frame, sigma: number): Frame {
  const next = random(12345);
  let grain = 0;
  return mapPixels(frame, (v, _x, _y, c) => {
    if (c === 0) grain = sigma * normal(next);
    return v + grain;
  });
}

export const gamma = (frame: Frame, power: number): Frame => mapPixels(frame, (v) => 255 * (v / 255) ** power);
export const gain = (frame: Frame, factor: number): Frame => mapPixels(frame, (v) => v * factor);
export const contrast = (frame: Frame, factor: number): Frame => mapPixels(frame, (v) => 128 + (v - 128) * factor);
/** Multiplies the three channels. */
export const cast = (frame: Frame, factors: readonly [number, number, number]): Frame =>
  mapPixels(frame, (v, _x, _y, c) => v * factors[c]!);
export const grey = (frame: Frame): Frame => {
  const { data } = frame;
  return mapPixels(frame, (_v, x, y) => {
    const i = (y * frame.width + x) * 3;
    return 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!;
  });
};

/** Light from the left: the picture is dimmed from full at `from` to `least` at `to`, linearly. */
export const sideLight = (frame: Frame, from: number, to: number, least: number): Frame =>
  mapPixels(frame, (v, x) => v * (1 - (1 - least) * Math.min(1, Math.max(0, (x - from) / (to - from)))));

/** A bar around the line from `a` to `b`, `half` pixels to each side of it. */
export function bar(frame: Frame, a: Point, b: Point, half: number, colour: readonly [number, number, number]): Frame {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const ux = (b[0] - a[0]) / length;
  const uy = (b[1] - a[1]) / length;
  return mapPixels(frame, (v, x, y, c) => {
    const dx = x + 0.5 - a[0];
    const dy = y + 0.5 - a[1];
    const along = dx * ux + dy * uy;
    const across = Math.abs(dy * ux - dx * uy);
    return along >= 0 && along <= length && across <= half ? colour[c]! : v;
  });
}

/** The picture made smaller, and points with it. */
export async function shrink(frame: Frame, factor: number, points: readonly Point[]): Promise<[Frame, Point[]]> {
  const width = Math.round(frame.width * factor);
  const height = Math.round(frame.height * factor);
  const small = await fromSharp(toSharp(frame).resize(width, height, { kernel: 'lanczos3', fit: 'fill' }));
  return [small, points.map(([x, y]): Point => [(x * width) / frame.width, (y * height) / frame.height])];
}

/** The picture turned about its middle by `degrees` clockwise, on a canvas that holds it, and points with it. */
export async function turn(frame: Frame, degrees: number, points: readonly Point[]): Promise<[Frame, Point[]]> {
  const turned = await fromSharp(toSharp(frame).rotate(degrees, { background: '#808080' }));
  const angle = (degrees * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [
    turned,
    points.map(([x, y]): Point => {
      const dx = x - frame.width / 2;
      const dy = y - frame.height / 2;
      return [turned.width / 2 + c * dx - s * dy, turned.height / 2 + s * dx + c * dy];
    }),
  ];
}

/** Stripes and squares of `amplitude` everywhere outside of an ellipse around the head. */
export function busy(frame: Frame, centre: Point, rx: number, ry: number, cell: number, amplitude: number): Frame {
  return mapPixels(frame, (v, x, y) => {
    if (((x - centre[0]) / rx) ** 2 + ((y - centre[1]) / ry) ** 2 <= 1) return v;
    const on = (Math.floor(x / cell) + Math.floor(y / cell)) % 2 === 0;
    return 128 + (v - 128) * 0.2 + (on ? amplitude : -amplitude);
  });
}

/** The part of the picture from the whole pixels (x0, y0) to about (x1, y1), and points with it. */
export function crop(
  frame: Frame,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  points: readonly Point[],
): [Frame, Point[]] {
  const width = Math.min(frame.width, Math.round(x1)) - x0;
  const height = Math.min(frame.height, Math.round(y1)) - y0;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((y + y0) * frame.width + x0) * 3;
    data.set(frame.data.subarray(start, start + width * 3), y * width * 3);
  }
  return [{ ...frame, data, width, height }, points.map(([x, y]): Point => [x - x0, y - y0])];
}
