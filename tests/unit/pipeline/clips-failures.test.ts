import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CameraFrame } from '../../../lib/capture/types.js';
import { scanFragments } from '../../../lib/pipeline/clips/fragments.js';
import { type Clip, ClipRecorder } from '../../../lib/pipeline/clips/index.js';
import { root } from '../../support/child.js';
import { failure, ffmpeg, type MemorySource, numbered, readBack, SLOW, sourceOf, steady, T0 } from './clips-support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-clips-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The ffmpeg that a process runs for a file. */
function encoderOf(parent: number, part: string): number {
  const children = execFileSync('ps', ['--ppid', String(parent), '-o', 'pid=,args='], { encoding: 'utf8' });
  return Number(
    children
      .split('\n')
      .find((line) => line.includes(part))
      ?.trim()
      .split(' ')[0],
  );
}

/** An ffmpeg that may not write more than so many kibibytes into a file, as a full disk would have it. */
function cramped(kib: number): string {
  const path = join(folder, `ffmpeg-${kib}`);
  writeFileSync(path, `#!/bin/bash\ntrap '' XFSZ\nulimit -f ${kib}\nexec ffmpeg "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Pictures that compress badly. */
function noisy(number: number, timestamp: number): CameraFrame {
  const frame = numbered(number, timestamp, 320, 192);
  let seed = number + 1;
  for (let i = 320 * 96; i < 320 * 192; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    frame.data[i] = seed >>> 24;
  }
  return frame;
}

describe.skipIf(!ffmpeg || process.platform === 'win32')('clips that fail (needs ffmpeg with libx264)', () => {
  const record = (recorder: ClipRecorder, source: MemorySource, name: string): Promise<Clip> =>
    recorder.record({ source, start: T0, end: T0 + 8000, path: join(folder, name) }).done;

  it('are kept as far as they were written when the disk is full', async () => {
    const source = sourceOf(steady(200), noisy);
    source.end();
    await using recorder = new ClipRecorder({ folder, ffmpeg: cramped(1500) });
    const clip = await record(recorder, source, 'full.mp4');
    expect(clip.ended).toBe('failed');
    expect(clip.failure).toMatchObject({ code: 'RECORDING_FAILED', message: expect.stringMatching(/File too large/) });
    expect(clip.pictures).toBeGreaterThan(10);
    expect(clip.pictures).toBeLessThan(200);
    const { numbers } = await readBack(clip.path);
    expect(numbers).toEqual(Array.from({ length: clip.pictures }, (_, i) => i));
    expect(clip.last.sequence).toBe(clip.pictures - 1);
    expect(await scanFragments(clip.path)).toMatchObject({ pictures: clip.pictures, bytes: statSync(clip.path).size });
    // Nothing fits: nothing is left, and the reason is told.
    await using tiny = new ClipRecorder({ folder, ffmpeg: cramped(1) });
    const error = await failure(record(tiny, source, 'tiny.mp4'));
    expect(error.code).toBe('RECORDING_FAILED');
    expect(readdirSync(folder).filter((name) => name.startsWith('tiny'))).toEqual([]);
  });

  it('are kept when ffmpeg is killed, and the next clip is whole', async () => {
    const source = sourceOf(steady(120));
    await using recorder = new ClipRecorder({ folder, idleSeconds: 5 });
    const work = record(recorder, source, 'killed.mp4');
    const part = join(folder, 'killed.part.mp4');
    await expect
      .poll(async () => (await scanFragments(part).catch(() => undefined))?.pictures ?? 0, SLOW)
      .toBeGreaterThan(40);
    process.kill(encoderOf(process.pid, part), 'SIGKILL');
    for (let i = 120; i < 150; i++) source.push(numbered(i, T0 + i * 40));
    const clip = await work;
    expect(clip.failure?.message).toMatch(/SIGKILL/);
    const { numbers } = await readBack(clip.path);
    expect(numbers).toEqual(Array.from({ length: clip.pictures }, (_, i) => i));
    expect(numbers.length).toBeGreaterThan(40);
    source.end();
    expect(await record(recorder, source, 'next.mp4')).toMatchObject({ ended: 'source', pictures: 150 });
  });

  it('leave pictures where they are while the encoder is busy', async () => {
    const path = join(folder, 'slow');
    writeFileSync(
      path,
      `#!/bin/bash\ncase "$*" in *part.mp4*) until [ -e '${folder}/go' ]; do sleep 0.05; done;; esac\nexec ffmpeg "$@"\n`,
    );
    chmodSync(path, 0o755);
    const frames = steady(200).map((time, i) => numbered(i, T0 + time, 640, 360));
    let asked = 0;
    const source = {
      id: 'gate',
      *history(first: number, last: number) {
        for (const frame of frames) {
          if (frame.timestamp < first || frame.timestamp > last) continue;
          asked++;
          yield frame;
        }
      },
      async *frames(): AsyncGenerator<CameraFrame> {},
    };
    await using recorder = new ClipRecorder({ folder, ffmpeg: path });
    const { done } = recorder.record({ source, start: T0, end: T0 + 8000, path: join(folder, 'a.mp4') });
    await expect.poll(() => asked, SLOW).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    // What fits into the pipe, and the one on its way.
    expect(asked).toBeLessThan(5);
    writeFileSync(join(folder, 'go'), '');
    expect((await done).pictures).toBe(200);
  });

  it('say what an ffmpeg cannot do', async () => {
    const path = join(folder, 'poor');
    writeFileSync(
      path,
      '#!/bin/sh\ncase "$*" in *-version*) echo "ffmpeg version 6.1";; *) echo " V....D mpeg4  old";; esac\n',
    );
    chmodSync(path, 0o755);
    await using recorder = new ClipRecorder({ folder, ffmpeg: path });
    const error = await failure(record(recorder, sourceOf(steady(9)), 'a.mp4'));
    expect(error.code).toBe('RECORDING_FAILED');
    expect(error.message).toMatch(/no H\.264 encoder/);
    expect(error.fix).toMatch(/libx264/);
    await using named = new ClipRecorder({ folder, ffmpeg: path, encoder: 'h264_nvenc' });
    expect((await failure(record(named, sourceOf(steady(9)), 'b.mp4'))).message).toMatch(/'h264_nvenc'/);
  });

  it('can be played as far as they were written when the process is killed', async () => {
    const script = `
      import { ClipRecorder } from './lib/pipeline/clips/index.js';
      import { MemorySource, numbered } from './tests/unit/pipeline/clips-support.js';
      const source = new MemorySource();
      let i = 0;
      const next = () => source.push(numbered(i, ${T0} + 40 * i++));
      while (i < 150) next();
      const recorder = new ClipRecorder({ folder: ${JSON.stringify(folder)} });
      const { path, done } = recorder.event({ source, timestamp: ${T0} + 5500, event: 'killed' });
      process.stdout.write(path);
      done.then(() => process.exit(1));
      setInterval(next, 40);
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    let path = '';
    child.stdout.on('data', (text: Buffer) => {
      path += text.toString();
    });
    await expect.poll(() => path, SLOW).toMatch(/mp4$/);
    const part = path.replace('.mp4', '.part.mp4');
    await expect
      .poll(async () => (await scanFragments(part).catch(() => undefined))?.pictures ?? 0, SLOW)
      .toBeGreaterThan(60);
    // ffmpeg first, so that it cannot tidy up either.
    process.kill(encoderOf(child.pid!, part), 'SIGKILL');
    child.kill('SIGKILL');
    await closed;
    expect(existsSync(path)).toBe(false);
    const { numbers } = await readBack(part);
    expect(numbers.length).toBeGreaterThan(60);
    // The first is that of half a second: five seconds before the event.
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => 13 + i));

    // The next one finishes it; what cannot be played goes, and what another process is writing stays.
    const unplayable = join(dirname(part), 'torn.part.mp4');
    const live = join(dirname(part), 'live.part.mp4');
    writeFileSync(unplayable, readFileSync(part).subarray(0, 300));
    utimesSync(unplayable, 1, 1);
    writeFileSync(live, readFileSync(part));
    const note = JSON.parse(readFileSync(path.replace('.mp4', '.part.json'), 'utf8')) as object;
    writeFileSync(live.replace('.mp4', '.json'), JSON.stringify({ ...note, pid: process.ppid }));
    await using recorder = new ClipRecorder({ folder });
    const { clips, removed, failed } = await recorder.recover();
    expect({ removed, failed }).toEqual({ removed: [join(dirname(part), 'torn.mp4')], failed: [] });
    expect(clips).toMatchObject([{ path, camera: 'gate', events: ['killed'], from: T0 + 13 * 40 }]);
    const [clip] = clips;
    const video = readFileSync(path);
    expect(createHash('sha256').update(video).digest('hex')).toBe(clip?.sha256);
    expect(video.indexOf('moov')).toBeLessThan(video.indexOf('mdat'));
    const again = await readBack(path);
    expect(again.numbers).toEqual(numbers.slice(0, again.numbers.length));
    expect(again.numbers).toHaveLength(clip!.pictures);
    // To within a picture.
    expect(Math.abs(clip!.to! - (T0 + 40 * (13 + clip!.pictures)))).toBeLessThanOrEqual(41);
    expect(existsSync(clip!.thumbnail!)).toBe(true);
    const left = readdirSync(dirname(part)).filter((name) => name.includes('.part.') || name.includes('.made'));
    expect(left.sort()).toEqual(['live.part.json', 'live.part.mp4']);
    expect((await recorder.recover()).clips).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('an ffmpeg for which there are no descriptors', () => {
  it('fails as one that cannot be started', async () => {
    const script = `
      import { openSync } from 'node:fs';
      import { findFfmpeg } from './lib/capture/ffmpeg.js';
      import { FfmpegProcess } from './lib/capture/ffmpeg-process.js';
      import { FfmpegFeed, runFfmpeg } from './lib/pipeline/clips/ffmpeg-feed.js';
      import { numbered } from './tests/unit/pipeline/clips-support.js';
      const codes = [];
      const code = (error) => codes.push(error.code ?? String(error));
      const program = process.execPath;
      try { for (;;) openSync('/dev/null', 'r'); } catch {}
      const feed = new FfmpegFeed(program, [], []);
      await feed.write(numbered(0, 0), 0).catch(code);
      await feed.finish().catch(code);
      feed.kill();
      await runFfmpeg(program, []).catch(code);
      await findFfmpeg(program).catch(code);
      const child = new FfmpegProcess(program, [], 1, (text) => text);
      await child.ended;
      codes.push(child.problem?.code);
      // Node's own timer of what it could not start would keep the process for ten seconds.
      process.stdout.write(JSON.stringify(codes), () => process.exit());
    `;
    const child = spawn(
      '/bin/sh',
      ['-c', 'ulimit -n 256; exec "$0" --import tsx --input-type=module --eval "$1"', process.execPath, script],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(JSON.parse(said)).toEqual([
      'FFMPEG_FAILED',
      'FFMPEG_FAILED',
      'FFMPEG_FAILED',
      'FFMPEG_NOT_FOUND',
      'FFMPEG_FAILED',
    ]);
  });
});

describe('fragments', () => {
  it('are none in what is no video, cut off or damaged', async () => {
    const path = join(folder, 'x.mp4');
    const box = (type: string, content: number[] = []): number[] => [
      0,
      0,
      0,
      8 + content.length,
      ...Buffer.from(type),
      ...content,
    ];
    const trun = box('trun', [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
    const moof = box('moof', box('traf', trun));
    const whole = [...box('ftyp'), ...box('moov'), ...moof, ...box('mdat', [1, 2, 3])];
    for (const [bytes, pictures] of [
      [whole, 5],
      [[...whole, ...moof], 5],
      [[...whole, ...moof, 0, 0, 0, 9], 5],
      [[...whole, 0, 0, 0, 3, 255, 255, 255, 255], 5],
      [whole.slice(0, -1), 0],
      [[...box('ftyp'), ...moof, ...box('mdat')], 0],
      [[0, 0, 0, 1, ...Buffer.from('moov'), 0, 0, 0, 0], 0],
      [[...Buffer.from('no video at all, only text')], 0],
      [[], 0],
    ] as const) {
      writeFileSync(path, Uint8Array.from(bytes));
      const found = await scanFragments(path);
      expect(found.pictures).toBe(pictures);
      expect(found.bytes).toBe(pictures === 0 ? 0 : whole.length);
    }
  });
});
