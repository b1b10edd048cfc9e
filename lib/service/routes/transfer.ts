/** What leaves the gallery and comes into it as a whole, and what proves that something is gone. */

import { Readable } from 'node:stream';
import { eitherOf } from '../../errors/abort.js';
import { abortError, LineamentError, wrapError } from '../../errors.js';
import { receiptCovers, type Receipt as SignedReceipt, verifyReceipt } from '../../gallery/index.js';
import { record } from '../auth/index.js';
import { unpin } from '../faces/enrol.js';
import { erase, purge } from '../faces/erase.js';
import { piecesOf } from '../patience.js';
import { Id, Words } from '../schemas/common.js';
import { erasureJson } from '../schemas/person-json.js';
import { Erasure, Receipt } from '../schemas/persons.js';
import { type App, clientSignal, type RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { Type } from '../vendor.js';

const NDJSON = 'application/x-ndjson';

const ImportSummary = Type.Object(
  {
    created: Type.Integer({ description: 'Persons who were not there before' }),
    samples: Type.Integer({ description: 'Samples that were enrolled' }),
    skipped: Type.Integer({ description: 'Persons left out because they were there' }),
    expired: Type.Integer({ description: 'Samples left out because their time was over' }),
  },
  { title: 'ImportSummary' },
);

function addExport(app: App, parts: ServiceParts): void {
  app.get(
    '/api/v1/export',
    {
      config: { scope: 'admin', kind: 'export' },
      schema: {
        operationId: 'export_gallery',
        summary: 'The gallery as lines of JSON',
        description: 'As it is written, without end: a gallery of any size. Sealed where the gallery is.',
        tags: ['transfer'],
        querystring: Type.Object(
          {
            collection: Type.Optional(
              Type.String({ minLength: 1, maxLength: 128, description: 'Only samples of this collection' }),
            ),
            on_damaged: Type.Optional(
              Words(
                ['stop', 'skip'],
                'What becomes of a sample that cannot be read: the export fails (when absent), or it is left out',
              ),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: { description: 'Lines of JSON', content: { [NDJSON]: { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { collection, on_damaged } = request.query;
      const signal = AbortSignal.any([clientSignal(request), parts.closing]);
      const lines = parts.gallery.export({
        signal,
        ...(collection === undefined ? {} : { collection }),
        ...(on_damaged === undefined ? {} : { onDamaged: on_damaged }),
      });
      // What is wrong with the request is said before the first line.
      const first = await lines.next();
      const isHead = request.method === 'HEAD';
      if (isHead) await lines.return();
      else await record(parts, request, 'gallery.export', { detail: collection === undefined ? {} : { collection } });
      async function* all(): AsyncGenerator<string> {
        if (first.done !== true) yield first.value;
        yield* lines;
      }
      return reply
        .header('content-disposition', 'attachment; filename="gallery.ndjson"')
        .type(NDJSON)
        .send(Readable.from(isHead ? [] : all(), { objectMode: false }) as unknown as string);
    },
  );
}

/** Lets pieces through while no line grows beyond all measure. */
async function* bounded(pieces: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let line = 0;
  for await (const piece of pieces) {
    const first = piece.indexOf(10);
    line += first < 0 ? piece.length : first;
    if (line > most)
      throw new LineamentError('PAYLOAD_TOO_LARGE', 'a line of the import is longer than limits.body_bytes');
    if (first >= 0) line = piece.length - piece.lastIndexOf(10) - 1;
    yield piece;
  }
}

/** What is wrong with what was sent, where the library means a file of the machine's own. */
function importError(thrown: unknown, signal: AbortSignal): LineamentError {
  if (signal.aborted) return abortError(signal);
  if (thrown instanceof TypeError) {
    return new LineamentError('TEMPLATE_INVALID', 'a line is not as an export writes it', { cause: thrown });
  }
  const error = wrapError(thrown);
  if (error.code === 'KEY_NOT_FOUND') {
    return new LineamentError('TEMPLATE_INVALID', 'it is sealed, and this gallery has no keys', { cause: error });
  }
  if (error.code === 'STORE_VERSION') {
    return new LineamentError('TEMPLATE_INVALID', 'it was written by another version', { cause: error });
  }
  return error;
}

function addImport(app: App, parts: ServiceParts): void {
  // Read as it comes, here alone: an import may be larger than any body that is held in memory.
  app.addContentTypeParser(NDJSON, (_, payload, done) => done(null, payload));
  app.post(
    '/api/v1/import',
    {
      config: { scope: 'admin', kind: 'import' },
      bodyLimit: Number.MAX_SAFE_INTEGER,
      schema: {
        operationId: 'import_gallery',
        summary: 'Enrol what an export holds',
        description:
          'The body is read as it comes, and may take as long as it needs: `server.request_timeout_ms` is the longest pause in it. Persons that came before a fault, or before the connection broke, stay: send it again with `on_existing=skip`.',
        tags: ['transfer'],
        querystring: Type.Object(
          {
            on_existing: Type.Optional(
              Words(
                ['refuse', 'add', 'skip'],
                'What becomes of persons who are there: refuse (when absent), add the samples, or skip them',
              ),
            ),
          },
          { additionalProperties: false },
        ),
        body: {
          content: { [NDJSON]: { schema: Type.Any({ description: 'Lines of JSON, as the export writes them' }) } },
        },
        response: { 200: ImportSummary },
      },
    },
    async (request) => {
      const body: unknown = request.body;
      if (!(body instanceof Readable)) {
        throw new LineamentError('MEDIA_UNSUPPORTED', 'an import is read as lines of JSON', {
          fix: `Send it with the type ${NDJSON}.`,
        });
      }
      const { on_existing } = request.query;
      const { signal, forget } = eitherOf(clientSignal(request), parts.closing);
      const options = { signal, ...(on_existing === undefined ? {} : { onExisting: on_existing }) };
      const pieces = bounded(piecesOf(request, body), parts.config.limits.bodyBytes);
      const summary = await parts.gallery
        .import(pieces, options)
        .catch(async (thrown: unknown) => {
          const error = importError(thrown, signal);
          // Somebody may have come before the fault.
          await record(parts, request, 'gallery.import', { detail: { failed: error.code } });
          throw error;
        })
        .finally(() => {
          forget();
          return unpin(parts.gallery);
        });
      await record(parts, request, 'gallery.import', { detail: { ...summary } });
      return summary;
    },
  );
}

function addErasure(app: App, parts: ServiceParts): void {
  app.post(
    '/api/v1/erase',
    {
      config: { scope: 'enrol', kind: 'erase' },
      schema: {
        operationId: 'erase',
        summary: 'Erase a person or a sample',
        description:
          'As DELETE on the person or sample, with the id in the body. The receipt is signed. Cannot be undone.',
        tags: ['transfer'],
        body: Type.Object(
          { person: Type.Optional(Id('Id of the person')), sample: Type.Optional(Id('Id of the sample')) },
          { additionalProperties: false, minProperties: 1, maxProperties: 1 },
        ),
        response: { 200: Erasure },
      },
    },
    async ({ body: { person, sample }, principal }) => {
      const what = person === undefined ? { sample: sample as string } : { person };
      return erasureJson(await erase(parts, principal.id, what));
    },
  );
  app.post(
    '/api/v1/purge-expired',
    {
      config: { scope: 'admin', kind: 'purge_expired' },
      schema: {
        operationId: 'purge_expired',
        summary: 'Erase samples whose time is over',
        description: 'And the persons who have none left.',
        tags: ['transfer'],
        response: {
          200: Type.Object(
            {
              persons: Type.Integer({ description: 'Persons who are gone' }),
              samples: Type.Integer({ description: 'Samples that are gone' }),
              receipt: Type.Optional(Receipt),
            },
            { title: 'Purge' },
          ),
        },
      },
    },
    async ({ principal }) => {
      const erasure = await purge(parts, principal.id);
      if (erasure === undefined) return { persons: 0, samples: 0 };
      const { receipt, persons, samples } = erasureJson(erasure);
      return { persons, samples, receipt };
    },
  );
}

function addReceipts(app: App, parts: ServiceParts): void {
  app.get(
    '/api/v1/receipts',
    {
      config: { scope: 'read', kind: 'list_receipts' },
      schema: {
        operationId: 'list_receipts',
        summary: 'Receipts of deletions, newest first',
        tags: ['transfer'],
        querystring: Type.Object(
          {
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: 1000, description: 'Most receipts; 100 when absent' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            {
              public_key: Type.String({
                description: 'Of the gallery, SPKI, base64: keep it elsewhere to check receipts by',
              }),
              receipts: Type.Array(Receipt),
            },
            { title: 'ReceiptList' },
          ),
        },
      },
    },
    async ({ query: { limit = 100 } }) => ({
      public_key: parts.gallery.publicKey,
      receipts: (await parts.gallery.receipts({ limit })).map((one) => ({ ...one })),
    }),
  );
  app.post(
    '/api/v1/receipts/verify',
    {
      config: { scope: 'read', kind: 'verify_receipt' },
      schema: {
        operationId: 'verify_receipt',
        summary: 'Whether a receipt is genuine',
        tags: ['transfer'],
        body: Type.Object(
          { receipt: Receipt, id: Type.Optional(Id('Of a person, sample or collection that it may speak of')) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            {
              valid: Type.Boolean({ description: 'This gallery signed it as it is' }),
              covers: Type.Optional(Type.Boolean({ description: 'It speaks of the id' })),
            },
            { title: 'ReceiptCheck' },
          ),
        },
      },
    },
    async ({ body: { receipt, id } }) => {
      const signed = receipt as unknown as SignedReceipt;
      const valid = verifyReceipt(signed, parts.gallery.publicKey);
      if (id === undefined) return { valid };
      // What nobody signed may have any shape.
      return { valid, covers: valid && receiptCovers(signed, id) };
    },
  );
}

export const transfer: RouteGroup = async (app, parts) => {
  addExport(app, parts);
  await app.register(async (own) => addImport(own as App, parts));
  addErasure(app, parts);
  addReceipts(app, parts);
};
