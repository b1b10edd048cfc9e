/** The audit trail, for administrators: who did what through the service. */
import { AnyJson, Time } from '../schemas/common.js';
import type { RouteGroup } from '../server.js';
import { type Static, Type } from '../vendor.js';

const Hash = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description });
const Entry = Type.Object(
  {
    number: Type.Integer({ minimum: 1, description: 'From 1 on, without gaps' }),
    at: Time('When it was done'),
    actor: Type.String({ description: 'Id of a key, token:SUBJECT, anonymous, or service' }),
    action: Type.String(),
    subject: Type.Optional(Type.String({ description: 'Digest of the person whom it concerns' })),
    detail: AnyJson('What else there is to say; neither persons nor secrets'),
    previous: Hash('Hash of the entry before'),
    hash: Hash('SHA-256 over all of this'),
  },
  { title: 'AuditEntry' },
);
const Entries = Type.Object(
  {
    entries: Type.Array(Entry, { description: 'Newest first' }),
    before: Type.Optional(Type.Integer({ description: 'For the next page; absent where there is none' })),
  },
  { title: 'AuditEntries' },
);
const Query = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    before: Type.Optional(Type.Integer({ minimum: 1, description: 'Only entries with smaller numbers' })),
    action: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'Only what was done in this way, such as person.erase' }),
    ),
    person: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'Only what concerns this person, by id' }),
    ),
  },
  { additionalProperties: false },
);
const Head = {
  number: Type.Integer({ minimum: 0, description: 'Number of the last entry' }),
  hash: Hash('Hash of the last entry: keep both elsewhere, and give them to a later check'),
};
const Check = Type.Object(
  {
    ok: Type.Boolean({ description: 'Nothing was changed, taken out or cut off' }),
    entries: Type.Integer({ minimum: 0 }),
    broken: Type.Optional(Type.Integer({ description: 'The first entry that is not as it was written' })),
    ...Head,
  },
  { title: 'AuditCheck' },
);

export const auditRoutes: RouteGroup = (app, { audit }) => {
  app.get(
    '/api/v1/audit',
    {
      config: { scope: 'admin', kind: 'list_audit' },
      schema: {
        operationId: 'list_audit',
        summary: 'Who did what: entries of the audit trail',
        tags: ['audit'],
        querystring: Query,
        response: { 200: Entries },
      },
    },
    async (request) => {
      const { limit = 100, before, action, person } = request.query;
      const entries = (await audit.list({
        limit,
        ...(before !== undefined && { before }),
        ...(action !== undefined && { action }),
        ...(person !== undefined && { subject: person }),
      })) as Static<typeof Entry>[];
      const last = entries.at(-1);
      return { entries, ...(last !== undefined && entries.length === limit && { before: last.number }) };
    },
  );

  app.get(
    '/api/v1/audit/check',
    {
      config: { scope: 'admin', kind: 'check_audit' },
      schema: {
        operationId: 'check_audit',
        summary: 'Reads the whole audit trail and computes every hash anew',
        tags: ['audit'],
        querystring: Type.Object(
          {
            number: Type.Optional(Type.Integer({ minimum: 0, description: 'An entry known from an earlier check' })),
            hash: Type.Optional(Hash('Its hash: it must be there still')),
          },
          { additionalProperties: false, dependentRequired: { number: ['hash'], hash: ['number'] } },
        ),
        response: { 200: Check },
      },
    },
    async (request) => {
      const { number, hash } = request.query;
      const known = number !== undefined && hash !== undefined ? { number, hash } : undefined;
      const { ok, entries, broken, head } = await audit.check(known);
      return { ok, entries, ...(broken !== undefined && { broken }), ...head };
    },
  );
};
