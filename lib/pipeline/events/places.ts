/** Zones and lines: where somebody stands, and when that changes. Lengths are pixels of the picture at hand. */
import { invalid, nonEmptyString, numberIn } from '../../errors/validate.js';
import type { Box, Point } from '../../types.js';
import type { Line, Zone } from '../types.js';
import { Held, type Since } from './held.js';

/** A point of somebody, and how far it must be from an edge to count. */
export interface Anchor {
  readonly point: Point;
  /** Pixels. */
  readonly margin: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The region that a zone covers in a picture of one size. */
export class ZoneShape {
  readonly name: string;
  readonly #corners: readonly Point[];

  /** @throws LineamentError INVALID_ARGUMENT for fewer than three corners, corners outside 0–1 and zones without area */
  constructor(zone: Zone) {
    this.name = nonEmptyString('zone.name', zone.name);
    if (!Array.isArray(zone.corners) || zone.corners.length < 3) {
      throw invalid(`zone '${zone.name}'`, 'three corners or more', zone.corners);
    }
    this.#corners = zone.corners.map((corner, i) => checkShare(`zone '${zone.name}' corners[${i}]`, corner));
    let [x0, y0, x1, y1] = [1, 1, 0, 0];
    for (const [x, y] of this.#corners)
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
    if (!(x1 > x0 && y1 > y0)) throw invalid(`zone '${zone.name}'`, 'a zone with an area', zone.corners);
  }

  /**
   * Distance to the edge in pixels, positive inside (even–odd rule). Edges that lie on the border of the picture do not count: nobody can
   * stand beyond them.
   */
  depth([px, py]: Point, { width, height }: Size): number {
    const x = Math.min(Math.max(px, 0), width);
    const y = Math.min(Math.max(py, 0), height);
    let inside = false;
    let nearest = Number.POSITIVE_INFINITY;
    for (const [i, [sx, sy]] of this.#corners.entries()) {
      const [ex, ey] = this.#corners[(i + 1) % this.#corners.length]!;
      const [ax, ay, bx, by] = [sx * width, sy * height, ex * width, ey * height];
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
      const onBorder = (sx === ex && (sx === 0 || sx === 1)) || (sy === ey && (sy === 0 || sy === 1));
      if (!onBorder) nearest = Math.min(nearest, distanceToSegment(x, y, ax, ay, bx, by));
    }
    // The far borders belong to the zone as the near ones do.
    if (!inside && (x === width || y === height)) {
      const [ix, iy] = [Math.min(x, width - 1e-6), Math.min(y, height - 1e-6)];
      if (ix !== x || iy !== y) return this.depth([ix, iy], { width, height });
    }
    return inside ? nearest : -nearest;
  }
}

/** Follows one track and one zone. `mark` is whatever belongs to the frame. */
export class ZoneWatch<M> {
  readonly zone: ZoneShape;
  /** Whether its last entering was told. */
  told = false;
  readonly #held: Held<boolean, M>;
  #inside = false;

  constructor(zone: ZoneShape, holdMs: number) {
    this.zone = zone;
    this.#held = new Held(holdMs);
    this.#held.push(Number.NEGATIVE_INFINITY, false, undefined as M);
  }

  get inside(): boolean {
    return this.#held.value === true;
  }

  /** The change that this frame decides. */
  push(time: number, anchor: Anchor, size: Size, mark: M): Change<M> | undefined {
    const depth = this.zone.depth(anchor.point, size);
    if (Math.abs(depth) >= anchor.margin) this.#inside = depth > 0;
    const entered = this.#held.began;
    const since = this.#held.push(time, this.#inside, mark);
    return since && change(this.inside, since, entered);
  }

  /** The track has ended: whoever was inside has left, at the latest with the last sight. */
  end(time: number, mark: M): Change<M> | undefined {
    const entered = this.#held.began;
    if (!this.inside) return undefined;
    return change(false, this.#held.settle() ?? { time, mark }, entered);
  }
}

/** Of a zone: entered, or left after a stay. */
export interface Change<M> {
  readonly inside: boolean;
  readonly since: Since<M>;
  /** Of a change to outside. */
  readonly stayedMs?: number;
}

function change<M>(inside: boolean, since: Since<M>, entered: Since<M> | undefined): Change<M> {
  return { inside, since, ...(inside ? {} : { stayedMs: since.time - (entered?.time ?? since.time) }) };
}

/** A line in a picture of one size. */
export class LineShape {
  readonly name: string;
  readonly #from: Point;
  readonly #to: Point;

  /** @throws LineamentError INVALID_ARGUMENT for ends outside 0–1 and lines without length */
  constructor(line: Line) {
    this.name = nonEmptyString('line.name', line.name);
    this.#from = checkShare(`line '${line.name}' from`, line.from);
    this.#to = checkShare(`line '${line.name}' to`, line.to);
    if (this.#from[0] === this.#to[0] && this.#from[1] === this.#to[1]) {
      throw invalid(`line '${line.name}'`, 'two ends', line.from);
    }
  }

  /** Pixels right of the line, as seen walking along it, and how far along its length that is, 0–1 between the ends. */
  place([x, y]: Point, { width, height }: Size): { readonly right: number; readonly along: number } {
    const [ax, ay] = [this.#from[0] * width, this.#from[1] * height];
    const [dx, dy] = [this.#to[0] * width - ax, this.#to[1] * height - ay];
    const length = Math.hypot(dx, dy);
    return {
      right: (dx * (y - ay) - dy * (x - ax)) / length,
      along: (dx * (x - ax) + dy * (y - ay)) / (length * length),
    };
  }
}

/**
 * Follows one track and one line. Sides count from a margin on, and once they are held: whoever stands on the line and sways has crossed
 * nothing. What is counted in between are the crossings of the line itself, not of its extension: going round an end is no crossing.
 */
export class LineWatch<M> {
  readonly line: LineShape;
  readonly #held: Held<1 | -1, M>;
  #side: 1 | -1 | undefined;
  #last: { readonly right: number; readonly along: number } | undefined;
  /** Crossings of the line to the right less those to the left since the side that counts was left. */
  #net = 0;

  constructor(line: LineShape, holdMs: number) {
    this.line = line;
    this.#held = new Held(holdMs);
  }

  /** The crossing that this frame decides. */
  push(time: number, anchor: Anchor, size: Size, mark: M): Crossing<M> | undefined {
    const here = this.line.place(anchor.point, size);
    const last = this.#last;
    // A point on the line itself belongs to the side that it came from.
    if (here.right !== 0 || last === undefined) this.#last = here;
    if (last !== undefined && here.right * last.right < 0) {
      const share = last.right / (last.right - here.right);
      const along = last.along + share * (here.along - last.along);
      if (along >= 0 && along <= 1) this.#net += Math.sign(here.right);
    }
    if (Math.abs(here.right) >= anchor.margin) {
      this.#side = here.right > 0 ? 1 : -1;
      // Back where it was: whatever it did in between, it has crossed nothing.
      if (this.#side === this.#held.value) this.#net = 0;
    }
    if (this.#side === undefined) return undefined;
    const first = this.#held.value === undefined;
    const since = this.#held.push(time, this.#side, mark);
    if (first) this.#net = 0;
    return since && !first ? this.#crossed(since) : undefined;
  }

  /** The track has ended: a side that waited counts. */
  end(): Crossing<M> | undefined {
    const since = this.#held.settle();
    return since && this.#crossed(since);
  }

  /** The anchor is another one from now on: what lies between is no way that was walked. */
  restart(): void {
    this.#last = undefined;
    this.#net = 0;
  }

  #crossed(since: Since<M>): Crossing<M> | undefined {
    const net = this.#net;
    this.#net = 0;
    const forward = this.#held.value === 1;
    return (forward ? net > 0 : net < 0) ? { forward, since } : undefined;
  }
}

export interface Crossing<M> {
  readonly forward: boolean;
  readonly since: Since<M>;
}

/**
 * The point that stands for somebody: the foot of the person's box, or the centre of the face. Where a person box comes and goes, the foot is
 * guessed from the face by where it was last, so that the point does not jump.
 */
export class AnchorPoint {
  /** From the centre of the face to the foot, in heights of the face. */
  #foot: Point | undefined;
  #kind: 'foot' | 'face' | undefined;

  /** `moved` says that another kind of point is used from now on. */
  of(
    face: Box | undefined,
    person: Box | undefined,
  ): { readonly point: Point; readonly height: number; readonly moved: boolean } | undefined {
    const centre: Point | undefined = face && [face[0] + face[2] / 2, face[1] + face[3] / 2];
    if (person !== undefined) {
      const foot: Point = [person[0] + person[2] / 2, person[1] + person[3]];
      if (centre && face && face[3] > 0)
        this.#foot = [(foot[0] - centre[0]) / face[3], (foot[1] - centre[1]) / face[3]];
      return this.#as('foot', foot, person[3]);
    }
    if (centre === undefined || face === undefined) return undefined;
    if (this.#foot === undefined) return this.#as('face', centre, face[3]);
    return this.#as('foot', [centre[0] + this.#foot[0] * face[3], centre[1] + this.#foot[1] * face[3]], face[3]);
  }

  #as(kind: 'foot' | 'face', point: Point, height: number) {
    const moved = this.#kind !== undefined && this.#kind !== kind;
    this.#kind = kind;
    return { point, height, moved };
  }
}

function checkShare(name: string, point: unknown): Point {
  if (!Array.isArray(point) || point.length !== 2) throw invalid(name, '[x, y] as shares of the picture', point);
  return [numberIn(`${name}[0]`, point[0], 0, 1), numberIn(`${name}[1]`, point[1], 0, 1)];
}

function distanceToSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
