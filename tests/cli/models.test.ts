import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { meterText } from '../../lib/cli/commands/models.js';
import { Bench, file, noise, sha256, zipOf } from '../unit/models/catalogue-support.js';
import { type Finished, lineament } from './run.js';

const DATA = noise(300_000);
const HASH = { sha256: sha256(DATA), bytes: DATA.length };

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
  const one = { ...HASH, sources: [{ url: bench.server.url('/m') }], licenceId: 'strict', sets: ['pair'] };
  await bench.write({ id: 'one', ...one }, { id: 'two', sources: one.sources, sets: ['pair'] });
  bench.server.on('/m', file(DATA));
});
afterEach(() => bench.close());

const run = (...args: string[]): Promise<Finished> =>
  lineament(['models', ...args, '--cache', bench.cache, '--cards', bench.cards]);

describe('models from the command line', { timeout: 60_000 }, () => {
  it('lists them, and shows one', async () => {
    const listed = await run('list');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(
      /insightface_scrfd_10g +face-detection +16\.9 MB +licence +insightface-non-commercial/,
    );
    expect(listed.stdout).toMatch(/mediapipe_pose_lite +body-pose .* starter pack/);
    const { models, folder } = JSON.parse((await run('list', '--json')).stdout) as {
      models: unknown[];
      folder: string;
    };
    expect(folder).toBe(bench.cache);
    expect(models).toContainEqual(expect.objectContaining({ id: 'one', state: 'absent', accepted: false }));
    const shown = await run('show', 'two');
    expect(shown.stdout).toContain('the first that is seen will be trusted');
    expect(JSON.parse((await run('show', 'one', '--json')).stdout)).toMatchObject({ card: { id: 'one', ...HASH } });
    expect((await run('show', 'none')).stderr).toContain('NOT_FOUND');
  });

  it('downloads a set once its licence is accepted, says where it lies, and removes it', async () => {
    const refused = await run('download', 'pair');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('LICENCE_NOT_ACCEPTED');
    expect(refused.stderr).toContain('lineament models accept strict');
    expect((await run('accept', 'strict')).stdout).toContain('strict is accepted: Test licence');
    const done = await run('download', 'pair');
    expect(done.code).toBe(0);
    expect(done.stdout).toContain('2 models are here and verified; trusted on first use');
    expect(done.stdout).toMatch(/: two\n$/);
    const lies = (await run('path', 'one')).stdout.trim();
    expect(DATA.equals(await readFile(lies))).toBe(true);
    expect((await run('remove', 'one')).stdout).toBe('one is deleted\n');
    expect(existsSync(lies)).toBe(false);
    expect((await run('path', 'one')).stderr).toContain('MODEL_NOT_FOUND');
    expect(path.resolve((await run('path')).stdout.trim())).toBe(bench.cache);
  });

  it('fetches a set by its own archive, once', async () => {
    const archive = zipOf([
      { name: 'a.onnx', data: DATA },
      { name: 'b.onnx', data: DATA },
    ]);
    const from = (name: string, member: string) => ({ url: bench.server.url(name), member });
    await bench.write(
      { id: 'a', ...HASH, sources: [from('/other.zip', 'a.onnx'), from('/set.zip', 'a.onnx')], sets: ['set', 'other'] },
      { id: 'b', ...HASH, sources: [from('/set.zip', 'b.onnx')], sets: ['set'] },
    );
    bench.server.on('/set.zip', file(archive)).on('/other.zip', file(archive));
    expect((await run('download', 'set')).stdout).toContain('2 models are here');
    expect(bench.server.asked.map((asked) => asked.path)).toEqual(['/set.zip']);
  });

  it('tries a mirror first and fetches nothing offline', async () => {
    bench.server.on('/mirror/one.onnx', file(DATA));
    const offline = await run('download', 'one', '--accept', 'strict', '--offline', '--json');
    expect(JSON.parse(offline.stderr)).toMatchObject({ error: { code: 'DOWNLOAD_FAILED' } });
    expect(bench.server.asked).toEqual([]);
    const mirrored = await run(
      'download',
      'one',
      '--accept',
      'strict',
      '--mirror',
      bench.server.url('/mirror'),
      '--json',
    );
    expect(JSON.parse(mirrored.stdout)).toMatchObject({ downloaded: [{ id: 'one', state: 'present' }] });
    expect(bench.server.asked.map((asked) => asked.path)).toEqual(['/mirror/one.onnx']);
    // For this once only.
    expect(JSON.parse((await run('show', 'one', '--json')).stdout)).toMatchObject({ accepted: false });
  });

  it('knows its verbs and their arguments', async () => {
    expect((await run('fetch')).stderr).toContain("there is no verb 'fetch'");
    expect((await run('show')).stderr).toContain('models show takes ID');
    expect((await run('accept', 'strange')).stderr).toContain('The licences are');
    expect((await lineament(['models', '--help'])).stdout).toContain('--mirror URL');
  });
});

describe('the meter', () => {
  const progress = { id: 'one', received: 5e6, total: 20e6, resumed: 0, source: 'https://example.com/one' };

  it('shows the share, the bytes, the rate and the time left', () => {
    expect(meterText(progress, 1e6, 120)).toBe(
      `${'━'.repeat(7)}${'─'.repeat(21)} 25 %  5.0/20.0 MB  1.0 MB/s  ETA 15 s  one`,
    );
    expect(meterText({ ...progress, resumed: 2e6 }, 0, 120)).toContain('2.0 MB were there');
    expect(meterText({ ...progress, total: undefined as never }, 0, 120)).toBe('5.0 MB  one');
    expect(meterText(progress, 1e6, 40).length).toBeLessThan(40);
  });
});
