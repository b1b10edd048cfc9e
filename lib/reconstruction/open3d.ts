import { onAbort } from '../errors/abort.js';
import {
  abortSignal,
  boolean,
  invalid,
  nonEmptyString,
  numberIn,
  plainObject,
  positiveInteger,
} from '../errors/validate.js';
import { abortError, LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { Lifetime } from '../inference/lifetime.js';
import type { NativeExecutor, NativeToken } from '../native/addon.js';
import { loadAddon } from '../native/index.js';
import { loadOpen3d, type NativeOpen3d, type Open3dTopology, open3dAddon } from '../native/open3d.js';
import { checkCloud } from './cloud-check.js';
import { checkMesh } from './mesh-check.js';
import type { Mesh, PointCloud } from './types.js';

export type { Open3dTopology } from '../native/open3d.js';

export interface Open3dOptions {
  /** Path of a lineament_open3d.node; the one that `LINEAMENT_OPEN3D` names, or the one beside the addon, when absent. */
  readonly library?: string;
  /** Threads of Poisson; the processors that the process may use when absent. */
  readonly threads?: number;
}

export interface PoissonOptions {
  /**
   * Depth of the octree, 2 to 12, 8 when absent: details down to the cube's side / 2^depth. Each step more takes some four times the
   * memory and the time.
   */
  readonly depth?: number;
  /** Side of the octree's cube as a multiple of the cloud's largest extent, 1 to 16; 1.1 when absent. */
  readonly scale?: number;
  /** Vertices by linear interpolation between the octree's corners. Default false. */
  readonly linearFit?: boolean;
  /**
   * Poisson spans holes with surface of its own, up to the cube's sides. This share of the vertices, 0 to below 1, is taken away with its triangles: those that the fewest
   * points bear out. 0 when absent.
   */
  readonly densityTrim?: number;
  readonly signal?: AbortSignal;
}

export interface BallPivotingOptions {
  /**
   * Radii of the balls in millimetres, tried in this order; at most 16. When absent 1.5 and 3 times the mean distance of a point to
   * its nearest neighbour.
   */
  readonly radii?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Open3D's reconstructions, by an addon of their own (`lineament_open3d.node`), which is built where Open3D is installed
 * (`node scripts/build-open3d.mjs`).
 *
 * Clouds need normals, towards the side that is to be in front (`INVALID_ARGUMENT` without); points whose normal is 0 0 0 are left
 * out. Meshes come in the cloud's frame, with normals, and with colours where the cloud has them. All computing is off the event
 * loop; calls take turns, over all objects of the process. An abort rejects at once; what Open3D computes at that moment ends at its
 * next step, and `close` waits for it. `NO_SURFACE`: fewer than three points with normals, all in one place, or nothing between
 * them. `CLOSED` after `close`. The Poisson code within Open3D writes warnings of its own to stderr where points are too few for the
 * depth.
 */
export interface Open3d extends AsyncDisposable {
  /** Version of Open3D. */
  readonly version: string;
  /**
   * M. Kazhdan, H. Hoppe, "Screened Poisson Surface Reconstruction", ACM Transactions on Graphics 32 (2013). Not the same to the
   * last bit for other numbers of threads.
   */
  poisson(cloud: PointCloud, options?: PoissonOptions): Promise<Mesh>;
  /**
   * F. Bernardini et al., "The Ball-Pivoting Algorithm for Surface Reconstruction", IEEE TVCG 5 (1999). Vertices are points of the
   * cloud; holes stay where no ball fits.
   */
  ballPivoting(cloud: PointCloud, options?: BallPivotingOptions): Promise<Mesh>;
  /** What Open3D finds of a mesh's topology; it compares all triangles with each other: for some ten thousand of them. */
  topology(mesh: Mesh, options?: { readonly signal?: AbortSignal }): Promise<Open3dTopology>;
  /** Waits for calls that run, then ends the threads. Idempotent. */
  close(): Promise<void>;
}

/**
 * Loads Open3D into the process, with the hundred libraries that it needs; nothing of it is loaded before. Rejects with
 * `ADDON_NOT_FOUND`, whose `fix` says how to get it, and `INVALID_ARGUMENT`.
 */
export async function openOpen3d(options: Open3dOptions = {}): Promise<Open3d> {
  const given = plainObject('options', options, ['library', 'threads']);
  const library = given['library'] === undefined ? open3dAddon() : nonEmptyString('library', given['library']);
  const threads = given['threads'] === undefined ? undefined : positiveInteger('threads', given['threads'], 256);
  return new Open3dAddon(loadOpen3d(library), threads ?? Math.max(1, loadAddon().cpu().cores));
}

class Open3dAddon implements Open3d {
  readonly version: string;
  readonly #addon: NativeOpen3d;
  readonly #executor: NativeExecutor;
  readonly #threads: number;
  readonly #lifetime = new Lifetime('Open3D');

  constructor(addon: NativeOpen3d, threads: number) {
    this.version = addon.open3d;
    this.#addon = addon;
    this.#executor = addon.createExecutor(1);
    this.#threads = threads;
  }

  async poisson(cloud: PointCloud, options: PoissonOptions = {}): Promise<Mesh> {
    const { positions, normals, colours } = cloudArrays(cloud);
    const given = plainObject('options', options, ['depth', 'scale', 'linearFit', 'densityTrim', 'signal']);
    const depth = given['depth'] === undefined ? 8 : positiveInteger('depth', given['depth'], 12);
    if (depth < 2) throw invalid('depth', 'whole number from 2 to 12', depth);
    const scale = given['scale'] === undefined ? 1.1 : numberIn('scale', given['scale'], 1, 16);
    const linear = given['linearFit'] === undefined ? false : boolean('linearFit', given['linearFit']);
    const trim = given['densityTrim'] === undefined ? 0 : numberIn('densityTrim', given['densityTrim'], 0, 1);
    if (trim === 1) throw invalid('densityTrim', 'number from 0 to below 1', trim);
    const rule = { depth, scale, linear, trim, threads: this.#threads };
    return this.#run(given['signal'], (token) =>
      this.#addon.poisson(this.#executor, positions, normals, colours, rule, token),
    );
  }

  async ballPivoting(cloud: PointCloud, options: BallPivotingOptions = {}): Promise<Mesh> {
    const { positions, normals, colours } = cloudArrays(cloud);
    const given = plainObject('options', options, ['radii', 'signal']);
    const radii = given['radii'] === undefined ? undefined : radiiOf(given['radii']);
    return this.#run(given['signal'], (token) =>
      this.#addon.ballPivoting(this.#executor, positions, normals, colours, radii, token),
    );
  }

  async topology(mesh: Mesh, options: { readonly signal?: AbortSignal } = {}): Promise<Open3dTopology> {
    const { positions, indices } = checkMesh('mesh', mesh);
    const given = plainObject('options', options, ['signal']);
    return this.#run(given['signal'], (token) => this.#addon.topology(this.#executor, positions, indices, token));
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#executor.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The signal cancels a token of this addon, and rejects without waiting for Open3D. */
  async #run<T>(signal: unknown, work: (token: NativeToken) => Promise<T>): Promise<T> {
    const checked = signal === undefined ? undefined : abortSignal('signal', signal);
    throwIfAborted(checked);
    const token = this.#addon.createToken();
    const running = this.#lifetime.use(() => work(token));
    if (checked === undefined) return running.catch(refuse);
    return new Promise<T>((resolve, reject) => {
      const done = onAbort(checked, () => {
        token.cancel();
        reject(abortError(checked));
      });
      running.then(resolve, (error: unknown) => reject(wrapError(error))).finally(done);
    });
  }
}

function refuse(error: unknown): never {
  throw wrapError(error);
}

function cloudArrays(cloud: PointCloud): {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  readonly colours: Uint8Array | undefined;
} {
  const { positions, normals, colours } = checkCloud('cloud', cloud);
  if (positions.length === 0) throw new LineamentError('NO_SURFACE', 'the cloud has no points');
  if (normals === undefined) {
    const fix = "Estimate them first, with 'estimateNormals'.";
    throw invalid('cloud.normals', `Float32Array of length ${positions.length}`, normals, fix);
  }
  return { positions, normals, colours };
}

function radiiOf(radii: unknown): Float64Array {
  if (!Array.isArray(radii) || radii.length === 0 || radii.length > 16)
    throw invalid('radii', '1 to 16 numbers', radii);
  for (const [i, radius] of radii.entries()) {
    if (!(numberIn(`radii[${i}]`, radius, 0, 1e6) > 0)) throw invalid(`radii[${i}]`, 'number above 0', radius);
  }
  return Float64Array.from(radii as number[]);
}
