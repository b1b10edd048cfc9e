/** Events: what happened in front of the cameras, told once, kept on the disk, and forgotten in time. */
export { EventIds, type EventIdsOptions } from './ids.js';
export type { EventRulesOptions } from './rule-options.js';
export { EventRules, type Measured, type Sight } from './rules.js';
