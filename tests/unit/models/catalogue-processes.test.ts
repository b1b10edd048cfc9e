import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastJson, root, runChild } from '../../support/child.js';
import { Bench, file, noise, sha256, zipOf } from './catalogue-support.js';

const DATA = noise(2_000_000);
const HASH = { sha256: sha256(DATA), bytes: DATA.length };

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

/** A program that downloads a model and says how that ended. */
const program = (id = 'm'): string => `
  import { openCatalogue } from './lib/models/index.ts';
  const catalogue = await openCatalogue(${JSON.stringify({ cache: bench.cache, cards: bench.cards })});
  await catalogue.download('${id}').then(
    ({ state }) => console.log(JSON.stringify(state)),
    ({ code, message }) => console.log(JSON.stringify({ code, message })),
  );
`;

const partSize = async (): Promise<number> => {
  const folder = join(bench.cache, 'downloads');
  const name = (await readdir(folder).catch(() => [])).find((one) => one.endsWith('.part'));
  return name === undefined ? 0 : (await stat(join(folder, name))).size;
};

/** Half of the file, and the rest when somebody asks again. */
const halfFirst = (): void => {
  bench.server.on('/m', (request, response, count) => {
    if (count > 1) return file(DATA)(request, response, count);
    response.writeHead(200, { 'content-length': DATA.length, etag: '"v1"' });
    response.write(DATA.subarray(0, DATA.length / 2));
  });
};

describe('processes', () => {
  beforeEach(() => bench.write({ id: 'm', ...HASH, sources: [{ url: bench.server.url('/m') }] }));

  it('fetch a file once, though they want it at the same time', async () => {
    bench.server.on('/m', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 500_000));
      setTimeout(() => response.end(DATA.subarray(500_000)), 4000);
    });
    const children = await Promise.all([runChild(program()), runChild(program())]);
    expect(children.map(lastJson)).toEqual(['present', 'present']);
    expect(bench.server.count('/m')).toBe(1);
    expect(DATA.equals(await readFile(join(bench.cache, 'm.onnx')))).toBe(true);
  });

  it('go on where one was killed', async () => {
    halfFirst();
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program()], {
      cwd: root,
      stdio: 'ignore',
    });
    while ((await partSize()) < DATA.length / 2) await delay(20);
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
    expect((await (await bench.catalogue()).download('m')).state).toBe('present');
    expect(bench.server.asked[1]).toMatchObject({ range: `bytes=${DATA.length / 2}-`, ifRange: '"v1"' });
    expect(DATA.equals(await readFile(join(bench.cache, 'm.onnx')))).toBe(true);
  });
});

describe.skipIf(process.platform === 'win32')('a cache that may only be read', () => {
  it('serves what is in it, and says what to do where more is wanted', async () => {
    await bench.write(
      { id: 'here', ...HASH },
      { id: 'm', ...HASH, licenceId: 'strict', sources: [{ url: bench.server.url('/m') }] },
    );
    bench.server.on('/m', file(DATA));
    await mkdir(join(bench.cache, 'downloads'), { recursive: true });
    await writeFile(join(bench.cache, 'here.onnx'), DATA);
    await chmod(bench.folder, 0o755);
    for (const folder of [join(bench.cache, 'downloads'), bench.cache]) await chmod(folder, 0o555);
    const child = await runChild(`
      import { openCatalogue } from './lib/models/index.ts';
      import { loadAddon } from './lib/native/index.ts';
      const options = ${JSON.stringify({ cache: bench.cache, cards: bench.cards, acceptedLicences: ['strict'] })};
      loadAddon();
      const catalogue = await openCatalogue(options);
      const pack = await catalogue.pack();
      // Root may write everywhere.
      if (process.getuid() === 0) process.setuid(65534);
      const said = (work) => work.then((value) => value?.state ?? 'done', ({ code, fix }) => ({ code, fix }));
      const read = pack.read('here').then(({ length }) => ({ state: length }));
      const all = [read, catalogue.download('here'), catalogue.download('m'), catalogue.accept('strict')];
      console.log(JSON.stringify(await Promise.all(all.map(said))));
    `);
    await chmod(bench.cache, 0o755);
    const denied = { code: 'ACCESS_DENIED', fix: expect.stringContaining('LINEAMENT_MODEL_CACHE') as string };
    expect(lastJson(child)).toEqual([DATA.length, 'present', denied, denied]);
    expect(bench.server.count('/m')).toBe(0);
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!openssl)('https (needs openssl for a certificate)', () => {
  let server: Server;
  let certificate = '';
  beforeEach(async () => {
    const key = join(bench.folder, 'key.pem');
    certificate = join(bench.folder, 'cert.pem');
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = spawnSync('openssl', [...request, ...names, '-keyout', key, '-out', certificate]);
    expect(made.status).toBe(0);
    server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request_, response) => {
      bench.server.asked.push({
        path: request_.url ?? '',
        range: undefined,
        ifRange: undefined,
        authorization: undefined,
      });
      response.end(DATA);
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}/m.onnx`;
    await bench.write({ id: 'm', ...HASH, sources: [{ url }] });
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('is refused where nobody vouches for the server, and not asked twice', async () => {
    let connections = 0;
    server.on('connection', () => connections++);
    await expect((await bench.catalogue()).download('m')).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/self.signed/) as string,
    });
    expect(connections).toBe(1);
    expect(bench.server.asked).toEqual([]);
  });

  it('works where somebody does', async () => {
    expect(lastJson(await runChild(program(), { NODE_EXTRA_CA_CERTS: certificate }))).toBe('present');
    expect(DATA.equals(await readFile(join(bench.cache, 'm.onnx')))).toBe(true);
  });
});

describe.skipIf(process.platform === 'win32')('where nothing more can be written', () => {
  /** Files of this child end at 512 KiB: the write itself fails, as on a full disk. */
  const limited = (script: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const shell = spawn(
        'bash',
        ['-c', 'ulimit -f 512; exec "$0" --import tsx --input-type=module --eval "$1"'].concat(
          process.execPath,
          script,
        ),
        {
          cwd: root,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let stdout = '';
      shell.stdout.on('data', (text: Buffer) => {
        stdout += text.toString();
      });
      shell.once('error', reject);
      shell.once('close', (code, signal) => resolve(lastJson({ code, signal, stdout, stderr: '' })));
    });

  it('a download ends with STORE_FULL and leaves nothing', async () => {
    await bench.write({ id: 'm', ...HASH, sources: [{ url: bench.server.url('/m') }] });
    bench.server.on('/m', file(DATA));
    expect(await limited(program())).toMatchObject({ code: 'STORE_FULL' });
    expect(await partSize()).toBe(0);
    expect(bench.server.count('/m')).toBe(1);
  });

  it('an archive is not half unpacked', async () => {
    const data = Buffer.alloc(2_000_000, 'packs well');
    const archive = zipOf([{ name: 'm.onnx', data }]);
    expect(archive.length).toBeLessThan(100_000);
    await bench.write({ id: 'm', sources: [{ url: bench.server.url('/m.zip'), member: 'm.onnx' }] });
    bench.server.on('/m.zip', file(archive));
    expect(await limited(program())).toMatchObject({ code: 'STORE_FULL' });
    expect(await readdir(bench.cache)).toEqual(['downloads']);
    expect((await readdir(join(bench.cache, 'downloads'))).every((name) => name.endsWith('.lock'))).toBe(true);
  });
});
