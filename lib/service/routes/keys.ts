/** API keys, and tickets for WebSockets. */
import { record, SCOPES } from '../auth/index.js';
import { Time, Words } from '../schemas/common.js';
import type { RouteGroup } from '../server.js';
import type { ApiKey } from '../types.js';
import { type Static, Type } from '../vendor.js';

const ScopeName = Words(SCOPES, 'read: look at pictures and search. enrol: change persons. admin: everything.');
const KeyName = Type.String({ minLength: 1, maxLength: 100, description: 'What it is for, for people' });

const fields = {
  id: Type.String({ description: 'Part of the key that is no secret; named in logs and in the audit trail' }),
  name: KeyName,
  scopes: Type.Array(ScopeName, { description: 'Each holds the ones before it' }),
  created_at: Time('When it was made'),
  expires_at: Type.Optional(Time('When it ends; never when absent')),
  last_used_at: Type.Optional(Time('When it was used last; never when absent')),
  revoked: Type.Boolean(),
};
const Key = Type.Object(fields, { title: 'ApiKey', description: 'An API key, without its secret' });
const CreatedKey = Type.Object(
  { ...fields, key: Type.String({ description: 'The key itself: shown here and never again' }) },
  { title: 'CreatedApiKey', description: 'A new API key' },
);
const NewKey = Type.Object(
  {
    name: KeyName,
    scopes: Type.Array(ScopeName, { minItems: 1, maxItems: SCOPES.length }),
    expires_at: Type.Optional(Time('When it ends; never when absent')),
  },
  { title: 'NewApiKey', additionalProperties: false },
);
const Keys = Type.Object({ keys: Type.Array(Key, { description: 'The oldest first' }) }, { title: 'ApiKeys' });
const Ticket = Type.Object(
  {
    ticket: Type.String({ description: 'For the query of a WebSocket: `?ticket=…`. Good once' }),
    expires_at: Time('When it ends, unless it was used'),
  },
  { title: 'Ticket' },
);

export const keyRoutes: RouteGroup = (app, parts) => {
  const { authority } = parts;

  app.get(
    '/api/v1/keys',
    {
      config: { scope: 'admin', kind: 'list_keys' },
      schema: {
        operationId: 'list_keys',
        summary: 'All API keys, revoked and expired ones too',
        tags: ['keys'],
        response: { 200: Keys },
      },
    },
    async () => ({ keys: (await authority.listKeys()).map(shown) }),
  );

  app.post(
    '/api/v1/keys',
    {
      config: { scope: 'admin', kind: 'create_key' },
      schema: {
        operationId: 'create_key',
        summary: 'Makes an API key; only this answer shows it',
        tags: ['keys'],
        body: NewKey,
        response: { 201: CreatedKey },
      },
    },
    async (request, reply) => {
      const { name, scopes, expires_at } = request.body;
      const made = await authority.createKey({
        name,
        scopes,
        ...(expires_at !== undefined && { expiresAt: expires_at }),
      });
      await record(parts, request, 'key.create', {
        detail: { key: made.id, scopes: made.scopes, ...(expires_at !== undefined && { expires_at }) },
      });
      return reply.code(201).send({ ...shown(made), key: made.key });
    },
  );

  app.delete(
    '/api/v1/keys/:id',
    {
      config: { scope: 'admin', kind: 'revoke_key' },
      schema: {
        operationId: 'revoke_key',
        summary: 'Revokes an API key, at once and for good',
        tags: ['keys'],
        params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'Id of the key' }) }),
        response: { 204: { description: 'It opens nothing any more', type: 'null' } },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await authority.revokeKey(id);
      await record(parts, request, 'key.revoke', { detail: { key: id } });
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/v1/tickets',
    {
      config: { scope: 'read', kind: 'create_ticket' },
      schema: {
        operationId: 'create_ticket',
        summary: 'A ticket that opens one WebSocket soon: browsers cannot send a key there',
        tags: ['keys'],
        response: { 201: Ticket },
      },
    },
    async (request, reply) => {
      const { ticket, expiresAt } = authority.createTicket(request.principal);
      return reply.code(201).send({ ticket, expires_at: expiresAt });
    },
  );
};

function shown({ id, name, scopes, createdAt, expiresAt, lastUsedAt, revoked }: ApiKey): Static<typeof Key> {
  return {
    id,
    name,
    scopes: [...scopes],
    created_at: createdAt,
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(lastUsedAt !== undefined && { last_used_at: lastUsedAt }),
    revoked,
  };
}
