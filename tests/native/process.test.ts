import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildResult, lastJson, runChild } from '../support/child.js';
import { havePack, libraryPath } from './support.js';

/** What the scripts share: an executor, a session of the detector and a run that takes some 100 ms. */
const COMMON = `
  import { createRequire } from 'node:module';
  import { readFileSync } from 'node:fs';
  import { loadAddon } from './lib/native/index.js';
  const addon = loadAddon();
  const executor = addon.createExecutor(2);
  const model = (id) => readFileSync('models/pack/' + id + '.onnx');
  const options = { threads: 2, providers: ['cpu'] };
  const open = (path = process.env.LIBRARY) => addon.openRuntime(executor, path);
  const job = (session, side) => {
    const shape = [1, 3, side, side];
    const data = new Float32Array(3 * side * side).map((_, i) => Math.sin(i * 0.37));
    return { input: { tensors: { [session.inputs[0].name]: { data, shape } } } };
  };
  const sum = (result) => result.outputs[0].data.reduce((a, b) => a + b, 0);
`;

/** A process that ended by itself, in good order, without a word on stderr. */
function expectClean(result: ChildResult, code = 0): void {
  expect({ code: result.code, signal: result.signal, stderr: result.stderr }).toEqual({
    code,
    signal: null,
    stderr: '',
  });
}

describe.skipIf(!havePack)('processes', () => {
  let library: string;
  let folder: string;
  const child = (script: string, env: Readonly<Record<string, string>> = {}): Promise<ChildResult> =>
    runChild(COMMON + script, { LIBRARY: library, ...env });

  beforeAll(async () => {
    library = await libraryPath();
    folder = mkdtempSync(join(tmpdir(), 'lineament-process-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('end by themselves when the work is done, closed or not', async () => {
    const result = await child(`
      const session = await (await open()).createSession(executor, model('faceapi_landmarks68'), options);
      const result = await session.run(job(session, 112));
      console.log(JSON.stringify(result.outputs[0].shape));
    `);
    expectClean(result);
    expect(lastJson(result)).toEqual([1, 68, 2]);
  });

  it.each([
    ['by process.exit', `setTimeout(() => process.exit(7), DELAY);`, 7],
    [
      'by an uncaught error',
      `process.on('uncaughtException', () => process.exit(8)); setTimeout(() => { throw new Error(); }, DELAY);`,
      8,
    ],
  ])('may be ended %s while networks run and load', async (_, end, code) => {
    for (const delay of [0, 15, 60, 150]) {
      const result = await child(`
        const runtime = await open();
        const session = await runtime.createSession(executor, model('faceapi_ssd'), options);
        const large = job(session, 512);
        for (let i = 0; i < 6; i++) session.run(large).catch(() => {});
        runtime.createSession(executor, model('faceapi_recognition'), options).catch(() => {});
        ${end.replace('DELAY', String(delay))}
      `);
      expectClean(result, code);
    }
  });

  it('may terminate workers while networks run in them', async () => {
    const result = await child(`
      import { Worker } from 'node:worker_threads';
      const code = \`
        const { parentPort, workerData } = require('node:worker_threads');
        const addon = require(workerData.addon);
        const executor = addon.createExecutor(1);
        (async () => {
          const runtime = await addon.openRuntime(executor, workerData.library);
          const session = await runtime.createSession(executor, workerData.model, { threads: 1, providers: ['cpu'] });
          const data = new Float32Array(3 * 384 * 384);
          const job = { input: { tensors: { [session.inputs[0].name]: { data, shape: [1, 3, 384, 384] } } } };
          parentPort.postMessage('ready');
          for (;;) await Promise.all([session.run(job), session.run(job)]);
        })();
      \`;
      const { addonPath } = await import('./lib/native/index.js');
      const workerData = { addon: addonPath(), library: process.env.LIBRARY, model: new Uint8Array(model('faceapi_ssd')) };
      const session = await (await open()).createSession(executor, model('faceapi_landmarks68'), options);
      let runs = 0;
      for (let round = 0; round < 20; round++) {
        const worker = new Worker(code, { eval: true, workerData, execArgv: [] });
        if (round % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 30 + round * 10));  // before it is ready
        else {
          await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
          await new Promise((resolve) => setTimeout(resolve, round));
        }
        await worker.terminate();
        await session.run(job(session, 112));
        runs++;
      }
      console.log(JSON.stringify(runs));
    `);
    expectClean(result);
    expect(lastJson(result)).toBe(20);
  });

  it('keep sessions alive for their runs, whatever the garbage collector does', async () => {
    const result = await child(
      `
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      const runtime = await open();
      let total = 0;
      for (let round = 0; round < 25; round++) {
        let session = await runtime.createSession(executor, model('faceapi_landmarks68_tiny'), options);
        const runs = [session.run(job(session, 112)), session.run(job(session, 112))];
        session = undefined;
        collect();
        for (const result of await Promise.all(runs)) total += result.outputs.length;
        collect();
      }
      console.log(JSON.stringify(total));
    `,
    );
    expectClean(result);
    expect(lastJson(result)).toBe(50);
  });

  // AddressSanitizer keeps what is freed.
  it.skipIf(process.env['ASAN_OPTIONS'])('do not grow over ten thousand runs', async () => {
    const result = await child(`
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      const session = await (await open()).createSession(executor, model('human_liveness'), { threads: 1, providers: ['cpu'] });
      const [, , height, width] = session.inputs[0].shape;
      const input = {
        source: { data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64, format: 'rgb' },
        regions: Float64Array.from([64 / width, 0, 0, 0, 64 / height, 0]),
        tensor: { width, height, colour: 'rgb', layout: 'nchw', type: 'float32', scale: [1 / 255, 1 / 255, 1 / 255], offset: [0, 0, 0] },
        sampling: { filter: 'area', border: 'zero' },
      };
      const many = async (count) => { for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, () => session.run({ input }))); };
      await many(2000);
      collect();
      const before = process.memoryUsage.rss();
      await many(10000);
      collect();
      console.log(JSON.stringify((process.memoryUsage.rss() - before) / 2 ** 20));
    `);
    expectClean(result);
    expect(lastJson(result)).toBeLessThan(16);
  });

  describe('live in peace with an application that loads onnxruntime-node', () => {
    const peer = `
      const require = createRequire(process.env.PEER + '/');
      const usePeer = async () => {
        const { InferenceSession, Tensor } = require('onnxruntime-node');
        const session = await InferenceSession.create(model('faceapi_landmarks68'));
        const { input } = job({ inputs: [{ name: 'input' }] }, 112);
        const { data, shape } = input.tensors.input;
        const result = await session.run({ input: new Tensor('float32', data, shape) });
        return result.landmarks.data.reduce((a, b) => a + b, 0);
      };
      const useOurs = async () => {
        const session = await (await open()).createSession(executor, model('faceapi_landmarks68'), options);
        const total = sum(await session.run(job(session, 112)));
        await session.close();
        return total;
      };
      const check = async (order) => {
        const sums = [];
        for (const step of order) sums.push(await (step === 'o' ? useOurs() : usePeer()));
        console.log(JSON.stringify(Math.max(...sums) - Math.min(...sums)));
      };
    `;
    // Another version where one is at hand (a folder whose node_modules has onnxruntime-node), else the same.
    const elsewhere = process.env['LINEAMENT_TEST_OTHER_ORT'];

    it.each(['op', 'po', 'opopo', 'popop'])('of the same file, in the order %s', async (order) => {
      const result = await child(`${peer} await check('${order}');`, { PEER: process.cwd() });
      expectClean(result);
      expect(lastJson(result)).toBeLessThan(1e-3);
    });

    it.each(['op', 'po', 'opopo'])('of another copy of the library, in the order %s', async (order) => {
      const copy = join(folder, 'libonnxruntime.copy.so');
      copyFileSync(library, copy);
      const result = await child(`${peer} await check('${order}');`, { PEER: process.cwd(), LIBRARY: copy });
      expectClean(result);
      expect(lastJson(result)).toBeLessThan(1e-3);
    });

    it.skipIf(!elsewhere).each(['op', 'po', 'opopo'])(
      'of another version (LINEAMENT_TEST_OTHER_ORT), in the order %s',
      async (order) => {
        const result = await child(`${peer} await check('${order}');`, { PEER: elsewhere ?? '' });
        expectClean(result);
        expect(lastJson(result)).toBeLessThan(1e-3);
      },
    );
  });
});
