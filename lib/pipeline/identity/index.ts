/** Who the tracks of the cameras are: known persons, strangers with ids that last, undecided. */
export type { ClusterPlan, HeldBack, PlannedMerge } from './cluster.js';
export { Identities } from './identities.js';
export type { MatchRate } from './lookup.js';
export type { IdentitiesOptions } from './options.js';
export { type LookWeight, lookWeight, type MeasuredFace } from './quality.js';
export type { EnrolStrangerOptions, Reclustered, ReclusterOptions, StrangersOptions } from './stranger-options.js';
export { Strangers } from './strangers.js';
export { TrackIdentity } from './track.js';
export type {
  IdentityChange,
  IdentityStats,
  NewLook,
  StrangerInfo,
  StrangerNotice,
  StrangerOperation,
} from './types.js';
