// Schemathesis (PyPI), which makes requests of its own from the service's document and holds the answers against it. Unlike our fuzz it
// knows nothing of the service: what it compares with is what clients are promised.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/child.js';
import { startService, type TestService } from '../support/service.js';
import { command, wanted } from './support.js';

/** A folder with schemathesis from PyPI, as scripts/install-oracles.sh makes it. */
const schemathesis = path.join(root, 'out', 'oracles', 'schemathesis', 'bin', 'schemathesis');
const EXAMPLES = Number(process.env['LINEAMENT_SCHEMATHESIS_EXAMPLES'] ?? 5);
const SEED = process.env['LINEAMENT_FUZZ_SEED'] ?? '1';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'ignored_auth',
];
/** It reads events as objects, which OpenAPI has no words for before version 3.2; our schema is that of the text. */
const EVENTS = 'watch_model_download';
/** It does not know lines of JSON. */
const HOOKS = `
import json
import schemathesis

@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return json.dumps(value).encode()
`;

describe.skipIf(!(wanted && existsSync(schemathesis)))('schemathesis (skipped where it is not installed)', () => {
  let service: TestService;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lineament-schemathesis-'));
    await writeFile(path.join(folder, 'schemathesis.toml'), 'hooks = "hooks.py"\n');
    await writeFile(path.join(folder, 'hooks.py'), HOOKS);
    service = await startService({
      limits: { bodyBytes: 1_500_000, imageBytes: 1_000_000, pixels: 4_000_000, images: 3 },
      models: { offline: true },
    });
  });
  afterAll(async () => {
    await service?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Throws with what it has to say where it found something; gives how many operations it has tried. */
  async function run(checks: readonly string[], ...which: string[]): Promise<number> {
    const args = [
      ...['run', `${service.address}/openapi.json`, '--url', service.address, ...which],
      ...['--header', `Authorization: Bearer ${service.key}`, '--checks', checks.join(',')],
      ...['--max-examples', String(EXAMPLES), '--seed', SEED, '--phases', 'coverage,fuzzing'],
      ...['--workers', '1', '--request-timeout', '30', '--continue-on-failure', '--no-color'],
    ];
    const { stdout } = await command(schemathesis, args, { cwd: folder, timeout: 1_400_000 }).catch(
      ({ stdout: said, stderr }: { stdout?: string; stderr?: string }) => {
        throw new Error(`${said}${stderr}`);
      },
    );
    return Number(/^ *Tested: (\d+)$/m.exec(stdout)?.[1]);
  }

  it('finds no answer that the document does not promise, over every operation', { timeout: 1_500_000 }, async () => {
    const plain = CHECKS.filter((check) => check !== 'response_schema_conformance');
    const events = await run(plain, '--include-operation-id', EVENTS);
    const others = await run(CHECKS, '--exclude-operation-id', EVENTS);
    // It has seen all of them, and the service is there still.
    const document = (await (await service.fetch('/openapi.json')).json()) as { paths: Record<string, object> };
    const operations = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
    expect([events, others]).toEqual([1, operations - 1]);
    expect((await service.fetch('/health', { key: null })).status).toBe(200);
  });
});
