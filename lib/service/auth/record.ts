import type { Json } from '../../gallery/index.js';
import type { Principal, ServiceParts } from '../types.js';

/** What goes into the audit trail. Only ever added to. */
export type AuditedAction =
  | 'key.create'
  | 'key.revoke'
  | 'login.failed'
  | 'collection.create'
  | 'collection.erase'
  | 'person.enrol'
  | 'person.update'
  | 'person.renamed'
  | 'person.merge'
  | 'person.merged'
  | 'person.split'
  | 'person.made'
  | 'person.feedback'
  | 'person.erase'
  | 'sample.erase'
  | 'operation.undo'
  | 'gallery.export'
  | 'gallery.import'
  | 'gallery.purge'
  | 'model.load'
  | 'model.unload'
  | 'model.switch'
  | 'model.download'
  | 'model.remove'
  | 'licence.accept'
  | 'camera.change';

/**
 * Says in the audit trail what the caller of this request has done; on the disk when it resolves. Routes call it after the deed and before
 * they answer. `person` is kept as a digest; `detail` holds counts, names of models and ids of keys, never persons, pictures, embeddings or secrets.
 */
export function record(
  { audit }: Pick<ServiceParts, 'audit'>,
  request: { readonly principal: Principal; readonly id: string },
  action: AuditedAction,
  about: { readonly person?: string; readonly detail?: Readonly<Record<string, Json>> } = {},
): Promise<void> {
  return audit.append({
    actor: request.principal.id,
    action,
    subject: about.person,
    detail: { request: request.id, ...about.detail },
  });
}
