/** All routes of the service, in the order of its document. */
import type { RouteGroup } from '../server.js';

export const ROUTES: readonly RouteGroup[] = [];
