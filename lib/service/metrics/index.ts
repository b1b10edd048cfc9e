/** Prometheus metrics, and the same for people. */
export { createMetrics } from './metrics.js';
