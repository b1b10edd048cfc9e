import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('scripts/figures.mjs', () => {
  let tree = '';
  const readme = (): string => readFileSync(path.join(tree, 'README.md'), 'utf8');
  const all = (): string => readFileSync(path.join(tree, 'benchmarks', 'FIGURES.md'), 'utf8');
  const run = (...args: string[]): { status: number | null; stderr: string } => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(tree, 'scripts', 'figures.mjs'), ...args], {
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  const result = (figures: object[]): void => {
    const machine = { cpu: 'A processor', threads: 2, load: [0.5, 0, 0], node: 'v20.0.0' };
    writeFileSync(
      path.join(tree, 'benchmarks', 'results', 'speed.json'),
      JSON.stringify({ name: 'speed', date: '2026-11-21T00:00:00Z', machine, figures }),
    );
  };

  beforeEach(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'lineament-figures-'));
    mkdirSync(path.join(tree, 'scripts'));
    mkdirSync(path.join(tree, 'benchmarks', 'results'), { recursive: true });
    for (const name of ['scripts/figures.mjs', 'README.md']) cpSync(path.join(root, name), path.join(tree, name));
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  it('writes what the results hold, says what missed its goal, and is stable', () => {
    result([
      {
        id: 'speed.good',
        value: 12.3456,
        unit: 'times',
        goal: 10,
        better: 'higher',
        peer: 'a | peer',
        note: 'two\nlines',
      },
      { id: 'speed.bad', value: 30, unit: 'ms', goal: 10, better: 'lower', peer: null, note: '' },
      { id: 'speed.none', value: null, unit: 'ms', goal: 10, better: 'lower', peer: null, note: '' },
      { id: 'speed.free', value: 1234.5, unit: 'MB', goal: null, better: 'lower', peer: null, note: '' },
    ]);
    expect(run().status).toBe(0);
    const text = readme();
    expect(text).toContain('| `speed.good` | 12.3 times | ≥ 10 | yes | a \\| peer |\n');
    expect(text).toContain('| `speed.bad` | 30 ms | ≤ 10 | **no** |');
    expect(text).toContain('| `speed.none` | not measured | ≤ 10 | not measured |');
    expect(text).not.toContain('speed.free');
    expect(all()).toContain('| `speed.good` | 12.3 times | ≥ 10 | yes | a \\| peer | two lines |');
    expect(all()).toContain('| `speed.free` | 1,235 MB |');
    expect(all()).toContain('measured 2026-11-21, A processor, 2 threads, Node v20.0.0, load 0.5.');
    run();
    expect(readme()).toBe(text);
    expect(run('--check').status).toBe(0);
    result([{ id: 'speed.good', value: 11, unit: 'times', goal: 10, better: 'higher', peer: null, note: '' }]);
    expect(run('--check')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("run 'node scripts/figures.mjs'") as unknown,
    });
    expect(readme()).toBe(text);
  });

  it('says so where nothing is measured, and leaves the rest of the document alone', () => {
    writeFileSync(path.join(tree, 'benchmarks', 'results', 'notes.json'), '{"no":"figures"}');
    const before = readme();
    run();
    const after = readme();
    expect(after).toContain('_Not measured yet');
    expect(after.split('<!-- figures: begin')[0]).toBe(before.split('<!-- figures: begin')[0]);
    expect(after.split('<!-- figures: end -->')[1]).toBe(before.split('<!-- figures: end -->')[1]);
  });
});
