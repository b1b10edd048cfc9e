/** Drawings as PNG: overlays on the photograph and contact sheets of faces. */
import { LineamentError } from '../errors.js';
import { type DrawableFace, faceColour } from './face.js';
import { type Markup, markup, formatNumber as n } from './markup.js';
import { type OverlayOptions, type OverlaySize, overlaySvg } from './overlay.js';
import { dataUri, faceCrop, open, type Picture, pixels } from './picture.js';

/** How an overlay is rendered. */
export interface RenderOptions extends OverlayOptions {
  /** Longest side of the result in pixels; the picture is never enlarged. Default: the picture's own size. */
  readonly maxSide?: number;
}

/**
 * The photograph with the faces drawn on it.
 *
 * @param picture the photograph
 * @param faces faces in pixels of the upright picture
 * @returns a PNG
 * @throws LineamentError INVALID_ARGUMENT for a frame in a format that cannot be drawn on
 */
export function renderOverlay(
  picture: Picture,
  faces: readonly DrawableFace[],
  options: RenderOptions = {},
): Promise<Buffer> {
  return drawOn(picture, (size) => overlaySvg(size, faces, options), options.maxSide);
}

/** The picture with an SVG of its size laid over it, scaled down to `maxSide` at most, as a PNG. */
export async function drawOn(
  picture: Picture,
  draw: (size: OverlaySize) => string,
  maxSide = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const frame = await pixels(picture);
  const scale = Math.min(1, maxSide / Math.max(frame.width, frame.height));
  const width = Math.max(1, Math.round(frame.width * scale));
  const height = Math.max(1, Math.round(frame.height * scale));
  // The viewBox stays that of the picture, so the drawing scales with it.
  const svg = draw(frame).replace(
    `width="${n(frame.width)}" height="${n(frame.height)}"`,
    `width="${width}" height="${height}"`,
  );
  return (await open(frame))
    .resize(width, height, { fit: 'fill' })
    .composite([{ input: Buffer.from(svg), top: 0, left: 0 }])
    .removeAlpha()
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** One face on a contact sheet. */
export interface ContactSheetItem {
  readonly picture: Picture;
  readonly face: DrawableFace;
  /** A line of text below the face. */
  readonly label?: string;
}

/** Layout of a contact sheet, in pixels. */
export interface ContactSheetOptions {
  /** Side of one face; default 160. */
  readonly cell?: number;
  /** Faces in a row; default as many as make the sheet about square. */
  readonly columns?: number;
  readonly gap?: number;
  /** CSS colour of the sheet; default dark. */
  readonly background?: string;
  readonly textColour?: string;
}

/**
 * A sheet of faces, cut out of their photographs, in the order given. A face whose box lies outside its photograph gets an
 * empty cell, so that positions stay countable.
 *
 * @returns a PNG
 * @throws LineamentError INVALID_ARGUMENT for an empty list or sizes that are not positive
 */
export async function contactSheet(
  items: readonly ContactSheetItem[],
  options: ContactSheetOptions = {},
): Promise<Buffer> {
  if (items.length === 0) {
    throw new LineamentError('INVALID_ARGUMENT', 'Expected at least one face for a contact sheet but received none');
  }
  const cell = options.cell ?? 160;
  const columns = options.columns ?? Math.ceil(Math.sqrt(items.length));
  const gap = options.gap ?? Math.round(cell / 12);
  for (const [name, value] of Object.entries({ cell, columns })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new LineamentError('INVALID_ARGUMENT', `Expected positive integer for ${name} but received ${value}`);
    }
  }
  const caption = items.some((item) => item.label) ? Math.round(cell * 0.2) : 0;
  const rows = Math.ceil(items.length / columns);
  const width = columns * (cell + gap) + gap;
  const height = rows * (cell + caption + gap) + gap;
  const cells: Markup[] = [];
  for (const [index, item] of items.entries()) {
    const x = gap + (index % columns) * (cell + gap);
    const y = gap + Math.floor(index / columns) * (cell + caption + gap);
    cells.push(await drawCell(item, index, x, y, cell, caption, options.textColour ?? '#e2e8f0'));
  }
  const svg = markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"><rect width="100%" height="100%" fill="${options.background ?? '#0f172a'}"/>${cells}</svg>`;
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg.toString()), { unlimited: true }).png({ compressionLevel: 6 }).toBuffer();
}

async function drawCell(
  item: ContactSheetItem,
  index: number,
  x: number,
  y: number,
  cell: number,
  caption: number,
  textColour: string,
): Promise<Markup> {
  const crop = await faceCrop(item.picture, item.face.box, cell * 2);
  const radius = n(cell * 0.06);
  const text = item.label ?? '';
  const room = Math.floor(cell / (caption * 0.36 || 1));
  const shown = [...text].length > room ? `${[...text].slice(0, Math.max(1, room - 1)).join('')}…` : text;
  return markup`<g>${
    crop
      ? markup`<clipPath id="c${index}"><rect x="${x}" y="${y}" width="${cell}" height="${cell}" rx="${radius}"/></clipPath><image href="${dataUri(crop)}" x="${x}" y="${y}" width="${cell}" height="${cell}" clip-path="url(#c${index})"/>`
      : false
  }<rect x="${x}" y="${y}" width="${cell}" height="${cell}" rx="${radius}" fill="none" stroke="${faceColour(index)}" stroke-width="${n(Math.max(1, cell / 80))}"/>${
    shown &&
    markup`<text x="${n(x + cell / 2)}" y="${n(y + cell + caption * 0.78)}" font-size="${n(caption * 0.62)}" text-anchor="middle" fill="${textColour}">${shown}</text>`
  }</g>`;
}
