import { createRequire } from 'node:module';
import path from 'node:path';
import { abortSignal, boolean, invalid, nonEmptyString, numberIn, plainObject } from '../errors/validate.js';
import { throwIfAborted } from '../errors.js';
import { packageRoot } from '../native/package.js';
import { checkGeometry, type Geometry, isMesh } from './files-check.js';
import { type EncodedTexture, encodeTexture, TEXTURE_OPTIONS, type TextureOptions } from './files-texture.js';
import { type Box, boxOf, GlbBinary } from './glb-binary.js';
import type { DepthScale, Mesh } from './types.js';

/** A level of detail with what is known of it. */
export interface GlbLevel {
  readonly mesh: Mesh;
  /** Distance from the surface that the levels were made from, in millimetres; written as `errorMillimetres` into the node's extras. */
  readonly error?: number;
  /**
   * The level is shown while the face covers at least this part of the screen, from 0 to 1. When absent: the part of the finest
   * level's triangles that the next level has, and 0 for the last.
   */
  readonly screenCoverage?: number;
}

/** One mesh or point cloud, or levels of detail from the finest to the coarsest. */
export type GlbLevels = readonly (Mesh | GlbLevel)[];

export interface GlbOptions extends TextureOptions {
  /**
   * KHR_materials_unlit: colours are shown as they are. When absent true where there is a texture or colours, as the light of the
   * photograph is in them.
   */
  readonly unlit?: boolean;
  /** Seen from behind too; true when absent, as a face is an open sheet. */
  readonly doubleSided?: boolean;
  /**
   * KHR_mesh_quantization: positions in 16 bits of the box around all levels, normals in 8, texture coordinates in 16. Half the
   * size; a face of 250 mm is rounded by 0.002 mm. Readers that do not know the extension refuse the file. False when absent.
   */
  readonly quantised?: boolean;
  /** Of the nodes, with `_LOD0` and so on behind it where there are levels; `face` when absent. */
  readonly name?: string;
  /** Where the unit comes from; written into the extras of `asset`. */
  readonly scale?: DepthScale;
  readonly signal?: AbortSignal;
}

const OPTIONS = ['unlit', 'doubleSided', 'quantised', 'name', 'scale', 'signal', ...TEXTURE_OPTIONS];

type Json = Record<string, unknown>;

/** The finest of what was given: the geometry itself, or the first level. Refuses several levels. */
export function finestOf(given: Geometry | GlbLevels): Geometry {
  if (!Array.isArray(given)) return given as Geometry;
  if (given.length !== 1) throw invalid('mesh', 'one mesh, as only GLB holds levels of detail,', given);
  return levelOf(given[0] as Mesh | GlbLevel).mesh;
}

const levelOf = (one: Mesh | GlbLevel): GlbLevel =>
  typeof one === 'object' && one !== null && 'mesh' in one ? one : { mesh: one };

/**
 * A mesh, its levels of detail or a point cloud as binary glTF 2.0 (Khronos; ISO/IEC 12113). Metres, Y up, Z towards the viewer:
 * (x, y, z) mm of the camera frame becomes (x, −y, −z)/1000.
 *
 * Levels are linked by MSFT_lod; only the finest is in the scene, so that viewers without the extension show it alone. Arrays and
 * textures that levels share (the same object) are written once. Indices have 16 bits where they fit. Normals are made 1 long; where
 * there is none, it points to the viewer. Colours are linear in 16 bits, as glTF has it, and left out where there is a texture, which
 * they would darken. The texture is compressed off the event loop; the rest is laid out on the calling thread (some 10 ms for 40 000
 * triangles in four levels). Same input, same bytes.
 *
 * Rejects with `INVALID_ARGUMENT` (nothing to write, numbers that are not finite, indices out of range, more than 4 GiB),
 * `IMAGE_UNSUPPORTED` (sharp is missing and there is a texture), `ABORTED`.
 */
export async function encodeGlb(given: Geometry | GlbLevels, options: GlbOptions = {}): Promise<Uint8Array> {
  plainObject('options', options, OPTIONS);
  const { scale, signal } = options;
  if (signal !== undefined) throwIfAborted(abortSignal('options.signal', signal));
  const list = Array.isArray(given) ? (given as GlbLevels).map(levelOf) : undefined;
  if (list?.length === 0) throw invalid('levels', 'at least one mesh', given);
  const geometries: readonly Geometry[] = list?.map(({ mesh }) => mesh) ?? [given as Geometry];
  for (const [i, one] of geometries.entries()) checkGeometry(list ? `levels[${i}]` : 'mesh', one);
  const name = nonEmptyString('options.name', options.name ?? 'face');

  const textures = [...new Set(geometries.map(textureOf).filter((one) => one !== undefined))];
  const compressing = Promise.all(textures.map((texture) => encodeTexture(texture, options)));
  compressing.catch(() => undefined);
  const box = boxOf(geometries.map(({ positions }) => positions));
  const quantised = boolean('options.quantised', options.quantised ?? false);
  const binary = new GlbBinary(quantised ? box : undefined);
  const materials = new Materials(options);
  const meshes = geometries.map((geometry, i): Json => {
    const label = geometries.length > 1 ? `${name}_LOD${i}` : name;
    const texture = textureOf(geometry);
    const material = materials.of(
      texture && textures.indexOf(texture),
      texture === undefined && geometry.colours !== undefined,
    );
    return { name: label, primitives: [{ ...binary.primitive(geometry, texture !== undefined), material }] };
  });
  const pictures = await compressing;
  throwIfAborted(signal);
  const images = pictures.map((picture: EncodedTexture) => ({
    bufferView: binary.bytes(picture.data),
    mimeType: picture.mimeType,
  }));

  const used = [
    ...(materials.unlit ? ['KHR_materials_unlit'] : []),
    ...(quantised ? ['KHR_mesh_quantization'] : []),
    ...(meshes.length > 1 ? ['MSFT_lod'] : []),
  ];
  return binary.file({
    asset: {
      version: '2.0',
      generator: `Lineament ${version()}`,
      extras: {
        unit: 'metre',
        sourceUnit: 'millimetre',
        ...(scale && { scaleSource: scale.source }),
        ...(scale?.millimetresPerPixel !== undefined && { millimetresPerPixel: scale.millimetresPerPixel }),
      },
    },
    ...(used.length > 0 && { extensionsUsed: used }),
    ...(quantised && { extensionsRequired: ['KHR_mesh_quantization'] }),
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: nodes(meshes, geometries, list, quantised ? box : undefined),
    meshes,
    materials: materials.list,
    ...(images.length > 0 && {
      textures: images.map((_, source) => ({ sampler: 0, source })),
      // Linear with mipmaps; clamped, as texture coordinates do not repeat.
      samplers: [{ magFilter: 9729, minFilter: 9987, wrapS: 33071, wrapT: 33071 }],
      images,
    }),
  });
}

const textureOf = (geometry: Geometry) => (isMesh(geometry) ? geometry.texture : undefined);

/** One material for each texture, one for colours, one for neither. */
class Materials {
  readonly list: Json[] = [];
  unlit = false;
  readonly #known = new Map<string, number>();
  readonly #options: GlbOptions;

  constructor(options: GlbOptions) {
    this.#options = options;
  }

  of(texture: number | undefined, coloured: boolean): number {
    const key = `${texture} ${coloured}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const unlit = boolean('options.unlit', this.#options.unlit ?? (texture !== undefined || coloured));
    this.unlit ||= unlit;
    const grey = texture === undefined && !coloured;
    this.list.push({
      pbrMetallicRoughness: {
        ...(texture !== undefined && { baseColorTexture: { index: texture } }),
        ...(grey && { baseColorFactor: [0.8, 0.8, 0.8, 1] }),
        metallicFactor: 0,
        roughnessFactor: 1,
      },
      doubleSided: boolean('options.doubleSided', this.#options.doubleSided ?? true),
      ...(unlit && { extensions: { KHR_materials_unlit: {} } }),
    });
    this.#known.set(key, this.list.length - 1);
    return this.list.length - 1;
  }
}

function nodes(
  meshes: readonly Json[],
  geometries: readonly Geometry[],
  levels: readonly GlbLevel[] | undefined,
  box: Box | undefined,
): Json[] {
  const triangles = geometries.map((one) => (isMesh(one) ? one.indices.length / 3 : 0));
  const coverage: number[] = [];
  for (let i = 0; i < meshes.length; i++) {
    const known = levels?.[i]?.screenCoverage;
    const automatic = i + 1 < meshes.length ? triangles[i + 1]! / triangles[0]! : 0;
    coverage.push(
      Math.min(
        known === undefined ? automatic : numberIn(`levels[${i}].screenCoverage`, known, 0, 1),
        coverage.at(-1) ?? 1,
      ),
    );
  }
  return meshes.map((mesh, i) => {
    const error = levels?.[i]?.error;
    if (error !== undefined) numberIn(`levels[${i}].error`, error, 0, Number.MAX_VALUE);
    const first = i === 0 && meshes.length > 1;
    const extras = {
      ...(first && { MSFT_screencoverage: coverage }),
      ...(error !== undefined && { errorMillimetres: error }),
    };
    return {
      name: mesh['name'],
      mesh: i,
      ...(box && { translation: box.middle, scale: [box.step, box.step, box.step] }),
      ...(first && { extensions: { MSFT_lod: { ids: meshes.slice(1).map((_, k) => k + 1) } } }),
      ...(Object.keys(extras).length > 0 && { extras }),
    };
  });
}

let known: string | undefined;

function version(): string {
  known ??= (createRequire(import.meta.url)(path.join(packageRoot, 'package.json')) as { version: string }).version;
  return known;
}
