/** Clouds and depth maps as the viewer's page carries them: 16-bit steps of their range, planar, gzipped, base64. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkCloud } from '../reconstruction/cloud-check.js';
import type { DepthMap, PointCloud } from '../reconstruction/index.js';
import { inSlices } from './slices.js';

const compress = promisify(gzip);
const STEPS = 65535;

/** How a page's cloud is to be read: position = origin + step × 16-bit number, viewer frame, millimetres. */
export interface PackedCloud {
  readonly count: number;
  readonly origin: readonly [number, number, number];
  readonly step: readonly [number, number, number];
  readonly normals: boolean;
  readonly colours: boolean;
}

/** How a page's depth map is to be read: millimetres = near + step × (16-bit number − 1); 0 is unknown. */
export interface PackedDepth {
  readonly width: number;
  readonly height: number;
  readonly near: number;
  readonly far: number;
  readonly step: number;
}

/** Bytes gzipped, as base64 for a data block of the page. */
export async function block(bytes: Uint8Array): Promise<string> {
  return (await compress(bytes)).toString('base64');
}

/** Nearest and furthest depth; `NO_SURFACE` where no pixel has one. */
export async function depthRange(depth: DepthMap, signal?: AbortSignal): Promise<readonly [near: number, far: number]> {
  let near = Infinity;
  let far = -Infinity;
  await inSlices(
    depth.depth.length,
    1 << 16,
    (start, end) => {
      for (let i = start; i < end; i++) {
        const value = depth.depth[i]!;
        if (!Number.isFinite(value)) continue;
        if (value < near) near = value;
        if (value > far) far = value;
      }
    },
    signal,
  );
  if (!(near <= far)) throw new LineamentError('NO_SURFACE', 'the depth map has no pixel whose depth is known');
  return [near, far];
}

export async function packDepth(
  depth: DepthMap,
  signal?: AbortSignal,
): Promise<{ about: PackedDepth; bytes: Uint8Array }> {
  const [near, far] = await depthRange(depth, signal);
  const step = (far - near) / (STEPS - 1);
  const packed = new Uint16Array(depth.depth.length);
  const scale = step > 0 ? 1 / step : 0;
  await inSlices(
    packed.length,
    1 << 16,
    (start, end) => {
      for (let i = start; i < end; i++) {
        const value = depth.depth[i]!;
        packed[i] = Number.isFinite(value) ? 1 + Math.round((value - near) * scale) : 0;
      }
    },
    signal,
  );
  return { about: { width: depth.width, height: depth.height, near, far, step }, bytes: bytesOf(packed) };
}

/** Pixels that a page shows as points at most; of larger maps every second, third … row and column. */
const MOST_POINTS = 1e6;

/** The pixels of a depth map as points in its camera's frame. */
export async function cloudOfDepth(map: DepthMap, signal?: AbortSignal): Promise<PointCloud> {
  const { width, height, depth, camera } = map;
  const every = Math.max(1, Math.ceil(Math.sqrt((width * height) / MOST_POINTS)));
  const positions: number[] = [];
  await inSlices(
    Math.ceil(height / every),
    16,
    (start, end) => {
      for (let y = start * every; y < end * every && y < height; y += every) {
        for (let x = 0; x < width; x += every) {
          const z = depth[y * width + x]!;
          if (!Number.isFinite(z)) continue;
          positions.push(((x + 0.5 - camera.cx) / camera.fx) * z, ((y + 0.5 - camera.cy) / camera.fy) * z, z);
        }
      }
    },
    signal,
  );
  return { positions: Float32Array.from(positions) };
}

/** A cloud from the camera frame into the viewer's: (x, −y, −z). */
export async function packCloud(
  cloud: PointCloud,
  signal?: AbortSignal,
): Promise<{ about: PackedCloud; bytes: Uint8Array }> {
  const { positions, normals, colours } = checkCloud('cloud', cloud);
  if (positions.length === 0) throw new LineamentError('NO_SURFACE', 'the cloud has no points');
  const count = positions.length / 3;
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const signs = [1, -1, -1];
  await inSlices(
    positions.length,
    3 << 14,
    (start, end) => {
      for (let i = start; i < end; i++) {
        const axis = i % 3;
        const value = positions[i]! * signs[axis]!;
        if (!Number.isFinite(value)) throw invalid('cloud.positions', 'finite numbers', value);
        if (value < low[axis]!) low[axis] = value;
        if (value > high[axis]!) high[axis] = value;
      }
    },
    signal,
  );
  const step = low.map((value, axis) => (high[axis]! - value) / STEPS) as [number, number, number];
  const scale = step.map((one) => (one > 0 ? 1 / one : 0));
  const bytes = new Uint8Array(count * (6 + (normals ? 3 : 0) + (colours ? 3 : 0)));
  const places = new Uint16Array(bytes.buffer, 0, count * 3);
  const directions = new Int8Array(bytes.buffer, count * 6, normals ? count * 3 : 0);
  if (colours) bytes.set(colours, count * (normals ? 9 : 6));
  await inSlices(
    positions.length,
    3 << 14,
    (start, end) => {
      for (let i = start; i < end; i++) {
        const axis = i % 3;
        // Planar: all x, all y, all z; neighbours are alike, which gzip likes.
        const at = axis * count + (i - axis) / 3;
        places[at] = Math.round((positions[i]! * signs[axis]! - low[axis]!) * scale[axis]!);
        if (normals) directions[at] = Math.round(Math.max(-1, Math.min(1, normals[i]!)) * 127 * signs[axis]!);
      }
    },
    signal,
  );
  const about = {
    count,
    origin: low as [number, number, number],
    step,
    normals: normals !== undefined,
    colours: colours !== undefined,
  };
  return { about, bytes };
}

function bytesOf(values: Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
