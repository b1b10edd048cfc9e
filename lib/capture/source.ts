import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { invalid, nonEmptyString, numberIn, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { maskAddresses } from './secrets.js';
import type { CameraSource, DeviceControls } from './types.js';

const SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i;
const KINDS = ['device', 'file', 'stream', 'folder', 'raw'] as const;
const RAW_FORMATS = ['rgb', 'bgr', 'rgba', 'bgra', 'gray', 'yuyv', 'nv12', 'i420', 'z16'] as const;
/** No picture is larger: the ring's limit. */
export const MAX_SIDE = 32_768;

/**
 * What a name means: a number or `/dev/…` is a device, `scheme://…` a stream (`file://` a file), a folder a folder, a file a video.
 * Sources that are spelt out are checked. Rejects with `INVALID_ARGUMENT`, and with `CAMERA_NOT_FOUND` where a file or folder is not there.
 */
export async function resolveSource(source: string | number | CameraSource): Promise<CameraSource> {
  if (typeof source === 'number') return device(source);
  if (typeof source !== 'string') return present(checkSource(source));
  nonEmptyString('source', source);
  if (source.includes('\0')) throw invalid('source', 'name without zero bytes', source);
  if (/^\d+$/.test(source)) return device(Number(source));
  if (/^file:\/\//i.test(source)) return guess(pathOf(source));
  if (SCHEME.test(source)) return checkSource({ kind: 'stream', url: source });
  if (source.startsWith('/dev/')) return device(source);
  return guess(source);
}

function device(name: string | number): CameraSource {
  return checkSource({ kind: 'device', device: name });
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new LineamentError('INVALID_ARGUMENT', `'${url}' is not the address of a file here`, { cause });
  }
}

async function guess(name: string): Promise<CameraSource> {
  const found = await look(name);
  if (found.isDirectory()) return { kind: 'folder', path: name };
  if (found.isFile()) return { kind: 'file', path: name };
  if (found.isCharacterDevice()) return device(name);
  throw invalid(
    'source',
    'device, video, folder or address',
    name,
    "A pipe says nothing of its pictures: use { kind: 'raw', path, width, height, format }.",
  );
}

async function look(name: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(name);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'EACCES' ? 'may not be read' : 'does not exist';
    throw new LineamentError('CAMERA_NOT_FOUND', `${name} ${why}`, {
      cause,
      fix: "Give a device ('/dev/video0', 0), an address ('rtsp://…'), a video file or a folder of photographs.",
    });
  }
}

/** Files and folders have to be there; what devices and streams are is seen when they are opened. */
async function present(source: CameraSource): Promise<CameraSource> {
  if (source.kind === 'file' || source.kind === 'folder') {
    const found = await look(source.path);
    if (source.kind === 'folder' && !found.isDirectory()) throw invalid('source.path', 'folder', source.path);
    if (source.kind === 'file' && found.isDirectory()) throw invalid('source.path', 'file', source.path);
  } else if (source.kind === 'raw' && source.path !== undefined) await look(source.path);
  return source;
}

/** Checks a source that is spelt out. Throws `INVALID_ARGUMENT`. */
export function checkSource(source: CameraSource): CameraSource {
  if (typeof source !== 'object' || source === null) throw invalid('source', 'name, number or source', source);
  const given: CameraSource = source;
  oneOf('source.kind', given.kind, KINDS);
  switch (given.kind) {
    case 'device':
      plainObject('source', given, ['kind', 'device', 'controls']);
      if (typeof given.device === 'number') numberIn('source.device', given.device, 0, 255);
      else nonEmptyString('source.device', given.device);
      if (given.controls !== undefined) checkControls(given.controls);
      return given;
    case 'file':
      plainObject('source', given, ['kind', 'path', 'pace', 'loop']);
      checkPath(given.path);
      checkPace(given.pace);
      return given;
    case 'stream':
      plainObject('source', given, ['kind', 'url', 'transport', 'timeoutMs']);
      if (!SCHEME.test(nonEmptyString('source.url', given.url)) || /[\0\s]/.test(given.url)) {
        throw invalid('source.url', 'address with a scheme and no spaces', maskAddresses(given.url));
      }
      if (given.transport !== undefined) oneOf('source.transport', given.transport, ['tcp', 'udp']);
      if (given.timeoutMs !== undefined) numberIn('source.timeoutMs', given.timeoutMs, 100, 3_600_000);
      return given;
    case 'folder':
      plainObject('source', given, ['kind', 'path', 'fps', 'pace']);
      checkPath(given.path);
      checkPace(given.pace);
      if (given.fps !== undefined) numberIn('source.fps', given.fps, 0.001, 1000);
      return given;
    case 'raw':
      plainObject('source', given, ['kind', 'path', 'fd', 'width', 'height', 'format', 'fps']);
      return checkRaw(given);
  }
}

function checkPath(value: unknown): void {
  if (nonEmptyString('source.path', value).includes('\0'))
    throw invalid('source.path', 'path without zero bytes', value);
}

function checkPace(value: unknown): void {
  if (value !== undefined) oneOf('source.pace', value, ['live', 'fast']);
}

type RawSource = Extract<CameraSource, { kind: 'raw' }>;

function checkRaw(source: RawSource): RawSource {
  const { width, height, format, fd } = source;
  positiveInteger('source.width', width, MAX_SIDE);
  positiveInteger('source.height', height, MAX_SIDE);
  oneOf('source.format', format, RAW_FORMATS);
  if (['nv12', 'i420', 'yuyv'].includes(format) && width % 2 !== 0) {
    throw invalid('source.width', `even number (format '${format}')`, width);
  }
  if (['nv12', 'i420'].includes(format) && height % 2 !== 0) {
    throw invalid('source.height', `even number (format '${format}')`, height);
  }
  if ((source.path === undefined) === (fd === undefined)) throw invalid('source', 'either path or fd', source);
  if (source.path !== undefined) checkPath(source.path);
  if (fd !== undefined) numberIn('source.fd', fd, 0, 2 ** 31 - 1);
  if (fd !== undefined && !Number.isInteger(fd)) throw invalid('source.fd', 'file descriptor', fd);
  if (source.fps !== undefined) numberIn('source.fps', source.fps, 0.001, 1000);
  return source;
}

function checkControls(controls: DeviceControls): void {
  plainObject('source.controls', controls, ['exposure', 'gain', 'whiteBalance']);
  const { exposure, gain, whiteBalance } = controls;
  if (exposure !== undefined && exposure !== 'auto' && exposure !== 'face') numberIn('exposure', exposure, 0, 1e7);
  if (gain !== undefined && gain !== 'auto') numberIn('gain', gain, 0, 1e7);
  if (whiteBalance !== undefined && whiteBalance !== 'auto') numberIn('whiteBalance', whiteBalance, 0, 1e5);
}

/** A short name for a source, without secrets: `video0`, `clip.mp4`, `10.0.0.5/stream1`. */
export function nameOf(source: CameraSource): string {
  switch (source.kind) {
    case 'device':
      return typeof source.device === 'number' ? `video${source.device}` : path.basename(source.device);
    case 'stream': {
      const bare = maskAddresses(source.url)
        .replace(SCHEME, '')
        .replace(/^\*\*\*@/, '');
      return bare.replace(/[?#].*$/, '').replace(/\/+$/, '') || 'stream';
    }
    case 'file':
    case 'folder':
      return path.basename(path.resolve(source.path));
    case 'raw':
      return source.path === undefined ? `fd${source.fd}` : path.basename(source.path);
  }
}
