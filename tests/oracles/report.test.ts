// The HTML report in a real browser: it shows photographs and overlays, asks for nothing from outside, and logs no error.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/child.js';
import { sample } from '../support/samples.js';
import { command, has } from './support.js';

describe.skipIf(!has('chromium'))('HTML report in Chromium', () => {
  let folder = '';
  let report = '';
  const chromium = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    command('chromium', [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${path.join(folder, 'profile')}`,
      '--window-size=1200,1600',
      ...args,
      pathToFileURL(report).href,
    ]);

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-report-'));
    report = path.join(folder, 'report.html');
    const cli = path.join(root, 'dist', 'cli', 'main.js');
    await command(process.execPath, [cli, 'analyze', sample(1), sample(2), '--report', report]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has overlays in the page, and no address to fetch', async () => {
    const { stdout } = await chromium('--dump-dom');
    expect(stdout.match(/<svg/g)?.length ?? 0).toBeGreaterThanOrEqual(2);
    expect(stdout).not.toMatch(/(src|href)="https?:/);
    expect(stdout).not.toMatch(/url\(\s*['"]?https?:/);
  });

  it('draws: the screenshot has pictures in it', async () => {
    const shot = path.join(folder, 'shot.png');
    const { stderr } = await chromium(`--screenshot=${shot}`, '--enable-logging=stderr');
    expect(stderr).not.toMatch(/CONSOLE.*(error|Uncaught)/i);
    const { channels } = await sharp(shot).removeAlpha().stats();
    // A blank page has no contrast and no colour.
    expect(Math.max(...channels.map((channel) => channel.stdev))).toBeGreaterThan(20);
  });
});
