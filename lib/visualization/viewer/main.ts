/** The program of the viewer's page. */
import { colourTable } from '../colour-map.js';
import { type GlbScene, readGlb } from '../glb-scene.js';
import type { View } from '../view.js';
import type { ViewerSettings } from '../viewer.js';
import { readBlock, readSettings, save } from './data.js';
import { Orbit } from './orbit.js';
import { element, Panel } from './panel.js';
import { Stage } from './stage.js';
import { unpackCloud, unpackDepth } from './unpack.js';

/** For programs that steer the page, as `window.lineamentViewer`. */
export interface ViewerControl {
  /** Turns to a view at once and, where given, comes closer (1 fits); resolves when it is drawn. */
  look(view: View, zoom?: number): Promise<void>;
  /** Hides everything but the surface, on a flat background. */
  bare(on: boolean): Promise<void>;
  /** What was drawn last. */
  readonly drawn: Drawn;
}

interface Drawn {
  readonly level: number;
  readonly triangles: number;
  readonly lines: number;
  readonly points: number;
}

declare global {
  interface Window {
    lineamentViewer?: ViewerControl;
  }
}

async function start(): Promise<void> {
  const settings = readSettings();
  const canvas = element('view', HTMLCanvasElement);
  const [glb, cloudBytes, depthBytes] = await Promise.all([readBlock('glb'), readBlock('cloud'), readBlock('depth')]);
  const scene = glb && readGlb(glb);
  const pictures = await Promise.all((scene?.images ?? []).map(decode));
  const cloud = cloudBytes && settings.cloud && unpackCloud(settings.cloud, cloudBytes);
  const stage = new Stage(canvas, scene, pictures, cloud, settings.colours, settings.errors);
  const panel = new Panel(settings, scene);
  if (depthBytes && settings.depth) panel.showDepthMap(unpackDepth(settings.depth, depthBytes));
  panel.showLegend(colourTable(settings.colours), stage.depthRange);

  let drawn: Drawn = { level: 0, triangles: 0, lines: 0, points: 0 };
  let asked = 0;
  const orbit = new Orbit(canvas, stage.bounds, settings.view, () => redraw());
  const draw = (): void => {
    asked = 0;
    const look = panel.look;
    const level = panel.level ?? stage.levelFor(orbit.millimetresPerPixel / Math.min(devicePixelRatio, 2));
    drawn = { level, ...stage.draw(look, level, orbit.camera, orbit.distance) };
    panel.tell(orbit.view, drawn);
  };
  const redraw = (): void => {
    if (asked === 0) asked = requestAnimationFrame(draw);
  };
  const resize = (): void => {
    stage.resize(canvas.clientWidth || 1, canvas.clientHeight || 1);
    draw();
  };
  new ResizeObserver(resize).observe(canvas);
  panel.wire(redraw, (view) => orbit.flyTo(view ?? settings.view));
  panel.onSavePicture(() => {
    draw();
    canvas.toBlob((picture) => picture && save(`${fileName(settings)}.png`, picture), 'image/png');
  });
  if (glb) panel.onSaveGlb(() => save(`${fileName(settings)}.glb`, new Blob([glb], { type: 'model/gltf-binary' })));
  resize();

  const whenDrawn = (): Promise<void> =>
    new Promise((resolve) =>
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          resize();
          resolve();
        }),
      ),
    );
  window.lineamentViewer = {
    look: (view, zoom) => {
      orbit.set(view, zoom);
      return whenDrawn();
    },
    bare: (on) => {
      document.body.toggleAttribute('data-bare', on);
      return whenDrawn();
    },
    get drawn() {
      return drawn;
    },
  };
  document.body.dataset['ready'] = '';
}

/** Pixels as the file holds them: no turn, no colour conversion, no multiplication by alpha. */
function decode({ bytes, type }: GlbScene['images'][number]): Promise<ImageBitmap> {
  return createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }), {
    imageOrientation: 'none',
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
}

function fileName({ title }: ViewerSettings): string {
  return title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '') || 'face';
}

start().catch((error: unknown) => {
  const problem = element('problem', HTMLParagraphElement);
  const reason = error instanceof Error ? error.message : String(error);
  problem.textContent = `This page could not be shown: ${reason}`;
  problem.hidden = false;
  console.error(error);
});
