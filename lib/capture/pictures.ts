import { LineamentError } from '../errors.js';
import { decodeImage } from '../image/decode.js';
import { CHANNELS } from '../image/raw.js';
import { loadAddon, type NativeExecutor } from '../native/index.js';
import type { Frame, FrameFormat } from '../types.js';
import { toPlanar } from './convert.js';
import type { Picture } from './feed.js';
import type { CameraFrame, CameraOptions, DepthCameraFrame } from './types.js';

/** Turns what a source gives into what was asked for. */
export class Developer {
  readonly #camera: string;
  readonly #format: CameraOptions['format'];
  #executor: NativeExecutor | undefined;
  #closed = false;

  constructor(camera: string, format: CameraOptions['format']) {
    this.#camera = camera;
    this.#format = format;
  }

  /** A frame, of its own memory unless it was borrowed and needed no change; absent where the picture is damaged. */
  async frame(picture: Picture, borrow: boolean): Promise<CameraFrame | undefined> {
    if (picture.format === 'z16') {
      throw new LineamentError('CAMERA_UNSUPPORTED', `${this.#camera} gives depth, not pictures`, {
        fix: "Read it with 'depthFrames'.",
      });
    }
    let raw: Frame;
    let fresh = false;
    try {
      const bytes = await picture.bytes();
      if (!(bytes instanceof Uint8Array)) {
        raw = bytes;
        fresh = true;
      } else if (picture.format === 'mjpeg') {
        raw = await decodeImage(bytes);
        fresh = true;
      } else {
        const { width, height, format } = picture;
        raw = { data: bytes, width, height, format, channels: CHANNELS[format] };
      }
    } catch (error) {
      if (isDamage(error)) return undefined;
      throw error;
    }
    const wanted = this.#wantedOf(raw.format);
    const frame = wanted === raw.format ? raw : await this.#convert(raw, wanted);
    const own = fresh || frame !== raw || borrow;
    return { ...frame, ...(own ? {} : { data: new Uint8Array(frame.data) }), ...this.#tags(picture) };
  }

  /** A depth frame; `CAMERA_UNSUPPORTED` where the source gives pictures. */
  async depth(picture: Picture, borrow: boolean): Promise<DepthCameraFrame | undefined> {
    if (picture.format !== 'z16') {
      throw new LineamentError('CAMERA_UNSUPPORTED', `${this.#camera} gives pictures, not depth`, {
        fix: "Read it with 'frames'.",
      });
    }
    const bytes = (await picture.bytes()) as Uint8Array;
    const own = borrow && bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
    const { width, height } = picture;
    const steps = new Uint16Array(own.buffer, own.byteOffset, width * height);
    return { ...this.#tags(picture), width, height, steps };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#executor?.close();
  }

  #tags({
    sequence,
    timestamp,
    position,
  }: Picture): Pick<CameraFrame, 'camera' | 'sequence' | 'timestamp' | 'position'> {
    return { camera: this.#camera, sequence, timestamp, ...(position === undefined ? {} : { position }) };
  }

  #wantedOf(given: FrameFormat): FrameFormat {
    const asked = this.#format;
    if (asked === 'native') return given;
    return asked ?? (given === 'yuyv' ? 'rgb' : given);
  }

  async #convert(frame: Frame, format: FrameFormat): Promise<Frame> {
    const { width, height } = frame;
    const channels = CHANNELS[format];
    if (format === 'i420' || format === 'nv12') {
      if (width % 2 !== 0 || height % 2 !== 0) {
        throw new LineamentError('CAMERA_UNSUPPORTED', `${format} of ${width}×${height} pixels: sides have to be even`);
      }
      const readable = ['i420', 'nv12', 'yuyv', 'rgb', 'gray'].includes(frame.format);
      const source = readable ? frame : await this.#convert(frame, 'rgb');
      return { data: await toPlanar(source, format), width, height, channels, format };
    }
    if (this.#closed) throw new LineamentError('CLOSED', `the camera ${this.#camera} has been closed`);
    const addon = loadAddon();
    this.#executor ??= addon.createExecutor(1);
    const data = await addon.convert(this.#executor, frame, format);
    return { data, width, height, channels, format };
  }
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof LineamentError &&
    ['IMAGE_CORRUPT', 'IMAGE_UNSUPPORTED', 'IMAGE_TOO_LARGE', 'IMAGE_NOT_FOUND'].includes(error.code)
  );
}
