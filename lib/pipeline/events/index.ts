/** Events: what happened in front of the cameras, told once, kept on the disk, and forgotten in time. */
export type { AuditCheck, AuditEntry, AuditQuery, Head } from './audit.js';
export {
  CONSENT_SCOPES,
  type Consent,
  type ConsentChange,
  type ConsentScope,
  type ConsentStatus,
  type PersonConsent,
} from './consent.js';
export type { ErasePersonOptions, LogErasure } from './erase.js';
export type { ClipDeletion, FileProblem } from './files.js';
export { EventIds, type EventIdsOptions } from './ids.js';
export { EventLog, type EventLogOptions, type FollowOptions } from './log.js';
export type { LoggedPerson, PersonsQuery } from './persons.js';
export type { CountQuery, EventCount, EventFilter, EventGroup, EventPage, EventQuery } from './query.js';
export {
  galleryPersons,
  type PersonStore,
  type RetentionCount,
  type RetentionOptions,
  type RetentionPlan,
  type RetentionPolicy,
  type RetentionProgress,
  type RetentionReport,
  type RunRetentionOptions,
  type StoredPerson,
} from './retention.js';
export type { EventRulesOptions } from './rule-options.js';
export { EventRules, type Measured, type Sight } from './rules.js';
