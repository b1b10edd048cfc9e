import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { LineamentError } from '../errors.js';
import type { NativeExecutor, NativeToken } from './addon.js';
import { addonPath, loadAddon } from './load.js';

const require = createRequire(import.meta.url);

/** A surface as Open3D gives it: `Mesh` of lib/reconstruction, with a normal for each vertex. */
export interface NativeOpen3dMesh {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  readonly normals: Float32Array;
  /** Where the cloud had colours. */
  readonly colours?: Uint8Array;
}

/** What Open3D says of a mesh's topology. */
export interface Open3dTopology {
  /** No edge has more than two triangles. */
  readonly edgeManifold: boolean;
  /** Every edge has exactly two. */
  readonly closed: boolean;
  /** The triangles of each vertex hang together by edges. */
  readonly vertexManifold: boolean;
  readonly orientable: boolean;
  readonly selfIntersecting: boolean;
  /** Closed, vertex-manifold and not self-intersecting. */
  readonly watertight: boolean;
  /** Vertices − edges + triangles: 2 for a sphere, 0 for a torus. */
  readonly euler: number;
  /** Parts that hang together by edges. */
  readonly components: number;
}

/**
 * What `lineament_open3d.node` exports. Executors and tokens are its own: those of `lineament.node` are not to be handed to it.
 * Points whose normal is 0 0 0 are left out.
 */
export interface NativeOpen3d {
  /** Of Lineament's sources. */
  readonly version: string;
  /** Of Open3D. */
  readonly open3d: string;
  createToken(): NativeToken;
  createExecutor(threads: number): NativeExecutor;
  poisson(
    executor: NativeExecutor,
    positions: Float32Array,
    normals: Float32Array,
    colours: Uint8Array | undefined,
    options: {
      readonly depth: number;
      readonly scale: number;
      readonly linear: boolean;
      readonly trim: number;
      readonly threads: number;
    },
    token?: NativeToken,
  ): Promise<NativeOpen3dMesh>;
  ballPivoting(
    executor: NativeExecutor,
    positions: Float32Array,
    normals: Float32Array,
    colours: Uint8Array | undefined,
    radii: Float64Array | undefined,
    token?: NativeToken,
  ): Promise<NativeOpen3dMesh>;
  topology(
    executor: NativeExecutor,
    positions: Float32Array,
    indices: Uint32Array,
    token?: NativeToken,
  ): Promise<Open3dTopology>;
}

const FIX =
  "Install Debian's libopen3d-dev and run 'node scripts/build-open3d.mjs' in a checkout, or set LINEAMENT_OPEN3D to a " +
  'lineament_open3d.node of this version.';

/** The addon for Open3D: the file that `LINEAMENT_OPEN3D` names, otherwise the one beside the addon, whether it is there or not. */
export function open3dAddon(): string {
  const named = process.env['LINEAMENT_OPEN3D'];
  if (named) return resolve(named);
  loadAddon();
  return resolve(dirname(addonPath() ?? ''), 'lineament_open3d.node');
}

/**
 * Loads the addon for Open3D, and Open3D with it (some hundred libraries, a tenth of a second). Throws `ADDON_NOT_FOUND`, with the
 * fix, where the file is not there, cannot be loaded, or comes from other sources than the addon.
 */
export function loadOpen3d(path = open3dAddon()): NativeOpen3d {
  if (!existsSync(path)) throw new LineamentError('ADDON_NOT_FOUND', `${path}: no such file`, { fix: FIX });
  const loaded = requireQuietly(path);
  const { version } = loadAddon();
  if (loaded.version !== version || typeof loaded.poisson !== 'function') {
    const found = typeof loaded.poisson === 'function' ? `of version ${loaded.version}` : 'no addon for Open3D';
    throw new LineamentError('ADDON_NOT_FOUND', `${path} is ${found}, version ${version} is needed`, { fix: FIX });
  }
  return loaded;
}

/**
 * Idle threads of OpenMP spin where nothing else is said, which makes Poisson several times slower when processors are busy; the
 * library reads its environment once, when it is loaded.
 */
function requireQuietly(path: string): NativeOpen3d {
  const policy = process.env['OMP_WAIT_POLICY'];
  if (policy === undefined) process.env['OMP_WAIT_POLICY'] = 'passive';
  try {
    return require(path) as NativeOpen3d;
  } catch (cause) {
    const problem = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new LineamentError('ADDON_NOT_FOUND', `${path}: ${problem}`, { cause, fix: FIX });
  } finally {
    if (policy === undefined) delete process.env['OMP_WAIT_POLICY'];
  }
}
