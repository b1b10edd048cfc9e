// The OpenAPI document: complete, sound for a linter, and what the client was made from.
import { existsSync, readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChild } from '../../support/child.js';
import { startService, type TestService } from '../../support/service.js';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly responses: Record<string, { readonly description?: string; readonly content?: Record<string, unknown> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

const CHROMIUM = '/usr/bin/chromium';

let service: TestService;
let text = '';
let document: Document;
beforeAll(async () => {
  service = await startService();
  text = await (await service.fetch('/openapi.json', { key: null })).text();
  document = JSON.parse(text) as Document;
});
afterAll(() => service?.close());

const operations = (): [name: string, operation: Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]): [string, Operation] => [`${method.toUpperCase()} ${path}`, one]),
  );

describe('the document', () => {
  it('is OpenAPI 3.1 that a linter finds nothing wrong with', async () => {
    expect(document.openapi).toBe('3.1.0');
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: text, config, absoluteRef: 'openapi.json' });
    const said = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`);
    expect(said).toEqual([]);
  });

  it('is linted by rules that find something', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const broken = JSON.stringify({ ...document, paths: { '/x/{id}': { get: { responses: {} } } } });
    const problems = await lintFromString({ source: broken, config, absoluteRef: 'openapi.json' });
    expect(problems.length).toBeGreaterThan(2);
  });

  it('names every operation once, says what it is for, who may call it and how it fails', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(ids.length).toBeGreaterThan(45);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, one] of operations()) {
      expect(one.operationId, name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(one.summary, name).toMatch(/\S/);
      expect(one.tags?.length, name).toBe(1);
      expect(Array.isArray(one.security), name).toBe(true);
      for (const status of ['4XX', '5XX']) {
        expect(Object.keys(one.responses[status]?.content ?? {}), `${name} ${status}`).toEqual([
          'application/problem+json',
        ]);
      }
    }
  });

  it('leaves nothing open but what tells of the life of the service', () => {
    const open = operations().filter(([, { security }]) => security?.length === 0);
    expect(open.map(([name]) => name).sort()).toEqual(['GET /health', 'GET /ready']);
  });

  it('has what the issue asks for', () => {
    const names = new Set(operations().map(([name]) => name));
    const api = '/api/v1';
    for (const name of ['detect', 'analyze', 'verify', 'similarity', 'landmarks', 'mesh', 'quality']) {
      expect(names).toContain(`POST ${api}/${name}`);
    }
    for (const name of ['extract-embedding', 'compare-faces', 'match-face']) {
      expect(names).toContain(`POST ${api}/face-recognition/${name}`);
    }
    for (const name of [
      `GET ${api}/face-recognition/statistics`,
      `GET ${api}/performance`,
      'GET /metrics',
      'GET /ready',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('refers to nothing that is not there', () => {
    const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(refs.length).toBeGreaterThan(100);
    for (const ref of new Set(refs)) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1];
      expect(document.components.schemas, ref).toHaveProperty(name ?? 'no such form');
    }
  });

  it('is what the committed client was made from', async () => {
    const script = `
      import { generateClient } from './scripts/build-client.mjs';
      const document = await (await fetch('${service.address}/openapi.json')).json();
      process.stdout.write(await generateClient(document));`;
    const { stdout, stderr } = await runChild(script);
    const committed = readFileSync('lib/client/generated.ts', 'utf8');
    expect(stdout === committed, `run 'node scripts/build-client.mjs'\n${stderr}`).toBe(true);
  });
});

describe('the pages', () => {
  it('come from here alone, under a policy that allows nothing else', async () => {
    const page = await service.fetch('/docs', { key: null });
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => link !== 'data:,');
    expect(links).toHaveLength(3);
    expect(html).not.toMatch(/<script>|<style/);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      const file = await service.fetch(link, { key: null });
      expect(file.status, link).toBe(200);
      expect(file.headers.get('content-type')).toMatch(link.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
      expect(file.headers.get('x-content-type-options')).toBe('nosniff');
      expect((await file.text()).length).toBeGreaterThan(100);
    }
  });

  it.skipIf(!existsSync(CHROMIUM))(
    'show every operation in a browser that keeps the policy (needs Chromium)',
    async () => {
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const said: string[] = [];
        const asked: string[] = [];
        page.on('console', (message) => void said.push(message.text()));
        page.on('pageerror', (error) => void said.push(error.message));
        page.on('request', (request) => void asked.push(request.url()));
        await page.goto(`${service.address}/docs`);
        await page.waitForSelector('.opblock');
        expect(await page.locator('.opblock').count()).toBe(operations().length);
        expect(said).toEqual([]);
        expect(asked.filter((url) => !url.startsWith(service.address) && !url.startsWith('data:'))).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );

  it('are not there where they are not wanted', async () => {
    await using quiet = await startService({ server: { docs: false } });
    expect((await quiet.fetch('/docs')).status).toBe(404);
    expect((await quiet.fetch('/docs/start.js')).status).toBe(404);
    expect((await quiet.fetch('/openapi.json')).status).toBe(200);
  });
});
