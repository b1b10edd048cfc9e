import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { maskAddresses, masker } from '../../../lib/capture/secrets.js';
import { nameOf, resolveSource } from '../../../lib/capture/source.js';
import type { CameraSource } from '../../../lib/capture/types.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-source-'));
const clip = join(folder, 'clip 1.mp4');
writeFileSync(clip, 'x');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what a source is', () => {
  it('is told by its name', async () => {
    expect(await resolveSource(0)).toEqual({ kind: 'device', device: 0 });
    expect(await resolveSource('3')).toEqual({ kind: 'device', device: 3 });
    expect(await resolveSource('/dev/video7')).toEqual({ kind: 'device', device: '/dev/video7' });
    expect(await resolveSource('rtsp://10.0.0.5/live')).toEqual({ kind: 'stream', url: 'rtsp://10.0.0.5/live' });
    expect(await resolveSource('HTTPS://example.org/a.m3u8')).toEqual({
      kind: 'stream',
      url: 'HTTPS://example.org/a.m3u8',
    });
    expect(await resolveSource(clip)).toEqual({ kind: 'file', path: clip });
    expect(await resolveSource(pathToFileURL(clip).href)).toEqual({ kind: 'file', path: clip });
    expect(await resolveSource(folder)).toEqual({ kind: 'folder', path: folder });
  });

  it('is refused where nothing is there', async () => {
    for (const missing of [join(folder, 'none.mp4'), { kind: 'folder', path: join(folder, 'none') } as const]) {
      await expect(resolveSource(missing)).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    }
  });

  it('is refused where it makes no sense', async () => {
    const wrong: unknown[] = [
      '',
      'a\0b',
      null,
      {},
      { kind: 'screen' },
      { kind: 'device', device: -1 },
      { kind: 'device', device: 0, controls: { exposure: 'best' } },
      { kind: 'stream', url: 'no address' },
      { kind: 'stream', url: 'rtsp://a b' },
      { kind: 'stream', url: 'rtsp://a', transport: 'pigeon' },
      { kind: 'stream', url: 'rtsp://a', timeoutMs: Number.NaN },
      { kind: 'file', path: clip, pace: 'slow' },
      { kind: 'file', path: clip, rate: 2 },
      { kind: 'file', path: folder },
      { kind: 'folder', path: clip },
      { kind: 'folder', path: folder, fps: 0 },
      { kind: 'raw', width: 4, height: 4, format: 'rgb' },
      { kind: 'raw', path: clip, fd: 3, width: 4, height: 4, format: 'rgb' },
      { kind: 'raw', path: clip, width: 5, height: 4, format: 'i420' },
      { kind: 'raw', path: clip, width: 4, height: 5, format: 'nv12' },
      { kind: 'raw', path: clip, width: 0, height: 4, format: 'rgb' },
      { kind: 'raw', path: clip, width: 40_000, height: 4, format: 'rgb' },
      { kind: 'raw', path: clip, width: 4, height: 4, format: 'mjpeg' },
      { kind: 'raw', fd: 1.5, width: 4, height: 4, format: 'rgb' },
    ];
    for (const source of wrong) {
      await expect(resolveSource(source as CameraSource), JSON.stringify(source)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
  });

  it('has a short name without secrets', () => {
    expect(nameOf({ kind: 'device', device: 2 })).toBe('video2');
    expect(nameOf({ kind: 'device', device: '/dev/video2' })).toBe('video2');
    expect(nameOf({ kind: 'file', path: '/a/b/clip.mp4' })).toBe('clip.mp4');
    expect(nameOf({ kind: 'raw', fd: 5, width: 2, height: 2, format: 'rgb' })).toBe('fd5');
    expect(nameOf({ kind: 'stream', url: 'rtsp://me:secret@10.0.0.5:554/live/?token=abc' })).toBe('10.0.0.5:554/live');
  });
});

describe('secrets of addresses', () => {
  it('are taken out wherever the address stands', () => {
    const said = 'Opening rtsp://me:p%40ss@10.0.0.5/live and http://host/a?x=1&token=abc123&y=2 failed';
    expect(maskAddresses(said)).toBe('Opening rtsp://***@10.0.0.5/live and http://host/a?x=1&token=***&y=2 failed');
    expect(maskAddresses('rtsp://10.0.0.5/live?a=b')).toBe('rtsp://10.0.0.5/live?a=b');
  });

  it('are taken out where they stand alone, as written, decoded, and in base64', () => {
    const mask = masker('rtsp://me:p%40ssword@10.0.0.5/live');
    expect(mask('wrong p@ssword')).toBe('wrong ***');
    expect(mask('wrong p%40ssword')).toBe('wrong ***');
    expect(mask(`Basic ${Buffer.from('me:p@ssword').toString('base64')}`)).toBe('Basic ***');
    expect(masker('rtsp://10.0.0.5/live')('all is well')).toBe('all is well');
  });

  it('survive addresses that are badly written', () => {
    expect(masker('rtsp://a:100%@host/')('rtsp://a:100%@host/ 100% sure')).not.toContain('a:100%');
  });
});
