import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapInOrder } from '../../lib/cli/batch.js';
import { findTargets, patternToRegExp } from '../../lib/cli/files.js';
import { barText, duration, makeProgress } from '../../lib/cli/progress.js';
import { displayWidth, makeTerminal, type Output, printable, table, wantsColour } from '../../lib/cli/terminal.js';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A stream that remembers. */
function memory(isTTY: boolean): Output & { text: string } {
  return {
    isTTY,
    columns: 80,
    text: '',
    write(text: string) {
      this.text += text;
      return true;
    },
  };
}

describe('mapInOrder', () => {
  it('gives results in the order of the items whatever finishes first, and never has more than `width` in flight', async () => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    const work = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      await wait((7 - item) * 3);
      running--;
      return item * 10;
    };
    for await (const outcome of mapInOrder([0, 1, 2, 3, 4, 5, 6], 3, new AbortController().signal, work)) {
      if ('value' in outcome) seen.push(outcome.value);
    }
    expect(seen).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(most).toBe(3);
  });

  it('keeps the rest going when one fails', async () => {
    const outcomes: string[] = [];
    const work = async (item: number): Promise<number> => {
      if (item === 1) throw new Error('broken');
      return item;
    };
    for await (const outcome of mapInOrder([0, 1, 2], 2, new AbortController().signal, work)) {
      outcomes.push('error' in outcome ? `error ${outcome.index}` : `value ${outcome.value}`);
    }
    expect(outcomes).toEqual(['value 0', 'error 1', 'value 2']);
  });

  it('begins nothing once it is aborted, and waits for what is in flight', async () => {
    const controller = new AbortController();
    const begun: number[] = [];
    let ended = 0;
    const work = async (item: number): Promise<number> => {
      begun.push(item);
      if (item === 1) controller.abort();
      await wait(5);
      ended++;
      return item;
    };
    for await (const _ of mapInOrder([0, 1, 2, 3, 4], 2, controller.signal, work)) {
      // results until the abort
    }
    expect(begun).toEqual([0, 1]);
    expect(ended).toBe(2);
  });

  it('waits for what is in flight when the consumer leaves', async () => {
    let ended = 0;
    const work = async (item: number): Promise<number> => {
      await wait(item * 5);
      ended++;
      return item;
    };
    for await (const _ of mapInOrder([0, 1, 2, 3], 3, new AbortController().signal, work)) break;
    expect(ended).toBe(3);
  });
});

describe('patterns', () => {
  it.each([
    ['*.jpg', 'a.jpg', true],
    ['*.jpg', 'sub/a.jpg', false],
    ['**/*.jpg', 'a.jpg', true],
    ['**/*.jpg', 'x/y/a.jpg', true],
    ['x/**', 'x/y/a.jpg', true],
    ['photo?.png', 'photo1.png', true],
    ['photo?.png', 'photo10.png', false],
    ['photo[0-3].png', 'photo2.png', true],
    ['photo[!0-3].png', 'photo2.png', false],
    ['a[!x]b', 'a/b', false],
    ['*.{jpg,png}', 'a.png', true],
    ['*.{jpg,png}', 'a.gif', false],
    ['a+b(1).jpg', 'a+b(1).jpg', true],
    ['a.jpg', 'axjpg', false],
    ['[', '[', true],
    ['{a', '{a', true],
  ])('%s on %s: %s', (pattern, name, matches) => {
    expect(patternToRegExp(pattern).test(name)).toBe(matches);
  });
});

describe('findTargets', () => {
  let tree = '';
  beforeAll(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'lineament-files-'));
    for (const name of [
      'b10.jpg',
      'b2.JPG',
      'a.txt',
      '.hidden.jpg',
      'sub/c.webp',
      'sub/deep/d.png',
      'empty/readme.md',
    ]) {
      mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
      writeFileSync(path.join(tree, name), '');
    }
  });
  afterAll(() => rmSync(tree, { recursive: true, force: true }));
  const names = async (...args: string[]): Promise<string[]> =>
    (await findTargets(args.map((name) => path.join(tree, name)))).map(({ path: p }) =>
      path.relative(tree, p).split(path.sep).join('/'),
    );

  it('searches a directory to its bottom in natural order, photographs only, hidden files left out', async () => {
    expect(await names('.')).toEqual(['b2.JPG', 'b10.jpg', 'sub/c.webp', 'sub/deep/d.png']);
  });

  it('keeps the order of the arguments and takes a file once', async () => {
    expect(await names('sub', 'b10.jpg', 'sub/c.webp', '.')).toEqual([
      'sub/c.webp',
      'sub/deep/d.png',
      'b10.jpg',
      'b2.JPG',
    ]);
  });

  it('takes a named file whatever its extension, there or not', async () => {
    expect(await findTargets([path.join(tree, 'a.txt'), path.join(tree, 'none.jpg')])).toEqual([
      { path: path.join(tree, 'a.txt') },
      { path: path.join(tree, 'none.jpg') },
    ]);
  });

  it('expands patterns that the shell left alone', async () => {
    expect(await names('*.{jpg,JPG}')).toEqual(['b2.JPG', 'b10.jpg']);
    expect(await names('**/*.png')).toEqual(['sub/deep/d.png']);
  });

  it('reports a directory or a pattern without photographs', async () => {
    for (const name of ['empty', 'nothing*.jpg', 'nowhere/*.jpg']) {
      const [target] = await findTargets([path.join(tree, name)]);
      expect(target?.error).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      expect(target?.error?.fix).toBeTruthy();
    }
  });
});

describe('terminal', () => {
  it('colours a terminal and nothing else, as NO_COLOR and FORCE_COLOR say', () => {
    const tty = memory(true);
    const pipe = memory(false);
    expect(wantsColour(tty, {}, false)).toBe(true);
    expect(wantsColour(pipe, {}, false)).toBe(false);
    expect(wantsColour(tty, { NO_COLOR: '1' }, false)).toBe(false);
    expect(wantsColour(tty, { NO_COLOR: '' }, false)).toBe(true);
    expect(wantsColour(tty, { TERM: 'dumb' }, false)).toBe(false);
    expect(wantsColour(pipe, { FORCE_COLOR: '1' }, false)).toBe(true);
    expect(wantsColour(pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false)).toBe(false);
    expect(wantsColour(tty, {}, true)).toBe(false);
  });

  it('lines up columns, colours and wide characters included, and drops empty columns', () => {
    const { style } = makeTerminal(memory(true), memory(true), {}, false);
    const text = table(
      [{ title: 'name' }, { title: 'none' }, { title: 'n', right: true }],
      [
        ['名前', '', '5'],
        [style.red('a'), '', '10'],
      ],
      style,
    );
    const [head = '', first = '', second = ''] = text.split('\n');
    expect(text).not.toContain('none');
    expect([head, first, second].map(displayWidth)).toEqual([8, 8, 8]);
    expect(displayWidth('😀')).toBe(2);
  });

  it('makes control characters visible', () => {
    expect(printable('a\u001b[31mb\nc\u202e')).toBe('a\\u001b[31mb\\u000ac\\u202e');
  });
});

describe('progress', () => {
  it('says how much is done, how fast, and when it ends', () => {
    const text = barText(10, 40, 5, 'photo.jpg', 100);
    expect(text).toContain('10/40');
    expect(text).toContain('25 %');
    expect(text).toContain('2.0/s');
    expect(text).toContain('ETA 15 s');
    expect(text).toContain('photo.jpg');
    expect(barText(40, 40, 5, '', 100)).not.toContain('ETA');
    expect(displayWidth(barText(3, 7, 1, 'x'.repeat(300), 60))).toBeLessThanOrEqual(60);
  });

  it('says durations as people do', () => {
    expect([0.4, 59.6, 125, 4210].map(duration)).toEqual(['0 s', '1 min 00 s', '2 min 05 s', '1 h 10 min']);
  });

  it('draws a bar on a terminal and takes it away, writes plain lines elsewhere, and is silent for one or when told', () => {
    const tty = memory(true);
    const bar = makeProgress(makeTerminal(memory(true), tty, {}, false), 2, false, () => 0);
    bar.step('a.jpg', '1 face');
    bar.step('b.jpg', '1 face');
    bar.end();
    expect(tty.text).toContain('━');
    expect(tty.text.endsWith('\r\u001b[2K')).toBe(true);
    const pipe = memory(false);
    const lines = makeProgress(makeTerminal(memory(false), pipe, {}, false), 2, false, () => 0);
    lines.step('a.jpg', '1 face');
    lines.step('b.jpg', 'no face');
    lines.end();
    expect(pipe.text).toBe('[1/2] a.jpg: 1 face\n[2/2] b.jpg: no face\n');
    for (const [total, quiet] of [
      [1, false],
      [5, true],
    ] as const) {
      const silent = memory(true);
      makeProgress(makeTerminal(memory(true), silent, {}, false), total, quiet).step('a', 'b');
      expect(silent.text).toBe('');
    }
  });
});
