import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadSharp } from './decode.js';
import { type ImageInput, isBytes, isSharpLike } from './input.js';
import { ownBytes } from './raw.js';

/** What a picture's EXIF says of the camera that took it; what is not there, or cannot be, is absent. */
export interface CameraTags {
  /** Millimetres. */
  readonly focalLength?: number;
  /** Millimetres of a lens that sees as much on 35 mm film (36 × 24 mm). */
  readonly focalLengthIn35mm?: number;
  /** Pixels for a millimetre of the sensor, of the picture as it was taken. */
  readonly pixelsPerMillimetre?: number;
  /** Pixels of the longer side of the picture as it was taken. */
  readonly longerSide?: number;
}

/** EXIF is a few kilobytes; what follows is a thumbnail. */
const MOST_BYTES = 1 << 24;
const MOST_ENTRIES = 1024;
const EXIF_IFD = 0x8769;
const TAGS = {
  focalLength: 0x920a,
  pixelWidth: 0xa002,
  pixelHeight: 0xa003,
  focalPlaneXResolution: 0xa20e,
  focalPlaneResolutionUnit: 0xa210,
  focalLengthIn35mm: 0xa405,
} as const;
/** Millimetres of FocalPlaneResolutionUnit: inch, centimetre, millimetre, micrometre. */
const UNITS: Readonly<Record<number, number>> = { 2: 25.4, 3: 10, 4: 1, 5: 0.001 };

/**
 * Reads the tags from EXIF data: a TIFF file (EXIF 2.32, CIPA DC-008, section 4.6) with or without the six bytes
 * `Exif\0\0` before it, as `sharp`
 * gives it. Never throws: data that is damaged, or something else, has no tags. Pure function.
 */
export function readCameraTags(exif: Uint8Array): CameraTags {
  if (!(exif instanceof Uint8Array) || exif.byteLength > MOST_BYTES) return {};
  const prefix = [0x45, 0x78, 0x69, 0x66, 0, 0].every((byte, i) => exif[i] === byte) ? 6 : 0;
  const data = new DataView(exif.buffer, exif.byteOffset + prefix, exif.byteLength - prefix);
  const tiff = new Tiff(data);
  const pointer = tiff.entries(tiff.first()).get(EXIF_IFD);
  if (pointer === undefined) return {};
  const entries = tiff.entries(tiff.number(pointer));
  const tag = (name: keyof typeof TAGS): number | undefined => {
    const entry = entries.get(TAGS[name]);
    const value = entry === undefined ? undefined : tiff.number(entry);
    return value !== undefined && value > 0 ? value : undefined;
  };
  const focalLength = tag('focalLength');
  const focalLengthIn35mm = tag('focalLengthIn35mm');
  const resolution = tag('focalPlaneXResolution');
  const unit = UNITS[tag('focalPlaneResolutionUnit') ?? 2];
  const longerSide = Math.max(tag('pixelWidth') ?? 0, tag('pixelHeight') ?? 0);
  return {
    ...(focalLength === undefined ? {} : { focalLength }),
    ...(focalLengthIn35mm === undefined ? {} : { focalLengthIn35mm }),
    ...(resolution === undefined || unit === undefined ? {} : { pixelsPerMillimetre: resolution / unit }),
    ...(longerSide === 0 ? {} : { longerSide }),
  };
}

/** Where an entry's type and value lie. */
interface Entry {
  readonly type: number;
  readonly at: number;
}

/** A reader that stays within its data: what lies outside is undefined. */
class Tiff {
  readonly #data: DataView;
  readonly #little: boolean;

  constructor(data: DataView) {
    this.#data = data;
    this.#little = data.byteLength > 0 && data.getUint8(0) === 0x49;
  }

  /** Where the first directory lies; undefined where this is no TIFF. */
  first(): number | undefined {
    if (this.#u16(0) !== (this.#little ? 0x4949 : 0x4d4d) || this.#u16(2) !== 42) return undefined;
    return this.#u32(4);
  }

  entries(at: number | undefined): Map<number, Entry> {
    const found = new Map<number, Entry>();
    const count = Math.min((at === undefined ? undefined : this.#u16(at)) ?? 0, MOST_ENTRIES);
    for (let i = 0; i < count; i++) {
      const entry = at! + 2 + 12 * i;
      const [tag, type] = [this.#u16(entry), this.#u16(entry + 2)];
      if (tag === undefined || type === undefined) break;
      if (!found.has(tag)) found.set(tag, { type, at: entry + 8 });
    }
    return found;
  }

  /** The first number of an entry. */
  number({ type, at }: Entry): number | undefined {
    if (type === 3) return this.#u16(at);
    if (type === 4) return this.#u32(at);
    if (type !== 5) return undefined;
    const where = this.#u32(at);
    if (where === undefined) return undefined;
    const [above, below] = [this.#u32(where), this.#u32(where + 4)];
    return above === undefined || below === undefined || below === 0 ? undefined : above / below;
  }

  #u16(at: number): number | undefined {
    return at >= 0 && at + 2 <= this.#data.byteLength ? this.#data.getUint16(at, this.#little) : undefined;
  }

  #u32(at: number): number | undefined {
    return at >= 0 && at + 4 <= this.#data.byteLength ? this.#data.getUint32(at, this.#little) : undefined;
  }
}

/**
 * The EXIF data of an image file, its bytes or a `sharp` pipeline's input; absent where there is none, where the
 * input has no such
 * thing (raw pixels) or cannot be read, which decoding it will say. Reads the header, not the pixels.
 */
export async function readExif(input: ImageInput): Promise<Uint8Array | undefined> {
  try {
    if (typeof input === 'string' || input instanceof URL) {
      const path = typeof input === 'string' ? input : fileURLToPath(input);
      return (await stat(path)).isFile() ? exifOf(await (await loadSharp())(path).metadata()) : undefined;
    }
    if (isBytes(input)) {
      const bytes = await ownBytes('input', input);
      return exifOf(await (await loadSharp())(bytes).metadata());
    }
    return isSharpLike(input) ? exifOf(await input.clone().metadata()) : undefined;
  } catch {
    return undefined;
  }
}

function exifOf(metadata: unknown): Uint8Array | undefined {
  const exif = (metadata as { exif?: unknown }).exif;
  return exif instanceof Uint8Array ? exif : undefined;
}
