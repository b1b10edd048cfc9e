/** Events for the tests of the log. */
import { EventIds } from '../../../lib/pipeline/events/ids.js';
import type { Identity, PipelineEvent, PipelineEventType } from '../../../lib/pipeline/types.js';
import { T0 } from './events-sights.js';

export { T0 };
export const ada: Identity = {
  kind: 'known',
  id: 'ada',
  name: 'Ada',
  similarity: 0.7,
  fmr: 1e-4,
  looks: 4,
  weight: 3.5,
};
export const somebody: Identity = { kind: 'stranger', id: 'Person_A47B8C12', looks: 2, weight: 1 };

type Fields = Partial<Record<string, unknown>> & { readonly type: PipelineEventType };

/** Makes events at so many milliseconds after T0, with ids of a seed. */
export function maker(seed: string): {
  readonly ids: EventIds;
  readonly made: (ms: number, fields: Fields) => PipelineEvent;
} {
  const ids = new EventIds({ seed });
  const made = (ms: number, fields: Fields): PipelineEvent =>
    ({ id: ids.next(T0 + ms), camera: 'door', timestamp: T0 + ms, ...fields }) as unknown as PipelineEvent;
  return { ids, made };
}
