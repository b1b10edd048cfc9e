import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
      'gallery.mjs',
      'guidance.mjs',
      'kiosk.mjs',
      'mesh.mjs',
      'search.mjs',
      'service.mjs',
      'storage.mjs',
      'templates.mjs',
      'verify.mjs',
      'watch.mjs',
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

  it('mesh.mjs writes a face in 3D, and a page to look at it', async () => {
    const file = path.join(folder, 'face.glb');
    const lines = (await run('mesh.mjs', sample(2), file)).trim().split('\n');
    expect(lines.filter((line) => /^\d+ triangles, vertices within \d+\.\d\d mm$/.test(line))).toHaveLength(4);
    expect(lines.filter((line) => /: \d+ mm$/.test(line))).toHaveLength(3);
    expect(readFileSync(file).subarray(0, 4).toString()).toBe('glTF');
    expect(readFileSync(path.join(folder, 'face.html'), 'utf8')).toContain('<title>A face in 3D</title>');
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

  it('gallery.mjs enrols, finds, is corrected and deletes', async () => {
    const lines = (await run('gallery.mjs', path.join(folder, 'gallery'), sample(1), sample(1), sample(2)))
      .trim()
      .split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'sample1: enrolled (1 sample)',
      'sample2: enrolled (1 sample)',
      'compared with 2 templates',
    ]);
    expect(lines).toContain('this is sample1');
    expect(lines).toContainEqual(
      expect.stringMatching(/^told that it is not sample1: (this is sample2|nobody known)$/),
    );
    expect(lines.at(-1)).toBe('sample1 was deleted: 1 vector, receipt signed');
  });

  it('templates.mjs makes a template of photographs that agree', async () => {
    const printed = await run('templates.mjs', sample(1), sample(1), sample(1));
    expect(printed).toContain('duplicate');
    expect(printed).toMatch(/same person: similarity 1\.000/);
    expect(await run('templates.mjs', sample(1), sample(1), sample(2))).toContain('Samples do not make a template');
  });

  it('search.mjs writes, maps, searches, changes and saves an index', async () => {
    const lines = (await run('search.mjs', '7000')).trim().split('\n');
    expect(lines[0]).toMatch(/^7000 vectors in \d MiB$/);
    expect(lines[1]).toMatch(/^key 5000: similarity 1\.000; next 0\.\d{3}$/);
    expect(lines[2]).toMatch(/^in group 1, \d+ above 0\.2$/);
    expect(lines[3]).toBe('after a change: key 7000, 7000 vectors, revision 7002');
  });

  it('service.mjs serves, enrols, finds and erases', async () => {
    const lines = (await run('service.mjs', 'Ada', sample(1), sample(1))).trim().split('\n');
    expect(lines[0]).toBe('Ada: 1 sample');
    expect(lines.filter((line) => /^face at \d+,\d+: Ada$/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => line.endsWith(': nobody known'))).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^erased, receipt [0-9a-f-]{36}$/);
  });

  it('storage.mjs stores the faces of one photograph and finds them', async () => {
    const lines = (await run('storage.mjs', sample(1), sample(1))).trim().split('\n');
    expect(lines[0]).toBe('3 faces stored');
    expect(lines.slice(1)).toHaveLength(3);
    for (const [i, line] of lines.slice(1).entries())
      expect(line).toBe(`probe ${i + 1}: face ${i + 1} of visitors, similarity 1.000`);
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

  it('watch.mjs says who comes and goes, and ends with its source', async () => {
    const photos = path.join(folder, 'photos');
    mkdirSync(photos);
    for (let i = 10; i < 40; i++) copyFileSync(sample(1), path.join(photos, `${i}.jpg`));
    const lines = (await run('watch.mjs', photos)).trim().split('\n');
    expect(lines.filter((line) => /^person \d appeared at \d+, \d+, \d+, \d+$/.test(line))).toHaveLength(3);
    expect(lines.filter((line) => /^person \d left after \d\.\d s$/.test(line))).toHaveLength(3);
    expect(lines.at(-2)).toMatch(/^\d+ frames, \d+ dropped$/);
    expect(lines.at(-1)).toMatch(/^from frame to event: \d+ ms in half of the cases, \d+ in 95 of 100$/);
  });
});
