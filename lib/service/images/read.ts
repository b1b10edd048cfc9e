/** The pictures of a request, however they were sent: as files of a form, as base64 in JSON, or as the body itself. */
import { LineamentError } from '../../errors.js';
import type { ServiceConfig, ServiceParts } from '../types.js';
import type { FastifyRequest, TObject, TSchema } from '../vendor.js';
import { convert, readForm } from './multipart.js';
import { checkPicture, fromBase64, type Picture, type Upload } from './picture.js';

/** The one field that holds several pictures; every other holds one. */
export const LIST = 'images';

const received = new WeakMap<FastifyRequest, readonly Upload[]>();

/**
 * A hook for `preValidation`: takes files and fields of a form, or the body itself where it is a picture, and leaves the fields as `request.body`
 * for the schemas. Runs after the caller is known and allowed to be here.
 */
export function receivePictures(
  names: readonly string[],
  body: TObject,
  query: TObject,
  limits: ServiceConfig['limits'],
) {
  const needed = names.filter((name) => body.required?.includes(name) === true);
  return async (request: FastifyRequest): Promise<void> => {
    splitLists(request, query);
    if (request.isMultipart()) {
      const { uploads, fields } = await readForm(request, names, body, limits);
      const missing = needed.find((name) => !uploads.some((one) => one.name === name));
      if (missing !== undefined) throw missingPicture(missing);
      received.set(request, uploads);
      // The files are not in the body; that they are there is.
      const marks = uploads.map(({ name }): [string, unknown] => [name, name === LIST ? [''] : '']);
      request.body = { ...fields, ...Object.fromEntries(marks) };
    } else if (typeof request.body === 'string' && /^text\//i.test(request.headers['content-type'] ?? '')) {
      throw new LineamentError('MEDIA_UNSUPPORTED', 'this address does not read text', {
        fix: 'Send multipart/form-data, application/json, or the picture itself with the type image/jpeg.',
      });
    } else if (Buffer.isBuffer(request.body)) {
      const [name] = names;
      if (name === undefined || names.filter((one) => one !== LIST).length > 1) {
        throw new LineamentError('MEDIA_UNSUPPORTED', 'the body is one picture, and this address takes two', {
          fix: 'Send them as multipart/form-data, or as base64 in JSON.',
        });
      }
      received.set(request, [{ name, bytes: request.body }]);
      request.body = '';
    }
  };
}

/** `a,b` in the query is a list. */
function splitLists(request: FastifyRequest, query: TObject): void {
  const given = request.query as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    const schema: TSchema | undefined = query.properties[name];
    if (schema?.type === 'array' && typeof value === 'string') given[name] = convert(name, value, schema);
  }
}

/** What was sent under these names, in the order in which they are listed and came; not checked yet. */
export function uploadsOf(
  request: FastifyRequest,
  names: readonly string[],
  limits: ServiceConfig['limits'],
): readonly Upload[] {
  const files = received.get(request);
  const found = [...(files ?? [])];
  const body = request.body;
  if (files === undefined && typeof body === 'object' && body !== null) {
    for (const name of names) {
      const value = (body as Record<string, unknown>)[name];
      const texts = Array.isArray(value) ? value : value === undefined ? [] : [value];
      for (const text of texts) if (typeof text === 'string') found.push(fromBase64(name, text, limits));
    }
  }
  if (found.length > limits.images) {
    throw new LineamentError('PAYLOAD_TOO_LARGE', `${found.length} pictures, and ${limits.images} are allowed`);
  }
  for (const name of names) {
    if (name !== LIST && found.filter((one) => one.name === name).length > 1) {
      throw new LineamentError('INVALID_ARGUMENT', `'${name}' was sent more than once`);
    }
  }
  return names.flatMap((name) => found.filter((one) => one.name === name));
}

/**
 * The pictures of a request, one for each name (any number for `images`), checked but not decoded. The route has to run `receivePictures`
 * first. Rejects with `INVALID_ARGUMENT` (a picture is missing), `PAYLOAD_TOO_LARGE` (too many), and as `checkPicture`.
 */
export async function readPictures(
  request: FastifyRequest,
  { config: { limits } }: Pick<ServiceParts, 'config'>,
  names: readonly string[],
): Promise<readonly Picture[]> {
  const uploads = uploadsOf(request, names, limits);
  for (const name of names) {
    if (!uploads.some((one) => one.name === name)) throw missingPicture(name);
  }
  return uploads.map((one) => checkPicture(one, limits));
}

export function missingPicture(name: string): LineamentError {
  return new LineamentError('INVALID_ARGUMENT', `there is no picture '${name}' in the request`, {
    fix: `Send it as a file (curl -F ${name}=@photo.jpg), as base64 in JSON, or as the body with the type image/jpeg.`,
  });
}
