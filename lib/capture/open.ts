import { callSite, wrapError } from '../errors.js';
import { Camera, type CameraPlan } from './camera.js';
import { devicePluggedIn, openDeviceFeed } from './device-feed.js';
import { openFolder } from './folder-feed.js';
import { checkCameraOptions } from './options.js';
import { isWholeFile, openRaw } from './raw-feed.js';
import { roomOf } from './room.js';
import { nameOf, resolveSource } from './source.js';
import type { CameraOptions, CameraSource } from './types.js';
import { openVideo } from './video-feed.js';

/**
 * Opens a camera: a V4L2 device, a video file, a network stream, a folder of photographs, or bare pictures from a pipe. Resolves with the
 * first picture (bare pictures: at once, they may come when they like); from then on it runs by itself, and tries again when a live source
 * is lost. Videos and streams are read by an ffmpeg program (5.0 or later) in a process of its own; user and password of an address are
 * seen in the list of processes, and nowhere else. Close the camera, or declare it with `await using`.
 *
 * Rejects with `INVALID_ARGUMENT`; `CAMERA_NOT_FOUND` (no such device, file, server or stream), `CAMERA_BUSY`, `CAMERA_UNSUPPORTED` (format,
 * control, protocol), `ACCESS_DENIED` (user or password), `CAMERA_LOST` (refused, no answer in time), `VIDEO_CORRUPT` (damaged, no video, only
 * sound), `FFMPEG_NOT_FOUND`, `FFMPEG_FAILED`, `ABORTED`, `ADDON_NOT_FOUND`.
 */
export function openCamera(options: CameraOptions): Promise<Camera> {
  return open(options, false, callSite(openCamera));
}

/**
 * @internal As `openCamera`; but where a device or a stream is not there, is busy or does not answer, it gives a camera that is `lost` and
 * tries again as `reconnect` says.
 */
export function openCameraPatiently(options: CameraOptions): Promise<Camera> {
  return open(options, true, callSite(openCameraPatiently));
}

async function open(options: CameraOptions, patient: boolean, site: ReturnType<typeof callSite>): Promise<Camera> {
  try {
    checkCameraOptions(options);
    const source = await resolveSource(options.source);
    const camera = new Camera({
      ...(await planOf(source, options)),
      id: options.id ?? nameOf(source),
      format: options.format,
      reconnect: options.reconnect,
    });
    await camera.start(options.signal, patient && (source.kind === 'device' || source.kind === 'stream'));
    return camera;
  } catch (error) {
    throw wrapError(error, site);
  }
}

type Opened = Pick<CameraPlan, 'open' | 'live' | 'waits' | 'sooner'>;

async function planOf(source: CameraSource, options: CameraOptions): Promise<Opened> {
  const { width, height, fps, ffmpeg, hardware } = options;
  const room = roomOf(options);
  const size = {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(fps === undefined ? {} : { fps }),
  };
  switch (source.kind) {
    case 'device':
      return {
        open: (wake, before, signal) => openDeviceFeed(source, options, room, wake, before, signal),
        live: true,
        waits: true,
        sooner: devicePluggedIn,
      };
    case 'file':
    case 'stream': {
      const request = {
        source,
        room,
        ...size,
        ...(ffmpeg === undefined ? {} : { ffmpeg }),
        ...(hardware === undefined ? {} : { hardware }),
      };
      return { open: (wake, before) => openVideo(request, wake, before), live: source.kind === 'stream', waits: true };
    }
    case 'folder':
      return { open: (wake) => openFolder({ source, ...size }, wake), live: false, waits: true };
    case 'raw': {
      // A pipe by name can be opened again; a descriptor is gone when its writer is.
      const live = source.path !== undefined && !(await isWholeFile(source));
      return { open: (wake, before) => openRaw(source, room, wake, before), live, waits: false };
    }
  }
}
