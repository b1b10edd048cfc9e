/** Files and fields of a multipart request, in memory and within the limits. */
import { LineamentError } from '../../errors.js';
import type { ServiceConfig } from '../types.js';
import type { FastifyRequest, MultipartFile, TSchema } from '../vendor.js';
import { tooManyBytes, type Upload } from './picture.js';

export interface Form {
  readonly uploads: readonly Upload[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Reads all parts. A file that is too large is set down as such and the rest is read on; one that nobody asked for is an error. Rejects with
 * `INVALID_ARGUMENT` (not well-formed, cut short, unknown file), `PAYLOAD_TOO_LARGE` (whole body, count of files or fields).
 */
export async function readForm(
  request: FastifyRequest,
  names: readonly string[],
  schema: TSchema,
  limits: ServiceConfig['limits'],
): Promise<Form> {
  const uploads: Upload[] = [];
  const fields: Record<string, unknown> = {};
  const room = { left: limits.bodyBytes };
  try {
    // The option is known to the plug-in, but not to its types.
    const parts = request.parts({ throwFileSizeLimit: false } as Parameters<FastifyRequest['parts']>[0]);
    for await (const part of parts) {
      const name = part.fieldname;
      if (part.type === 'file') {
        const bytes = await readFile(part, room);
        if (!names.includes(name)) throw unknownFile(name, names);
        const error = part.file.truncated ? tooManyBytes(name, limits) : undefined;
        uploads.push({ name, bytes: error === undefined ? bytes : new Uint8Array(), ...(error && { error }) });
      } else if (names.includes(name)) {
        throw new LineamentError('INVALID_ARGUMENT', `'${name}' is a field without a file`, {
          fix: `Send it as a file: curl -F ${name}=@photo.jpg`,
        });
      } else {
        if (part.valueTruncated || part.fieldnameTruncated) {
          throw new LineamentError('PAYLOAD_TOO_LARGE', `the field '${name.slice(0, 60)}' is too long`);
        }
        spend(room, typeof part.value === 'string' ? part.value.length : JSON.stringify(part.value).length);
        const value =
          typeof part.value === 'string' ? convert(name, part.value, schema.properties?.[name]) : part.value;
        const before = fields[name];
        fields[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
      }
    }
  } catch (error) {
    throw formError(error);
  }
  return { uploads, fields };
}

async function readFile(part: MultipartFile, room: { left: number }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.file as AsyncIterable<Uint8Array>) {
    spend(room, chunk.length);
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function spend(room: { left: number }, bytes: number): void {
  room.left -= bytes;
  if (room.left < 0) {
    throw new LineamentError('PAYLOAD_TOO_LARGE', 'files and fields together are longer than limits.body_bytes');
  }
}

function unknownFile(name: string, names: readonly string[]): LineamentError {
  return new LineamentError('INVALID_ARGUMENT', `there is no file '${name.slice(0, 60)}' here`, {
    fix: `Name it ${names.map((one) => `'${one}'`).join(' or ')}.`,
  });
}

/** What the parser says of a form that is none; our own errors and those that have a place in the table of problem.ts pass through. */
function formError(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (error instanceof LineamentError || (typeof code === 'string' && code.startsWith('FST_'))) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new LineamentError('INVALID_ARGUMENT', `the form cannot be read: ${said.slice(0, 100)}`, { cause: error });
}

/** The text of a field or of the query as what the schema says it is; what is no such thing stays text, and is refused by the schema. */
export function convert(name: string, text: string, schema: TSchema | undefined): unknown {
  switch (schema?.type) {
    case 'number':
    case 'integer':
      return /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
    case 'array':
      if (text.trimStart().startsWith('[')) return parseJson(name, text);
      return schema['items']?.type === 'string' ? text.split(',').map((one) => one.trim()) : text;
    case 'object':
      return parseJson(name, text);
    case 'string':
      return text;
    default:
      return schema === undefined ? text : parseJson(name, text);
  }
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new SyntaxError('a name that no field may have');
      return value;
    });
  } catch (cause) {
    throw new LineamentError('INVALID_ARGUMENT', `the field '${name}' is not JSON`, { cause });
  }
}
