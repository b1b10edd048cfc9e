/** Swagger UI at /docs, from files of this package: nothing is fetched from elsewhere. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineamentError } from '../errors.js';
import { packageFolder } from '../native/package.js';
import type { App } from './server.js';

/** Swagger UI sets styles of elements, and draws with data: addresses; scripts come from here alone. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lineament API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** The folder with Swagger UI: beside the compiled service, or the development dependency in a checkout. */
async function readUi(name: string): Promise<Buffer> {
  const beside = fileURLToPath(new URL('./swagger-ui/', import.meta.url));
  for (const folder of [beside, packageFolder('swagger-ui-dist')]) {
    if (folder === undefined) continue;
    try {
      return await readFile(path.join(folder, name));
    } catch {
      // the next place
    }
  }
  throw new LineamentError('NOT_FOUND', 'the files of Swagger UI are not installed', {
    fix: 'Read the document at /openapi.json.',
  });
}

/** Adds /docs. Everybody may read it; what it calls asks for a key. */
export function addDocs(app: App): void {
  const options = { config: { scope: 'public' as const }, schema: { hide: true } };
  app.get('/docs', options, async (_, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(PAGE),
  );
  app.get('/docs/start.js', options, async (_, reply) => reply.type('text/javascript; charset=utf-8').send(START));
  for (const [name, type] of Object.entries(FILES)) {
    let bytes: Promise<Buffer> | undefined;
    app.get(`/docs/${name}`, options, async (_, reply) => {
      bytes ??= readUi(name);
      return reply
        .type(type)
        .header('cache-control', 'public, max-age=3600')
        .send(await bytes);
    });
  }
}
