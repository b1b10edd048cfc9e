/** A depth map as a picture in colours. */
import { abortSignal, boolean, invalid, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkDepth } from '../reconstruction/depth-check.js';
import type { DepthMap } from '../reconstruction/index.js';
import type { Frame } from '../types.js';
import { COLOUR_MAPS, type ColourMap, colourTable } from './colour-map.js';
import { markup, formatNumber as n } from './markup.js';
import { open } from './picture.js';
import { inSlices } from './slices.js';
import { depthRange } from './viewer-data.js';

export interface DepthPictureOptions {
  /** Near is bright in `viridis` and red in `turbo`. Default `viridis`. */
  readonly colours?: ColourMap;
  /** Millimetres that the ends of the colours stand for; what lies beyond takes the colour of the end. Default: all there is. */
  readonly range?: readonly [near: number, far: number];
  /** A strip with the colours and their millimetres beside the picture; default false. */
  readonly legend?: boolean;
  readonly signal?: AbortSignal;
}

const LEGEND_WIDTH = 112;

/**
 * A depth map as a PNG in colours whose lightness follows the depth; transparent where depth is not known (NaN).
 *
 * @returns a PNG of the map's size; with a legend 112 pixels wider
 * @throws LineamentError INVALID_ARGUMENT for a map or options that are not as stated; NO_SURFACE where no depth is known; ABORTED
 */
export async function depthPicture(depth: DepthMap, options: DepthPictureOptions = {}): Promise<Buffer> {
  const { colours, legend, signal } = checkOptions(options);
  checkDepth(depth, 'depth');
  const range = await rangeOf(depth, options);
  const frame = await open(await paint(depth, colours, range, signal));
  if (!legend) return frame.png({ compressionLevel: 6 }).toBuffer();
  return frame
    .extend({ right: LEGEND_WIDTH, background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .composite([{ input: Buffer.from(legendSvg(depth.height, colours, range)), left: depth.width, top: 0 }])
    .png({ compressionLevel: 6 })
    .toBuffer();
}

function checkOptions(options: DepthPictureOptions): {
  readonly colours: ColourMap;
  readonly legend: boolean;
  readonly signal: AbortSignal | undefined;
} {
  plainObject('options', options, ['colours', 'range', 'legend', 'signal']);
  return {
    colours: oneOf('colours', options.colours ?? 'viridis', COLOUR_MAPS),
    legend: boolean('legend', options.legend ?? false),
    signal: options.signal === undefined ? undefined : abortSignal('signal', options.signal),
  };
}

async function rangeOf(depth: DepthMap, options: DepthPictureOptions): Promise<readonly [near: number, far: number]> {
  if (options.range !== undefined && (!Array.isArray(options.range) || options.range.length !== 2)) {
    throw invalid('range', 'near and far in millimetres', options.range);
  }
  const [near, far] = options.range ?? (await depthRange(depth, options.signal));
  if (!(Number.isFinite(near) && Number.isFinite(far) && near <= far)) {
    throw invalid('range', 'near and far in millimetres', options.range);
  }
  // A map of one depth takes the middle of the colours.
  return near === far ? [near - 0.5, far + 0.5] : [near, far];
}

async function paint(
  { depth, width, height }: DepthMap,
  colours: ColourMap,
  [near, far]: readonly [number, number],
  signal: AbortSignal | undefined,
): Promise<Frame> {
  const table = colourTable(colours);
  const data = new Uint8Array(width * height * 4);
  let known = false;
  await inSlices(
    depth.length,
    1 << 15,
    (start, end) => {
      for (let i = start; i < end; i++) {
        const value = depth[i]!;
        if (!Number.isFinite(value)) continue;
        known = true;
        const step = Math.round(Math.min(1, Math.max(0, (far - value) / (far - near))) * 255) * 3;
        data[i * 4] = table[step]!;
        data[i * 4 + 1] = table[step + 1]!;
        data[i * 4 + 2] = table[step + 2]!;
        data[i * 4 + 3] = 255;
      }
    },
    signal,
  );
  if (!known) throw new LineamentError('NO_SURFACE', 'the depth map has no pixel whose depth is known');
  return { data, width, height, channels: 4, format: 'rgba' };
}

/** A strip with five marks on a white plate, nearest at the top. */
function legendSvg(height: number, colours: ColourMap, [near, far]: readonly [number, number]): string {
  const table = colourTable(colours, 33);
  const margin = Math.min(14, height / 8);
  const long = Math.max(1, height - 2 * margin);
  const size = Math.min(12, Math.max(5, height / 12));
  const stops = Array.from({ length: 33 }, (_, i) => {
    const [r, g, b] = table.subarray((32 - i) * 3, (33 - i) * 3);
    return markup`<stop offset="${n(i / 32, 4)}" stop-color="rgb(${r!},${g!},${b!})"/>`;
  });
  const marks = (height < 80 ? [0, 1] : [0, 0.25, 0.5, 0.75, 1]).map((share) => {
    const y = margin + share * long;
    const text = (near + (far - near) * share).toFixed(far - near < 10 ? 2 : far - near < 100 ? 1 : 0);
    return markup`<path d="M26 ${n(y)}h6" stroke="#64748b" stroke-width="1.5"/><text x="36" y="${n(y + size * 0.36)}">${text}${share === 0 && ' mm'}</text>`;
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" width="${LEGEND_WIDTH}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="${n(size)}"><linearGradient id="g" x1="0" y1="0" x2="0" y2="1">${stops}</linearGradient><rect x="4" width="${LEGEND_WIDTH - 4}" height="100%" rx="6" fill="#fff"/><rect x="12" y="${n(margin)}" width="14" height="${n(long)}" rx="3" fill="url(#g)"/><g fill="#0f172a">${marks}</g></svg>`.toString();
}
