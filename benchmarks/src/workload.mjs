// Pictures that several benches share.
import { decode, fromFrame, sharp } from './frames.mjs';
import { photoPath } from './paths.mjs';

/** One clear face; 1024x1101. */
export const ONE_FACE = 'photos/person-celeste.jpg';

/** A 640x480 crop around the face of ONE_FACE, as raw pixels and as JPEG quality 90: the same for everybody. */
export async function oneFace640() {
  const whole = sharp(photoPath(ONE_FACE)).rotate().extract({ left: 160, top: 0, width: 864, height: 648 });
  const { data, info } = await whole
    .resize(640, 480, { kernel: 'cubic' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const frame = {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    width: info.width,
    height: info.height,
    channels: 3,
  };
  const jpeg = await fromFrame(frame).jpeg({ quality: 90 }).toBuffer();
  return { jpeg, frame: await decode(jpeg) };
}

/** The photographs of a folder run: single persons and groups. */
export const FOLDER = [
  ...['celeste', 'christina', 'lexi', 'linda', 'nicole', 'tasia', 'tetiana', 'vlado', 'vlado1', 'vlado5'].map(
    (n) => `photos/person-${n}.jpg`,
  ),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `photos/stock-emotions-a-${n}.jpg`),
  ...[1, 3, 4, 6, 8, 9].map((n) => `photos/stock-models-${n}.jpg`),
];
