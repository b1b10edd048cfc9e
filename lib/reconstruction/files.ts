import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { abortSignal, invalid, plainObject } from '../errors/validate.js';
import { type ErrorCode, LineamentError, throwIfAborted } from '../errors.js';
import type { Runtime } from '../inference/runtime.js';
import { checkGeometry, type FileFrame, type Geometry, isMesh } from './files-check.js';
import { formatOf } from './files-read.js';
import { encodeTexture, TEXTURE_OPTIONS, type TextureOptions } from './files-texture.js';
import { encodeGlb, finestOf, type GlbLevels, type GlbOptions } from './glb.js';
import { encodeObj, type NamedFile } from './obj.js';
import { encodePly } from './ply.js';
import { encodeStl } from './stl.js';
import type { Mesh } from './types.js';
import { encodeXyz } from './xyz.js';

export interface WriteMeshOptions extends TextureOptions {
  /** PLY and STL: `binary` when absent. */
  readonly encoding?: 'binary' | 'ascii';
  /**
   * PLY and XYZ: `camera` when absent; OBJ and STL: `y-up` when absent. GLB is always `y-up`.
   */
  readonly frame?: FileFrame;
  /** One line for people. */
  readonly comment?: string;
  /** What only GLB has. */
  readonly glb?: Omit<GlbOptions, keyof TextureOptions | 'signal'>;
  readonly signal?: AbortSignal;
}

/**
 * Writes a mesh, its levels of detail (GLB only) or a point cloud to a file, in the format of its ending: `.glb`, `.ply`, `.obj`,
 * `.stl`, `.xyz`. Gives the paths of what was written: with a texture, OBJ has NAME.mtl and NAME_texture.jpg beside it and PLY the
 * latter. Lengths are millimetres, in GLB metres; see the encoders for frames and for what each format keeps.
 *
 * Each file is written beside its place, brought to the disk and renamed, the one that was asked for last: others see the old one or
 * the whole new one. Rejects with `INVALID_ARGUMENT` (ending, data, options), `STORE_FULL`, `ACCESS_DENIED`, `STORE_FAILED` (cannot
 * be written), `IMAGE_UNSUPPORTED` (sharp is missing and there is a texture), `OUT_OF_MEMORY`, `ABORTED`, `CLOSED`.
 */
export async function writeMesh(
  runtime: Runtime,
  file: string,
  geometry: Geometry | GlbLevels,
  options: WriteMeshOptions = {},
): Promise<readonly string[]> {
  if (typeof file !== 'string' || file.includes('\0')) throw invalid('file', 'path', file);
  const format = formatOf(file);
  if (format === undefined) throw invalid('file', 'name that ends in .glb, .ply, .obj, .stl or .xyz', file);
  plainObject('options', options, ['encoding', 'frame', 'comment', 'glb', 'signal', ...TEXTURE_OPTIONS]);
  const { encoding, frame, comment, glb, texture, textureQuality, signal } = options;
  if (signal !== undefined) abortSignal('options.signal', signal);
  throwIfAborted(signal);
  const pictures = { ...(texture && { texture }), ...(textureQuality !== undefined && { textureQuality }) };
  const shared = { ...(frame && { frame }), ...(signal && { signal }) };
  const said = { ...shared, ...(comment !== undefined && { comment }) };
  const binary = { ...said, ...(encoding && { encoding }) };
  const beside: NamedFile[] = [];
  let data: Uint8Array;
  if (format === 'glb') {
    if (frame === 'camera') throw invalid('options.frame', "'y-up' (the frame of glTF)", frame);
    data = await encodeGlb(geometry, { ...glb, ...pictures, ...(signal && { signal }) });
  } else {
    const one = finestOf(geometry);
    const name = path.basename(file, path.extname(file));
    if (format === 'obj') {
      const files = await encodeObj(runtime, one, { ...said, ...pictures, name });
      data = files.obj;
      beside.push(...[files.texture, files.mtl].filter((part) => part !== undefined));
    } else if (format === 'stl') {
      data = await encodeStl(runtime, one as Mesh, binary);
    } else if (format === 'xyz') {
      data = await encodeXyz(runtime, one, shared);
    } else {
      checkGeometry('mesh', one);
      const picture = isMesh(one) && one.texture !== undefined ? await encodeTexture(one.texture, pictures) : undefined;
      const textureFile = picture && `${name.replaceAll(/\s/g, '_')}_texture.${picture.extension}`;
      data = await encodePly(runtime, one, { ...binary, ...(textureFile !== undefined && { textureFile }) });
      if (picture && textureFile !== undefined) beside.push({ name: textureFile, data: picture.data });
    }
  }
  throwIfAborted(signal);
  const paths: string[] = [];
  for (const one of beside) {
    const at = path.join(path.dirname(file), one.name);
    await replaceFile(at, one.data);
    paths.push(at);
  }
  await replaceFile(file, data);
  return [file, ...paths];
}

/** Writes beside `file`, flushes to the disk and renames; nothing is left behind by a failure. */
export async function replaceFile(file: string, data: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new LineamentError(failure((cause as NodeJS.ErrnoException).code), `${file} cannot be written`, { cause });
  }
}

function failure(system: string | undefined): ErrorCode {
  if (system === 'ENOSPC' || system === 'EDQUOT' || system === 'EFBIG') return 'STORE_FULL';
  return system === 'EACCES' || system === 'EPERM' || system === 'EROFS' ? 'ACCESS_DENIED' : 'STORE_FAILED';
}
