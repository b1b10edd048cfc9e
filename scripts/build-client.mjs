// `node scripts/build-client.mjs [--check]`: makes lib/client/generated.ts from the OpenAPI document of a running service: the types of all operations, and
// where each is found. `--check` writes nothing and fails where the file is not up to date.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './lib/run.mjs';

const target = path.join(root, 'lib', 'client', 'generated.ts');

/** The document of a service with default limits. */
async function documentOf() {
  const { tsImport } = await import('tsx/esm/api');
  const { openService } = await tsImport('../lib/service/open.ts', import.meta.url);
  const { createLogger } = await tsImport('../lib/service/log.ts', import.meta.url);
  const folder = mkdtempSync(path.join(tmpdir(), 'lineament-client-'));
  const log = createLogger({ level: 'warn', write: (line) => process.stderr.write(line) });
  try {
    const config = { server: { port: 0 }, data: { folder }, engine: { preset: 'fast' } };
    const service = await openService({ config, log });
    try {
      return await (await fetch(`${service.address}/openapi.json`)).json();
    } finally {
      await service.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The text of lib/client/generated.ts for a document. */
export async function generateClient(document) {
  const { astToString, default: openapiTS } = await import('openapi-typescript');
  const { default: ts } = await import('typescript');
  const type = (text) => {
    const source = ts.createSourceFile('t.ts', `type T = ${text};`, ts.ScriptTarget.ES2022, true);
    return source.statements[0].type;
  };
  const nodes = await openapiTS(structuredClone(document), {
    immutable: true,
    alphabetize: true,
    silent: true,
    transform: (schema) => (schema.format === 'binary' ? type('Blob | Uint8Array<ArrayBuffer>') : undefined),
  });
  const operations = Object.entries(document.paths)
    .flatMap(([url, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [operationId, method.toUpperCase(), url]),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const table = operations.map(([id, method, url]) => `  ${id}: { method: '${method}', path: '${url}' },`).join('\n');
  // No version: it is that of the package, and changes where nothing else does.
  return `// Made by scripts/build-client.mjs from the OpenAPI document of the service: change that, not this.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated

/** Method and address of every operation. */
export const OPERATIONS = {
${table}
} as const;

${astToString(nodes).replaceAll('@description ', '')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = await generateClient(await documentOf());
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
    console.log(`${path.relative(root, target)}: ${text.length} characters`);
  } else if (readFileSync(target, 'utf8') !== text) {
    console.error("lib/client/generated.ts is not up to date: run 'node scripts/build-client.mjs'");
    process.exitCode = 1;
  }
}
