import { applyRegion, packRegions, type Region, squareBox } from '../../lib/image/geometry.js';
import { MIRROR } from '../../lib/landmarks/mirror.js';
import type { NativeAddon, NativeExecutor } from '../../lib/native/addon.js';
import type { Random } from '../../lib/training/random.js';
import type { GrayPicture, TrainingFace } from '../../lib/training/samples.js';
import type { Box, Frame, Point } from '../../lib/types.js';

/** How far faces are changed; deviations of normal distributions unless said otherwise. */
export interface Augmentation {
  /** Degrees. */
  readonly rotation: number;
  /** Natural logarithm of the ratio of width to height, and slant: faces of other shapes. */
  readonly stretch: number;
  readonly slant: number;
  /** Sides of the box in pixels of the sample, drawn evenly on a logarithmic scale. */
  readonly side: readonly [least: number, most: number];
  /** Box: how its middle moves, in sides, and the logarithm of its side. */
  readonly boxShift: number;
  readonly boxScale: number;
  /** Logarithm of the contrast, brightness in 0–255, slope of the light over the sample in 0–255. */
  readonly contrast: number;
  readonly brightness: number;
  readonly light: number;
  /** Deviation of the noise of a pixel, drawn evenly from 0 to this. */
  readonly noise: number;
}

export const AUGMENTATION: Augmentation = {
  rotation: 14,
  stretch: 0.06,
  slant: 0.05,
  side: [48, 160],
  boxShift: 0.04,
  boxScale: 0.06,
  contrast: 0.25,
  brightness: 18,
  light: 25,
  noise: 7,
};

/** Side of a sample over the side of the box: what lies around the face is seen as well. */
const SURROUNDINGS = 2.2;

export interface Sample {
  readonly picture: GrayPicture;
  readonly face: TrainingFace;
}

/**
 * `count` changed samples of a face, every second one mirrored: turned, stretched, at other sizes, in other light, with noise,
 * and with boxes that lie as differently about the face as a detector's do.
 */
export async function augment(
  addon: NativeAddon,
  executor: NativeExecutor,
  frame: Frame,
  face: { readonly box: Box; readonly points: readonly Point[] },
  count: number,
  random: Random,
  how: Augmentation = AUGMENTATION,
): Promise<Sample[]> {
  const [bx, by, side] = squareBox(face.box);
  const centre: Point = [bx + side / 2, by + side / 2];
  const samples: Sample[] = [];
  for (let n = 0; n < count; n++) {
    const mirrored = n % 2 === 1;
    // Enlarging much beyond the photograph's own pixels shows nothing new.
    const most = Math.max(how.side[0], Math.min(how.side[1], side * 1.5));
    const wanted = Math.exp(random.between(Math.log(how.side[0]), Math.log(most)));
    const size = Math.round(wanted * SURROUNDINGS);
    const scale = side / wanted;
    const angle = (random.normal(how.rotation, 2.5) * Math.PI) / 180;
    const stretch = Math.exp(random.normal(how.stretch) / 2);
    const slant = random.normal(how.slant);
    const [c, s] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
    const flip = mirrored ? -1 : 1;
    // Sample → photograph: (mirror and) stretch, slant, then turn and scale about the middle of the box.
    const [ux, vx, uy, vy] = [flip * stretch, flip * slant, 0, 1 / stretch];
    const [a, b, d, e] = [c * ux - s * uy, c * vx - s * vy, s * ux + c * uy, s * vx + c * vy];
    const half = size / 2;
    const region: Region = [a, b, centre[0] - (a + b) * half, d, e, centre[1] - (d + e) * half];
    const gray = await addon.warp(
      executor,
      frame,
      packRegions([region]),
      { width: size, height: size, colour: 'gray' },
      { filter: 'area', border: 'zero' },
    );
    relight(gray, size, random, how);
    const inverse = invert(region);
    const order = Array.from({ length: face.points.length }, (_, i) => (mirrored ? MIRROR[i]! : i));
    const points = order.map((i) => applyRegion(inverse, ...face.points[i]!));
    const boxSide = wanted * Math.exp(random.normal(how.boxScale));
    const box: Box = [
      half + random.normal(how.boxShift) * wanted - boxSide / 2,
      half + random.normal(how.boxShift) * wanted - boxSide / 2,
      boxSide,
      boxSide,
    ];
    samples.push({ picture: { data: gray, width: size, height: size }, face: { box, points } });
  }
  return samples;
}

function invert([a, b, c, d, e, f]: Region): Region {
  const det = a * e - b * d;
  const [ia, ib, id, ie] = [e / det, -b / det, -d / det, a / det];
  return [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
}

function relight(gray: Uint8Array, size: number, random: Random, how: Augmentation): void {
  const contrast = Math.exp(random.normal(how.contrast));
  const brightness = random.normal(how.brightness);
  const [lx, ly] = [random.normal(how.light) / size, random.normal(how.light) / size];
  const noise = random.uniform() * how.noise;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const i = y * size + x;
      const light = brightness + lx * (x - size / 2) + ly * (y - size / 2);
      // The sum of three even numbers is near enough to a normal distribution, and quick.
      const grain = noise * 2 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
      gray[i] = Math.max(0, Math.min(255, Math.round((gray[i]! - 128) * contrast + 128 + light + grain)));
    }
  }
}
