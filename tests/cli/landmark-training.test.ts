import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveShared, shared } from '../support/samples.js';
import { lineament, sample, start } from './run.js';

let folder = '';
let data = '';
const file = (name: string): string => path.join(folder, name);

interface Found {
  readonly images: readonly {
    readonly path: string;
    readonly faces: readonly { readonly box: number[]; readonly landmarks: number[][] }[];
  }[];
}

/** The faces of the sample photographs, labelled by the program itself, as an imglab file. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-training-'));
  data = file('faces.xml');
  const { stdout } = await lineament(['detect', '--json', ...[1, 2, 3, 4, 5, 6].map(sample)]);
  const images = (JSON.parse(stdout) as Found).images.map(({ path: name, faces }) => {
    const boxes = faces.map(({ box: [x = 0, y = 0, w = 0, h = 0], landmarks }) => {
      const parts = landmarks.map(
        ([px = 0, py = 0], i) => `<part name='${i}' x='${(px - 0.5).toFixed(3)}' y='${(py - 0.5).toFixed(3)}'/>`,
      );
      return `<box left='${x}' top='${y}' width='${w}' height='${h}'>${parts.join('')}</box>`;
    });
    return `<image file='${name}'>\n${boxes.join('\n')}\n</image>`;
  });
  writeFileSync(data, `<dataset><images>\n${images.join('\n')}\n</images></dataset>\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = [
  '--cascade-depth',
  '3',
  '--trees',
  '10',
  '--tree-depth',
  '3',
  '--oversampling',
  '4',
  '--features',
  '60',
  '--nu',
  '0.3',
];

describe('lineament train-landmarks', () => {
  it('trains, measures and says so; the same for people and as JSON', async () => {
    const model = file('a.lmk');
    const args = ['train-landmarks', data, '-o', model, ...SMALL, '--mirror', '--seed', 'x', '--test', data];
    const json = await lineament([...args, '--json']);
    expect([json.code, json.stderr]).toEqual([0, '']);
    const trained = JSON.parse(json.stdout) as Record<string, number> & { test: Record<string, number> };
    expect(trained).toMatchObject({
      output: model,
      points: 68,
      cascades: 3,
      trees: 10,
      depth: 3,
      faces: 44,
      pictures: 12,
    });
    expect(trained['bytes']).toBe(readFileSync(model).length);
    expect(trained.test['mean']).toBeLessThan(0.12);
    const bytes = readFileSync(model);
    const human = await lineament(args);
    expect(human.code).toBe(0);
    expect(human.stdout).toContain('3 cascades of 10 trees of depth 3');
    expect(human.stdout).toContain('learned from 44 faces on 12 pictures');
    expect(human.stderr).toContain('[6/6] pictures: read');
    expect(human.stderr).toContain('[3/3] cascade');
    expect(readFileSync(model).equals(bytes)).toBe(true);
  });

  it('is stopped by a signal and goes on from its checkpoint to the same model', async () => {
    const long = ['--cascade-depth', '6', '--trees', '300', '--oversampling', '20', '--threads', '1'];
    const args = ['train-landmarks', data, ...long];
    const run = start([...args, '-o', file('b.lmk'), '--resume', file('b.part')]);
    run.child.stderr?.on('data', (text: string) => {
      if (text.includes('[1/6]') && text.includes('cascade')) run.child.kill('SIGINT');
    });
    const stopped = await run.end;
    expect([stopped.code, existsSync(file('b.lmk'))]).toEqual([130, false]);
    expect(stopped.stderr).toContain(`goes on from ${file('b.part')}`);
    const resumed = await lineament([...args, '-o', file('b.lmk'), '--resume', file('b.part')]);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain('(resumed)');
    expect((await lineament([...args, '-o', file('c.lmk'), '--quiet'])).code).toBe(0);
    expect(readFileSync(file('b.lmk')).equals(readFileSync(file('c.lmk')))).toBe(true);
  });

  it.each([
    ['no output', [], 'Expected -o FILE'],
    ['an option out of range', ['-o', 'x.lmk', '--nu', '2'], 'for --nu'],
    ['an unknown format', ['-o', 'x.lmk', '--format', 'onnx'], 'Expected one of compact, dlib'],
    ['unknown boxes', ['-o', 'x.lmk', '--boxes', 'mine'], 'Expected one of given, points, detector'],
    ['a folder that is not there', ['-o', '/no/such/folder/x.lmk'], 'nothing can be written'],
  ])('refuses %s with 2', async (_name, args, said) => {
    const { code, stdout, stderr } = await lineament(['train-landmarks', data, ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });

  it('names file and line of a mistake in the data', async () => {
    const bad = file('bad.xml');
    writeFileSync(bad, readFileSync(data, 'utf8').replace("name='3'", "name='2'"));
    const { code, stderr } = await lineament(['train-landmarks', bad, '-o', file('x.lmk'), '--json']);
    expect(code).toBe(2);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(`${bad}:3: the box of line 3 has part '2' twice`);
  });
});

describe('lineament evaluate-landmarks', () => {
  it('measures the network and a model side by side, as text, JSON and a chart', async () => {
    const model = file('e.lmk');
    expect((await lineament(['train-landmarks', data, '-o', model, ...SMALL, '-q'])).code).toBe(0);
    const chart = file('ced.svg');
    const json = await lineament(['evaluate-landmarks', 'network', model, data, '--json', '--svg', chart]);
    expect(json.code).toBe(0);
    const { evaluations } = JSON.parse(json.stdout) as {
      evaluations: {
        predictor: string;
        faces: number;
        mean: number;
        auc: number;
        curve: number[][];
        errors: object[];
      }[];
    };
    expect(evaluations.map(({ predictor }) => predictor)).toEqual(['faceapi_landmarks68', model]);
    const [network, trained] = evaluations;
    expect(network).toMatchObject({ faces: 22 });
    // The labels are the network's own, rounded to hundredths of a pixel.
    expect(network!.mean).toBeLessThan(0.001);
    expect(trained!.mean).toBeGreaterThan(network!.mean);
    expect(network!.errors).toHaveLength(22);
    expect(network!.curve.at(-1)).toEqual([0.16, 1]);
    const svg = readFileSync(chart, 'utf8');
    expect(svg).toContain('faceapi_landmarks68');
    expect(svg).toContain('</svg>');
    const human = await lineament([
      'evaluate-landmarks',
      'network',
      data,
      '--boxes',
      'detector',
      '--normalise',
      'diagonal',
      '-q',
    ]);
    expect([human.code, human.stderr]).toEqual([0, '']);
    expect(human.stdout).toContain("22 faces on 6 pictures, errors over the points' diagonal");
    expect(human.stdout).toContain('innerLips');
  });

  it.skipIf(!haveShared('faces/landmarks68/faces.xml'))(
    "measures the network on dlib's example faces (../shared)",
    async () => {
      const { code, stdout } = await lineament([
        'evaluate-landmarks',
        'network',
        shared('faces/landmarks68/faces.xml'),
        '--json',
      ]);
      expect(code).toBe(0);
      const { evaluations } = JSON.parse(stdout) as { evaluations: { faces: number; median: number }[] };
      expect(evaluations[0]?.faces).toBe(18);
      // Small faces, whole pixels, and another model's labels.
      expect(evaluations[0]?.median).toBeLessThan(0.09);
    },
  );

  it('refuses a model that is none and data that is not there', async () => {
    const bad = file('bad.lmk');
    writeFileSync(bad, 'nothing');
    const model = await lineament(['evaluate-landmarks', bad, data, '-q']);
    expect([model.code, model.stderr.includes('MODEL_CORRUPT')]).toEqual([2, true]);
    const missing = await lineament(['evaluate-landmarks', 'network', file('none.xml')]);
    expect([missing.code, missing.stderr.includes('no such file')]).toEqual([2, true]);
  });
});

describe('lineament convert-landmarks', () => {
  it("writes dlib's format and comes back", async () => {
    const model = file('v.lmk');
    expect((await lineament(['train-landmarks', data, '-o', model, ...SMALL, '-q'])).code).toBe(0);
    const there = await lineament(['convert-landmarks', model, file('v.dat')]);
    expect([there.code, there.stderr]).toEqual([0, '']);
    expect(there.stdout).toContain('compact → dlib');
    const back = await lineament(['convert-landmarks', file('v.dat'), file('w.lmk'), '--json']);
    expect(JSON.parse(back.stdout)).toMatchObject({ from: 'dlib', to: 'compact', points: 68, cascades: 3, trees: 10 });
    const wrong = await lineament(['convert-landmarks', data, file('x.lmk')]);
    expect([wrong.code, wrong.stderr.includes('MODEL_CORRUPT')]).toEqual([2, true]);
  });
});
