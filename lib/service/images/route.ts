/** Routes that take pictures: one description for all three ways to send them. */
import type { ServiceParts } from '../types.js';
import { type FastifyRequest, type TObject, type TSchema, Type } from '../vendor.js';
import { LIST, receivePictures } from './read.js';

export interface PictureRouteOptions {
  /** Pictures that it takes; `images` is any number of them. */
  readonly pictures: readonly string[];
  /** May be left out: something else (an embedding) stands for it. */
  readonly optional?: boolean;
  /** What may stand in the query, in the body and in the fields of a form. */
  readonly options?: TObject;
  /** What may stand in the body and in the fields of a form only. */
  readonly more?: TObject;
}

const file = Type.String({
  format: 'binary',
  description: 'The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content',
});
const text = Type.String({
  minLength: 1,
  contentEncoding: 'base64',
  description: 'The bytes of the picture as base64, or a data: URL of them; no address and no path is read',
});

/** Bodies that are pictures themselves. */
export const binaryBody = Type.String({ format: 'binary', description: 'The bytes of one picture' });

/** The `schema` and the `preValidation` hook of a route that takes pictures. */
export function pictureRoute({ config: { limits } }: Pick<ServiceParts, 'config'>, given: PictureRouteOptions) {
  const { pictures, options = Type.Object({}), more = Type.Object({}), optional = false } = given;
  const properties = { ...options.properties, ...more.properties };
  const required = (one: TSchema): TSchema => (optional ? Type.Optional(one) : one);
  const withPictures = (one: TSchema): Record<string, TSchema> =>
    Object.fromEntries(
      pictures.map((name) => [
        name,
        required(
          name === LIST ? Type.Array(one, { minItems: 1, maxItems: limits.images, description: 'Pictures' }) : one,
        ),
      ]),
    );
  const json = Type.Object({ ...withPictures(text), ...properties }, { additionalProperties: false });
  const form = Type.Object({ ...withPictures(file), ...properties }, { additionalProperties: false });
  const alone = pictures.filter((name) => name !== LIST).length <= 1 && (more.required ?? []).length === 0;
  return {
    schema: {
      querystring: Type.Object({ ...options.properties }, { additionalProperties: false }),
      body: {
        content: {
          'multipart/form-data': { schema: form },
          'application/json': { schema: json },
          ...(alone &&
            pictures.length > 0 && {
              'application/octet-stream': { schema: binaryBody },
              'image/*': { schema: binaryBody },
            }),
        },
      },
    },
    preValidation: receivePictures(pictures, form, options, limits),
  };
}

/** The options of a request: those of the query, and over them those of the body. */
export function requestOptions<T>(request: FastifyRequest, pictures: readonly string[] = []): T {
  const body = typeof request.body === 'object' && request.body !== null ? request.body : {};
  const merged: Record<string, unknown> = { ...(request.query as object), ...body };
  for (const name of pictures) delete merged[name];
  return merged as T;
}
