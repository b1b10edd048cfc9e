// The addon and the library on the other Node releases that are supported, brought by the npm package `node`.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/child.js';
import { sample } from '../support/samples.js';
import { command, wanted } from './support.js';

const releases = ['22', '24'];

describe.skipIf(!wanted)('other Node releases', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-node-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(releases)('Node %s finds, measures and compares faces, and ends by itself', async (release) => {
    const prefix = path.join(folder, release);
    const install = ['install', `node@${release}`, '--prefix', prefix, '--no-audit', '--no-fund', '--loglevel=error'];
    await command('npm', install);
    const node = path.join(prefix, 'node_modules', 'node', 'bin', 'node');
    const script = `
      import { openEngine } from './dist/index.js';
      const engine = await openEngine({ preset: 'fast' });
      const faces = await engine.analyze(${JSON.stringify(sample(1))}, { landmarks: true, embedding: true, quality: true });
      const self = engine.compare(faces[0].embedding, faces[0].embedding);
      await engine.close();
      console.log(JSON.stringify({ version: process.versions.node, faces: faces.length, self }));
    `;
    const { stdout } = await command(node, ['--input-type=module', '-e', script], { cwd: root });
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      version: string;
      faces: number;
      self: number;
    };
    expect(result.version.split('.')[0]).toBe(release);
    expect(result.faces).toBeGreaterThanOrEqual(1);
    expect(result.self).toBeCloseTo(1, 4);
  });

  it.each(releases)('Node %s ends a worker that is busy with an engine', async (release) => {
    const node = path.join(folder, release, 'node_modules', 'node', 'bin', 'node');
    const worker = `
      import { openEngine } from '${pathToFileURL(path.join(root, 'dist', 'index.js')).href}';
      import { parentPort } from 'node:worker_threads';
      const engine = await openEngine({ preset: 'fast' });
      await engine.detect(${JSON.stringify(sample(1))});
      parentPort.postMessage('busy');
      for (;;) await engine.detect(${JSON.stringify(sample(1))});
    `;
    const script = `
      import { Worker } from 'node:worker_threads';
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})));
        await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
        await worker.terminate();
      }
      console.log('done');
    `;
    const { stdout } = await command(node, ['--input-type=module', '-e', script], { cwd: root });
    expect(stdout.trim()).toBe('done');
  });
});
