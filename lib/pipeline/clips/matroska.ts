import type { Frame, FrameFormat } from '../../types.js';

/**
 * The little of Matroska (RFC 9559, EBML RFC 8794) that hands uncompressed pictures with their times to ffmpeg: one track, a segment of
 * unknown length, one cluster for each picture. Times are whole microseconds.
 */

/** How ffmpeg calls the layouts (its `raw` pixel format tags). */
const FOURCC: Readonly<Record<FrameFormat, string>> = {
  i420: 'I420',
  nv12: 'NV12',
  yuyv: 'YUY2',
  gray: 'Y800',
  rgb: 'RGB\x18',
  bgr: 'BGR\x18',
  rgba: 'RGBA',
  bgra: 'BGRA',
};

const EBML = [0x1a, 0x45, 0xdf, 0xa3];
const SEGMENT = [0x18, 0x53, 0x80, 0x67];
const INFO = [0x15, 0x49, 0xa9, 0x66];
const TRACKS = [0x16, 0x54, 0xae, 0x6b];
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75];
const UNKNOWN_SIZE = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const NANOSECONDS_PER_TICK = 1000;

const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));

/** Big-endian, as few bytes as it takes. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; left > 0 || bytes.length === 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return bytes;
}

/** A length in the eight-byte form. */
function size(bytes: number): number[] {
  const out = [0x01];
  for (let i = 6; i >= 0; i--) out.push(Math.floor(bytes / 256 ** i) % 256);
  return out;
}

const element = (id: readonly number[], content: readonly number[]): number[] => [
  ...id,
  ...size(content.length),
  ...content,
];

/** What opens the stream. `fps` is a hint for the encoder's planning; the times of the pictures are their own. */
export function matroskaHeader(width: number, height: number, format: FrameFormat, fps: number): Uint8Array {
  const head = element(EBML, [
    ...element([0x42, 0x86], [1]),
    ...element([0x42, 0xf7], [1]),
    ...element([0x42, 0xf2], [4]),
    ...element([0x42, 0xf3], [8]),
    ...element([0x42, 0x82], ascii('matroska')),
    ...element([0x42, 0x87], [4]),
    ...element([0x42, 0x85], [2]),
  ]);
  const info = element(INFO, [
    ...element([0x2a, 0xd7, 0xb1], unsigned(NANOSECONDS_PER_TICK)),
    ...element([0x4d, 0x80], ascii('lineament')),
    ...element([0x57, 0x41], ascii('lineament')),
  ]);
  const video = element(
    [0xe0],
    [
      ...element([0xb0], unsigned(width)),
      ...element([0xba], unsigned(height)),
      ...element([0x2e, 0xb5, 0x24], ascii(FOURCC[format])),
    ],
  );
  const track = element(
    [0xae],
    [
      ...element([0xd7], [1]),
      ...element([0x73, 0xc5], [1]),
      ...element([0x83], [1]),
      ...element([0x9c], [0]),
      ...element([0x23, 0xe3, 0x83], unsigned(Math.max(1, Math.round(1e9 / fps)))),
      ...element([0x86], ascii('V_UNCOMPRESSED')),
      ...video,
    ],
  );
  return Uint8Array.from([...head, ...SEGMENT, ...UNKNOWN_SIZE, ...info, ...element(TRACKS, track)]);
}

/** What goes before the `bytes` of a picture that is shown `microseconds` after the start (not below zero). */
export function pictureHeader(microseconds: number, bytes: number): Uint8Array {
  const time = element([0xe7], unsigned(Math.round(microseconds)));
  // Track 1, at the cluster's time, a key picture.
  const block = [0xa3, ...size(bytes + 4), 0x81, 0x00, 0x00, 0x80];
  return Uint8Array.from([...CLUSTER, ...size(time.length + block.length + bytes), ...time, ...block]);
}

/** Bytes of a picture without padding. */
export function pictureBytes({ width, height, format }: Pick<Frame, 'width' | 'height' | 'format'>): number {
  const half = Math.ceil(width / 2);
  switch (format) {
    case 'i420':
    case 'nv12':
      return width * height + 2 * half * Math.ceil(height / 2);
    case 'yuyv':
      return 4 * half * height;
    default:
      return width * height * ({ gray: 1, rgb: 3, bgr: 3, rgba: 4, bgra: 4 } as const)[format];
  }
}

/** The picture's bytes without padding: in place where there is none, otherwise a copy. */
export function tightPixels(frame: Frame): Uint8Array {
  const { data, width, height, format } = frame;
  const total = pictureBytes(frame);
  const half = Math.ceil(width / 2);
  const planar = format === 'i420' || format === 'nv12';
  const row = planar ? width : total / height;
  // Rows of nv12 with an odd width: the chroma rows are one byte longer than the luma rows.
  const natural = format === 'nv12' ? 2 * half : row;
  const stride = frame.stride ?? natural;
  if (stride === row && (format !== 'nv12' || width % 2 === 0)) return data.subarray(0, total);
  const out = new Uint8Array(total);
  let at = 0;
  const copy = (from: number, step: number, bytes: number, rows: number): void => {
    for (let y = 0; y < rows; y++, at += bytes) out.set(data.subarray(from + y * step, from + y * step + bytes), at);
  };
  copy(0, stride, row, height);
  const rows = Math.ceil(height / 2);
  const chroma = stride * height;
  if (format === 'nv12') copy(chroma, stride, 2 * half, rows);
  if (format === 'i420') {
    const step = Math.ceil(stride / 2);
    copy(chroma, step, half, rows);
    copy(chroma + step * rows, step, half, rows);
  }
  return out;
}
