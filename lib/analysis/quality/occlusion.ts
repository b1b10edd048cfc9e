import type { Cells } from './light.js';
import type { Values } from './shape.js';
import { GRID, ZONE } from './zones.js';

/** Logarithms of colour, so that more or less light on the same skin is a shift: red and blue against green, and luma. */
interface LogColours {
  readonly red: Float32Array;
  readonly blue: Float32Array;
  readonly luma: Float32Array;
}

/** Keeps dark cells, whose colour is mostly noise, from having one. */
const DARK = 12;

function logColours({ red, green, blue, luma }: Cells, zones: Uint8Array): LogColours {
  const logs = {
    red: new Float32Array(red.length),
    blue: new Float32Array(red.length),
    luma: new Float32Array(red.length),
  };
  for (let cell = 0; cell < zones.length; cell++) {
    if (zones[cell]! < ZONE.skin) continue;
    const g = green[cell]! + DARK;
    logs.red[cell] = Math.log((red[cell]! + DARK) / g);
    logs.blue[cell] = Math.log((blue[cell]! + DARK) / g);
    logs.luma[cell] = Math.log(luma[cell]! + DARK);
  }
  return logs;
}

/** The colour of the skin of this face, and the slope of the light on it: luma ≈ a + b·x + c·y. */
interface Skin {
  readonly red: number;
  readonly blue: number;
  readonly light: readonly [number, number, number];
  /** Half-width of what counts as skin. */
  readonly redness: number;
  readonly blueness: number;
  readonly brightness: number;
}

/** Tolerances, least and most: colours of one skin under one light, and what shading leaves after its slope is taken out. */
const COLOUR = [0.12, 0.5] as const;
const SHADE = [0.3, 1.2] as const;

function skinOf(colours: LogColours, zones: Uint8Array): Skin | undefined {
  const cells: number[] = [];
  for (let cell = 0; cell < GRID * GRID; cell++) if (zones[cell] === ZONE.skin) cells.push(cell);
  if (cells.length < 60) return undefined;
  const red = median(cells, (c) => colours.red[c]!);
  const blue = median(cells, (c) => colours.blue[c]!);
  const rest = (c: number): number => Math.abs(colours.luma[c]! - shade(light, c));
  // Least squares, then again without the cells that stand out.
  let light = plane(cells, colours.luma);
  for (let round = 0; round < 2; round++) {
    const far = 2 * Math.max(0.02, DEVIATION * median(cells, rest));
    light = plane(
      cells.filter((c) => rest(c) <= far),
      colours.luma,
    );
  }
  const clamp = (value: number, [least, most]: readonly [number, number]): number =>
    Math.min(most, Math.max(least, value));
  return {
    red,
    blue,
    light,
    redness: clamp(3 * DEVIATION * median(cells, (c) => Math.abs(colours.red[c]! - red)), COLOUR),
    blueness: clamp(3 * DEVIATION * median(cells, (c) => Math.abs(colours.blue[c]! - blue)), COLOUR),
    brightness: clamp(3 * DEVIATION * median(cells, rest), SHADE),
  };
}

/** Standard deviation of a normal distribution over its median distance from the middle. */
const DEVIATION = 1.4826;

const median = (cells: readonly number[], of: (cell: number) => number): number =>
  Float32Array.from(cells, of).sort()[cells.length >> 1]!;

const shade = ([a, b, c]: Skin['light'], cell: number): number =>
  a + b * ((cell % GRID) - GRID / 2) + c * (Math.floor(cell / GRID) - GRID / 2);

/** Plane through values of cells by least squares; level where they lie on one line. */
function plane(cells: readonly number[], values: Float32Array): Skin['light'] {
  let [n, sx, sy, sxx, sxy, syy, sv, sxv, syv] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const cell of cells) {
    const x = (cell % GRID) - GRID / 2;
    const y = Math.floor(cell / GRID) - GRID / 2;
    const v = values[cell]!;
    n++;
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
    syy += y * y;
    sv += v;
    sxv += x * v;
    syv += y * v;
  }
  const [mx, my, mv] = [sx / n, sy / n, sv / n];
  const [cxx, cxy, cyy] = [sxx / n - mx * mx, sxy / n - mx * my, syy / n - my * my];
  const [cxv, cyv] = [sxv / n - mx * mv, syv / n - my * mv];
  const det = cxx * cyy - cxy * cxy;
  if (!(det > 1e-6)) return [mv, 0, 0];
  const b = (cxv * cyy - cyv * cxy) / det;
  const c = (cyv * cxx - cxv * cxy) / det;
  return [mv - b * mx - c * my, b, c];
}

/** How far a cell is from the skin, in tolerances. */
function strangeness(colours: LogColours, skin: Skin, cell: number): number {
  return Math.hypot(
    (colours.red[cell]! - skin.red) / skin.redness,
    (colours.blue[cell]! - skin.blue) / skin.blueness,
    (colours.luma[cell]! - shade(skin.light, cell)) / skin.brightness,
  );
}

/** Least spread (logarithms, tenth to ninetieth percentile) of luma and redness where an eye or lips are drawn. */
const DRAWN = { eye: 0.25, mouth: 0.12 } as const;

/** A zone by its cells: how many, the share that is strange to the skin, and the spread of luma and redness in it. */
interface Look {
  readonly cells: number;
  readonly strange: number;
  readonly luma: number;
  readonly redness: number;
}

function look(colours: LogColours, skin: Skin, zones: Uint8Array, zone: number): Look {
  const lumas: number[] = [];
  const reds: number[] = [];
  let strange = 0;
  for (let cell = 0; cell < GRID * GRID; cell++) {
    if (zones[cell] !== zone) continue;
    lumas.push(colours.luma[cell]!);
    reds.push(colours.red[cell]!);
    if (strangeness(colours, skin, cell) > 1) strange++;
  }
  const cells = lumas.length;
  const range = (values: number[]): number => {
    values.sort((a, b) => a - b);
    return cells === 0 ? 0 : values[Math.floor(cells * 0.9)]! - values[Math.floor(cells * 0.1)]!;
  };
  return { cells, strange: strange / Math.max(1, cells), luma: range(lumas), redness: range(reds) };
}

const FEWEST = 8;

/** The colours of the cells, and the skin learnt from them; absent where too little skin is seen. */
export interface LearntSkin {
  readonly colours: LogColours;
  readonly skin: Skin;
}

/** Learns the skin of the face, as `measureOcclusion` wants it; by itself, so that neither takes long. */
export function learnSkin(cells: Cells, zones: Uint8Array): LearntSkin | undefined {
  const colours = logColours(cells, zones);
  const skin = skinOf(colours, zones);
  return skin === undefined ? undefined : { colours, skin };
}

/**
 * What covers the face, told by its looks alone: the colour and the slope of the light are learnt from the skin of this very
 * face (medians, so that up to half of it may be covered), and every cell is compared with them. It sees dark and coloured
 * things, hair, and uniform patches; it does not see clear glasses, a hand of the same skin beside eyes and mouth, or a print of
 * another face. Grey pictures are judged by brightness only. Pure.
 */
export function measureOcclusion({ colours, skin }: LearntSkin, zones: Uint8Array): Values {
  const at = (zone: number): Look => look(colours, skin, zones, zone);
  // An eye is covered where the skin under it is not skin, or where no eye is drawn.
  const eye = (ball: Look, lid: Look): number | undefined =>
    Math.min(ball.cells, lid.cells) < FEWEST
      ? undefined
      : Math.max(lid.strange, 1 - Math.min(1, ball.luma / DRAWN.eye));
  const [leftBall, leftLid, rightBall, rightLid] = [
    at(ZONE.leftEye),
    at(ZONE.leftLid),
    at(ZONE.rightEye),
    at(ZONE.rightLid),
  ];
  const left = eye(leftBall, leftLid);
  const right = eye(rightBall, rightLid);
  // Painted lips are strange, and so is the skin in a beard: a cover is strange on the lips and around them.
  const lips = at(ZONE.lips);
  const around = at(ZONE.aroundLips);
  const mouth =
    Math.min(lips.cells, around.cells) < FEWEST
      ? undefined
      : Math.max(Math.min(lips.strange, around.strange), 1 - Math.min(1, (lips.luma + lips.redness) / DRAWN.mouth));
  const values: Values = {};
  const eyes = [left, right].filter((v) => v !== undefined);
  // The worse eye counts, half of it together with the other: shade on one side of the face is not a cover.
  if (eyes.length > 0) values.eyesVisible = (Math.max(...eyes) + eyes.reduce((a, b) => a + b, 0) / eyes.length) / 2;
  if (mouth !== undefined) values.mouthOcclusionPrevention = mouth;
  // Eyes and lips differ from skin by nature: they count by what was just found.
  const bare = at(ZONE.skin);
  const parts: readonly (readonly [Look, number])[] = [
    [bare, bare.strange],
    [leftLid, leftLid.strange],
    [rightLid, rightLid.strange],
    [leftBall, left ?? 0],
    [rightBall, right ?? 0],
    [around, around.strange],
    [lips, mouth ?? 0],
  ];
  const total = parts.reduce((sum, [{ cells: n }]) => sum + n, 0);
  values.faceOcclusionPrevention = parts.reduce((sum, [{ cells: n }, share]) => sum + n * share, 0) / total;
  return values;
}
