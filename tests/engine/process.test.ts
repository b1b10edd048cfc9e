import { describe, expect, it } from 'vitest';
import { lastJson, runChild } from '../support/child.js';
import { sample } from '../support/samples.js';

/** Code for a worker: opens an engine of its own and reports what it finds. */
const worker = (work: string): string => `
  import { Worker } from 'node:worker_threads';
  const source = \`
    import('tsx/esm/api').then(async ({ register }) => {
      register();
      const { parentPort } = await import('node:worker_threads');
      const { openEngine } = await import('${new URL('../../lib/index.ts', import.meta.url).href}');
      ${work}
    });
  \`;
  const start = () => new Worker(source, { eval: true });
`;
const file = JSON.stringify(sample(3));

describe('a process that uses an engine', () => {
  it('ends by itself when it is done, with the engine closed', async () => {
    const result = await runChild(`
      const { openEngine } = await import('./lib/index.ts');
      const engine = await openEngine();
      console.log((await engine.analyze(${file}, { embedding: true })).length);
      await engine.close();
    `);
    expect(result).toMatchObject({ code: 0, signal: null });
    expect(result.stdout.trim()).toBe('3');
  });

  it('ends by itself with the engine forgotten, and with calls running', async () => {
    const forgotten = await runChild(`
      const { openEngine } = await import('./lib/index.ts');
      const engine = await openEngine();
      console.log((await engine.detect(${file})).length);
    `);
    expect(forgotten).toMatchObject({ code: 0, signal: null });
    const running = await runChild(`
      const { openEngine } = await import('./lib/index.ts');
      const engine = await openEngine();
      await engine.warm({ embedding: true });
      for (let i = 0; i < 8; i++) engine.analyze(${file}, { embedding: true }).catch(() => {});
      setTimeout(() => process.exit(7), 20);
    `);
    expect(running).toMatchObject({ code: 7, signal: null });
  });

  it('may open engines in several worker threads at once', async () => {
    const result = await runChild(`
      ${worker(`
        const engine = await openEngine({ threads: 1 });
        const faces = await engine.detect(${file.replaceAll('\\', '\\\\')});
        await engine.close();
        parentPort.postMessage(faces.length);
      `)}
      const { openEngine } = await import('./lib/index.ts');
      const here = await openEngine();
      const answers = await Promise.all(Array.from({ length: 3 }, () => new Promise((resolve, reject) => {
        start().once('message', resolve).once('error', reject);
      })));
      answers.push((await here.detect(${file})).length);
      await here.close();
      console.log(JSON.stringify(answers));
    `);
    expect(result.signal).toBeNull();
    expect(lastJson(result)).toEqual([3, 3, 3, 3]);
  });

  it('may terminate a worker at any moment of its work, and goes on', async () => {
    const result = await runChild(`
      ${worker(`
        const engine = await openEngine();
        parentPort.postMessage('open');
        for (;;) await engine.analyze(${file.replaceAll('\\', '\\\\')}, { embedding: true });
      `)}
      const { setTimeout: wait } = await import('node:timers/promises');
      for (const delay of [0, 5, 40, 120, 400]) {
        const one = start();
        await new Promise((resolve, reject) => one.once('message', resolve).once('error', reject));
        await wait(delay);
        await one.terminate();
      }
      const { openEngine } = await import('./lib/index.ts');
      const engine = await openEngine();
      console.log(JSON.stringify((await engine.detect(${file})).length));
      await engine.close();
    `);
    expect(result.signal).toBeNull();
    expect(result.code).toBe(0);
    expect(lastJson(result)).toBe(3);
  });

  it('may load onnxruntime-node itself, before and after', async () => {
    for (const order of ['before', 'after']) {
      const ort = `const ort = await import('onnxruntime-node');
        const { readFile } = await import('node:fs/promises');
        const session = await ort.InferenceSession.create('models/pack/faceapi_expression.onnx');`;
      const ours = `const { openEngine } = await import('./lib/index.ts');
        const engine = await openEngine();
        const faces = await engine.detect(${file});`;
      const result = await runChild(`
        ${order === 'before' ? ort + ours : ours + ort}
        const input = new ort.Tensor('float32', new Float32Array(3 * 112 * 112), [1, 3, 112, 112]);
        const { probabilities } = await session.run({ input });
        const again = await engine.detect(${file});
        await engine.close();
        console.log(JSON.stringify([faces.length, again.length, probabilities.dims]));
      `);
      expect(result.signal).toBeNull();
      expect(lastJson(result)).toEqual([3, 3, [1, 7]]);
    }
  });
});
