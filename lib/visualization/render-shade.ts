/** What a sample of a rendered surface looks like: the twin of the viewer's shaders. */
import type { Mesh, Texture } from '../reconstruction/index.js';
import { BACK, CLAY, LIGHTS, type Vector3, type View, viewRotation } from './view.js';
import type { SurfaceMode } from './viewer.js';

/** What is drawn, and how; sizes in samples. */
export interface Picture {
  readonly mesh: Mesh;
  readonly view: View;
  readonly width: number;
  readonly height: number;
  readonly surface: SurfaceMode;
  readonly light: boolean;
  readonly table: Uint8Array;
}

/** Where the vertices are seen, and their normals. */
export interface Vertices {
  /** n × 3: x and y in samples, and 1/distance. */
  readonly places: Float32Array;
  /** n × 3 in the viewer's frame, of length 1. */
  readonly normals: Float32Array;
}

/** Writes the colour of a sample: vertices with their shares (perspectively correct), and which side is seen. */
export type Shade = (
  out: Uint8Array,
  at: number,
  a: number,
  b: number,
  c: number,
  sa: number,
  sb: number,
  sc: number,
  front: boolean,
) => void;

/** How the samples of a picture are coloured. */
export function shader(picture: Picture, { normals, places }: Vertices): Shade {
  const { mesh, surface, light, table } = picture;
  const rotation = viewRotation(picture.view);
  const { positions, colours, uvs } = mesh;
  const texture = uvs && mesh.texture && levelFor(mesh.texture, uvs, mesh.indices, places);
  const [near, far] = depthRange(positions);
  const mode = { texture: 0, plain: 1, normals: 2, depth: 3 }[surface];
  const [r0, r1, r2] = rotation;
  const key = turned(LIGHTS.key.direction, r0, r1, r2);
  const fill = turned(LIGHTS.fill.direction, r0, r1, r2);
  // Light on a normal of the viewer's frame, of length 1: the lights are turned against the view instead of each normal with it.
  const lightOn = (x: number, y: number, z: number): number =>
    LIGHTS.ambient +
    LIGHTS.key.strength * Math.max(0, x * key[0] + y * key[1] + z * key[2]) +
    LIGHTS.fill.strength * Math.max(0, x * fill[0] + y * fill[1] + z * fill[2]);
  const stepPerMillimetre = 255 / (far - near);
  return (out, at, a, b, c, sa, sb, sc, front) => {
    const i = a * 3;
    const j = b * 3;
    const k = c * 3;
    if (mode === 3 && front) {
      const z = positions[i + 2]! * sa + positions[j + 2]! * sb + positions[k + 2]! * sc;
      const step = Math.round(Math.min(255, Math.max(0, (far - z) * stepPerMillimetre))) * 3;
      out[at] = table[step]!;
      out[at + 1] = table[step + 1]!;
      out[at + 2] = table[step + 2]!;
      return;
    }
    const nx = normals[i]! * sa + normals[j]! * sb + normals[k]! * sc;
    const ny = normals[i + 1]! * sa + normals[j + 1]! * sb + normals[k + 1]! * sc;
    const nz = normals[i + 2]! * sa + normals[j + 2]! * sb + normals[k + 2]! * sc;
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
    if (mode === 2 && front) {
      out[at] = 127.5 + (127.5 * nx) / length;
      out[at + 1] = 127.5 + (127.5 * ny) / length;
      out[at + 2] = 127.5 + (127.5 * nz) / length;
      return;
    }
    const sign = (front ? 1 : -1) / length;
    const lit = mode === 0 && !light && front ? 1 : lightOn(nx * sign, ny * sign, nz * sign);
    if (!front || mode === 1) {
      const plain = front ? CLAY : BACK;
      out[at] = Math.min(255, plain[0] * lit * 255);
      out[at + 1] = Math.min(255, plain[1] * lit * 255);
      out[at + 2] = Math.min(255, plain[2] * lit * 255);
      return;
    }
    if (texture) {
      const u = uvs[a * 2]! * sa + uvs[b * 2]! * sb + uvs[c * 2]! * sc;
      const v = uvs[a * 2 + 1]! * sa + uvs[b * 2 + 1]! * sb + uvs[c * 2 + 1]! * sc;
      sampleInto(out, at, texture, u, v, lit);
      return;
    }
    // What has neither texture nor colours is white, as in the viewer.
    for (let channel = 0; channel < 3; channel++) {
      const own = colours ? colours[i + channel]! * sa + colours[j + channel]! * sb + colours[k + channel]! * sc : 255;
      out[at + channel] = Math.min(255, own * lit + 0.5);
    }
  };
}

/** A direction of the camera in the viewer's frame: by the transpose of the view's rotation. */
function turned([x, y, z]: Vector3, right: Vector3, up: Vector3, back: Vector3): Vector3 {
  const along = (axis: 0 | 1 | 2): number => right[axis] * x + up[axis] * y + back[axis] * z;
  return [along(0), along(1), along(2)];
}

/** Bilinear; the edge goes on beyond the texture. */
function sampleInto(
  out: Uint8Array,
  to: number,
  { data, width, height }: Texture,
  u: number,
  v: number,
  lit: number,
): void {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const right = x0 + 1 < width ? 3 : 0;
  const down = y0 + 1 < height ? width * 3 : 0;
  const fx = x - x0;
  const fy = y - y0;
  const at = (y0 * width + x0) * 3;
  for (let k = 0; k < 3; k++) {
    const upper = data[at + k]! * (1 - fx) + data[at + right + k]! * fx;
    const lower = data[at + down + k]! * (1 - fx) + data[at + down + right + k]! * fx;
    out[to + k] = Math.min(255, (upper * (1 - fy) + lower * fy) * lit + 0.5);
  }
}

/** The texture halved until a sample of the picture covers less than two of its pixels, on average: finer detail would flicker. */
function levelFor(texture: Texture, uvs: Float32Array, indices: Uint32Array, places: Float32Array): Texture {
  let inTexture = 0;
  let inPicture = 0;
  const twice = (values: Float32Array, width: number, t: number): number => {
    const [a, b, c] = [indices[t]! * width, indices[t + 1]! * width, indices[t + 2]! * width];
    return Math.abs(
      (values[b]! - values[a]!) * (values[c + 1]! - values[a + 1]!) -
        (values[b + 1]! - values[a + 1]!) * (values[c]! - values[a]!),
    );
  };
  for (let t = 0; t < indices.length; t += 3) {
    inTexture += twice(uvs, 2, t);
    inPicture += twice(places, 3, t);
  }
  let level = texture;
  let ratio = (inTexture * texture.width * texture.height) / Math.max(inPicture, 1e-6);
  while (ratio > 4 && level.width > 1 && level.height > 1) {
    level = halved(level);
    ratio /= 4;
  }
  return level;
}

function halved({ data, width, height }: Texture): Texture {
  const [w, h] = [width >> 1, height >> 1];
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let k = 0; k < 3; k++) {
        const at = (y * 2 * width + x * 2) * 3 + k;
        out[(y * w + x) * 3 + k] =
          (data[at]! + data[at + 3]! + data[at + width * 3]! + data[at + width * 3 + 3]! + 2) >> 2;
      }
    }
  }
  return { data: out, width: w, height: h };
}

function depthRange(positions: Float32Array): readonly [number, number] {
  let near = Infinity;
  let far = -Infinity;
  for (let i = 2; i < positions.length; i += 3) {
    near = Math.min(near, positions[i]!);
    far = Math.max(far, positions[i]!);
  }
  return far - near < 1e-3 ? [near - 0.5, far + 0.5] : [near, far];
}
