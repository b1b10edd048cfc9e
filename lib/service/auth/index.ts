/** Who may do what: keys, tokens, tickets, scopes, limits, and the audit trail. */
export { openAuthority } from './authority.js';
export { type KeyDesk, openKeyDesk } from './desk.js';
export { type ProtectedRoute, protect, routesOf } from './protect.js';
export { type AuditedAction, record } from './record.js';
export { redactText } from './redact.js';
export { SCOPES } from './scopes.js';
export { openAuditTrail } from './trail.js';
export type { ApiKey, CreatedKey, NewKey } from './types.js';
