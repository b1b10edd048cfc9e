/** Pictures of a surface without a browser and without a graphics processor: for reports, and to check the viewer against. */
import { abortSignal, boolean, invalid, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkGeometry } from '../reconstruction/files-check.js';
import type { Mesh } from '../reconstruction/index.js';
import type { Frame } from '../types.js';
import { COLOUR_MAPS, type ColourMap, colourTable } from './colour-map.js';
import { type Picture, type Shade, shader, type Vertices } from './render-shade.js';
import { inSlices } from './slices.js';
import { boundsOf, FIELD_OF_VIEW, fittingDistance, type Vector3, viewRotation } from './view.js';
import { checkView, SURFACE_MODES, type SurfaceMode } from './viewer.js';

export interface RenderMeshOptions {
  /** Degrees; above 0 the face turns to the picture's right edge. Default 0: as the camera saw it. */
  readonly yaw?: number;
  /** Degrees from -89 to 89; above 0 the face looks up. Default 0. */
  readonly pitch?: number;
  /** Pixels; default 512. */
  readonly width?: number;
  readonly height?: number;
  /** Default: the texture where the mesh has one, or its colours; else plain. */
  readonly surface?: SurfaceMode;
  /** Lights on the texture too; default false, as photographs have theirs in them. */
  readonly light?: boolean;
  /** Red, green, blue behind the surface; default: transparent. */
  readonly background?: readonly [number, number, number];
  /** Samples along each side of a pixel; default 2. */
  readonly samples?: 1 | 2 | 3 | 4;
  readonly colours?: ColourMap;
  readonly signal?: AbortSignal;
}

const KNOWN = [
  ...['yaw', 'pitch', 'width', 'height', 'surface', 'light', 'background', 'samples', 'colours', 'signal'],
];
const LARGEST = 4096;
/** A quarter of a gigabyte for depth alone. */
const MOST_SAMPLES = 1 << 26;

/**
 * Draws a mesh as the viewer does: the same camera (30° high, as far away as the sphere around all vertices fits), lights and
 * colours; with a depth buffer, perspectively correct texture and a plain back. Works in slices of 512 triangles that leave
 * the event loop to others in between: short where triangles are small, as those of faces are, long where few cover the picture.
 *
 * @param mesh in the camera frame, millimetres
 * @returns RGBA, 8 bits each, not multiplied by alpha
 * @throws LineamentError INVALID_ARGUMENT for a mesh or options that are not as stated; NO_SURFACE for a mesh without a triangle;
 *   ABORTED
 */
export async function renderMesh(mesh: Mesh, options: RenderMeshOptions = {}): Promise<Frame> {
  plainObject('options', options, KNOWN);
  checkMesh('mesh', mesh);
  const { signal } = options;
  if (signal !== undefined) abortSignal('signal', signal);
  const view = checkView({ yaw: options.yaw ?? 0, pitch: options.pitch ?? 0 });
  const width = positiveInteger('width', options.width ?? 512, LARGEST);
  const height = positiveInteger('height', options.height ?? 512, LARGEST);
  const samples = positiveInteger('samples', options.samples ?? 2, 4);
  if (width * height * samples ** 2 > MOST_SAMPLES) {
    throw invalid('width, height and samples', `at most ${MOST_SAMPLES} samples in all`, width * height * samples ** 2);
  }
  const shown = mesh.texture !== undefined || mesh.colours !== undefined ? 'texture' : 'plain';
  const picture: Picture = {
    mesh,
    view,
    width: width * samples,
    height: height * samples,
    surface: oneOf('surface', options.surface ?? shown, SURFACE_MODES),
    light: boolean('light', options.light ?? false),
    table: colourTable(oneOf('colours', options.colours ?? 'viridis', COLOUR_MAPS)),
  };
  const drawn = await rasterise(picture, signal);
  return resolve(drawn, width, height, samples, checkBackground(options.background), signal);
}

/** Checks shapes, that positions are finite and that triangles name vertices that are there. */
export function checkMesh(name: string, mesh: Mesh): void {
  if (mesh?.indices instanceof Uint32Array && mesh.indices.length === 0) {
    throw new LineamentError('NO_SURFACE', `${name} has no triangle`);
  }
  checkGeometry(name, mesh);
  const { positions, indices } = mesh;
  if (!(indices instanceof Uint32Array)) throw invalid(`${name}.indices`, 'Uint32Array', indices);
  const count = positions.length / 3;
  for (let i = 0; i < indices.length; i++) {
    if (indices[i]! >= count) throw invalid(`${name}.indices`, `numbers below ${count}`, indices[i]);
  }
  for (let i = 0; i < positions.length; i++) {
    if (!Number.isFinite(positions[i])) throw invalid(`${name}.positions`, 'finite numbers', positions[i]);
  }
}

function checkBackground(background: unknown): Vector3 | undefined {
  if (background === undefined) return undefined;
  const isByte = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 255;
  if (!Array.isArray(background) || background.length !== 3 || !background.every(isByte)) {
    throw invalid('background', 'three numbers from 0 to 255', background);
  }
  return background as unknown as Vector3;
}

interface Drawn {
  /** RGB of each sample. */
  readonly colours: Uint8Array;
  /** 1/distance of each sample; 0 where there is nothing. */
  readonly nearness: Float32Array;
}

async function project(picture: Picture, signal: AbortSignal | undefined): Promise<Vertices> {
  const { mesh, width, height } = picture;
  const { centre, radius } = boundsOf([mesh.positions], true)!;
  const distance = fittingDistance(radius, width, height);
  const [right, up, back] = viewRotation(picture.view);
  const focal = height / 2 / Math.tan((FIELD_OF_VIEW * Math.PI) / 360);
  const places = new Float32Array(mesh.positions.length);
  const normals = flipped(mesh.normals) ?? vertexNormals(mesh);
  await inSlices(
    places.length / 3,
    1 << 13,
    (start, end) => {
      for (let i = start * 3; i < end * 3; i += 3) {
        const x = mesh.positions[i]! - centre[0];
        const y = -mesh.positions[i + 1]! - centre[1];
        const z = -mesh.positions[i + 2]! - centre[2];
        const near = 1 / (distance - (back[0] * x + back[1] * y + back[2] * z));
        places[i] = width / 2 + focal * (right[0] * x + right[1] * y + right[2] * z) * near;
        places[i + 1] = height / 2 - focal * (up[0] * x + up[1] * y + up[2] * z) * near;
        places[i + 2] = near;
      }
    },
    signal,
  );
  return { places, normals };
}

async function rasterise(picture: Picture, signal: AbortSignal | undefined): Promise<Drawn> {
  const { mesh, width, height } = picture;
  const vertices = await project(picture, signal);
  const drawn: Drawn = { colours: new Uint8Array(width * height * 3), nearness: new Float32Array(width * height) };
  const shade = shader(picture, vertices);
  const { places } = vertices;
  await inSlices(
    mesh.indices.length / 3,
    512,
    (start, end) => {
      for (let t = start; t < end; t++) {
        fill(
          drawn,
          width,
          height,
          places,
          mesh.indices[t * 3]!,
          mesh.indices[t * 3 + 1]!,
          mesh.indices[t * 3 + 2]!,
          shade,
        );
      }
    },
    signal,
  );
  return drawn;
}

function fill(
  { colours, nearness }: Drawn,
  width: number,
  height: number,
  places: Float32Array,
  a: number,
  b: number,
  c: number,
  shade: Shade,
): void {
  const ax = places[a * 3]!;
  const ay = places[a * 3 + 1]!;
  const an = places[a * 3 + 2]!;
  const bx = places[b * 3]!;
  const by = places[b * 3 + 1]!;
  const bn = places[b * 3 + 2]!;
  const cx = places[c * 3]!;
  const cy = places[c * 3 + 1]!;
  const cn = places[c * 3 + 2]!;
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  if (area === 0) return;
  // Counterclockwise seen from the front is clockwise in a picture whose y points down: a negative area.
  const front = area < 0;
  const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
  const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
  const last = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
  const inverse = 1 / area;
  for (let y = top; y <= bottom; y++) {
    const py = y + 0.5;
    for (let x = left; x <= last; x++) {
      const px = x + 0.5;
      const wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) * inverse;
      const wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) * inverse;
      const wc = 1 - wa - wb;
      if (wa < 0 || wb < 0 || wc < 0) continue;
      const near = wa * an + wb * bn + wc * cn;
      const at = y * width + x;
      if (near <= nearness[at]!) continue;
      nearness[at] = near;
      shade(colours, at * 3, a, b, c, (wa * an) / near, (wb * bn) / near, (wc * cn) / near, front);
    }
  }
}

/** Normals from the camera frame in the viewer's. */
function flipped(normals: Float32Array | undefined): Float32Array | undefined {
  return normals?.map((value, i) => (i % 3 === 0 ? value : -value));
}

/** Sums of the triangles' normals, weighted by their area, in the viewer's frame; not of length 1. */
function vertexNormals({ positions, indices }: Mesh): Float32Array {
  const normals = new Float32Array(positions.length);
  for (let t = 0; t < indices.length; t += 3) {
    const a = indices[t]! * 3;
    const b = indices[t + 1]! * 3;
    const c = indices[t + 2]! * 3;
    const ux = positions[b]! - positions[a]!;
    const uy = positions[b + 1]! - positions[a + 1]!;
    const uz = positions[b + 2]! - positions[a + 2]!;
    const vx = positions[c]! - positions[a]!;
    const vy = positions[c + 1]! - positions[a + 1]!;
    const vz = positions[c + 2]! - positions[a + 2]!;
    for (const vertex of [a, b, c]) {
      normals[vertex]! += uy * vz - uz * vy;
      normals[vertex + 1]! -= uz * vx - ux * vz;
      normals[vertex + 2]! -= ux * vy - uy * vx;
    }
  }
  return normals;
}

/** Samples to pixels: the mean colour of those that hit, and their share as alpha. */
async function resolve(
  { colours, nearness }: Drawn,
  width: number,
  height: number,
  samples: number,
  background: Vector3 | undefined,
  signal: AbortSignal | undefined,
): Promise<Frame> {
  const data = new Uint8Array(width * height * 4);
  const row = width * samples;
  await inSlices(
    height,
    16,
    (start, end) => {
      for (let y = start; y < end; y++) {
        for (let x = 0; x < width; x++) {
          let hits = 0;
          let red = 0;
          let green = 0;
          let blue = 0;
          for (let j = 0; j < samples; j++) {
            for (let i = 0; i < samples; i++) {
              const at = (y * samples + j) * row + x * samples + i;
              if (nearness[at] === 0) continue;
              hits++;
              red += colours[at * 3]!;
              green += colours[at * 3 + 1]!;
              blue += colours[at * 3 + 2]!;
            }
          }
          const share = hits / (samples * samples);
          const to = (y * width + x) * 4;
          const own = hits === 0 ? 0 : 1 / hits;
          if (background === undefined) {
            data[to] = red * own + 0.5;
            data[to + 1] = green * own + 0.5;
            data[to + 2] = blue * own + 0.5;
          } else {
            data[to] = red * own * share + background[0] * (1 - share) + 0.5;
            data[to + 1] = green * own * share + background[1] * (1 - share) + 0.5;
            data[to + 2] = blue * own * share + background[2] * (1 - share) + 0.5;
          }
          data[to + 3] = background === undefined ? Math.round(share * 255) : 255;
        }
      }
    },
    signal,
  );
  return { data, width, height, channels: 4, format: 'rgba' };
}
