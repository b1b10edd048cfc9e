import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { findFfmpeg, releaseOf } from '../../../lib/capture/ffmpeg.js';
import { ffmpegArguments } from '../../../lib/capture/ffmpeg-arguments.js';
import { explainEnd } from '../../../lib/capture/ffmpeg-errors.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-ffmpeg-'));
const { PATH, LINEAMENT_FFMPEG } = process.env;
afterEach(() => {
  process.env['PATH'] = PATH;
  if (LINEAMENT_FFMPEG === undefined) delete process.env['LINEAMENT_FFMPEG'];
  else process.env['LINEAMENT_FFMPEG'] = LINEAMENT_FFMPEG;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that says what it is told to. */
function program(name: string, says: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(file, 0o755);
  return file;
}

describe.skipIf(process.platform === 'win32')('ffmpeg is found', () => {
  it('by the option, by LINEAMENT_FFMPEG and on PATH, in this order', async () => {
    const named = program('named', 'ffmpeg version 7.1 Copyright');
    const fromEnvironment = program('environment', 'ffmpeg version n6.0-3 Copyright');
    program('ffmpeg', 'ffmpeg version 5.1.9-0+deb12u1 Copyright');
    process.env['PATH'] = folder;
    delete process.env['LINEAMENT_FFMPEG'];
    expect(await findFfmpeg()).toMatchObject({ path: join(folder, 'ffmpeg'), release: [5, 1] });
    process.env['LINEAMENT_FFMPEG'] = fromEnvironment;
    expect(await findFfmpeg()).toMatchObject({ path: fromEnvironment, release: [6, 0] });
    expect(await findFfmpeg(named)).toMatchObject({ path: named, version: '7.1' });
    expect(await findFfmpeg('named')).toMatchObject({ path: named });
  });

  it('or it is said how to get it', async () => {
    process.env['PATH'] = join(folder, 'nothing');
    delete process.env['LINEAMENT_FFMPEG'];
    await expect(findFfmpeg()).rejects.toMatchObject({
      code: 'FFMPEG_NOT_FOUND',
      fix: expect.stringContaining('LINEAMENT_FFMPEG'),
    });
    await expect(findFfmpeg(join(folder, 'none'))).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' });
    await expect(findFfmpeg(folder)).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' });
  });

  it('and refused where it is too old or something else', async () => {
    await expect(findFfmpeg(program('old', 'ffmpeg version 4.4.2 Copyright'))).rejects.toMatchObject({
      code: 'FFMPEG_FAILED',
    });
    await expect(findFfmpeg(program('other', 'hello'))).rejects.toMatchObject({ code: 'FFMPEG_FAILED' });
  });

  it('in versions of every spelling', () => {
    expect(releaseOf('n7.1')).toEqual([7, 1]);
    expect(releaseOf('6.1.1-3ubuntu5')).toEqual([6, 1]);
    expect(releaseOf('N-117000-gabcdef')[0]).toBeGreaterThan(7);
    expect(releaseOf('2024-05-01-git-123')[0]).toBeGreaterThan(7);
  });
});

describe('arguments of ffmpeg', () => {
  const now = { release: [7, 1] } as const;
  const argument = (args: readonly string[], name: string): string | undefined => args[args.indexOf(name) + 1];

  it('name each file so that it cannot be an option or a protocol', () => {
    const args = ffmpegArguments({ source: { kind: 'file', path: '-y' } }, now);
    expect(argument(args, '-i')).toMatch(/^file:\/.*\/-y$/);
    expect(argument(args, '-protocol_whitelist')).not.toMatch(/http|tcp/);
  });

  it('loop where that is asked for', () => {
    const source = { kind: 'file', path: 'a' } as const;
    expect(argument(ffmpegArguments({ source: { ...source, loop: true } }, now), '-stream_loop')).toBe('-1');
    expect(ffmpegArguments({ source }, now)).not.toContain('-stream_loop');
  });

  it('give streams time limits by the names that their protocol has', () => {
    const rtsp = ffmpegArguments(
      { source: { kind: 'stream', url: 'rtsp://h/s', timeoutMs: 1500, transport: 'udp' } },
      now,
    );
    expect(argument(rtsp, '-timeout')).toBe('1500000');
    expect(argument(rtsp, '-rtsp_transport')).toBe('udp');
    expect(argument(rtsp, '-protocol_whitelist')).not.toMatch(/file/);
    const http = ffmpegArguments({ source: { kind: 'stream', url: 'http://h/s' } }, now);
    expect(argument(http, '-rw_timeout')).toBe('10000000');
    expect(http).not.toContain('-timeout');
  });

  it('keep the times of pictures by the name that the version knows', () => {
    const source = { kind: 'file', path: 'a' } as const;
    expect(ffmpegArguments({ source }, { release: [5, 0] })).toContain('-vsync');
    for (const release of [
      [5, 1],
      [6, 0],
      [99, 0],
    ] as const) {
      expect(ffmpegArguments({ source }, { release })).toContain('-fps_mode');
    }
    expect(argument(ffmpegArguments({ source, hardware: 'vaapi' }, now), '-hwaccel')).toBe('vaapi');
  });
});

describe('the end of ffmpeg', () => {
  const end = (...lines: string[]) => ({ code: 1, signal: null, lines });
  const stream = (line: string, seen = false) => explainEnd('stream', 'cam', end(line), seen);
  const file = (line: string, seen = false) => explainEnd('file', 'cam', end(line), seen);

  it.each([
    ['method DESCRIBE failed: 401 Unauthorized', 'ACCESS_DENIED', true],
    ['Server returned 403 Forbidden (access denied)', 'ACCESS_DENIED', true],
    ['Server returned 404 Not Found', 'CAMERA_NOT_FOUND', false],
    ['Failed to resolve hostname nowhere: Name or service not known', 'CAMERA_NOT_FOUND', false],
    ['Connection to tcp://127.0.0.1:1 failed: Connection refused', 'CAMERA_LOST', false],
    ['rtsp://h/s: Connection timed out', 'CAMERA_LOST', false],
    ['rtsp://h/s: Invalid data found when processing input', 'CAMERA_LOST', false],
    ["Stream map '0:v:0' matches no streams.", 'VIDEO_CORRUPT', true],
    ['foo://h: Protocol not found', 'CAMERA_UNSUPPORTED', true],
    ['Device creation failed: -542398533.', 'FFMPEG_FAILED', true],
  ])('of a stream says what happened: %s', (line, code, final) => {
    const { error, final: hopeless } = stream(line);
    expect(error.code).toBe(code);
    expect(hopeless).toBe(final);
    expect(error.message).toContain('cam');
  });

  it('of a stream that gave pictures is a loss', () => {
    expect(stream('Connection refused', true)).toMatchObject({ error: { code: 'CAMERA_LOST' }, final: false });
    expect(stream('404 Not Found', true)).toMatchObject({ error: { code: 'CAMERA_LOST' }, final: false });
  });

  it('of a file is final', () => {
    for (const [line, code] of [
      ['moov atom not found', 'VIDEO_CORRUPT'],
      ["Stream map '0:v:0' matches no streams.", 'VIDEO_CORRUPT'],
      ['file:/a: No such file or directory', 'CAMERA_NOT_FOUND'],
      ['something that nobody knows', 'FFMPEG_FAILED'],
    ] as const) {
      expect(file(line)).toMatchObject({ error: { code }, final: true });
    }
    expect(explainEnd('file', 'cam', { code: null, signal: 'SIGSEGV', lines: [] }, true).error.code).toBe(
      'VIDEO_CORRUPT',
    );
  });
});
