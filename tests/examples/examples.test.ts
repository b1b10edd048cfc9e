import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const sample = (number: number): string =>
  path.join(root, 'node_modules', '@vladmandic', 'face-api', 'demo', `sample${number}.jpg`);

/** Runs an example as its first lines say, and gives what it printed. */
async function run(name: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await execute(process.execPath, [path.join('examples', name), ...args], { cwd: root });
  expect(stderr).toBe('');
  return stdout;
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('examples', () => {
  it('are all run here', () => {
    expect(readdirSync(path.join(root, 'examples')).sort()).toEqual([
      'detect.mjs',
      'folder.mjs',
      'guidance.mjs',
      'kiosk.mjs',
      'verify.mjs',
      'worker.mjs',
    ]);
  });

  it('detect.mjs prints the faces', async () => {
    const lines = (await run('detect.mjs', sample(1))).trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(
        /^face at \d+,\d+ \(\d+ × \d+ px\), score (?:0\.\d\d|1\.00), turned -?\d+°, looks \d+ and \w+$/,
      );
  });

  it('verify.mjs knows a person from another, and says when there is no face', async () => {
    expect(await run('verify.mjs', sample(1), sample(1))).toMatch(/^same person: similarity 1\.000/);
    expect(await run('verify.mjs', sample(1), sample(2))).toMatch(/^different people: similarity -?0\.\d{3}/);
    const grey = path.join(folder, 'grey.png');
    await sharp({ create: { width: 200, height: 150, channels: 3, background: '#808080' } })
      .png()
      .toFile(grey);
    expect(await run('verify.mjs', sample(1), grey)).toMatch(/^No face found/);
    rmSync(grey);
  });

  it('guidance.mjs says what to mend, with the measure behind it', async () => {
    const lines = (await run('guidance.mjs', sample(2))).trim().split('\n');
    expect(lines[0]).toMatch(/^quality \d+ of 100$/);
    // The face on this photograph is turned to the picture's left: to its own left is back to the front.
    expect(lines).toContainEqual(
      expect.stringMatching(/^- Turn your head a little to the left\. {2}\(headPoseYaw: -\d/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^looks -\d+° aside, -?\d+° up, from \d+ cm$/));
  });

  it('folder.mjs writes one line for each file, in order, bad ones included', async () => {
    for (const number of [2, 4, 1]) copyFileSync(sample(number), path.join(folder, `${number}.jpg`));
    writeFileSync(path.join(folder, '3.jpg'), 'no picture');
    const lines = (await run('folder.mjs', folder))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; faces?: unknown[]; error?: string });
    expect(lines.map(({ name, faces, error }) => [name, faces?.length ?? error])).toEqual([
      ['1.jpg', 3],
      ['2.jpg', 3],
      ['3.jpg', 'IMAGE_UNSUPPORTED'],
      ['4.jpg', 4],
    ]);
  });

  it('worker.mjs runs an engine in a worker thread and ends by itself', async () => {
    expect(await run('worker.mjs', sample(1))).toBe('the worker found 3 faces\n');
  });

  it('kiosk.mjs looks at frames, gives up those that are overtaken, and ends', async () => {
    const output = await run('kiosk.mjs', sample(3), '1.5');
    const [, frames = '', looked = '', overtaken = '', faces = ''] =
      /^(\d+) frames: (\d+) looked at, (\d+) overtaken, (\d+) faces/.exec(output) ?? [];
    expect(Number(frames)).toBeGreaterThan(0);
    expect(Number(looked) + Number(overtaken)).toBe(Number(frames));
    expect(Number(looked)).toBeGreaterThan(0);
    expect(Number(faces)).toBe(Number(looked));
  });
});
