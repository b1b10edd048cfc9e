import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CameraFrame, CameraNotice } from '../../../lib/capture/types.js';
import type { LineamentError } from '../../../lib/errors.js';
import { openReplay, recordSession, type SessionSource } from '../../../lib/pipeline/replay/index.js';
import type { FrameFormat } from '../../../lib/types.js';
import { ffmpeg, MemorySource } from './clips-support.js';

const T0 = 1_800_000_000_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-replay-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const failure = (work: Promise<unknown>): Promise<LineamentError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as LineamentError,
  );

/** To be compared: vitest takes long over bytes. */
const plain = (frames: readonly CameraFrame[]): unknown[] =>
  frames.map((frame) => ({ ...frame, data: Buffer.from(frame.data).toString('base64') }));

const PIXEL = { rgb: 3, bgr: 3, rgba: 4, bgra: 4, gray: 1, yuyv: 2, nv12: 1, i420: 1 } as const;

/** Noise: whatever is not kept to the bit shows. */
function noise(sequence: number, timestamp: number, format: FrameFormat, width: number, height: number): CameraFrame {
  const channels = PIXEL[format];
  const planar = format === 'i420' || format === 'nv12';
  const data = new Uint8Array(width * height * channels * (planar ? 1.5 : 1));
  let seed = sequence + 1;
  for (let i = 0; i < data.length; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = seed >>> 24;
  }
  return { camera: 'gate', sequence, timestamp, data, width, height, channels, format };
}

/** A camera whose memory is used again for the next picture, as that of a ring is, with a notice in between. */
class Camera implements SessionSource {
  readonly id: string;
  readonly #pictures: readonly CameraFrame[];
  readonly #listeners = new Set<(notice: CameraNotice) => void>();
  constructor(id: string, pictures: readonly CameraFrame[]) {
    this.id = id;
    this.#pictures = pictures;
  }
  onNotice(listener: (notice: CameraNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  async *frames(): AsyncGenerator<CameraFrame> {
    const memory = new Uint8Array(1 << 20);
    for (const [i, frame] of this.#pictures.entries()) {
      if (i === 3) {
        const notice = { camera: this.id, state: 'lost', timestamp: frame.timestamp, code: 'CAMERA_LOST' } as const;
        for (const listener of this.#listeners) listener(notice);
      }
      memory.set(frame.data);
      yield { ...frame, camera: this.id, data: memory.subarray(0, frame.data.length) };
      memory.fill(0);
    }
  }
}

const collect = async (frames: AsyncIterable<CameraFrame>): Promise<CameraFrame[]> => {
  const all: CameraFrame[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
};

/** Uneven times to the microsecond, gaps in the numbers, and a change of size. */
const pictures = (format: FrameFormat): CameraFrame[] =>
  Array.from({ length: 9 }, (_, i) =>
    noise(i * 2 + (i > 4 ? 3 : 0), T0 + i * 33.333 + (i % 3) * 0.123, format, i < 6 ? 66 : 34, i < 6 ? 38 : 50),
  );

describe('a session', () => {
  it('is played again to the bit: pixels, numbers, times, notices', async () => {
    const given = pictures('i420');
    const other = pictures('rgb').map((frame) => ({ ...frame, position: frame.timestamp - T0 }));
    const cameras = [new Camera('gate', given), new Camera('yard / 2', other)];
    const recording = await recordSession(cameras, folder);
    const facts = await recording.done;
    expect(cameras.map(({ listeners }) => listeners)).toEqual([0, 0]);
    expect(facts.cameras).toMatchObject([
      { id: 'gate', pictures: 9, dropped: 11, first: given[0]!.timestamp, last: given[8]!.timestamp },
      { id: 'yard / 2', pictures: 9, segments: [{ pictures: 6 }, { pictures: 3 }] },
    ]);
    expect(readdirSync(folder).sort()).toEqual(
      ['0-0.raw', '0-1.raw', '0.jsonl', '1-0.raw', '1-1.raw', '1.jsonl', 'session.json'].sort(),
    );
    for (let time = 0; time < 2; time++) {
      await using session = await openReplay(folder);
      expect(session.facts).toEqual(facts);
      for (const [i, source] of session.cameras.entries()) {
        const notices: CameraNotice[] = [];
        source.onNotice((notice) => notices.push(notice));
        const expected = [given, other][i]!.map((frame) => ({ ...frame, camera: source.id }));
        expect(plain(await collect(source.frames()))).toEqual(plain(expected));
        expect(notices).toEqual(source.notices);
        expect(notices).toMatchObject([{ state: 'lost', code: 'CAMERA_LOST', timestamp: given[3]!.timestamp }]);
        expect(source.stats()).toMatchObject({ state: 'ended', delivered: 9, received: 20, dropped: 11, width: 34 });
        expect(source.lossless).toBe(true);
        const past = await collect(source.history(given[2]!.timestamp, given[6]!.timestamp));
        expect(plain(past)).toEqual(plain(expected.slice(2, 7)));
      }
    }
  });

  it('gives the same for the same: two recordings have the same digests', async () => {
    const digests: unknown[] = [];
    for (const name of ['a', 'b']) {
      const recording = await recordSession(new Camera('gate', pictures('nv12')), join(folder, name));
      const facts = await recording.done;
      digests.push(facts.cameras.map(({ sha256 }) => sha256));
    }
    expect(digests[0]).toEqual(digests[1]);
  });

  it('is ended by stop', async () => {
    const source = new MemorySource('gate');
    const recording = await recordSession(source, folder);
    await expect.poll(() => source.readers, { timeout: 30_000 }).toBe(1);
    for (const frame of pictures('gray').slice(0, 4)) source.push(frame);
    await expect
      .poll(() => readFileSync(join(folder, '0.jsonl'), 'utf8').split('\n').length, { timeout: 30_000 })
      .toBe(5);
    const facts = await recording.stop();
    expect(facts.cameras[0]).toMatchObject({ pictures: 4 });
    expect(facts.cameras[0]?.failure).toBeUndefined();
    await using session = await openReplay(folder);
    expect(await collect(session.cameras[0]!.frames())).toHaveLength(4);
  });

  it('keeps its times at a speed, and the newest counts', async () => {
    const slow = Array.from({ length: 40 }, (_, i) => noise(i, T0 + i * 10, 'gray', 16, 16));
    await (await recordSession(new Camera('gate', slow), folder)).done;
    await using session = await openReplay(folder, { speed: 2 });
    const source = session.cameras[0]!;
    expect(source.lossless).toBe(false);
    expect(await collect(source.history(T0, T0 + 1000))).toEqual([]);
    const seen: number[] = [];
    for await (const frame of source.frames()) {
      seen.push(frame.sequence);
      // The second is asked for when the last is due: all that lies between is left out.
      if (seen.length === 1) await expect.poll(() => source.newestSequence, { timeout: 30_000 }).toBe(39);
    }
    expect(seen).toEqual([seen[0], 39]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(source.stats().dropped).toBe(40 - seen.length);
    expect(await collect(source.history(T0, T0 + 1000))).toHaveLength(40);
  });

  it('says what was changed or is missing', async () => {
    await (await recordSession(new Camera('gate', pictures('i420')), folder)).done;
    const raw = join(folder, '0-0.raw');
    const bytes = readFileSync(raw);
    bytes[66 * 38 * 1.5 * 2 + 7]! ^= 1;
    writeFileSync(raw, bytes);
    const play = async (verify = true): Promise<number> => {
      await using session = await openReplay(folder, { verify });
      return (await collect(session.cameras[0]!.frames())).length;
    };
    expect(await failure(play())).toMatchObject({
      code: 'VIDEO_CORRUPT',
      message: expect.stringMatching(/picture 4 /),
    });
    expect(await play(false)).toBe(9);
    truncateSync(raw, bytes.length - 1);
    expect((await failure(play(false))).message).toMatch(/picture 5 is missing/);
    writeFileSync(
      join(folder, '0.jsonl'),
      readFileSync(join(folder, '0.jsonl'), 'utf8').replace('"sequence":2', '"sequence":3'),
    );
    expect((await failure(openReplay(folder))).message).toMatch(/0\.jsonl was changed/);
    const facts = readFileSync(join(folder, 'session.json'), 'utf8');
    for (const bad of [
      '{',
      '{"version":9}',
      facts.replace('0.jsonl', '../x.jsonl'),
      facts.replace('"raw"', '"zip"'),
      facts.replace('"width": 66', '"width": 1e9'),
    ]) {
      writeFileSync(join(folder, 'session.json'), bad);
      expect((await failure(openReplay(folder))).code).toBe('VIDEO_CORRUPT');
    }
    expect((await failure(openReplay(join(folder, 'none')))).code).toBe('NOT_FOUND');
    expect((await failure(openReplay(folder, { speed: 0 }))).code).toBe('INVALID_ARGUMENT');
  });

  it('is not written where one lies, or where it cannot be', async () => {
    await (await recordSession(new Camera('gate', pictures('gray')), folder)).done;
    expect((await failure(recordSession(new Camera('gate', []), folder))).code).toBe('RECORDING_FAILED');
    expect((await failure(recordSession(new Camera('gate', []), join(folder, 'session.json', 'x')))).code).toBe(
      'RECORDING_FAILED',
    );
    expect((await failure(recordSession([], join(folder, 'x')))).code).toBe('INVALID_ARGUMENT');
    const twins = [new Camera('a', []), new Camera('a', [])];
    expect((await failure(recordSession(twins, join(folder, 'x')))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(recordSession(twins[0]!, join(folder, 'x'), { storage: 'mp4' as never }))).code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('ends its readers when it is closed, or the signal fires', async () => {
    await (await recordSession(new Camera('gate', pictures('gray')), folder)).done;
    const session = await openReplay(folder);
    const source = session.cameras[0]!;
    const abort = new AbortController();
    const first = await source.frames({ signal: abort.signal }).next();
    expect(first.value?.sequence).toBe(0);
    abort.abort();
    expect((await failure(source.frames({ signal: abort.signal }).next())).code).toBe('ABORTED');
    const reader = source.frames();
    expect((await reader.next()).value?.sequence).toBe(2);
    await session.close();
    await session.close();
    expect((await failure(reader.next())).code).toBe('CLOSED');
  });
});

describe.skipIf(!ffmpeg)('a session that ffmpeg stores (needs ffmpeg with libx264 and ffv1)', () => {
  it.each([
    ['ffv1', ['i420', 'nv12', 'gray', 'yuyv', 'rgb', 'bgr', 'rgba', 'bgra']],
    ['h264', ['i420', 'nv12']],
  ] as const)('as %s is played again to the bit', async (storage, formats) => {
    const cameras = formats.map((format) => new Camera(format, pictures(format)));
    const facts = await (await recordSession(cameras, folder, { storage })).done;
    expect(facts.cameras.map(({ failure: f }) => f?.message)).toEqual(formats.map(() => undefined));
    await using session = await openReplay(folder);
    for (const source of session.cameras) {
      const expected = pictures(source.id as FrameFormat).map((frame) => ({ ...frame, camera: source.id }));
      expect(plain(await collect(source.frames())), source.id).toEqual(plain(expected));
    }
    const back = session.cameras[0]!.history(T0 + 60, T0 + 150);
    expect((await collect(back)).map(({ sequence }) => sequence)).toEqual([4, 6, 8]);
  });

  it('refuses what h264 cannot keep, and goes on with the other cameras', async () => {
    const cameras = [new Camera('colour', pictures('rgb')), new Camera('grey', pictures('nv12'))];
    const facts = await (await recordSession(cameras, folder, { storage: 'h264' })).done;
    expect(facts.cameras[0]?.failure).toMatchObject({
      code: 'RECORDING_FAILED',
      message: expect.stringMatching(/ffv1/),
    });
    expect(facts.cameras[1]).toMatchObject({ pictures: 9 });
  });

  it.skipIf(process.platform === 'win32')('says when the disk is full', async () => {
    const path = join(folder, 'cramped');
    writeFileSync(path, `#!/bin/bash\ntrap '' XFSZ\nulimit -f 20\nexec ffmpeg "$@"\n`);
    chmodSync(path, 0o755);
    const many = Array.from({ length: 60 }, (_, i) => noise(i, T0 + i, 'gray', 128, 128));
    const recording = await recordSession(new Camera('gate', many), join(folder, 'x'), {
      storage: 'ffv1',
      ffmpeg: path,
    });
    const facts = await recording.done;
    expect(facts.cameras[0]?.failure).toMatchObject({ code: 'RECORDING_FAILED' });
    expect(execFileSync('ls', [join(folder, 'x')], { encoding: 'utf8' })).toMatch(/session\.json/);
  });
});
