/** The 68 points of a face in full: regions, contours, numbered points, and the head's axes with the signs of `Pose`. */
import type { Point, Pose } from '../types.js';
import { CONTOURS_68, type DrawableFace, faceColour, poseAxes } from './face.js';
import { type Markup, markup, formatNumber as n } from './markup.js';
import { lineWidthFor, type OverlaySize, safeColour } from './overlay.js';
import type { Picture } from './picture.js';
import { drawOn } from './raster.js';

/** A part of the face that is drawn as an area. Left and right are those of the picture. */
export interface FaceRegion {
  readonly name: string;
  readonly colour: string;
  /** Indices of the 68 points around it, or along it for a region that is a band. */
  readonly outline: readonly number[];
  /** Width of a band as a share of the distance between the outer corners of the eyes; absent for an area. */
  readonly band?: number;
}

/** The areas that {@link landmarkOverlaySvg} fills. The jaw is what lies between the jaw line and the lower lip. */
export const FACE_REGIONS: readonly FaceRegion[] = [
  { name: 'jaw', colour: '#818cf8', outline: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 54, 55, 56, 57, 58, 59, 48] },
  { name: 'nose', colour: '#34d399', outline: [27, 31, 32, 33, 34, 35] },
  { name: 'mouth', colour: '#fb7185', outline: [48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59] },
  { name: 'left eye', colour: '#22d3ee', outline: [36, 37, 38, 39, 40, 41] },
  { name: 'right eye', colour: '#22d3ee', outline: [42, 43, 44, 45, 46, 47] },
  { name: 'left brow', colour: '#f59e0b', outline: [17, 18, 19, 20, 21], band: 0.09 },
  { name: 'right brow', colour: '#f59e0b', outline: [22, 23, 24, 25, 26], band: 0.09 },
];

/** What to draw of the points; everything but the numbers unless it is switched off. */
export interface LandmarkOverlayOptions {
  /** Filled areas: eyes, brows, nose, mouth, jaw. */
  readonly regions?: boolean;
  /** Lines that join the points. */
  readonly contours?: boolean;
  readonly points?: boolean;
  /** The index of each point beside it, counted from 0; default false. */
  readonly numbers?: boolean;
  /** Axes of the head, and its angles in words, where a pose is known. */
  readonly axes?: boolean;
  /** Width of lines in picture pixels; default by the picture's size. */
  readonly lineWidth?: number;
  /** Colour of a face's contours as a CSS colour; default by its index. */
  readonly colour?: (face: DrawableFace, index: number) => string;
}

const AXIS_COLOURS = { x: '#f43f5e', y: '#22c55e', z: '#3b82f6' } as const;

function path(points: readonly Point[], indices: readonly number[], closed: boolean): string {
  const line = indices
    .map((i, at) => {
      const [x, y] = points[i] ?? [0, 0];
      return `${at === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`;
    })
    .join('');
  return closed ? `${line}Z` : line;
}

/** Distance between the outer corners of the eyes: the measure that sizes are taken from. */
function eyeSpan(points: readonly Point[]): number {
  const [a, b] = [points[36] ?? [0, 0], points[45] ?? [0, 0]];
  const span = Math.hypot(a[0] - b[0], a[1] - b[1]);
  return Number.isFinite(span) && span > 0 ? span : 1;
}

function drawRegions(points: readonly Point[]): Markup {
  const span = eyeSpan(points);
  return markup`<g class="regions" stroke="none">${FACE_REGIONS.map(({ name, colour, outline, band }) =>
    band === undefined
      ? markup`<path d="${path(points, outline, true)}" fill="${colour}" fill-opacity="0.3"><title>${name}</title></path>`
      : markup`<path d="${path(points, outline, false)}" fill="none" stroke="${colour}" stroke-opacity="0.4" stroke-width="${n(span * band)}"><title>${name}</title></path>`,
  )}</g>`;
}

function drawContours(points: readonly Point[], unit: number): Markup {
  const lines = CONTOURS_68.map(({ from, to, closed }) => {
    const indices = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    return path(points, indices, closed);
  }).join('');
  return markup`<path class="contours" d="${lines}" stroke-width="${n(unit)}" stroke-opacity="0.9"/>`;
}

function drawPoints(points: readonly Point[], unit: number): Markup {
  const radius = Math.max(unit * 0.5, Math.min(unit * 1.8, eyeSpan(points) / 60));
  return markup`<g class="points" stroke="#0b1220" stroke-width="${n(radius * 0.4)}" fill="#fff">${points.map(
    ([x, y]) => markup`<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}"/>`,
  )}</g>`;
}

/** Each number stands on the outside of its contour, so that it does not cover the points of another. */
function drawNumbers(points: readonly Point[]): Markup {
  const span = eyeSpan(points);
  const font = Math.max(4, span / 19);
  const middles = CONTOURS_68.map(({ from, to }) => {
    const part = points.slice(from, to + 1);
    const mean = (axis: 0 | 1): number => part.reduce((sum, p) => sum + p[axis], 0) / part.length;
    return [mean(0), mean(1)] as const;
  });
  const labels = points.map(([x, y], i) => {
    const at = CONTOURS_68.findIndex(({ from, to }) => i >= from && i <= to);
    const [dx, dy] = numberSide(i, x, y, middles[at] ?? [x, y], points);
    const length = Math.hypot(dx, dy) || 1;
    const away = font * 0.95;
    return markup`<text x="${n(x + (dx / length) * away)}" y="${n(y + (dy / length) * away + font * 0.36)}">${i}</text>`;
  });
  return markup`<g class="numbers" font-size="${n(font)}" font-weight="600" text-anchor="middle" fill="#fff" stroke="#0b1220" stroke-width="${n(font * 0.22)}" stroke-linejoin="round" paint-order="stroke">${labels}</g>`;
}

/** Direction in which the number of point `i` is moved away from it. */
function numberSide(
  i: number,
  x: number,
  y: number,
  [mx, my]: readonly [number, number],
  points: readonly Point[],
): Point {
  // Up on this face: from the chin to the root of the nose.
  const [top, chin] = [points[27] ?? [0, -1], points[8] ?? [0, 1]];
  const up: Point = [top[0] - chin[0], top[1] - chin[1]];
  if (i <= 16) return [x - top[0], y - top[1]];
  if (i <= 26) return up;
  if (i <= 30) return [-up[1], up[0]];
  if (i <= 35) return up;
  // Inner lips: inward, as the outer ones have their numbers outside.
  if (i >= 60) return [mx - x, my - y];
  return [x - mx, y - my];
}

/** The head's axes from the tip of the nose: red to the picture's right for a head that looks ahead, green to the chin, blue out of the face. */
function drawAxes(face: DrawableFace, pose: Pose, unit: number, size: OverlaySize): Markup {
  const points = face.landmarks?.length === 68 ? face.landmarks : undefined;
  const [bx, by, bw, bh] = face.box;
  const [ox, oy] = points?.[30] ?? [bx + bw / 2, by + bh / 2];
  const length = Math.min(bw, bh) * 0.45;
  const axes = poseAxes(pose);
  const arrow = ([dx, dy]: Point, colour: string): Markup => {
    const [tx, ty] = [ox + dx * length, oy + dy * length];
    const reach = Math.hypot(dx, dy);
    if (reach < 0.04)
      return markup`<circle cx="${n(ox)}" cy="${n(oy)}" r="${n(unit * 2.4)}" fill="${colour}" stroke="none"/>`;
    const [ux, uy] = [dx / reach, dy / reach];
    const head = Math.min(unit * 5, reach * length * 0.5);
    const corner = (side: number): string =>
      `${n(tx - ux * head - side * uy * head * 0.5)} ${n(ty - uy * head + side * ux * head * 0.5)}`;
    return markup`<path d="M${n(ox)} ${n(oy)}L${n(tx - ux * head * 0.7)} ${n(ty - uy * head * 0.7)}" stroke="${colour}" stroke-width="${n(unit * 1.9)}"/><path d="M${n(tx)} ${n(ty)}L${corner(1)}L${corner(-1)}Z" fill="${colour}" stroke="none"/>`;
  };
  return markup`<g class="pose">${arrow(axes.y, AXIS_COLOURS.y)}${arrow(axes.x, AXIS_COLOURS.x)}${arrow(axes.z, AXIS_COLOURS.z)}${drawAngles(face, pose, unit, size)}</g>`;
}

/** Angles with their sign and what the sign means. */
export function poseInWords({ roll, yaw, pitch }: Pose): readonly (readonly [text: string, axis: 'x' | 'y' | 'z'])[] {
  const degrees = (v: number): string => {
    const whole = Math.round(v);
    return `${whole > 0 ? '+' : whole < 0 ? '−' : ''}${Math.abs(whole)}°`;
  };
  const word = (v: number, positive: string, negative: string): string =>
    Math.round(v) === 0 ? '' : ` ${v > 0 ? positive : negative}`;
  return [
    [`yaw ${degrees(yaw)}${word(yaw, '→', '←')}`, 'y'],
    [`pitch ${degrees(pitch)}${word(pitch, '↑', '↓')}`, 'x'],
    [`roll ${degrees(roll)}${word(roll, '↻', '↺')}`, 'z'],
  ];
}

/** Each angle in the colour of the axis that the head turns about. */
function drawAngles(face: DrawableFace, pose: Pose, unit: number, size: OverlaySize): Markup {
  const [x, y, w, h] = face.box;
  const font = Math.max(unit * 8, Math.min(unit * 14, w * 0.11));
  const words = poseInWords(pose);
  const width = font * 7.4;
  const height = font * (words.length * 1.3 + 0.5);
  const beside = x + w + unit * 4;
  const left = beside + width <= size.width ? beside : Math.max(0, Math.min(x, size.width) - width - unit * 4);
  const top = Math.min(Math.max(0, y + h - height), Math.max(0, size.height - height));
  return markup`<g class="angles"><rect x="${n(left)}" y="${n(top)}" width="${n(width)}" height="${n(height)}" rx="${n(font * 0.4)}" fill="#0b1220" fill-opacity="0.72" stroke="none"/>${words.map(
    ([text, axis], i) =>
      markup`<text x="${n(left + font * 0.5)}" y="${n(top + font * (1.25 + 1.3 * i))}" font-size="${n(font)}" fill="${LIGHT_AXES[axis]}" stroke="none">${text}</text>`,
  )}</g>`;
}

/** The axes' colours light enough for text on dark. */
const LIGHT_AXES = { x: '#fda4af', y: '#86efac', z: '#93c5fd' } as const;

/**
 * Draws the points of faces as an SVG the size of the picture, to be laid over it: filled regions, contours, points with or
 * without their numbers, and the head's axes. Signs are those of `Pose`: yaw + turns the face to the picture's right, pitch +
 * lifts it, roll + tilts it clockwise. Pure function.
 *
 * @param size size of the upright picture that the points refer to, in pixels
 * @param faces the faces; of one without 68 points only the axes can be drawn
 * @returns a complete `<svg>` element without external resources; all text escaped
 */
export function landmarkOverlaySvg(
  size: OverlaySize,
  faces: readonly DrawableFace[],
  options: LandmarkOverlayOptions = {},
): string {
  const unit = options.lineWidth ?? lineWidthFor(size);
  const groups = faces.map((face, index) => {
    const colour = safeColour(options.colour?.(face, index), faceColour(index));
    const points = face.landmarks?.length === 68 ? face.landmarks : undefined;
    return markup`<g class="face" stroke="${colour}" fill="none" stroke-linecap="round" stroke-linejoin="round">${
      options.regions !== false && points && drawRegions(points)
    }${options.contours !== false && points && drawContours(points, unit)}${
      options.axes !== false && face.pose && drawAxes(face, face.pose, unit, size)
    }${options.points !== false && points && drawPoints(points, unit)}${
      options.numbers === true && points && drawNumbers(points)
    }</g>`;
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(size.width)} ${n(size.height)}" width="${n(size.width)}" height="${n(size.height)}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif">${groups}</svg>`.toString();
}

/** How {@link renderLandmarkOverlay} draws. */
export interface LandmarkRenderOptions extends LandmarkOverlayOptions {
  /** Longest side of the result in pixels; the picture is never enlarged. Default: the picture's own size. */
  readonly maxSide?: number;
}

/**
 * The photograph with the points of its faces drawn on it, as {@link landmarkOverlaySvg} draws them.
 *
 * @param picture the photograph
 * @param faces faces in pixels of the upright picture
 * @returns a PNG
 * @throws LineamentError INVALID_ARGUMENT for a frame in a format that cannot be drawn on
 */
export function renderLandmarkOverlay(
  picture: Picture,
  faces: readonly DrawableFace[],
  options: LandmarkRenderOptions = {},
): Promise<Buffer> {
  return drawOn(picture, (size) => landmarkOverlaySvg(size, faces, options), options.maxSide);
}
