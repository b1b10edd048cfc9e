/** Models of the catalogue. */
import { type Static, Type } from '../vendor.js';
import { Time, Words } from './common.js';

/** Address of the catalogue. */
export const CATALOGUE = '/api/v1/models/catalogue';

export const ModelId = Type.String({ minLength: 1, maxLength: 100, description: 'Id of a model' });
export const ModelParams = Type.Object({ id: ModelId });

export const Download = Type.Object(
  {
    id: ModelId,
    state: Words(
      ['running', 'done', 'failed', 'cancelled'] as const,
      'failed and cancelled: what came is kept, and a new request goes on there.',
    ),
    received: Type.Integer({ minimum: 0, description: 'Bytes so far, those of earlier tries included' }),
    total: Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes in all; absent while not known' })),
    resumed: Type.Integer({ minimum: 0, description: 'Bytes that were there from an earlier try' }),
    source: Type.Optional(Type.String({ description: 'Address that is being fetched, without credentials' })),
    started_at: Time('When it began'),
    ended_at: Type.Optional(Time('When it ended; absent while it runs')),
    error: Type.Optional(
      Type.Object(
        {
          code: Type.String({ description: 'Stable: to be matched on' }),
          title: Type.String(),
          detail: Type.Optional(Type.String({ description: 'What each address said' })),
        },
        { description: 'Why it failed' },
      ),
    ),
  },
  { title: 'ModelDownload', description: 'How far a download is' },
);
export type Download = Static<typeof Download>;
