/** Who works when, and who is told to come back later. */
export { limitIntake } from './intake.js';
export { type OverloadedError, overloaded } from './overload.js';
export { createScheduler, type SchedulingConfig } from './scheduler.js';
