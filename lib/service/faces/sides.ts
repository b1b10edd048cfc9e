/** The faces of a comparison, found in pictures or brought along as embeddings. */
import { LineamentError } from '../../errors.js';
import { checkPicture, type Upload, uploadsOf } from '../images/index.js';
import type { FastifyRequest } from '../vendor.js';
import { foundJson } from './decision.js';
import { type EmbeddedFace, embedProminent, givenEmbedding } from './embeddings.js';
import type { Bench } from './work.js';

/** The face of one side of a comparison: found in a picture, or brought along. */
export type Side = Partial<EmbeddedFace> & Pick<EmbeddedFace, 'embedding'> & { readonly cached?: boolean };

/** Both at once, and neither goes on when this has ended; where both fail, the first one's reason. */
export async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<readonly [A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

export const allCached = (sides: readonly Side[]): boolean => {
  const pictures = sides.filter(({ cached }) => cached !== undefined);
  return pictures.length > 0 && pictures.every(({ cached }) => cached === true);
};

export const foundFaces = (sides: readonly Side[]) =>
  sides.flatMap(({ box, score }) => (box === undefined || score === undefined ? [] : [foundJson({ box, score })]));

/** What may stand for a picture. */
export interface GivenVector {
  /** Name of the field. */
  readonly name: string;
  readonly values: readonly number[] | undefined;
  readonly model: string | undefined;
}

/** The most prominent face of the picture `image`, or the embedding that was given instead. Rejects with `INVALID_ARGUMENT` (none, or both). */
export async function sideOf(bench: Bench, request: FastifyRequest, image: string, given: GivenVector): Promise<Side> {
  const { limits } = bench.parts.config;
  const [upload] = uploadsOf(request, [image], limits);
  if ((upload === undefined) === (given.values === undefined)) {
    throw new LineamentError('INVALID_ARGUMENT', `give either '${image}' or '${given.name}'`);
  }
  if (given.values !== undefined) {
    return { embedding: await givenEmbedding(bench.engine, given.name, given.values, given.model) };
  }
  return embedProminent(bench, checkPicture(upload as Upload, limits));
}
