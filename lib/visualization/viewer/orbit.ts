/** Turning, moving and coming closer: mouse, touch and keys around a point, with the vertical axis kept upright. */
import { type Bounds, FIELD_OF_VIEW, fittingDistance, type Vector3, type View, viewRotation } from '../view.js';

const TURN_PER_PIXEL = 0.35;
const KEY_TURN = 5;
const KEY_MOVE = 24;
const KEY_ZOOM = 1.12;
const MOST_PITCH = 89;
const CLOSEST = 0.08;
const FURTHEST = 8;

/** Where the camera stands: around `target`, `distance` millimetres away. */
export class Orbit {
  #view: View;
  #zoom = 1;
  #target: Vector3;
  readonly #bounds: Bounds;
  readonly #element: HTMLElement;
  readonly #changed: () => void;
  readonly #fingers = new Map<number, readonly [x: number, y: number]>();
  #flight = 0;

  constructor(element: HTMLElement, bounds: Bounds, view: View, changed: () => void) {
    this.#element = element;
    this.#bounds = bounds;
    this.#view = view;
    this.#target = bounds.centre;
    this.#changed = changed;
    element.addEventListener('pointerdown', (event) => this.#down(event));
    element.addEventListener('pointermove', (event) => this.#move(event));
    for (const name of ['pointerup', 'pointercancel'] as const) {
      element.addEventListener(name, (event) => this.#fingers.delete(event.pointerId));
    }
    element.addEventListener('contextmenu', (event) => event.preventDefault());
    element.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.zoomBy(Math.exp(-Math.max(-240, Math.min(240, event.deltaY)) * 0.0015));
      },
      { passive: false },
    );
    element.addEventListener('keydown', (event) => this.#key(event));
  }

  get view(): View {
    return this.#view;
  }

  get distance(): number {
    const { clientWidth, clientHeight } = this.#element;
    return fittingDistance(this.#bounds.radius, clientWidth || 1, clientHeight || 1) / this.#zoom;
  }

  /** Millimetres that one CSS pixel shows at the target. */
  get millimetresPerPixel(): number {
    const height = this.#element.clientHeight || 1;
    return (2 * this.distance * Math.tan((FIELD_OF_VIEW * Math.PI) / 360)) / height;
  }

  /** Camera position, up direction and target. */
  get camera(): { position: Vector3; up: Vector3; target: Vector3 } {
    const [, up, back] = viewRotation(this.#view);
    const [x, y, z] = this.#target;
    const d = this.distance;
    return { position: [x + back[0] * d, y + back[1] * d, z + back[2] * d], up, target: this.#target };
  }

  set(view: View, zoom = this.#zoom): void {
    const yaw = ((((view.yaw + 180) % 360) + 360) % 360) - 180;
    const pitch = Math.max(-MOST_PITCH, Math.min(MOST_PITCH, view.pitch));
    if (!Number.isFinite(yaw) || !Number.isFinite(pitch) || !Number.isFinite(zoom)) return;
    this.#view = { yaw, pitch };
    this.#zoom = Math.max(1 / FURTHEST, Math.min(1 / CLOSEST, zoom));
    this.#changed();
  }

  /** Puts the camera there, gently where the reader's system has nothing against motion; centred and at the fitting distance. */
  flyTo(view: View): void {
    cancelAnimationFrame(this.#flight);
    const from = { ...this.#view, zoom: this.#zoom, target: this.#target };
    const turn = ((((view.yaw - from.yaw + 180) % 360) + 360) % 360) - 180;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const began = performance.now();
    const step = (now: number): void => {
      const share = still ? 1 : Math.min(1, (now - began) / 320);
      const eased = 1 - (1 - share) ** 3;
      const between = (a: number, b: number): number => a + (b - a) * eased;
      this.#target = this.#bounds.centre.map((value, i) => between(from.target[i]!, value)) as unknown as Vector3;
      this.set({ yaw: from.yaw + turn * eased, pitch: between(from.pitch, view.pitch) }, between(from.zoom, 1));
      if (share < 1) this.#flight = requestAnimationFrame(step);
    };
    step(began);
  }

  zoomBy(factor: number): void {
    this.set(this.#view, this.#zoom * factor);
  }

  turnBy(yaw: number, pitch: number): void {
    this.set({ yaw: this.#view.yaw + yaw, pitch: this.#view.pitch + pitch });
  }

  /** Moves the picture by pixels. */
  moveBy(x: number, y: number): void {
    const [right, up] = viewRotation(this.#view);
    const scale = this.millimetresPerPixel;
    this.#target = this.#target.map(
      (value, i) => value - right[i]! * x * scale + up[i]! * y * scale,
    ) as unknown as Vector3;
    this.#changed();
  }

  #down(event: PointerEvent): void {
    cancelAnimationFrame(this.#flight);
    this.#element.focus({ preventScroll: true });
    this.#element.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  #move(event: PointerEvent): void {
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) return;
    const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.#fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (other !== undefined) {
      // Two fingers: the middle moves half as far as one of them; the distance between them is the zoom.
      const apart = ([x, y]: readonly [number, number]): number => Math.hypot(x - other[0], y - other[1]) || 1;
      this.zoomBy(apart([event.clientX, event.clientY]) / apart(before));
      this.moveBy(dx / 2, dy / 2);
    } else if (event.buttons & 2 || event.buttons & 4 || event.shiftKey) this.moveBy(dx, dy);
    else this.turnBy(dx * TURN_PER_PIXEL, -dy * TURN_PER_PIXEL);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const arrow = arrows[event.key];
    if (arrow !== undefined && event.shiftKey) this.moveBy(arrow[0] * KEY_MOVE, arrow[1] * KEY_MOVE);
    else if (arrow !== undefined) this.turnBy(arrow[0] * KEY_TURN, -arrow[1] * KEY_TURN);
    else if (event.key === '+' || event.key === '=') this.zoomBy(KEY_ZOOM);
    else if (event.key === '-') this.zoomBy(1 / KEY_ZOOM);
    else return;
    event.preventDefault();
  }
}
