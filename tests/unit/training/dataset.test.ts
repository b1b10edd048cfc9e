import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { countFaces, readDataset, writeImglab } from '../../../lib/training/index.js';
import { parsePts } from '../../../lib/training/pts.js';
import { Random } from '../../../lib/training/random.js';
import { decodeXml, parseXml } from '../../../lib/training/xml.js';
import { haveShared, shared } from '../../support/samples.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-dataset-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function put(name: string, text: string): string {
  const file = path.join(folder, `${files++}`, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: { code: string; message: string }) => error,
  );
}

const xml = (body: string): string => `<?xml version='1.0'?>\n<dataset>\n<images>\n${body}\n</images>\n</dataset>\n`;
const face = (parts: string): string =>
  xml(`<image file='a.jpg'>\n<box top='10' left='20' width='30' height='40'>\n${parts}\n</box>\n</image>`);

describe('an imglab file', () => {
  it('gives boxes, and points half a pixel further, in the order of their names', async () => {
    const file = put(
      'faces.xml',
      xml(`<image file='sub/a &amp; b.jpg' width='100' height='80'>
<box top='10' left='20' width='30' height='40'><label>x</label>
<part name='2' x='25' y='15'/><part name='10' x='1.25' y='-3'/><part name='1' x='24' y='14'/></box>
<box top='1' left='2' width='3' height='4' ignore='1'><part name='9' x='2' y='2'/></box>
<box top='1' left='2' width='3' height='4'/>
<box top='5' left='6' width='7' height='8'><part name='1' x='0' y='0'/></box>
</image>
<image file='/somewhere/c.jpg'/>`),
    );
    const data = await readDataset(file);
    expect(data.names).toEqual(['1', '2', '10']);
    expect(data.ignored).toBe(2);
    expect(countFaces(data)).toBe(2);
    const [first, second] = data.pictures;
    expect(first).toMatchObject({
      path: path.join(path.dirname(file), 'sub', 'a & b.jpg'),
      source: file,
      line: 4,
      size: { width: 100, height: 80 },
    });
    expect(first?.faces).toEqual([
      {
        box: [20, 10, 30, 40],
        line: 5,
        points: [
          [24.5, 14.5],
          [25.5, 15.5],
          [1.75, -2.5],
        ],
      },
      { box: [6, 5, 7, 8], line: 9, points: [[0.5, 0.5], undefined, undefined] },
    ]);
    expect(second).toMatchObject({ path: '/somewhere/c.jpg', faces: [] });
  });

  it('sorts names that are no numbers as dlib does', async () => {
    const parts = ['nose', 'Eye', 'ear'].map((name, i) => `<part name='${name}' x='${i}' y='0'/>`).join('');
    expect((await readDataset(put('n.xml', face(parts)))).names).toEqual(['Eye', 'ear', 'nose']);
  });

  it.each([
    ['a part twice', face(`<part name='0' x='1' y='1'/>\n<part name='0' x='1' y='1'/>`), 7, 'twice'],
    ['a part without a name', face(`<part x='1' y='1'/>`), 6, "no 'name'"],
    ['a coordinate that is a word', face(`<part name='0' x='left' y='1'/>`), 6, "'x' of <part> is no number"],
    ['a coordinate that is NaN', face(`<part name='0' x='1' y='NaN'/>`), 6, "'y' of <part> is no number"],
    ['a coordinate without end', face(`<part name='0' x='${'9'.repeat(40)}' y='1'/>`), 6, 'is no number'],
    [
      'a box without area',
      xml(`<image file='a.jpg'>\n<box top='1' left='1' width='0' height='5'/></image>`),
      5,
      '0 × 5',
    ],
    ['a box without a side', xml(`<image file='a.jpg'>\n<box top='1' left='1' width='4'/></image>`), 5, "no 'height'"],
    ['a picture without a file', xml(`<image/>`), 4, "no 'file'"],
    [
      'a part outside of a box',
      xml(`<image file='a.jpg'>\n<part name='0' x='1' y='1'/></image>`),
      5,
      'outside of <box>',
    ],
    ['a box outside of a picture', xml(`<box top='1' left='1' width='4' height='4'/>`), 4, 'outside of <image>'],
    ['another root', '<html>\n</html>', 1, 'the root element is <html>'],
    ['a cut file', face(`<part name='0' x='1' y='1'/>`).split('</images>')[0]!, 9, 'the file ends inside'],
  ])('is refused for %s, naming file and line', async (_name, text, line, said) => {
    const file = put('bad.xml', text);
    const { code, message } = await failure(readDataset(file));
    expect(code).toBe('INVALID_ARGUMENT');
    expect(message).toContain(`${file}:${line}: `);
    expect(message).toContain(said);
  });

  it('is refused when there is nothing to learn from in it', async () => {
    expect((await failure(readDataset(put('e.xml', '<dataset><images/></dataset>')))).message).toContain('no <image>');
    const none = xml(`<image file='a.jpg'><box top='1' left='1' width='4' height='4'/></image>`);
    expect((await failure(readDataset(put('e.xml', none)))).message).toContain('no box has a <part>');
    expect((await failure(readDataset(path.join(folder, 'nowhere.xml')))).message).toContain('no such file');
  });

  it('is written as it is read', async () => {
    const source = put(
      'faces.xml',
      xml(`<image file='a&apos;s.jpg' width='100' height='80'><box top='10' left='20' width='30' height='40'>
<part name='0' x='25' y='15'/><part name='1' x='-24' y='14.25'/></box></image>`),
    );
    const data = await readDataset(source);
    const copy = path.join(path.dirname(source), 'copy.xml');
    await writeImglab(copy, data, { decimals: 2, name: '<name>', comment: 'a & b' });
    const again = await readDataset(copy);
    expect(again.names).toEqual(data.names);
    expect(again.pictures[0]?.path).toBe(data.pictures[0]?.path);
    expect(again.pictures[0]?.size).toEqual({ width: 100, height: 80 });
    expect(again.pictures[0]?.faces[0]?.points).toEqual(data.pictures[0]?.faces[0]?.points);
    expect(again.pictures[0]?.faces[0]?.box).toEqual([20, 10, 30, 40]);
    // dlib reads whole numbers only: that is what is written by default.
    await writeImglab(copy, data);
    expect(readFileSync(copy, 'utf8')).toMatch(/<part name='1' x='-24' y='14'\/>/);
    const nowhere = path.join(folder, 'no', 'such', 'folder', 'f.xml');
    expect((await failure(writeImglab(nowhere, data))).code).toBe('INVALID_ARGUMENT');
  });

  it.skipIf(!haveShared('faces/landmarks68/faces.xml'))('of dlib is read whole (../shared)', async () => {
    const data = await readDataset(shared('faces/landmarks68/faces.xml'));
    expect(data.names).toEqual(Array.from({ length: 68 }, (_, i) => String(i).padStart(2, '0')));
    expect([data.pictures.length, countFaces(data)]).toEqual([4, 18]);
    expect(data.pictures[0]?.faces[0]?.box).toEqual([194, 90, 37, 37]);
    expect(data.pictures[0]?.faces[0]?.points[0]).toEqual([201.5, 107.5]);
    expect(
      data.pictures.flatMap(({ faces }) => faces).every(({ points }) => points.every((p) => p !== undefined)),
    ).toBe(true);
  });
});

const PTS = 'version: 1\nn_points:  3\n{\n1.000 1.000\n10.5 2\n4 8.25\n}\n';

describe('a .pts file', () => {
  it('counts pixels from 1: half a pixel is taken off', () => {
    const wanted = [
      [0.5, 0.5],
      [10, 1.5],
      [3.5, 7.75],
    ];
    expect(parsePts(PTS, 'f')).toEqual(wanted);
    expect(parsePts(PTS.replaceAll('\n', '\r\n'), 'f')).toEqual(wanted);
    expect(parsePts(PTS.replace('n_points:  3', '\nn_points:3 ').trimEnd(), 'f')).toEqual(wanted);
  });

  it.each([
    ['nothing', '', 1, "'version:'"],
    ['no header', '1 2\n3 4\n', 1, "'version:' should"],
    ['no count', 'version: 1\n{\n', 2, "'n_points:' should"],
    ['a count of none', 'version: 1\nn_points: 0\n{\n}', 2, 'n_points is'],
    ['a count without end', 'version: 1\nn_points: 99999999999\n{\n}', 2, 'n_points is'],
    ['no brace', 'version: 1\nn_points: 1\n1 2\n}', 3, "'{' should"],
    ['a point too few', PTS.replace('4 8.25\n', ''), 6, 'point 3 of 3 should'],
    ['a point too many', PTS.replace('}', '5 5\n}'), 7, "'}' should"],
    ['one number', PTS.replace('10.5 2', '10.5'), 5, 'point 2 of 3'],
    ['three numbers', PTS.replace('10.5 2', '10.5 2 1'), 5, 'point 2 of 3'],
    ['a word', PTS.replace('10.5', 'ten'), 5, 'point 2 of 3'],
    ['NaN', PTS.replace('10.5', 'NaN'), 5, 'point 2 of 3'],
    ['the end too early', PTS.slice(0, PTS.indexOf('10.5')), 5, 'the file ends where'],
  ])('is refused for %s, naming the line', (_name, text, line, said) => {
    expect(() => parsePts(text, 'f.pts')).toThrow(`f.pts:${line}: `);
    expect(() => parsePts(text, 'f.pts')).toThrow(said);
  });
});

describe('a 300-W folder', () => {
  const tree = (names: Readonly<Record<string, string>>): string => {
    const root = path.join(folder, `tree${files++}`);
    for (const [name, text] of Object.entries(names)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    return root;
  };

  it('is searched to its bottom; boxes are the bounds of the points', async () => {
    const root = tree({ 'b.pts': PTS, 'b.png': '', 'in/a.pts': PTS, 'in/a.JPG': '', 'in/a.txt': '', '.c/x.pts': 'x' });
    const data = await readDataset(root);
    expect(data.names).toEqual(['00', '01', '02']);
    expect(data.pictures.map(({ path: p }) => path.relative(root, p))).toEqual(['b.png', path.join('in', 'a.JPG')]);
    expect(data.pictures[0]?.faces[0]?.box).toEqual([0.5, 0.5, 9.5, 7.25]);
  });

  it('names the file where something is missing or does not fit', async () => {
    const alone = await failure(readDataset(tree({ 'a.pts': PTS, 'b.jpg': '' })));
    expect([alone.code, alone.message.includes(`a.pts: there is no picture a.jpg`)]).toEqual(['IMAGE_NOT_FOUND', true]);
    const both = await failure(readDataset(tree({ 'a.pts': PTS, 'a.jpg': '', 'a.png': '' })));
    expect(both.message).toContain('both a.jpg and a.png');
    const two = 'version: 1\nn_points: 2\n{\n1 1\n2 2\n}';
    const counts = await failure(readDataset(tree({ 'a.pts': PTS, 'a.jpg': '', 'b.pts': two, 'b.jpg': '' })));
    expect(counts.message).toMatch(/b\.pts: 2 points, where .*a\.pts has 3/);
    const flat = 'version: 1\nn_points: 2\n{\n1 1\n2 1\n}';
    expect((await failure(readDataset(tree({ 'a.pts': flat, 'a.jpg': '' })))).message).toContain('span no area');
    expect((await failure(readDataset(tree({ 'a.jpg': '' })))).message).toContain('no .pts file');
  });

  it('is not joined with faces of another number of points', async () => {
    const root = tree({ 'a.pts': PTS, 'a.jpg': '' });
    const one = put('one.xml', face(`<part name='0' x='1' y='1'/>`));
    expect((await failure(readDataset([root, one]))).message).toMatch(/one\.xml: faces of 1 points, where .* has 3/);
    expect(countFaces(await readDataset([root, root]))).toBe(2);
  });
});

describe('damaged files', () => {
  const good = face(`<part name='0' x='1' y='1'/><part name='&lt;1' x='2.5' y='-1'/>`);

  /** The text with a few bytes changed, doubled, or cut out. */
  function damage(text: string, random: Random): Buffer {
    let bytes = Buffer.from(text);
    for (let n = 0; n < 1 + random.uniform() * 2; n++) {
      const at = Math.floor(random.uniform() * bytes.length);
      const until = at + Math.floor(random.uniform() * 20);
      const kind = Math.floor(random.uniform() * 4);
      if (kind === 0) bytes[at] = Math.floor(random.uniform() * 256);
      else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
      else bytes[at] = '<>&\'"/!?=-[]{} \n0'.charCodeAt(Math.floor(random.uniform() * 17));
    }
    return bytes;
  }

  it('are read or refused with a typed error, never with another', async () => {
    const random = new Random('damage');
    const count = { read: 0, refused: 0 };
    const attempt = (work: () => unknown): void => {
      try {
        work();
        count.read++;
      } catch (error) {
        expect(error).toBeInstanceOf(LineamentError);
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        count.refused++;
      }
    };
    for (let i = 0; i < 4000; i++) {
      const xmlBytes = damage(good, random);
      attempt(() => [...parseXml(decodeXml(xmlBytes, 'f.xml'), 'f.xml')]);
      const ptsText = damage(PTS, random).toString('latin1');
      attempt(() => {
        for (const point of parsePts(ptsText, 'f.pts')) expect(point.every(Number.isFinite)).toBe(true);
      });
    }
    expect(count.read).toBeGreaterThan(20);
    expect(count.refused).toBeGreaterThan(2000);
    for (let i = 0; i < 200; i++) {
      const file = put('damaged.xml', '');
      writeFileSync(file, damage(good, random));
      await readDataset(file).catch((error: unknown) => expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
