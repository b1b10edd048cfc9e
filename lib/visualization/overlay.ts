import type { Point } from '../types.js';
import { CONTOURS_68, type Contour, type DrawableFace, faceColour, poseAxes } from './face.js';
import { type Markup, markup, formatNumber as n } from './markup.js';

/** What to draw. Everything that the faces carry is drawn unless it is switched off. */
export interface OverlayOptions {
  readonly boxes?: boolean;
  /** The 68 points and the lines between them. */
  readonly landmarks?: boolean;
  readonly pose?: boolean;
  readonly labels?: boolean;
  /** Text beside each face; default its number, counted from 1. An empty string leaves the label out. */
  readonly label?: (face: DrawableFace, index: number) => string;
  /** Width of lines in picture pixels; default by the picture's size. */
  readonly lineWidth?: number;
  /** Colour of a face as a CSS colour; default by its index. */
  readonly colour?: (face: DrawableFace, index: number) => string;
}

/** Size of the picture that the coordinates belong to, in pixels. */
export interface OverlaySize {
  readonly width: number;
  readonly height: number;
}

const COLOUR = /^(#[0-9a-f]{3,8}|[a-z]+|(?:rgb|hsl)a?\([\d\s.,%/deg-]+\))$/i;

/** The wanted colour where it is a CSS colour and nothing else, otherwise `fallback`. */
export function safeColour(wanted: string | undefined, fallback: string): string {
  return wanted !== undefined && COLOUR.test(wanted) ? wanted : fallback;
}

/** A line width that stays visible when a picture of this size is shown at a common size. */
export function lineWidthFor(size: OverlaySize): number {
  return Math.max(1, Math.max(size.width, size.height) / 640);
}

function polyline(points: readonly Point[], contour: Contour): string {
  const part = points.slice(contour.from, contour.to + 1);
  const path = part.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
  return contour.closed ? `${path}Z` : path;
}

/** Four corner brackets of a box as one path. */
function brackets(x: number, y: number, w: number, h: number): string {
  const l = Math.min(w, h) * 0.22;
  const r = Math.min(w, h) * 0.06;
  const corner = (cx: number, cy: number, sx: number, sy: number): string =>
    `M${n(cx)} ${n(cy + sy * l)}V${n(cy + sy * r)}Q${n(cx)} ${n(cy)} ${n(cx + sx * r)} ${n(cy)}H${n(cx + sx * l)}`;
  return corner(x, y, 1, 1) + corner(x + w, y, -1, 1) + corner(x, y + h, 1, -1) + corner(x + w, y + h, -1, -1);
}

function drawBox(face: DrawableFace, unit: number): Markup {
  const [x, y, w, h] = face.box;
  return markup`<g class="box"><rect x="${n(x)}" y="${n(y)}" width="${n(Math.max(0, w))}" height="${n(Math.max(0, h))}" rx="${n(Math.min(w, h) * 0.06)}" stroke-opacity="0.45" stroke-width="${n(unit * 0.8)}"/><path d="${brackets(x, y, w, h)}" stroke-width="${n(unit * 2.2)}"/></g>`;
}

function drawLandmarks(points: readonly Point[], unit: number, width: number): Markup {
  const radius = Math.max(unit * 0.7, Math.min(unit * 2, width / 110));
  const lines = points.length === 68 ? CONTOURS_68.map((contour) => polyline(points, contour)).join('') : '';
  return markup`<g class="points">${lines && markup`<path d="${lines}" stroke-width="${n(radius * 0.75)}" stroke-opacity="0.75"/>`}${points.map(
    ([x, y]) => markup`<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" fill="#fff" stroke="none"/>`,
  )}</g>`;
}

/** Between the eyes' outer corners at the nose's root where points are known, otherwise the middle of the box. */
function poseOrigin(face: DrawableFace): Point {
  const tip = face.landmarks?.length === 68 ? face.landmarks[30] : undefined;
  const [x, y, w, h] = face.box;
  return tip ?? [x + w / 2, y + h / 2];
}

function drawPose(face: DrawableFace, unit: number): Markup {
  if (!face.pose) return markup``;
  const [ox, oy] = poseOrigin(face);
  const length = Math.min(face.box[2], face.box[3]) * 0.42;
  const axes = poseAxes(face.pose);
  const line = ([dx, dy]: Point, colour: string): Markup =>
    markup`<path d="M${n(ox)} ${n(oy)}L${n(ox + dx * length)} ${n(oy + dy * length)}" stroke="${colour}" stroke-width="${n(unit * 1.6)}"/>`;
  return markup`<g class="pose">${line(axes.x, '#f43f5e')}${line(axes.y, '#22c55e')}${line(axes.z, '#3b82f6')}</g>`;
}

function drawLabel(face: DrawableFace, text: string, unit: number, size: OverlaySize): Markup {
  const [x, y, w, h] = face.box;
  const height = Math.max(unit * 11, Math.min(unit * 20, w * 0.2));
  // Sans-serif letters are about 0.56 of the font size wide; wide scripts need a full em.
  const glyphs = [...text].reduce((sum, character) => sum + (character.charCodeAt(0) > 0x2e7f ? 1 : 0.56), 0);
  const font = height * 0.7;
  const width = Math.max(height, glyphs * font + height * 0.6);
  const left = Math.min(Math.max(0, x), Math.max(0, size.width - width));
  const above = y - height - unit * 2;
  const top = above >= 0 ? above : Math.min(y + h + unit * 2, Math.max(0, size.height - height));
  return markup`<g class="label"><rect x="${n(left)}" y="${n(top)}" width="${n(width)}" height="${n(height)}" rx="${n(height * 0.28)}" fill="currentColor" stroke="none"/><text x="${n(left + width / 2)}" y="${n(top + height * 0.74)}" font-size="${n(font)}" text-anchor="middle" fill="#0b1220" stroke="none">${text}</text></g>`;
}

/**
 * Draws faces as an SVG the size of the picture, to be laid over it.
 *
 * @param size size of the upright picture that boxes and points refer to, in pixels
 * @param faces the faces; what a face does not carry is not drawn
 * @param options what to draw
 * @returns a complete `<svg>` element with a `viewBox` of the picture's size and no external resources; all text escaped
 */
export function overlaySvg(size: OverlaySize, faces: readonly DrawableFace[], options: OverlayOptions = {}): string {
  return overlayMarkup(size, faces, options).toString();
}

/** As {@link overlaySvg}, for use inside other markup. */
export function overlayMarkup(size: OverlaySize, faces: readonly DrawableFace[], options: OverlayOptions = {}): Markup {
  const unit = options.lineWidth ?? lineWidthFor(size);
  const groups = faces.map((face, index) => {
    const colour = safeColour(options.colour?.(face, index), faceColour(index));
    const text = options.label?.(face, index) ?? String(index + 1);
    return markup`<g class="face" color="${colour}" stroke="${colour}" fill="none" stroke-linecap="round" stroke-linejoin="round">${
      options.boxes !== false && drawBox(face, unit)
    }${options.landmarks !== false && face.landmarks && drawLandmarks(face.landmarks, unit, face.box[2])}${
      options.pose !== false && drawPose(face, unit)
    }${options.labels !== false && text !== '' && drawLabel(face, text, unit, size)}</g>`;
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(size.width)} ${n(size.height)}" width="${n(size.width)}" height="${n(size.height)}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-weight="600">${groups}</svg>`;
}
