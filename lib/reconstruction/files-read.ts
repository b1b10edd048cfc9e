import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { abortSignal, invalid, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { type ErrorCode, LineamentError, throwIfAborted } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import type { MeshFormat } from '../native/mesh-files.js';
import type { FileFrame } from './files-check.js';
import type { Mesh } from './types.js';

/** No file larger than this is read. */
const MAX_FILE_BYTES = 2 ** 31;
const FORMATS: readonly MeshFormat[] = ['ply', 'glb', 'obj', 'stl', 'xyz'];
const MILLIMETRES_PER_METRE = 1000;

export interface ReadMeshOptions {
  /** Of bytes, or where the name of a file does not tell. GLB and PLY are known by their first bytes. */
  readonly format?: MeshFormat;
  /** The frame of the file: PLY and XYZ `camera` when absent, OBJ and STL `y-up`. GLB is always `y-up`, in metres. */
  readonly frame?: FileFrame;
  /** What the file may unfold to; 2²⁵ vertices and 2²⁶ triangles when absent. */
  readonly maxVertices?: number;
  readonly maxTriangles?: number;
  readonly signal?: AbortSignal;
}

/** A picture as it lies in a file: JPEG, PNG, … for `decodeImage`. */
export interface EmbeddedImage {
  /** As the file states it; may be empty. */
  readonly mimeType: string;
  readonly data: Uint8Array;
}

export interface MeshFile {
  readonly format: MeshFormat;
  /**
   * At least one, the finest first; several only where a GLB has levels of detail. Millimetres in the camera frame, as far as the file
   * holds what its format (and `frame`) say. `indices` are empty for a point cloud. Without `texture`: see `image`.
   */
  readonly levels: readonly Mesh[];
  /** What `uvs` refer to, where it lies within the file. */
  readonly image?: EmbeddedImage;
  /** All pictures within the file. */
  readonly images: readonly EmbeddedImage[];
  /** The file that this one refers to: of OBJ its materials, of PLY its texture. Not read. */
  readonly library?: string;
}

/** By the ending of the file's name; absent where it is none of ours. */
export function formatOf(file: string): MeshFormat | undefined {
  const ending = path.extname(file).slice(1).toLowerCase();
  return FORMATS.find((format) => format === ending);
}

/**
 * Reads a mesh or a point cloud: a path, or the bytes of a file. PLY (ascii, both byte orders, any properties; polygons, strips), GLB
 * (nodes with transforms merged, MSFT_lod, all types of accessors, sparse ones, quantisation; no compression), OBJ (polygons, negative
 * indices), STL (both forms; equal corners are joined), XYZ (`x y z`, then a colour of three bytes or a normal). Polygons become
 * triangles; attributes that not all vertices have are left out; normals are made 1 long, 0 0 0 where they have no direction.
 *
 * Parsed on the compute threads, never outside the bytes, and without memory for what the file only claims. Bytes are read in place:
 * leave them alone until the promise settles; images are views of them. Rejects with `MESH_CORRUPT`, which names the line, the byte or
 * the item and what was expected there, `NOT_FOUND`, `ACCESS_DENIED`, `INVALID_ARGUMENT`, `OUT_OF_MEMORY`, `ABORTED`, `CLOSED`.
 */
export async function readMesh(
  runtime: Runtime,
  input: string | Uint8Array,
  options: ReadMeshOptions = {},
): Promise<MeshFile> {
  plainObject('options', options, ['format', 'frame', 'maxVertices', 'maxTriangles', 'signal']);
  const { signal } = options;
  if (signal !== undefined) throwIfAborted(abortSignal('options.signal', signal));
  const chosen = options.format && oneOf('options.format', options.format, FORMATS);
  const frame = options.frame && oneOf('options.frame', options.frame, ['camera', 'y-up']);
  const vertices = positiveInteger('options.maxVertices', options.maxVertices ?? 2 ** 25, 2 ** 30);
  const triangles = positiveInteger('options.maxTriangles', options.maxTriangles ?? 2 ** 26, 2 ** 30);
  const named = typeof input === 'string';
  if (named ? input.length === 0 || input.includes('\0') : !(input instanceof Uint8Array)) {
    throw invalid('input', 'path or Uint8Array', input);
  }
  const bytes = named ? await readFile(input) : input;
  const format = chosen ?? (named ? formatOf(input) : undefined) ?? sniff(bytes);
  if (format === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', 'The format of the mesh is not known', {
      fix: `Pass options.format: one of ${FORMATS.join(', ')}.`,
    });
  }
  if (format === 'glb' && frame === 'camera') throw invalid('options.frame', "'y-up' (the frame of glTF)", frame);
  const turned = (frame ?? (format === 'ply' || format === 'xyz' ? 'camera' : 'y-up')) === 'y-up';
  const scale = format === 'glb' ? MILLIMETRES_PER_METRE : 1;
  const file = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.decodeMesh(runtime.executor, format, bytes, { turned, scale, vertices, triangles }, token),
  ).catch((error: unknown) => {
    if (!named || !(error instanceof LineamentError) || error.code !== 'MESH_CORRUPT') throw error;
    throw new LineamentError('MESH_CORRUPT', `${input}: ${(error.cause as Error).message}`, { cause: error.cause });
  });
  const images = file.images.map(({ mimeType, offset, size }) => ({
    mimeType,
    data: bytes.subarray(offset, offset + size),
  }));
  const image = file.texture === undefined ? undefined : images[file.texture];
  return {
    format,
    levels: file.levels,
    ...(image !== undefined && image.data.length > 0 && { image }),
    images: images.filter(({ data }) => data.length > 0),
    ...(file.library !== undefined && { library: file.library }),
  };
}

function sniff(bytes: Uint8Array): MeshFormat | undefined {
  const begins = (text: string): boolean =>
    bytes.length >= text.length && [...text].every((c, i) => bytes[i] === c.charCodeAt(0));
  return begins('glTF') ? 'glb' : begins('ply') ? 'ply' : undefined;
}

async function readFile(file: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    // Non-blocking, so that a pipe that is named by mistake cannot hang the call.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await handle.stat();
    if (!stat.isFile()) throw new LineamentError('INVALID_ARGUMENT', `${file} is not a regular file`);
    if (stat.size >= MAX_FILE_BYTES) {
      throw new LineamentError('INVALID_ARGUMENT', `${file} has ${stat.size} bytes, the limit is ${MAX_FILE_BYTES}`);
    }
    return await handle.readFile();
  } catch (cause) {
    if (cause instanceof LineamentError) throw cause;
    throw new LineamentError(failure((cause as NodeJS.ErrnoException).code), `${file} cannot be read`, { cause });
  } finally {
    await handle?.close();
  }
}

function failure(system: string | undefined): ErrorCode {
  if (system === 'ENOENT' || system === 'ENOTDIR') return 'NOT_FOUND';
  return system === 'EACCES' || system === 'EPERM' ? 'ACCESS_DENIED' : 'STORE_FAILED';
}
