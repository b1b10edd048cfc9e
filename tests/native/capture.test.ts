import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, write, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeCamera, NativeCapturePipe, NativePicture, PipeOptions } from '../../lib/native/capture.js';
import { loadAddon } from '../../lib/native/index.js';
import { lastJson, runChild } from '../support/child.js';
import { haveFfmpeg } from '../support/video.js';
import { codeOf } from './support.js';

const addon = loadAddon();
const writeAsync = promisify(write);
const SIDE = 32;
const BYTES = SIDE * SIDE;
const RAW = { format: 'gray', width: SIDE, height: SIDE } as const;
const RING = { slots: 8, slotBytes: BYTES };

type Pace = PipeOptions['pace'];

function grayPipe(ring = RING, pace: Pace = 'arrival', fps?: number): NativeCapturePipe {
  return addon.createCapturePipe({ ring, pace, raw: fps === undefined ? RAW : { ...RAW, fps } });
}

/** A picture all of whose bytes are `value`. */
const gray = (value: number, pictures = 1): Uint8Array => new Uint8Array(BYTES * pictures).fill(value);

/** Its one value; −1 where it has several. */
function fillOf({ data }: NativePicture): number {
  return data.every((byte) => byte === data[0]) ? (data[0] ?? -1) : -1;
}

async function all(camera: NativeCamera): Promise<NativePicture[]> {
  const found: NativePicture[] = [];
  for (let after = -1; ; ) {
    const picture = await camera.next(after, { order: 'all' });
    if (picture === null) return found;
    found.push(picture);
    after = picture.sequence;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe.skipIf(process.platform === 'win32')('pictures from pipes', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lineament-capture-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives them in order, with what is known of them', async () => {
    const { camera, writeFd, closeWriteEnd } = grayPipe();
    const before = Date.now();
    for (let i = 0; i < 5; i++) writeSync(writeFd, gray(i));
    await until(() => camera.counts.committed === 5);
    expect(camera.ending).toBeUndefined();
    closeWriteEnd();
    closeWriteEnd();
    const found = await all(camera);
    expect(found.map(fillOf)).toEqual([0, 1, 2, 3, 4]);
    expect(found.map((one) => one.sequence)).toEqual([0, 1, 2, 3, 4]);
    expect(found[0]).toMatchObject({ width: SIDE, height: SIDE, format: 'gray' });
    expect(found[0]?.position).toBeUndefined();
    for (const [i, one] of found.entries()) {
      expect(one.timestamp).toBeGreaterThan(before - 1000);
      expect(one.timestamp).toBeGreaterThanOrEqual(found[i - 1]?.timestamp ?? 0);
    }
    expect(camera.ending).toEqual({ code: 'OK', message: '' });
    const counts = { received: 5, damaged: 0, bytes: 5 * BYTES, committed: 5, refused: 0 };
    expect(camera.counts).toEqual({ ...counts, kept: 5, keptBytes: 5 * BYTES });
    await camera.close();
    expect(camera.counts).toEqual({ ...counts, kept: 0, keptBytes: 0 });
    expect(await camera.next(-1)).toBeNull();
    expect(camera.read(-1)).toBeNull();
    expect(camera.ending?.code).toBe('OK');
    await camera.close();
  });

  it('waits for a picture, for several readers', async () => {
    const { camera, writeFd, closeWriteEnd } = grayPipe();
    const waiting = [camera.next(-1), camera.next(-1, { order: 'all' }), camera.next(0), camera.next(0)];
    writeSync(writeFd, gray(7));
    expect((await waiting[0])?.sequence).toBe(0);
    expect((await waiting[1])?.data[0]).toBe(7);
    writeSync(writeFd, gray(8));
    expect((await waiting[2])?.sequence).toBe(1);
    closeWriteEnd();
    expect((await waiting[3])?.sequence).toBe(1);
    expect(await camera.next(1)).toBeNull();
    await camera.close();
  });

  it('finds pictures by number and by time', async () => {
    const { camera, writeFd, closeWriteEnd } = addon.createCapturePipe({
      ring: RING,
      pace: 'fast',
      startMs: 10_000,
      raw: { ...RAW, fps: 10 },
    });
    writeSync(writeFd, gray(1, 6));
    closeWriteEnd();
    await until(() => camera.ending !== undefined);
    expect(camera.at(10_250)).toMatchObject({ sequence: 2, timestamp: 10_200, position: 200 });
    expect(camera.at(9_999)).toBeNull();
    expect(camera.between(10_100, 10_300).map((one) => one.sequence)).toEqual([1, 2, 3]);
    expect(camera.between(10_100, 10_100)[0]).toEqual({
      sequence: 1,
      timestamp: 10_100,
      position: 100,
      width: SIDE,
      height: SIDE,
      format: 'gray',
      bytes: BYTES,
    });
    expect(camera.get(4)?.timestamp).toBe(10_400);
    expect(camera.get(6)).toBeNull();
    expect(camera.read(3, { order: 'all' })?.sequence).toBe(4);
    expect(camera.read(3)?.sequence).toBe(5);
    await camera.close();
  });

  it('never lets a slow reader hold up the writer: older pictures are overwritten', async () => {
    const { camera, writeFd, closeWriteEnd } = grayPipe({ slots: 4, slotBytes: BYTES });
    for (let i = 0; i < 500; i++) await writeAsync(writeFd, gray(i % 251));
    closeWriteEnd();
    await until(() => camera.ending !== undefined);
    expect(camera.counts).toMatchObject({ received: 500, committed: 500, refused: 0, kept: 4 });
    const found = await all(camera);
    expect(found.map((one) => one.sequence)).toEqual([496, 497, 498, 499]);
    expect(found.map(fillOf)).toEqual([496, 497, 498, 499].map((i) => i % 251));
    await camera.close();
  });

  it('loses nothing where that is asked, waiting for what is taken', async () => {
    const { camera, writeFd, closeWriteEnd } = grayPipe({ slots: 4, slotBytes: BYTES }, 'fast', 25);
    const writing = (async () => {
      for (let i = 0; i < 400; i++) await writeAsync(writeFd, gray(i % 251));
      closeWriteEnd();
    })();
    for (let i = 0; i < 400; i++) {
      const picture = await camera.next(i - 1, { order: 'all' });
      if (picture === null) throw new Error(`ended before ${i}`);
      expect(picture.sequence).toBe(i);
      expect(fillOf(picture)).toBe(i % 251);
      expect(picture.position).toBe(i * 40);
      camera.taken(i);
    }
    await writing;
    expect(await camera.next(399)).toBeNull();
    await camera.close();
  });

  it('lends memory: it stays as it is until it is given back', async () => {
    const { camera, writeFd } = grayPipe({ slots: 3, slotBytes: BYTES });
    writeSync(writeFd, gray(9));
    const lent = await camera.next(-1, { borrow: true });
    const again = camera.read(-1, { borrow: true });
    if (lent === null || again === null) throw new Error('no picture');
    for (let i = 0; i < 50; i++) await writeAsync(writeFd, gray(100));
    await until(() => camera.counts.received === 51);
    expect(camera.counts.refused).toBe(0);
    expect(fillOf(lent)).toBe(9);
    lent.release?.();
    lent.release?.();
    expect(lent.data).toHaveLength(0);
    expect(fillOf(again)).toBe(9);
    const others = [camera.read(-1, { borrow: true }), camera.next(1, { order: 'all', borrow: true })];
    await Promise.all(others);
    await writeAsync(writeFd, gray(101, 3));
    await until(() => camera.counts.received === 54);
    expect(camera.counts.refused).toBeGreaterThan(0);
    // Memory that is lent outlives the camera.
    await camera.close();
    expect(fillOf(again)).toBe(9);
    again.release?.();
  });

  it('gives back borrowed pictures and cameras that are collected', async () => {
    const result = await runChild(
      `
      import { readdirSync, writeSync } from 'node:fs';
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      import { loadAddon } from './lib/native/index.js';
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc');
      const raw = { format: 'gray', width: 32, height: 32 };
      const pause = () => new Promise((done) => setTimeout(done, 5));
      const addon = loadAddon();
      const make = () => addon.createCapturePipe({ ring: { slots: 3, slotBytes: 1024 }, pace: 'arrival', raw });
      const { camera, writeFd } = make();
      let seen = 0;
      for (let i = 0; i < 60; i++) {
        writeSync(writeFd, new Uint8Array(1024).fill(i));
        while (camera.counts.received <= i) await pause();
        if (camera.read(i - 1, { borrow: true })?.data[0] === i % 256) seen += 1;
        gc();
        await pause();
      }
      for (let i = 0; i < 300; i++) { make(); if (i % 20 === 0) { gc(); await pause(); } }
      gc();
      await pause();
      const open = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
      const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0;
      console.log(JSON.stringify({ seen, open, threads }));
      `,
    );
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const { seen, open, threads } = lastJson(result) as { seen: number; open: number; threads: number };
    expect(seen).toBeGreaterThan(40); // three, were nothing given back
    expect(open).toBeLessThan(400);
    expect(threads).toBeLessThan(100);
  });

  it('stops waiting when it is told to', async () => {
    const { camera, writeFd } = grayPipe();
    const token = addon.createToken();
    const waiting = camera.next(-1, {}, token);
    const other = camera.next(-1);
    token.cancel();
    expect(await codeOf(waiting)).toBe('ABORTED');
    expect(await codeOf(camera.next(-1, {}, token))).toBe('ABORTED');
    writeSync(writeFd, gray(3));
    expect((await other)?.data[0]).toBe(3);
    const last = camera.next(0);
    const closing = [camera.close(), camera.close()];
    expect(await last).toBeNull();
    await Promise.all(closing);
    expect(camera.ending?.code).toBe('CLOSED');
    // Nobody reads any more.
    expect(() => writeSync(writeFd, gray(3))).toThrow(/EPIPE/);
  });

  it('says how it ended', async () => {
    const cut = grayPipe();
    writeSync(cut.writeFd, gray(1).subarray(10));
    cut.closeWriteEnd();
    expect(await cut.camera.next(-1)).toBeNull();
    expect(cut.camera.ending?.code).toBe('VIDEO_CORRUPT');
    expect(cut.camera.counts).toMatchObject({ damaged: 1, received: 0 });
    const garbage = addon.createCapturePipe({ ring: RING, pace: 'arrival' });
    writeSync(garbage.writeFd, Buffer.from('<html>not found</html>'.repeat(100)));
    garbage.closeWriteEnd();
    expect(await garbage.camera.next(-1)).toBeNull();
    expect(garbage.camera.ending?.code).toBe('VIDEO_CORRUPT');
    const silent = addon.createCapturePipe({ ring: RING, pace: 'arrival' });
    silent.closeWriteEnd();
    expect(await silent.camera.next(-1)).toBeNull();
    expect(silent.camera.ending?.code).toBe('OK');
    await Promise.all([cut, garbage, silent].map(({ camera }) => camera.close()));
  });

  it('goes on where another camera ended', async () => {
    const first = grayPipe();
    writeSync(first.writeFd, gray(1, 3));
    await first.camera.next(1);
    const options = { takeOver: first.camera, pace: 'arrival', raw: RAW } as const;
    expect(await codeOf(() => addon.createCapturePipe(options))).toBe('CAMERA_BUSY');
    first.closeWriteEnd();
    await until(() => first.camera.ending !== undefined);
    const second = addon.createCapturePipe(options);
    expect(await first.camera.next(-1)).toBeNull();
    expect(await codeOf(() => addon.createCapturePipe(options))).toBe('CLOSED');
    const waiting = second.camera.next(2);
    writeSync(second.writeFd, gray(5));
    expect(await waiting).toMatchObject({ sequence: 3 });
    second.closeWriteEnd();
    expect((await all(second.camera)).map(fillOf)).toEqual([1, 1, 1, 5]);
    expect(second.camera.counts).toMatchObject({ received: 1, committed: 4 });
    await Promise.all([first.camera.close(), second.camera.close()]);
  });

  it('reads files, descriptors and FIFOs', async () => {
    const file = join(folder, 'pictures.raw');
    writeFileSync(file, gray(6, 4));
    const read = async (where: { readonly path: string } | { readonly fd: number }): Promise<number[]> => {
      const camera = addon.openCapture({ ring: RING, pace: 'arrival', raw: RAW, ...where });
      const values = (await all(camera)).map(fillOf);
      await camera.close();
      return values;
    };
    expect(await read({ path: file })).toEqual([6, 6, 6, 6]);
    const fd = openSync(file, 'r');
    const one = read({ fd });
    closeSync(fd); // it has its own
    expect(await one).toEqual([6, 6, 6, 6]);
    const fifo = join(folder, 'pictures.fifo');
    execFileSync('mkfifo', [fifo]);
    const values = read({ path: fifo });
    const writer = spawn('sh', ['-c', `sleep 0.05; cat '${file}' > '${fifo}'`], { stdio: 'ignore' });
    const written = new Promise((resolve) => writer.once('close', resolve));
    expect(await values).toEqual([6, 6, 6, 6]);
    await written;
    expect(await codeOf(() => read({ path: join(folder, 'none') }))).toBe('CAMERA_NOT_FOUND');
    expect(await codeOf(() => read({ path: folder }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => read({ fd: 12_345 }))).toBe('INVALID_ARGUMENT');
  });

  it('refuses options that make no sense', async () => {
    const bad = (options: object): Promise<string> =>
      codeOf(() => addon.createCapturePipe({ ring: RING, pace: 'arrival', raw: RAW, ...options } as PipeOptions));
    for (const options of [
      { ring: undefined },
      { ring: { slots: 2, slotBytes: 10 } },
      { ring: { slots: 3, slotBytes: Number.NaN } },
      { ring: { slots: 3, slotBytes: BYTES, keepMs: -1 } },
      { ring: { slots: 3, slotBytes: BYTES - 1 } },
      { pace: 'slow' },
      { pace: 'live' },
      { raw: { ...RAW, width: 0 } },
      { raw: { ...RAW, format: 'mjpeg' } },
      { raw: { ...RAW, format: 'h264' } },
      { raw: { ...RAW, fps: -1 } },
      { startMs: Number.POSITIVE_INFINITY },
      { takeOver: {} },
    ]) {
      expect(await bad(options), JSON.stringify(options)).toBe('INVALID_ARGUMENT');
    }
    const { camera } = grayPipe();
    expect(await codeOf(() => camera.next(-2))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => camera.read(0.5))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => camera.at(Number.NaN))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => camera.next(-1, {}, {} as never))).toBe('INVALID_ARGUMENT');
    await camera.close();
  });

  it('lets processes and workers end while it runs', async () => {
    const result = await runChild(`
      import { Worker } from 'node:worker_threads';
      import { loadAddon } from './lib/native/index.js';
      const source = \`
        const { parentPort, workerData } = require('node:worker_threads');
        const { writeSync } = require('node:fs');
        const addon = require(workerData.addon);
        const raw = { format: 'gray', width: 32, height: 32 };
        const pipes = Array.from({ length: 4 }, () =>
          addon.createCapturePipe({ ring: { slots: 3, slotBytes: 1024 }, pace: 'arrival', raw }));
        globalThis.held = pipes;
        for (const { camera, writeFd } of pipes) {
          writeSync(writeFd, new Uint8Array(1024));
          camera.next(-1, { borrow: true }).then((picture) => (globalThis.picture = picture));
          camera.next(5);
          camera.next(5, {}, addon.createToken());
        }
        pipes[3].camera.close();
        setInterval(() => {
          for (const { writeFd } of pipes.slice(0, 3)) writeSync(writeFd, new Uint8Array(1500));
          if (pipes[0].camera.counts.received > 3) parentPort.postMessage('running');
        }, 1);
      \`;
      loadAddon();
      const { addonPath } = await import('./lib/native/load.js');
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(source, { eval: true, execArgv: [], workerData: { addon: addonPath() } });
        await new Promise((resolve) => worker.once('message', resolve));
        await worker.terminate();
      }
      const addon = loadAddon();
      const raw = { format: 'gray', width: 32, height: 32 };
      const { camera, writeFd } = addon.createCapturePipe({ ring: { slots: 3, slotBytes: 1024 }, pace: 'arrival', raw });
      globalThis.held = camera;
      (await import('node:fs')).writeSync(writeFd, new Uint8Array(5000));
      await camera.next(1);
      camera.next(50).then(() => console.log('never'));
      console.log(JSON.stringify('done'));
      process.exit(0);
    `);
    expect({ ...result, stdout: result.stdout.trim() }).toEqual({
      code: 0,
      signal: null,
      stdout: '"done"',
      stderr: '',
    });
    // Waiting keeps a process alive, running does not.
    const idle = await runChild(`
      import { loadAddon } from './lib/native/index.js';
      const raw = { format: 'gray', width: 32, height: 32 };
      const { camera, closeWriteEnd } = loadAddon().createCapturePipe({ ring: { slots: 3, slotBytes: 1024 }, pace: 'arrival', raw });
      globalThis.held = camera;
      globalThis.other = loadAddon().createCapturePipe({ ring: { slots: 3, slotBytes: 1024 }, pace: 'arrival', raw });
      setTimeout(closeWriteEnd, 100).unref();
      const waiting = camera.next(-1).then((picture) => console.log(JSON.stringify(picture)));
    `);
    expect({ ...idle, stdout: idle.stdout.trim() }).toEqual({ code: 0, signal: null, stdout: 'null', stderr: '' });
  });
});

describe.skipIf(!haveFfmpeg)('pictures from ffmpeg (skipped without it)', () => {
  const nut = (pipe: NativeCapturePipe, args: string): Promise<number | null> => {
    const child = spawn('ffmpeg', [...`-nostdin -v error ${args} -c:v rawvideo -f nut -`.split(' ')], {
      stdio: ['ignore', pipe.writeFd, 'ignore'],
    });
    pipe.closeWriteEnd();
    return new Promise((resolve) => child.once('close', resolve));
  };
  const ring = { slots: 40, slotBytes: 1 << 26 };

  it('are those of a variable rate, at their times', async () => {
    const pipe = addon.createCapturePipe({ ring, pace: 'fast', startMs: 1_000_000 });
    const ended = nut(
      pipe,
      '-f lavfi -i testsrc2=s=320x240:r=25 -vf select=lt(n\\,3)+eq(n\\,10)+eq(n\\,60) -fps_mode passthrough -frames:v 5 -pix_fmt yuv420p',
    );
    const found = await all(pipe.camera);
    expect(await ended).toBe(0);
    expect(pipe.camera.ending).toEqual({ code: 'OK', message: '' });
    expect(found.map((one) => one.position)).toEqual([0, 40, 80, 400, 2400]);
    expect(found.map((one) => one.timestamp - 1_000_000)).toEqual([0, 40, 80, 400, 2400]);
    expect(found[0]).toMatchObject({ width: 320, height: 240, format: 'i420' });
    expect(found[0]?.data).toHaveLength(320 * 240 * 1.5);
    await pipe.camera.close();
  });

  it('may be 8K, and end it where no slot holds one', async () => {
    const pipe = addon.createCapturePipe({ ring: { slots: 3, slotBytes: 1 << 26 }, pace: 'arrival' });
    const ended = nut(pipe, '-f lavfi -i testsrc2=s=7680x4320:r=25 -frames:v 2 -pix_fmt yuv420p');
    expect(await pipe.camera.next(0, { borrow: true })).toMatchObject({ sequence: 1, width: 7680, height: 4320 });
    expect(await ended).toBe(0);
    await pipe.camera.close();
    const small = addon.createCapturePipe({ ring: { slots: 3, slotBytes: 1 << 20 }, pace: 'arrival' });
    const refused = nut(small, '-f lavfi -i testsrc2=s=1920x1080:r=25 -frames:v 20 -pix_fmt yuv420p');
    expect(await small.camera.next(-1)).toBeNull();
    expect(small.camera.ending?.code).toBe('CAMERA_UNSUPPORTED');
    await refused;
    await small.camera.close();
  });

  it('are lost with ffmpeg, and only then', async () => {
    const pipe = addon.createCapturePipe({ ring, pace: 'arrival' });
    const child = spawn(
      'ffmpeg',
      '-nostdin -v error -re -f lavfi -i testsrc2=s=640x480:r=50 -pix_fmt yuv420p -c:v rawvideo -f nut -'.split(' '),
      { stdio: ['ignore', pipe.writeFd, 'ignore'] },
    );
    pipe.closeWriteEnd();
    expect(await pipe.camera.next(5)).not.toBeNull();
    child.kill('SIGKILL');
    await until(() => pipe.camera.ending !== undefined);
    expect(['OK', 'VIDEO_CORRUPT']).toContain(pipe.camera.ending?.code);
    await pipe.camera.close();
  });
});
