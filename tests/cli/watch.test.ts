import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveScreen, newLiveState, remember, viewLines } from '../../lib/cli/live-view.js';
import { displayWidth, makeTerminal } from '../../lib/cli/terminal.js';
import { LatencyHistogram, type PipelineEvent, STAGES } from '../../lib/pipeline/index.js';
import { lineament, sample, start } from './run.js';

let folder = '';
let photos = '';

/** One photograph again and again: three people who stay. */
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-watch-'));
  photos = path.join(folder, 'photos');
  mkdirSync(photos);
  for (let i = 10; i < 40; i++) copyFileSync(sample(1), path.join(photos, `${i}.jpg`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parsed = (stdout: string): (PipelineEvent | { type: 'summary'; stats: { cameras: { taken: number }[] } })[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('lineament watch', () => {
  it('writes a line for each event, and ends with its sources', async () => {
    const { code, stdout, stderr } = await lineament(['watch', `hall=${photos}`]);
    expect(stderr).toMatch(/^\d+ frames, \d+ looked at, \d+ dropped; \d+ events; from frame to event .* ms/);
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d {2}hall {2}camera {6}running$/);
    expect(lines.at(-1)).toMatch(/ {2}hall {2}camera {6}ended$/);
    expect(lines.filter((line) => / {2}appeared {4}#\d$/.test(line))).toHaveLength(3);
    expect(lines.filter((line) => / {2}left {8}#\d after \d\.\d s$/.test(line))).toHaveLength(3);
  });

  it('records what it sees, and gives the same events whenever that is played again', async () => {
    const session = path.join(folder, 'session');
    const first = await lineament(['watch', `hall=${photos}`, '--record', session, '--json']);
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const replay = async (): Promise<PipelineEvent[]> => {
      const { code, stdout, stderr } = await lineament(['watch', '--replay', session, '--json']);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const events = parsed(stdout);
      const summary = events.pop();
      expect(summary).toMatchObject({ type: 'summary', events: 0, untold: 0, frames: 0, clips: 0 });
      return events as PipelineEvent[];
    };
    const [a, b] = [await replay(), await replay()];
    expect(a.filter(({ type }) => type === 'appeared')).toHaveLength(3);
    expect(a.map(({ camera }) => camera)).toEqual(a.map(() => 'hall'));
    expect(b).toEqual(a);
  });

  it('keeps strangers and knows them again, and tells of regions and lines', async () => {
    const data = path.join(folder, 'data');
    const args = ['watch', photos, '--data', data, '--json', '--zone', 'all=0,0,1,0,1,1,0,1', '--every', '2'];
    const strangers = async (): Promise<Set<string>> => {
      const { code, stdout } = await lineament(args);
      expect(code).toBe(0);
      const events = parsed(stdout) as PipelineEvent[];
      expect(events.filter((one) => one.type === 'zone' && one.action === 'entered')).toHaveLength(3);
      const all = events.filter((one) => one.type === 'stranger');
      for (const one of all) expect(one.identity?.id).toMatch(/^Person_[0-9A-F]{8}$/);
      return new Set(all.map(({ identity }) => identity!.id!));
    };
    const before = await strangers();
    expect(before.size).toBeGreaterThan(0);
    for (const id of await strangers()) expect(before).toContain(id);
  });

  it('ends after the seconds that it is given, however long its sources go on', async () => {
    const { code, stdout, stderr } = await lineament(['watch', photos, '--json', '--seconds', '0.1']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const summary = parsed(stdout).at(-1) as { stats: { cameras: { taken: number }[] } };
    expect(summary.stats.cameras[0]?.taken).toBeLessThan(30);
  });

  it('ends cleanly with Ctrl-C', async () => {
    const { child, end } = start(['watch', photos, '--json']);
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await end;
    expect(stderr).toBe('');
    expect(code).toBe(130);
    expect(parsed(stdout).at(-1)).toMatchObject({ type: 'summary', events: 0 });
    expect(parsed(stdout).at(-2)).toMatchObject({ type: 'camera', state: 'ended' });
  });

  it('refuses what makes no sense', async () => {
    const refused: [string[], RegExp][] = [
      [['watch'], /give cameras, or a recorded session/],
      [['watch', photos, '--replay', folder], /and not both/],
      [['watch', '--replay', folder], /there is no recorded session/],
      [['watch', photos, '--zone', 'a=0,0,1,1'], /at least three corners/],
      [['watch', photos, '--line', 'a=0,0,1,2'], /Expected NAME=x,y,x,y for --line/],
      [['watch', photos, '--clips'], /clips/],
      [['watch', path.join(folder, 'nothing')], /CAMERA_NOT_FOUND/],
      [['watch', photos, photos], /two cameras are named/],
    ];
    for (const [args, message] of refused) {
      const { code, stderr } = await lineament(args);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }
  });
});

describe('the view', () => {
  const written: string[] = [];
  const output = { isTTY: true, columns: 60, write: (text: string) => written.push(text) > 0 };
  const { style } = makeTerminal(output, output, { FORCE_COLOR: '1' }, false);
  const none = new LatencyHistogram().summary();

  it('has a block for each camera, no line wider than the terminal', () => {
    const state = newLiveState();
    expect(viewLines(state, 60, style)).toEqual([]);
    const one = { taken: 9, overtaken: 1, detected: 8, predicted: 0, failed: 0, tracks: 1, latency: none };
    state.stats = {
      cameras: [
        { camera: 'door', state: 'lost', ...one },
        { camera: 'an entrance with a long name\u001b[2J', state: 'running', ...one },
      ],
      stages: Object.fromEntries(STAGES.map((stage) => [stage, none])) as never,
      events: { told: 3, waiting: 0, lost: 0 },
      listeners: { consumers: 1, queued: 0, lost: 2, failures: 0 },
      memory: { rss: 2 ** 28, heap: 0, external: 0, networks: 0 },
    };
    for (let n = 0; n < 5; n++) {
      remember(state, {
        id: `${n}`,
        camera: 'door',
        timestamp: n * 1000,
        track: n,
        type: 'recognised',
        identity: { kind: 'known', id: 'ada', name: 'Ada\u001b[31m 山田', looks: 1, weight: 1, similarity: 0.912 },
      });
    }
    const lines = viewLines(state, 60, style);
    expect(lines).toHaveLength(8);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(60);
    for (const bad of ['\u001b[2J', '\u001b[31m 山']) expect(lines.join('\n')).not.toContain(bad);
    expect(lines[4]).toContain('00:00:04');
    expect(lines[4]).toContain('recognised');
    expect(lines.at(-1)).toContain('3 events, 2 lost');
  });

  it('is drawn in its place', () => {
    written.length = 0;
    const screen = new LiveScreen(output);
    screen.draw(['a', 'b']);
    screen.draw(['c']);
    screen.end();
    screen.end();
    expect(written).toEqual([
      '\u001b[?25l\ra\u001b[K\n\rb\u001b[K\n\u001b[J',
      '\u001b[2A\rc\u001b[K\n\u001b[J',
      '\u001b[?25h',
    ]);
  });
});
