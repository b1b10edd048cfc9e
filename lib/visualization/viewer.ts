/** The 3D viewer: one HTML file that holds the surface, the program that draws it, and nothing that it would have to fetch. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { abortSignal, invalid, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { packageRoot } from '../native/package.js';
import { checkDepth } from '../reconstruction/depth-check.js';
import type { DepthMap, DepthScale, PointCloud } from '../reconstruction/index.js';
import { COLOUR_MAPS, type ColourMap } from './colour-map.js';
import { type GlbScene, readGlb } from './glb-scene.js';
import type { View } from './view.js';
import { block, cloudOfDepth, type PackedCloud, type PackedDepth, packCloud, packDepth } from './viewer-data.js';
import { VIEWER_STYLE, viewerPage } from './viewer-page.js';

/** What is drawn on the surface: its texture, a plain material under light, its normals as colours, its depth as a colour map. */
export const SURFACE_MODES = ['texture', 'plain', 'normals', 'depth'] as const;
export type SurfaceMode = (typeof SURFACE_MODES)[number];

/** What a viewer shows; at least one of `glb`, `cloud` and `depth`. */
export interface ViewerOptions {
  /** A GLB file (glTF 2.0, metres, Y up, Z towards the viewer), levels of detail by MSFT_lod. */
  readonly glb?: Uint8Array;
  /** Points in the camera frame of the mesh; kept to 1/65535 of their extent. */
  readonly cloud?: PointCloud;
  /**
   * Shown as a picture in colours with a legend in millimetres; kept to 1/65534 of its range. Where it is all there is, its pixels are
   * shown as points too (a million at most).
   */
  readonly depth?: DepthMap;
  /** Heading and title of the page. Default: 'Face in 3D'. */
  readonly title?: string;
  /** Label and value, shown under the statistics. */
  readonly facts?: readonly (readonly [label: string, value: string])[];
  /** Distance of each level from the surface that they were made from, in millimetres, finest first; default: what the file states. */
  readonly errors?: readonly number[];
  /** How the depth came by its unit; default: `depth.scale`. It decides what the page says of how far to trust the shape. */
  readonly scale?: DepthScale;
  readonly colours?: ColourMap;
  /** What the page opens with; the reader can change all of it. Default: the texture or colours, `plain` for a GLB file without. */
  readonly surface?: SurfaceMode;
  readonly view?: View;
  readonly background?: 'dark' | 'light';
  readonly signal?: AbortSignal;
}

/** What the page's program is told; part of the page as JSON. */
export interface ViewerSettings {
  readonly title: string;
  readonly surface: SurfaceMode;
  readonly view: View;
  readonly background: 'dark' | 'light';
  readonly colours: ColourMap;
  readonly glbBytes?: number;
  readonly errors?: readonly number[];
  readonly cloud?: PackedCloud;
  readonly depth?: PackedDepth;
}

const KNOWN = [
  ...['glb', 'cloud', 'depth', 'title', 'facts', 'errors', 'scale', 'colours'],
  ...['surface', 'view', 'background', 'signal'],
];

const PROGRAM = join(packageRoot, 'dist', 'visualization', 'viewer.js.br');

/**
 * Makes a viewer page: turn, move and come closer with mouse, touch or keys, front, 45° and profile, levels of detail, wireframe,
 * texture, normals, depth in colours, points, light and dark. The page opens from a file without a network: its content-security
 * policy lets it run the one program that it carries and fetch nothing. All text is escaped.
 *
 * @returns a complete HTML document (UTF-8)
 * @throws LineamentError INVALID_ARGUMENT for options that are not as stated or show nothing; MESH_CORRUPT for a GLB file that the
 *   viewer cannot read; NO_SURFACE for a cloud without points or a depth map without depth; ABORTED
 */
export async function createViewer(options: ViewerOptions): Promise<string> {
  plainObject('options', options, KNOWN);
  const { glb, depth, signal } = options;
  if (signal !== undefined) abortSignal('signal', signal);
  if (glb === undefined && options.cloud === undefined && depth === undefined) {
    throw invalid('options', 'at least one of glb, cloud and depth', options);
  }
  const scene = glb === undefined ? undefined : sceneOf(glb);
  if (depth !== undefined) checkDepth(depth, 'depth');
  const settings = checkSettings(options, scene);
  const alone = glb === undefined && options.cloud === undefined ? depth : undefined;
  const cloud = alone ? await cloudOfDepth(alone, signal) : options.cloud;
  const [packedDepth, packedCloud, program] = await Promise.all([
    depth && packDepth(depth, signal),
    cloud && packCloud(cloud, signal),
    viewerProgram(),
  ]);
  const data: [id: string, base64: string][] = [];
  if (glb !== undefined) data.push(['glb', await block(glb)]);
  if (packedCloud) data.push(['cloud', await block(packedCloud.bytes)]);
  if (packedDepth) data.push(['depth', await block(packedDepth.bytes)]);
  return viewerPage({
    settings: {
      ...settings,
      ...(glb !== undefined && { glbBytes: glb.byteLength }),
      ...(packedCloud && { cloud: packedCloud.about }),
      ...(packedDepth && { depth: packedDepth.about }),
    },
    facts: options.facts ?? [],
    trust: trustIn(options.scale ?? depth?.scale),
    levels: scene?.levels.length ?? 0,
    data,
    program,
    hashes: { script: hashOf(program), style: hashOf(VIEWER_STYLE) },
  });
}

function sceneOf(glb: unknown): GlbScene {
  if (!(glb instanceof Uint8Array)) throw invalid('glb', 'Uint8Array', glb);
  try {
    return readGlb(glb);
  } catch (error) {
    throw new LineamentError('MESH_CORRUPT', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function checkSettings(options: ViewerOptions, scene: GlbScene | undefined): ViewerSettings {
  const { title = 'Face in 3D', errors, facts = [], view = { yaw: 0, pitch: 0 } } = options;
  if (typeof title !== 'string') throw invalid('title', 'string', title);
  if (!Array.isArray(facts)) throw invalid('facts', 'array of pairs of strings', facts);
  for (const fact of facts) {
    if (!Array.isArray(fact) || fact.length !== 2 || !fact.every((text) => typeof text === 'string')) {
      throw invalid('facts', 'array of pairs of strings', fact);
    }
  }
  if (errors !== undefined && !Array.isArray(errors)) throw invalid('errors', 'numbers of at least 0', errors);
  for (const error of errors ?? []) {
    if (!(Number.isFinite(error) && error >= 0)) throw invalid('errors', 'numbers of at least 0', error);
  }
  // Without texture or colours there is nothing to see under no light.
  const bare = scene?.levels[0]?.parts.every((part) => part.image === undefined && part.colours === undefined);
  const first = bare ? 'plain' : scene === undefined && options.cloud === undefined ? 'depth' : 'texture';
  const colours = oneOf('colours', options.colours ?? 'viridis', COLOUR_MAPS);
  const surface = oneOf('surface', options.surface ?? first, SURFACE_MODES);
  const background = oneOf('background', options.background ?? 'dark', ['dark', 'light']);
  return { title, surface, view: checkView(view), background, colours, ...(errors && { errors }) };
}

/** A view with finite angles, the pitch short of the poles. */
export function checkView(view: unknown): View {
  const { yaw, pitch } = plainObject('view', view, ['yaw', 'pitch']);
  if (typeof yaw !== 'number' || !Number.isFinite(yaw)) throw invalid('view.yaw', 'number of degrees', yaw);
  if (typeof pitch !== 'number' || !(Math.abs(pitch) <= 89))
    throw invalid('view.pitch', 'number from -89 to 89', pitch);
  return { yaw, pitch };
}

/** What may be believed of the shape, in one sentence for the reader. */
function trustIn(scale: DepthScale | undefined): string {
  switch (scale?.source) {
    case 'sensor':
      return 'Depth was measured by a depth camera.';
    case 'iris':
      return `${PRIOR} Millimetres follow from the width of an adult's iris (11.7 mm).`;
    case 'inter-ocular':
      return `${PRIOR} Millimetres follow from the mean distance between the eyes, which differs from person to person.`;
    case 'landmarks':
      return `${PRIOR} A depth network was fitted to the landmarks in scale and shift.`;
    default:
      return `${PRIOR} Millimetres are as the file states them.`;
  }
}

const PRIOR =
  'Depth from a photograph is a prior: networks estimate what a face most likely looks like from the side; nothing measured it.';

async function viewerProgram(): Promise<string> {
  let packed: Buffer;
  try {
    packed = await readFile(PROGRAM);
  } catch (cause) {
    throw new LineamentError('INTERNAL', 'the program of the viewer page is not in the package', {
      cause,
      fix: 'In a checkout, run node scripts/build-viewer.mjs.',
    });
  }
  return (await promisify(brotliDecompress)(packed)).toString('utf8');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
