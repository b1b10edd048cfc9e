/** Embeddings of pictures, computed once for each picture where the cache is on; and embeddings that requests bring along. */
import { createHash } from 'node:crypto';
import { LineamentError } from '../../errors.js';
import type { Json } from '../../gallery/index.js';
import type { Engine } from '../../index.js';
import type { Box, Embedding } from '../../types.js';
import { type Picture, pictureHash } from '../images/index.js';
import { type Bench, onPicture, recogniserOf } from './work.js';

/** A face with what recognition needs of it. */
export interface EmbeddedFace {
  readonly box: Box;
  /** Confidence of the detector, 0–1. */
  readonly score: number;
  readonly embedding: Embedding;
  /** 0–100; where it was asked for and could be measured. */
  readonly quality?: number;
}

export interface EmbeddedPicture {
  /** Best score first. */
  readonly faces: readonly EmbeddedFace[];
  /** Nothing was computed: the picture was seen before. */
  readonly cached: boolean;
}

export interface EmbedPictureOptions {
  readonly maxFaces?: number | undefined;
  readonly minFaceSize?: number | undefined;
  readonly quality?: boolean;
}

/** The faces of a picture with their embeddings; empty where there is none. */
export async function embedPicture(
  bench: Bench,
  picture: Picture,
  options: EmbedPictureOptions = {},
): Promise<EmbeddedPicture> {
  const { parts, engine, signal } = bench;
  const key =
    parts.config.cache.embeddings > 0
      ? { image: pictureHash(picture), recipe: await recipeOf(engine, options) }
      : undefined;
  const known = key === undefined ? undefined : await parts.gallery.cache.get(key);
  if (known !== undefined) {
    return { faces: known.map(({ embedding, info }) => ({ ...(info as unknown as Found), embedding })), cached: true };
  }
  const { maxFaces, minFaceSize, quality = false } = options;
  const faces = await onPicture(bench, picture, async (frame, turn): Promise<EmbeddedFace[]> => {
    const found = await engine.analyze(frame, {
      embedding: true,
      quality,
      signal: turn,
      ...(maxFaces === undefined ? {} : { maxFaces }),
      ...(minFaceSize === undefined ? {} : { minFaceSize }),
    });
    return found.flatMap(({ box, score, embedding, quality: measured }) =>
      embedding === undefined ? [] : [{ box, score, embedding, ...(measured && { quality: measured.score }) }],
    );
  });
  if (key !== undefined && !signal.aborted) {
    const entries = faces.map(({ embedding, ...info }) => ({ embedding, info: info as unknown as Json }));
    // Losing it costs time only.
    await parts.gallery.cache.put(key, entries).catch((error: unknown) => {
      parts.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'embedding cache');
    });
  }
  return { faces, cached: false };
}

type Found = Omit<EmbeddedFace, 'embedding'>;

/** The most prominent face of a picture. Rejects with `NO_FACE`. */
export async function embedProminent(
  bench: Bench,
  picture: Picture,
  options: EmbedPictureOptions = {},
): Promise<EmbeddedFace & { readonly cached: boolean }> {
  const { faces, cached } = await embedPicture(bench, picture, { ...options, maxFaces: 1 });
  const [face] = faces;
  if (face === undefined) throw new LineamentError('NO_FACE', `'${picture.name}'`);
  return { ...face, cached };
}

const presets = new WeakMap<object, string>();

/** Everything besides the picture that decides what comes out. */
async function recipeOf(engine: Engine, options: EmbedPictureOptions): Promise<string> {
  let preset = presets.get(engine.preset);
  if (preset === undefined) {
    preset = createHash('sha256').update(JSON.stringify(engine.preset)).digest('hex').slice(0, 32);
    presets.set(engine.preset, preset);
  }
  const { hash } = await recogniserOf(engine);
  const { maxFaces = 0, minFaceSize = 0, quality = false } = options;
  return `1 ${preset} ${hash} ${maxFaces} ${minFaceSize} ${quality ? 'q' : '-'}`;
}

/**
 * A vector of a request as an embedding of the model in use. Throws `EMBEDDING_MISMATCH` where it names another model, or has another length
 * than that one makes, `INVALID_ARGUMENT` for numbers that are not finite in single precision, or all zero.
 */
export async function givenEmbedding(
  engine: Engine,
  name: string,
  values: readonly number[],
  model: string | undefined,
): Promise<Embedding> {
  const identity = await recogniserOf(engine);
  const vector = Float32Array.from(values);
  let length = 0;
  for (const value of vector) length += value * value;
  if (!Number.isFinite(length) || length === 0) {
    throw new LineamentError('INVALID_ARGUMENT', `'${name}' holds numbers that are not finite, or nothing but zeros`);
  }
  if ((model !== undefined && model !== identity.model) || vector.length !== identity.dims) {
    throw new LineamentError(
      'EMBEDDING_MISMATCH',
      `'${name}' is of '${model ?? identity.model}' (${vector.length}), and '${identity.model}' (${identity.dims}) is in use`,
      { fix: 'Make it with the model in use.' },
    );
  }
  // Of length 1, as every embedding of ours.
  const norm = Math.sqrt(length);
  return {
    model: identity.model,
    dims: identity.dims,
    vector: Math.abs(norm - 1) < 1e-6 ? vector : vector.map((value) => value / norm),
  };
}
