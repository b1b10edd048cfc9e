import { nonEmptyString } from '../errors/validate.js';
import type { Runtime } from '../inference/runtime.js';
import { type Geometry, isMesh } from './files-check.js';
import { type EncodeOptions, encode, encoding, line } from './files-encode.js';
import { encodeTexture, TEXTURE_OPTIONS, type TextureOptions } from './files-texture.js';

export interface ObjOptions extends EncodeOptions, TextureOptions {
  /** What the other files are called after: NAME.mtl, NAME_texture.jpg; `mesh` when absent. */
  readonly name?: string;
}

/** A file beside another one, which refers to it by name. */
export interface NamedFile {
  readonly name: string;
  readonly data: Uint8Array;
}

export interface ObjFiles {
  readonly obj: Uint8Array;
  /** Where there is a texture. */
  readonly mtl?: NamedFile;
  readonly texture?: NamedFile;
}

/**
 * A mesh as Wavefront OBJ with what belongs to it: positions (with colours from 0 to 1 behind them where there is no texture),
 * `vt` from the bottom-left corner, `vn`, faces; a material library with `map_Kd`, and the texture. A point cloud has no faces.
 * Millimetres, Y up and Z towards the viewer unless `frame` says otherwise. Made on the compute threads. Rejects as `encodePly`
 * does, and with `IMAGE_UNSUPPORTED` where sharp is missing and there is a texture.
 */
export async function encodeObj(runtime: Runtime, geometry: Geometry, options: ObjOptions = {}): Promise<ObjFiles> {
  const shared = encoding(options, ['name', ...TEXTURE_OPTIONS], 'y-up');
  // White space ends a name in many readers.
  const name = line('options.name', nonEmptyString('options.name', options.name ?? 'mesh')).replaceAll(/\s/g, '_');
  const texture = isMesh(geometry) ? geometry.texture : undefined;
  if (texture === undefined) return { obj: await encode(runtime, 'obj', geometry, shared) };
  const { colours: _, ...uncoloured } = geometry;
  const library = `${name}.mtl`;
  const [obj, picture] = await Promise.all([
    encode(runtime, 'obj', uncoloured, shared, { material: 'face', library }),
    encodeTexture(texture, options),
  ]);
  const file = `${name}_texture.${picture.extension}`;
  const lines = ['newmtl face', 'Ka 1 1 1', 'Kd 1 1 1', 'Ks 0 0 0', 'illum 1', `map_Kd ${file}`, ''];
  return {
    obj,
    mtl: { name: library, data: Buffer.from(lines.join('\n')) },
    texture: { name: file, data: picture.data },
  };
}
