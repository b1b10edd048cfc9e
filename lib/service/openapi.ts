/** The OpenAPI 3.1 document, made of the schemas that check the requests. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../native/package.js';
import type { App } from './server.js';
import type { ServiceConfig } from './types.js';
import { swagger } from './vendor.js';

interface Node {
  [key: string]: unknown;
}

/** Version of the package. */
export function packageVersion(): string {
  const text = readFileSync(path.join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const SECURITY = [{ bearer: [] }, { api_key: [] }];

/** Collects the schemas of all routes that are added from now on. */
export async function collectSchemas(app: App, config: ServiceConfig): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lineament',
        version: packageVersion(),
        summary: 'Face biometrics as a service',
        description:
          'Finds, measures, compares and recognises faces. Pictures come as multipart files, as base64 in JSON, or as the body itself. Failures are problem documents (RFC 9457) with a stable code.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as never,
      },
      servers: [{ url: '/', description: 'This service' }],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key, or a JSON web token where the service takes them',
          },
          api_key: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const scope = route.config?.scope;
      const open = scope === undefined || scope === 'public' || !config.auth.enabled;
      const operationId = schema?.operationId?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return {
        url,
        schema: {
          ...schema,
          ...(operationId && { operationId }),
          security: open ? [] : SECURITY,
          ...(scope && { 'x-scope': scope }),
        } as never,
      };
    },
    transformObject: (given) =>
      'openapiObject' in given ? (nameSchemas(given.openapiObject as Node) as never) : (given.swaggerObject as never),
  });
}

/** Gives the document at `/openapi.json`. */
export function serveOpenApi(app: App): void {
  let text: string | undefined;
  app.addHook('onReady', async () => {
    text = JSON.stringify(app.swagger());
  });
  app.get('/openapi.json', { config: { scope: 'public' }, schema: { hide: true } }, async (_, reply) =>
    reply.type('application/json').send(text ?? JSON.stringify(app.swagger())),
  );
}

const NAME = /^[A-Z][A-Za-z0-9]*$/;

/** Moves schemas with a title such as `Face` to the components, once each. Two different ones of one title stay where they are. */
function nameSchemas(document: Node): Node {
  const schemas: Record<string, { text: string; schema: Node } | undefined> = {};
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const node = Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, key === 'example' ? child : visit(child)]),
    );
    const title = node['title'];
    if (typeof title !== 'string' || !NAME.test(title)) return node;
    const text = JSON.stringify(node);
    schemas[title] ??= { text, schema: node };
    return schemas[title].text === text ? { $ref: `#/components/schemas/${title}` } : node;
  };
  const paths = visit(document['paths']);
  const named = Object.entries(schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, found]) => [name, found?.schema]);
  const components = document['components'] as Node | undefined;
  return {
    ...document,
    paths,
    tags: tagsOf(paths as Node),
    components: {
      ...components,
      schemas: { ...(components?.['schemas'] as Node | undefined), ...Object.fromEntries(named) },
    },
  };
}

/** What the groups of operations are for. */
const TAGS: Readonly<Record<string, string>> = {
  faces: 'What a picture shows: faces, landmarks, measures, surfaces. Nothing is kept.',
  'face-recognition': 'Embeddings, and whether faces are of one person',
  persons: 'Who is known',
  collections: 'Groups of persons that are searched together',
  identification: 'Enrolling persons, and finding out who a face is of',
  transfer: 'Export, import and erasure',
  models: 'Models that run, and models that can be had',
  cameras: 'Cameras that are watched',
  keys: 'Who may call the service',
  audit: 'What was done, by whom',
  service: 'How the service is',
};

/** The tags that the routes use. */
function tagsOf(paths: Node): { name: string; description: string }[] {
  const names = Object.values(paths)
    .flatMap((methods) => Object.values(methods as Node))
    .flatMap((operation) => ((operation as Node)['tags'] as string[] | undefined) ?? []);
  return [...new Set(names)].sort().map((name) => ({ name, description: TAGS[name] ?? name }));
}
