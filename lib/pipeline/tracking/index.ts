/** Who is where from frame to frame. */
export { assign } from './assignment.js';
export { type TrackedFrame, type TrackingMetrics, trackingMetrics } from './metrics.js';
export { type Looks, looksOf, type TrackerOptions } from './options.js';
export { openPersonDetector, type PersonDetector, type PersonDetectorOptions } from './persons.js';
export { Tracker } from './tracker.js';
