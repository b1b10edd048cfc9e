/** The controls and figures beside the surface. */
import { colourTable } from '../colour-map.js';
import type { GlbScene } from '../glb-scene.js';
import type { View } from '../view.js';
import type { SurfaceMode, ViewerSettings } from '../viewer.js';
import type { Look } from './stage.js';

/** An element of the page by its id; the page is ours, so one that is missing is a fault. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

const count = (value: number): string => value.toLocaleString('en-US');
const millimetres = (value: number): string => `${Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1)} mm`;

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

/** Keys that press a button or a box. */
const VIEW_KEYS: Readonly<Record<string, number>> = { 1: 0, 2: -45, 3: 45, 4: -90, 5: 90 };

export class Panel {
  readonly #settings: ViewerSettings;
  readonly #scene: GlbScene | undefined;
  readonly #form = element('settings', HTMLFormElement);
  readonly #said = element('said', HTMLParagraphElement);
  readonly #figures = element('figures', HTMLElement);
  readonly #views = [...document.querySelectorAll<HTMLButtonElement>('#views [data-yaw]')];
  #shown = '';

  constructor(settings: ViewerSettings, scene: GlbScene | undefined) {
    this.#settings = settings;
    this.#scene = scene;
  }

  get look(): Look {
    const form = new FormData(this.#form);
    const on = (name: string): boolean => form.get(name) !== null;
    return {
      surface: (form.get('surface') as SurfaceMode | null) ?? this.#settings.surface,
      mesh: on('mesh'),
      points: on('points'),
      wireframe: on('wireframe'),
      light: on('light'),
    };
  }

  /** The level that was chosen; absent for 'auto'. */
  get level(): number | undefined {
    const chosen = new FormData(this.#form).get('level');
    return chosen === null || chosen === 'auto' ? undefined : Number(chosen);
  }

  /** @param fly to a view, or back to the first one */
  wire(redraw: () => void, fly: (view?: View) => void): void {
    this.#form.addEventListener('change', () => {
      const form = new FormData(this.#form);
      document.body.dataset['background'] = String(form.get('background'));
      const map = document.getElementById('depth-map');
      if (map) map.hidden = form.get('depthMap') === null;
      redraw();
    });
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    for (const button of this.#views) {
      button.addEventListener('click', () => fly({ yaw: Number(button.dataset['yaw']), pitch: 0 }));
    }
    element('reset', HTMLButtonElement).addEventListener('click', () => fly());
    element('view', HTMLCanvasElement).addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey }) => {
      if (ctrlKey || metaKey || altKey) return;
      const yaw = VIEW_KEYS[key];
      if (yaw !== undefined) fly({ yaw, pitch: 0 });
      if (key === '0' || key === 'Home') fly();
      if (key === 'w') this.#form.querySelector<HTMLInputElement>('[name=wireframe]')?.click();
    });
  }

  onSavePicture(work: () => void): void {
    element('save-picture', HTMLButtonElement).addEventListener('click', work);
  }

  onSaveGlb(work: () => void): void {
    element('save-glb', HTMLButtonElement).addEventListener('click', work);
  }

  /** Depth by colours, NaN transparent; tells the depth under the pointer. */
  showDepthMap(depth: Float32Array): void {
    const about = this.#settings.depth!;
    const canvas = document.querySelector<HTMLCanvasElement>('#depth-map canvas')!;
    const context = canvas.getContext('2d')!;
    const table = colourTable(this.#settings.colours);
    const picture = context.createImageData(about.width, about.height);
    const range = Math.max(about.far - about.near, 1e-6);
    for (let i = 0; i < depth.length; i++) {
      const value = depth[i]!;
      if (Number.isNaN(value)) continue;
      const step = Math.round(((about.far - value) / range) * 255);
      picture.data.set(table.subarray(step * 3, step * 3 + 3), i * 4);
      picture.data[i * 4 + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
    const at = element('depth-at', HTMLOutputElement);
    const span = `${about.near.toFixed(0)} – ${about.far.toFixed(0)} mm`;
    at.textContent = span;
    canvas.addEventListener('pointermove', ({ offsetX, offsetY }) => {
      const x = Math.min(about.width - 1, Math.floor((offsetX / canvas.clientWidth) * about.width));
      const y = Math.min(about.height - 1, Math.floor((offsetY / canvas.clientHeight) * about.height));
      const value = depth[y * about.width + x] ?? Number.NaN;
      at.textContent = Number.isNaN(value) ? 'unknown' : `${value.toFixed(1)} mm`;
    });
    canvas.addEventListener('pointerleave', () => {
      at.textContent = span;
    });
  }

  showLegend(table: Uint8Array, [near, far]: readonly [number, number]): void {
    const canvas = document.querySelector<HTMLCanvasElement>('#legend canvas')!;
    const context = canvas.getContext('2d')!;
    const picture = context.createImageData(256, 1);
    // From the nearest at the left, which is the top of the table.
    for (let i = 0; i < 256; i++) picture.data.set([...table.subarray((255 - i) * 3, (256 - i) * 3), 255], i * 4);
    context.putImageData(picture, 0, 0);
    // What lies around the origin (a mean face) has a depth, but no camera.
    element('legend-title', HTMLSpanElement).textContent = near > 0 ? 'Distance from the camera' : 'Depth';
    element('legend-near', HTMLOutputElement).textContent = millimetres(near);
    element('legend-far', HTMLOutputElement).textContent = millimetres(far);
  }

  /** Says where the camera stands and what is drawn. */
  tell({ yaw, pitch }: View, drawn: { level: number; triangles: number; points: number }): void {
    const close = (a: number, b: number): boolean => Math.abs(a - b) < 0.5;
    for (const button of this.#views) {
      const pressed = close(yaw, Number(button.dataset['yaw'])) && close(pitch, 0);
      button.setAttribute('aria-pressed', String(pressed));
    }
    element('legend', HTMLDivElement).hidden = this.look.surface !== 'depth';
    const said = `Turned ${yaw.toFixed(0)}°, tilted ${pitch.toFixed(0)}°`.replace(/-0°/g, '0°');
    if (this.#said.textContent !== said) this.#said.textContent = said;
    const rows: [string, string][] = [];
    const level = this.#scene?.levels[drawn.level];
    if (level !== undefined) {
      const all = this.#scene!.levels.length;
      const error = this.#settings.errors?.[drawn.level] ?? level.error;
      if (all > 1) rows.push(['Level', `${drawn.level} of 0–${all - 1}`]);
      rows.push(['Triangles', count(level.triangles)], ['Vertices', count(level.vertices)]);
      if (error !== undefined)
        rows.push(['Error of the level', drawn.level === 0 && error === 0 ? 'none' : millimetres(error)]);
    }
    if (this.#settings.glbBytes !== undefined) rows.push(['GLB file', bytesText(this.#settings.glbBytes)]);
    if (this.#settings.cloud !== undefined) rows.push(['Points', count(this.#settings.cloud.count)]);
    if (this.#settings.depth !== undefined) {
      rows.push(['Depth map', `${this.#settings.depth.width} × ${this.#settings.depth.height}`]);
    }
    const text = JSON.stringify(rows);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#figures.replaceChildren(
      ...rows.flatMap(([label, value]) => {
        const [term, description] = [document.createElement('dt'), document.createElement('dd')];
        term.textContent = label;
        description.textContent = value;
        return [term, description];
      }),
    );
  }
}
