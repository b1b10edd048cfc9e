import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, type ErrorCode, type Frame, LineamentError, openEngine } from '../../lib/index.js';
import { SAMPLE_FACES, sample } from '../support/samples.js';

let engine: Engine;
let frame: Frame;
beforeAll(async () => {
  engine = await openEngine();
  frame = await engine.decode(sample(3));
});
afterAll(() => engine.close());

const codeOf = (work: Promise<unknown>): Promise<ErrorCode | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => {
      expect(error).toBeInstanceOf(LineamentError);
      return (error as LineamentError).code;
    },
  );

describe('an engine', () => {
  it('loads only what is asked for', async () => {
    await using fresh = await openEngine();
    expect(fresh.memory()).toEqual({ total: 0, sessions: [] });
    await fresh.detect(frame);
    expect(fresh.memory().sessions.map((s) => s.name)).toEqual(['faceapi_ssd']);
    await fresh.analyze(frame, { attributes: ['age'] });
    expect(
      fresh
        .memory()
        .sessions.map((s) => s.name)
        .sort(),
    ).toEqual(['faceapi_age_gender', 'faceapi_landmarks68', 'faceapi_ssd'].sort());
    const { total, sessions } = fresh.memory();
    expect(total).toBe(sessions.reduce((sum, s) => sum + s.bytes, 0));
    expect(sessions.every((s) => s.bytes > 0)).toBe(true);
  });

  it('warms up what calls will need', async () => {
    await using fresh = await openEngine();
    await fresh.warm({ embedding: true });
    const { sessions } = fresh.memory();
    expect(sessions).toHaveLength(2 + fresh.preset.recognition.members.length);
    await expect(fresh.embed(frame, { all: true })).resolves.toHaveLength(3);
    expect(fresh.memory().sessions).toEqual(sessions);
  });

  it('answers calls that overlap as if they came one by one', async () => {
    const expected = await engine.analyze(frame, { landmarks: true, embedding: true });
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => engine.analyze(frame, { landmarks: true, embedding: true })),
    );
    for (const answer of answers) expect(answer).toEqual(expected);
  });

  it('gives the same answers with one thread, with four, and in throughput mode', async () => {
    const expected = await engine.detect(frame, { landmarks: true });
    for (const options of [{ threads: 1 }, { threads: 4 }, { mode: 'throughput' as const }]) {
      await using other = await openEngine(options);
      const faces = await other.detect(frame, { landmarks: true });
      expect(faces).toHaveLength(expected.length);
      faces.forEach((face, i) => {
        face.box.forEach((v, k) => {
          expect(Math.abs(v - expected[i]!.box[k]!)).toBeLessThan(0.05);
        });
      });
    }
  });

  it('lets the event loop turn while it works', async () => {
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await engine.analyze(sample(5), { embedding: true });
    running = false;
    expect(turns).toBeGreaterThan(50);
  });

  it('shares a process with other engines, which close one by one', async () => {
    const others = await Promise.all([openEngine(), openEngine({ preset: 'fast' }), openEngine({ threads: 1 })]);
    const [a, b, c] = others as [Engine, Engine, Engine];
    const counts = await Promise.all(others.map(async (e) => (await e.detect(frame)).length));
    expect(counts).toEqual([3, 3, 3]);
    await a.close();
    await expect(b.detect(frame)).resolves.toHaveLength(3);
    await b.close();
    await expect(c.detect(frame)).resolves.toHaveLength(3);
    await c.close();
    await expect(engine.detect(frame)).resolves.toHaveLength(3);
  });
});

describe('stopping', () => {
  it('an aborted call says so, with the reason, and the next one works', async () => {
    const reason = new Error('the visitor left');
    await expect(engine.detect(frame, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
    for (const wait of [0, 1, 3, 10, 30]) {
      const controller = new AbortController();
      const call = engine.analyze(sample(5), { embedding: true, signal: controller.signal });
      setTimeout(() => controller.abort(reason), wait);
      // On a fast machine the call may be done before the signal fires; it is never anything else.
      const code = await codeOf(call);
      expect([undefined, 'ABORTED']).toContain(code);
      if (wait === 0) expect(code).toBe('ABORTED');
    }
    await expect(engine.detect(frame)).resolves.toHaveLength(3);
  });

  it('aborting one of many calls leaves the others alone', async () => {
    const controller = new AbortController();
    const calls = Array.from({ length: 8 }, (_, i) =>
      engine.analyze(frame, { embedding: true, ...(i % 2 === 0 ? { signal: controller.signal } : {}) }),
    );
    controller.abort();
    const settled = await Promise.allSettled(calls);
    settled.forEach((s, i) => {
      if (i % 2 === 0) expect(s).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
      else expect(s).toMatchObject({ status: 'fulfilled' });
    });
  });

  it('closing while calls run ends them, and later calls are refused', async () => {
    const other = await openEngine();
    await other.warm({ embedding: true });
    const calls = Array.from({ length: 6 }, () => codeOf(other.analyze(sample(5), { embedding: true })));
    const [first, second] = [other.close(), other.close()];
    for (const code of await Promise.all(calls)) expect([undefined, 'CLOSED']).toContain(code);
    await Promise.all([first, second]);
    expect(await codeOf(other.detect(frame))).toBe('CLOSED');
    expect(await codeOf(other.decode(sample(1)))).toBe('CLOSED');
    await expect(other.close()).resolves.toBeUndefined();
  });

  it('closing before anything was loaded, or while it loads, is fine', async () => {
    await (await openEngine()).close();
    const other = await openEngine();
    const call = codeOf(other.detect(frame));
    await other.close();
    expect([undefined, 'CLOSED']).toContain(await call);
  });
});

describe('after a bad picture', () => {
  it('the engine works on', async () => {
    const jpeg = await readFile(sample(1));
    const detached = new Uint8Array(12);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const bad: [unknown, ErrorCode][] = [
      [jpeg.subarray(0, jpeg.length >> 1), 'IMAGE_CORRUPT'],
      [new Uint8Array(0), 'IMAGE_CORRUPT'],
      [Buffer.from('hello, I am a text'), 'IMAGE_UNSUPPORTED'],
      ['/no/such/picture.jpg', 'IMAGE_NOT_FOUND'],
      [{ data: detached, width: 2, height: 2, channels: 3 }, 'INVALID_ARGUMENT'],
      [{ data: new Uint8Array(12), width: Number.NaN, height: 2, channels: 3 }, 'INVALID_ARGUMENT'],
      [null, 'INVALID_ARGUMENT'],
    ];
    for (const [input, code] of bad)
      expect(await codeOf(engine.analyze(input as string, { embedding: true }))).toBe(code);
    await using small = await openEngine({ maxPixels: 1000 });
    expect(await codeOf(small.detect(sample(1)))).toBe('IMAGE_TOO_LARGE');
    await expect(engine.detect(sample(1))).resolves.toHaveLength(SAMPLE_FACES[1]!);
  });

  it('and after bad options as well', async () => {
    const bad = [
      { landmark: true },
      { landmarks: 'yes' },
      { maxFaces: 0 },
      { minFaceSize: Number.NaN },
      { attributes: ['mood'] },
      { attributes: 'age' },
      { signal: {} },
      null,
    ];
    for (const options of bad) expect(await codeOf(engine.analyze(frame, options as object))).toBe('INVALID_ARGUMENT');
    for (const options of [
      { preset: 'best' },
      { threads: 0 },
      { threads: 1.5 },
      { mode: 'x' },
      { providers: [] },
      { model: '' },
    ]) {
      expect(await codeOf(openEngine(options as object))).toBe('INVALID_ARGUMENT');
    }
    await expect(engine.detect(frame)).resolves.toHaveLength(3);
  });

  it('the stack points at the line that called', async () => {
    const error = await engine.detect('/no/such/picture.jpg').catch((e: Error) => e);
    expect((error as Error).stack).toContain('lifecycle.test.ts');
  });
});
