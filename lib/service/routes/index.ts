/** All routes of the service, in the order of its document. */
import { limitIntake } from '../scheduling/index.js';
import type { RouteGroup } from '../server.js';
import { auditRoutes } from './audit.js';
import { cameraRoutes } from './cameras.js';
import { collections } from './collections.js';
import { eventRoutes } from './events.js';
import { faces } from './faces.js';
import { healthRoutes } from './health.js';
import { identification } from './identification.js';
import { keyRoutes } from './keys.js';
import { modelDownloadRoutes } from './model-downloads.js';
import { modelRoutes } from './models.js';
import { modelCatalogueRoutes } from './models-catalogue.js';
import { operations } from './operations.js';
import { performanceRoutes } from './performance.js';
import { persons } from './persons.js';
import { recognition } from './recognition.js';
import { transfer } from './transfer.js';
import { verification } from './verification.js';

export const ROUTES: readonly RouteGroup[] = [
  limitIntake,
  faces,
  verification,
  recognition,
  collections,
  persons,
  operations,
  identification,
  transfer,
  modelRoutes,
  modelCatalogueRoutes,
  modelDownloadRoutes,
  cameraRoutes,
  eventRoutes,
  keyRoutes,
  auditRoutes,
  healthRoutes,
  performanceRoutes,
];
