/** All routes of the service, in the order of its document. */
import type { RouteGroup } from '../server.js';
import { auditRoutes } from './audit.js';
import { faces } from './faces.js';
import { healthRoutes } from './health.js';
import { keyRoutes } from './keys.js';
import { performanceRoutes } from './performance.js';

export const ROUTES: readonly RouteGroup[] = [faces, keyRoutes, auditRoutes, healthRoutes, performanceRoutes];
