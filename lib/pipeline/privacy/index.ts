/** Faces made unrecognisable, by policy. */
export { PRIVACY_MODES, type PrivacyMode, type PrivacyPolicy } from './policy.js';
export { Redactor } from './redactor.js';
export { covered } from './stream.js';
export type { Look } from './timeline.js';
