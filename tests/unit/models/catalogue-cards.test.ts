import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineamentError } from '../../../lib/errors.js';
import { defaultCacheFolder, openCatalogue, parseCatalogueCard, tensorSpec } from '../../../lib/models/index.js';
import { packageRoot } from '../../../lib/native/package.js';
import { codeOf } from '../../support/code.js';
import { Bench, cardOf, file, noise, sha256 } from './catalogue-support.js';

const DATA = noise(5000);
const HASH = { sha256: sha256(DATA), bytes: DATA.length };
const IDS = [
  'adaface_ir101',
  'facenet_vggface2',
  'ferplus_emotion',
  'insightface_2d106',
  'insightface_3d68',
  'insightface_arcface_mbf',
  'insightface_arcface_r100',
  'insightface_arcface_r50',
  'insightface_genderage',
  'insightface_scrfd_10g',
  'insightface_scrfd_2_5g',
  'insightface_scrfd_500m',
];
const folder = join(packageRoot, 'models', 'catalogue');

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

describe('the cards of the catalogue', () => {
  it('are there, each in a file of its name', async () => {
    expect((await readdir(folder)).sort()).toEqual(IDS.map((id) => `${id}.json`));
    for (const id of IDS) {
      const card = parseCatalogueCard(await readFile(join(folder, `${id}.json`), 'utf8'), id);
      expect(card).toMatchObject({ id, file: `${id}.onnx`, published: false });
      expect(card.trainingData).not.toBe('');
      for (const { url, sha256: hash, member } of card.sources) {
        expect(url).toMatch(/^https:\/\//);
        expect(hash).toMatch(/^[0-9a-f]{64}$/);
        expect(url.endsWith('.zip')).toBe(member !== undefined);
      }
    }
  });

  it('say how pixels become input', async () => {
    const catalogue = await bench.catalogue();
    /** What black and white become. */
    const range = async (id: string): Promise<unknown[]> => {
      const card = (await catalogue.card(id)) as never;
      const { colour, width, height, scale, offset } = tensorSpec(card);
      return [colour, width, height, offset[0].toFixed(4), (255 * scale[0] + offset[0]).toFixed(4)];
    };
    expect(await range('insightface_scrfd_10g')).toEqual(['rgb', 640, 640, '-0.9961', '0.9961']);
    expect(await range('insightface_arcface_r50')).toEqual(['rgb', 112, 112, '-1.0000', '1.0000']);
    expect(await range('adaface_ir101')).toEqual(['bgr', 112, 112, '-1.0000', '1.0000']);
    expect(await range('facenet_vggface2')).toEqual(['rgb', 160, 160, '-0.9961', '0.9961']);
    expect(await range('insightface_2d106')).toEqual(['rgb', 192, 192, '0.0000', '255.0000']);
    expect(await range('insightface_genderage')).toEqual(['rgb', 96, 96, '0.0000', '255.0000']);
    expect(await range('ferplus_emotion')).toEqual(['gray', 64, 64, '0.0000', '255.0000']);
  });

  it('are listed with those of the starter pack and of the user', async () => {
    await bench.write({ id: 'mine', ...HASH });
    await writeFile(join(bench.cards, 'mine.onnx'), DATA);
    const entries = await (await bench.catalogue()).list();
    const of = (origin: string) => entries.filter((entry) => entry.origin === origin);
    expect(of('catalogue').map(({ id }) => id)).toEqual(IDS);
    expect(of('starter').length).toBeGreaterThan(20);
    expect(of('starter').some(({ id, task }) => id === 'mediapipe_pose_lite' && task === 'body-pose')).toBe(true);
    expect(of('private')).toMatchObject([{ id: 'mine', state: 'present', licenceId: 'own', accepted: true, ...HASH }]);
    expect(entries.find(({ id }) => id === 'insightface_scrfd_10g')).toMatchObject({
      commercial: false,
      accepted: false,
      licenceId: 'insightface-non-commercial',
      sets: ['buffalo_l', 'antelopev2'],
    });
  });

  it('are refused where something is wrong with them', async () => {
    const card = cardOf({
      id: 'm',
      title: 'M',
      licenceId: 'l',
      commercial: true,
      sources: [],
      obtain: 'make it',
      ...HASH,
    });
    const parse = (change: object) => () => parseCatalogueCard(JSON.stringify({ ...card, ...change }), 'x.json');
    expect(parse({})()).toMatchObject({ id: 'm' });
    expect(parse({ sha256: undefined, bytes: undefined })()).not.toHaveProperty('sha256');
    for (const change of [
      { id: '../m' },
      { file: '../m.onnx' },
      { file: '..' },
      { file: 'state.json' },
      { file: 'downloads' },
      { file: 'Downloads' },
      { file: 'STATE.json' },
      { sha256: 'abc' },
      { bytes: -1 },
      { licenceId: undefined },
      { licenceUrl: 'nowhere' },
      { commercial: 'no' },
      { sources: undefined },
      { sources: [null] },
      { sources: [{ url: 'http://example.com' }] },
      { sources: [{ url: 'https://example.com', sha256: 'x' }] },
      { obtain: undefined },
      { sets: 'buffalo' },
      { input: {} },
    ]) {
      expect(await codeOf(parse(change)), JSON.stringify(change)).toBe('MODEL_CORRUPT');
    }
    await writeFile(join(bench.cards, 'bad.json'), '{');
    expect(await codeOf(bench.catalogue())).toBe('MODEL_CORRUPT');
    expect(await codeOf(openCatalogue({ cards: join(bench.folder, 'none') }))).toBe('MODEL_NOT_FOUND');
    await rm(join(bench.cards, 'bad.json'));
    await mkdir(join(bench.cards, 'folder.json'));
    expect(await codeOf(bench.catalogue())).toBe('MODEL_CORRUPT');
  });

  it('may lie in the cache folder', async () => {
    await bench.write({ id: 'm', ...HASH, sources: [{ url: bench.server.url('/m%zz') }], licenceId: 'strict' });
    bench.server.on('/m%zz', file(DATA));
    const catalogue = () => bench.catalogue({ cache: bench.cards, mirrors: [bench.server.url('/mirror')] });
    await (await catalogue()).accept('strict');
    expect(await (await catalogue()).download('m')).toMatchObject({
      state: 'present',
      path: join(bench.cards, 'm.onnx'),
    });
    expect(bench.server.asked.map(({ path }) => path)).toEqual(['/mirror/m.onnx', '/mirror/m%25zz', '/m%zz']);
  });

  it('may not take the id of another', async () => {
    await bench.write({ id: 'faceapi_ssd', ...HASH });
    expect(await codeOf(bench.catalogue())).toBe('DUPLICATE_ID');
  });

  it('may not be fetched to the place of another', async () => {
    const card = { id: 'm', file: 'Adaface_ir101.onnx', ...HASH };
    await bench.write({ ...card, sources: [{ url: bench.server.url('/m') }] });
    await expect(bench.catalogue()).rejects.toMatchObject({
      code: 'DUPLICATE_ID',
      message: expect.stringMatching(/'m' and 'adaface_ir101'.*another name/) as string,
    });
    // What is never fetched has its own folder.
    await bench.write(card);
    expect((await (await bench.catalogue()).get('m')).state).toBe('absent');
  });
});

describe('licences', () => {
  const offer = () =>
    bench.write({
      id: 'm',
      ...HASH,
      sources: [{ url: bench.server.url('/m') }],
      licenceId: 'strict',
      commercial: false,
    });

  it('come before the download, are accepted by name, and that lasts', async () => {
    await offer();
    bench.server.on('/m', file(DATA));
    const catalogue = await bench.catalogue();
    await expect(catalogue.download('m')).rejects.toMatchObject({
      code: 'LICENCE_NOT_ACCEPTED',
      message: expect.stringContaining("'strict'") as string,
    });
    expect(bench.server.asked).toEqual([]);
    expect(await codeOf(catalogue.accept('strange'))).toBe('NOT_FOUND');
    await catalogue.accept('strict');
    expect((await catalogue.get('m')).accepted).toBe(true);
    expect(await (await bench.catalogue()).download('m')).toMatchObject({ state: 'present', accepted: true });
  });

  it('may be accepted for one catalogue only', async () => {
    await offer();
    bench.server.on('/m', file(DATA));
    await (await bench.catalogue({ acceptedLicences: ['strict'] })).download('m');
    expect((await (await bench.catalogue()).get('m')).accepted).toBe(false);
    expect(await codeOf(bench.catalogue({ acceptedLicences: ['strange'] }))).toBe('NOT_FOUND');
  });

  it('are not forgotten when several are accepted at once', async () => {
    await Promise.all(
      ['one', 'two', 'three'].map((id) => bench.write({ id, ...HASH, sources: [], licenceId: `licence-${id}` })),
    );
    const catalogues = await Promise.all(['one', 'two', 'three'].map(() => bench.catalogue()));
    await Promise.all(['one', 'two', 'three'].map((id, i) => catalogues[i]!.accept(`licence-${id}`)));
    const entries = (await (await bench.catalogue()).list()).filter(({ origin }) => origin === 'private');
    expect(entries.map(({ accepted }) => accepted)).toEqual([true, true, true]);
  });

  it('that cannot be read are an error, not consent', async () => {
    await offer();
    await mkdir(bench.cache);
    for (const text of ['{', '[]', '{"licences":[],"trusted":{}}', '{"licences":{},"trusted":{"m":{}}}']) {
      await writeFile(join(bench.cache, 'state.json'), text);
      expect(await codeOf((await bench.catalogue()).list())).toBe('STORE_CORRUPT');
    }
    await writeFile(join(bench.cache, 'state.json'), '{"version":2}');
    expect(await codeOf((await bench.catalogue()).list())).toBe('STORE_VERSION');
  });
});

describe('offline', () => {
  it('nothing is fetched, and the error says where the file goes', async () => {
    await bench.write({ id: 'm', ...HASH, sources: [{ url: bench.server.url('/m') }] });
    const catalogue = await bench.catalogue({ offline: true });
    const error = await catalogue.download('m').catch((thrown: unknown) => thrown as LineamentError);
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect((error as LineamentError).fix).toContain(bench.cache);
    expect((error as LineamentError).fix).toContain(HASH.sha256);
    expect(bench.server.asked).toEqual([]);
    await mkdir(bench.cache);
    await writeFile(join(bench.cache, 'm.onnx'), DATA);
    expect(await catalogue.download('m')).toMatchObject({ state: 'present' });
  });

  it('a model that nobody publishes says how it is made', async () => {
    const catalogue = await bench.catalogue({ acceptedLicences: ['facenet-vggface2'] });
    await expect(catalogue.download('facenet_vggface2')).rejects.toThrow(/torch\.onnx\.export.*facenet_vggface2\.onnx/);
  });
});

describe("the user's own folders", () => {
  it('are looked through by name, and what is found is verified', async () => {
    const own = join(bench.folder, 'own');
    await mkdir(own);
    await bench.write({
      id: 'm',
      ...HASH,
      sources: [{ url: 'https://example.com/pack.zip', member: 'pack/det_10g.onnx' }],
      licenceId: 'strict',
    });
    const catalogue = await bench.catalogue({ models: own });
    await writeFile(join(own, 'det_10g.onnx'), DATA);
    expect(await catalogue.download('m')).toMatchObject({ state: 'present', accepted: false });
    expect(Buffer.from(await (await catalogue.pack()).read('m')).equals(DATA)).toBe(true);
    expect(await codeOf(catalogue.remove('m'))).toBe('INVALID_ARGUMENT');
    await writeFile(join(own, 'det_10g.onnx'), noise(DATA.length, 9));
    expect(await codeOf(catalogue.download('m'))).toBe('MODEL_HASH_MISMATCH');
    // Of another size it is another file.
    await writeFile(join(own, 'det_10g.onnx'), noise(10));
    expect((await catalogue.get('m')).state).toBe('absent');
  });
});

describe('the pack', () => {
  it('joins the starter pack, downloads and private files', async () => {
    const starter = join(packageRoot, 'models', 'pack', 'mediapipe_face_short.onnx');
    await copyFile(starter, join(bench.cards, 'mine.onnx'));
    await bench.write({ id: 'mine' }, { id: 'm', ...HASH, sources: [{ url: bench.server.url('/m') }] });
    bench.server.on('/m', file(DATA));
    const catalogue = await bench.catalogue();
    const pack = await catalogue.pack();
    expect(await codeOf(pack.read('m'))).toBe('MODEL_NOT_FOUND');
    expect(await codeOf(pack.read('none'))).toBe('MODEL_NOT_FOUND');
    await catalogue.download('m');
    expect(Buffer.from(await pack.read('m')).equals(DATA)).toBe(true);
    const same = Buffer.from(await pack.read('mine')).equals(Buffer.from(await pack.read('mediapipe_face_short')));
    expect(same).toBe(true);
    // Trust on first use: the card that the pack gives is whole.
    const { sha256: hash, bytes } = await pack.card('mediapipe_face_short');
    expect(await pack.card('mine')).toMatchObject({ sha256: hash, bytes });
    expect((await catalogue.get('mine')).trust).toBe('first-use');
    await writeFile(join(bench.cards, 'mine.onnx'), noise(bytes));
    expect(await codeOf(pack.read('mine'))).toBe('MODEL_HASH_MISMATCH');
  });

  it('does without a starter pack', async () => {
    await bench.write({ id: 'm', ...HASH });
    await writeFile(join(bench.cards, 'm.onnx'), DATA);
    const empty = join(bench.folder, 'empty');
    await mkdir(empty);
    const catalogue = await bench.catalogue({ starter: empty });
    expect((await catalogue.get('faceapi_ssd')).state).toBe('absent');
    expect(await codeOf(catalogue.download('faceapi_ssd'))).toBe('DOWNLOAD_FAILED');
    expect(Buffer.from(await (await catalogue.pack()).read('m')).equals(DATA)).toBe(true);
    expect(await codeOf((await bench.catalogue({ starter: join(bench.folder, 'none') })).list())).toBe(
      'MODEL_NOT_FOUND',
    );
  });

  it('keeps what is not ours', async () => {
    const catalogue = await bench.catalogue();
    expect(await codeOf(catalogue.remove('faceapi_ssd'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(catalogue.remove('none'))).toBe('NOT_FOUND');
    expect(await codeOf(catalogue.get('none'))).toBe('NOT_FOUND');
    expect(await codeOf(catalogue.card('none'))).toBe('NOT_FOUND');
    expect(await codeOf(catalogue.download('__proto__'))).toBe('NOT_FOUND');
  });
});

describe('the cache folder', () => {
  it('is where the system wants it', () => {
    const home = defaultCacheFolder({}, 'linux');
    expect(home).toMatch(/\.cache\/lineament\/models$/);
    expect(defaultCacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/x/lineament/models');
    expect(defaultCacheFolder({ XDG_CACHE_HOME: 'x' }, 'linux')).toBe(home);
    expect(defaultCacheFolder({}, 'darwin')).toMatch(/Library\/Caches\/lineament\/models$/);
    expect(defaultCacheFolder({ LINEAMENT_MODEL_CACHE: '/y', XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/y');
  });

  it('is refused with other options than there are', async () => {
    expect(await codeOf(openCatalogue({ cach: '/x' } as never))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openCatalogue({ cache: '' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openCatalogue({ offline: 1 as never }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openCatalogue({ network: { retries: -1 } }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openCatalogue({ models: 5 as never }))).toBe('INVALID_ARGUMENT');
  });
});
