// The 3D viewer in a real browser: it opens from a file without an error and without a request, and what it draws is what was
// asked for, seen by pixels and by an independent renderer.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DepthMap, encodeGlb, type Mesh } from '../../lib/reconstruction/index.js';
import type { Frame } from '../../lib/types.js';
import { createViewer, renderMesh, type SurfaceMode, type ViewerOptions } from '../../lib/visualization/index.js';
import { bulge, flat, gridMesh, QUADRANTS, quadrantTexture } from '../visualization/meshes.js';
import { has } from './support.js';

const SIDE = 512;
/** The flat background of the bare page. */
const BEHIND = [15, 21, 38] as const;

/** A page that is open, and what went wrong or was asked for since. */
interface Opened {
  readonly page: Page;
  readonly errors: string[];
  readonly requests: string[];
}

type Rgb = readonly number[];

describe.skipIf(!has('chromium'))('3D viewer in Chromium', () => {
  let folder = '';
  let browser: Browser;
  const pages: Page[] = [];
  let made = 0;
  const texture = quadrantTexture(256);
  const levels = [96, 48, 24].map((cells) => gridMesh(bulge, cells, texture));
  const errors = [0, 0.2, 1.2];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-viewer-'));
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--use-gl=angle',
        '--use-angle=swiftshader',
        '--enable-unsafe-swiftshader',
      ],
    });
  });
  // Pages hold a graphics context each; browsers give out sixteen.
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(options: ViewerOptions, bare = true): Promise<Opened> {
    const file = path.join(folder, `page ${++made} ü.html`);
    writeFileSync(file, await createViewer(options));
    const size = bare ? { width: SIDE, height: SIDE } : { width: 1200, height: 800 };
    const page = await browser.newPage({
      viewport: size,
      deviceScaleFactor: 1,
      offline: true,
      reducedMotion: 'reduce',
    });
    pages.push(page);
    const opened: Opened = { page, errors: [], requests: [] };
    page.on('console', (message) => message.type() === 'error' && opened.errors.push(message.text()));
    page.on('pageerror', (error) => opened.errors.push(String(error)));
    page.on('request', (request) => opened.requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('body[data-ready],#problem:not([hidden])');
    if (bare) await page.evaluate('lineamentViewer.bare(true)');
    return opened;
  }

  async function look(page: Page, yaw: number, pitch = 0, zoom = 1): Promise<void> {
    await page.evaluate(`lineamentViewer.look({yaw:${yaw},pitch:${pitch}},${zoom})`);
  }

  /** Sets a control of the form as a reader would: a radio button or a box, by its name and value. */
  async function set(page: Page, name: string, value: string | boolean): Promise<void> {
    const selector = typeof value === 'boolean' ? `[name=${name}]` : `[name=${name}][value="${value}"]`;
    await page.evaluate(
      `(()=>{const one=document.querySelector(${JSON.stringify(selector)});` +
        `if(one.type==='radio'||one.checked!==${String(value)})one.click();})()`,
    );
    await page.evaluate('lineamentViewer.bare(document.body.hasAttribute("data-bare"))');
  }

  const drawn = (page: Page): Promise<{ level: number; triangles: number; lines: number; points: number }> =>
    page.evaluate('({...lineamentViewer.drawn})');

  async function shot(page: Page): Promise<Frame> {
    const { data, info } = await sharp(await page.screenshot())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: 3, format: 'rgb' };
  }

  const at = ({ data, width, channels }: Frame, x: number, y: number): Rgb => [
    ...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3),
  ];
  const apart = (a: Rgb, b: Rgb): number => Math.max(...a.map((value, k) => Math.abs(value - b[k]!)));
  const isDrawn = (frame: Frame): boolean[] =>
    Array.from({ length: frame.width * frame.height }, (_, i) => {
      return apart(at(frame, i % frame.width, Math.floor(i / frame.width)), BEHIND) > 14;
    });
  const count = (mask: readonly boolean[]): number => mask.filter(Boolean).length;

  const glbOf = (meshes: readonly Mesh[]): Promise<Uint8Array> =>
    encodeGlb(
      meshes.map((mesh, i) => ({ mesh, error: errors[i]! })),
      { texture: 'png' },
    );

  it('opens from a file with every part, logs no error and asks for nothing', async () => {
    const depth = depthMap(80, 60);
    const cloud = { positions: levels[1]!.positions, normals: levels[1]!.normals! };
    const opened = await open({ glb: await glbOf(levels), cloud, depth, title: 'All <i>parts</i>' }, false);
    const { page } = opened;
    for (const [name, value] of [
      ['surface', 'plain'],
      ['surface', 'normals'],
      ['surface', 'depth'],
      ['wireframe', true],
      ['wireframe', false],
      ['points', true],
      ['light', true],
      ['background', 'light'],
      ['depthMap', false],
      ['level', '2'],
    ] as const) {
      await set(page, name, value);
    }
    await page.click('[data-yaw="45"]');
    expect(await page.textContent('h1')).toBe('All <i>parts</i>');
    expect(await page.textContent('#figures')).toMatch(
      /Level2 of 0–2Triangles1,152Vertices625Error of the level1\.20 mm/,
    );
    expect(await page.getAttribute('body', 'data-background')).toBe('light');
    expect(opened.errors).toEqual([]);
    expect(opened.requests.filter((url) => !url.startsWith('file:') && !url.startsWith('blob:'))).toEqual([]);
    expect(opened.requests.filter((url) => url.startsWith('file:'))).toHaveLength(1);
  });

  it('shows four quadrants in their colours and places, and not when turned round', async () => {
    const { page } = await open({ glb: await glbOf([gridMesh(flat, 4, texture)]) });
    await look(page, 0);
    const places = QUADRANTS.map((_, i) => [i % 2 === 0 ? 180 : 332, i < 2 ? 180 : 332] as const);
    const front = await shot(page);
    for (const [i, colour] of QUADRANTS.entries())
      expect(apart(at(front, ...places[i]!), colour)).toBeLessThanOrEqual(6);
    await look(page, 180);
    const behind = await shot(page);
    for (const place of places) {
      for (const colour of QUADRANTS) expect(apart(at(behind, ...place), colour)).toBeGreaterThan(40);
    }
  });

  it('draws what the renderer in Node draws, from all sides and in every mode', async () => {
    const { page } = await open({ glb: await glbOf([levels[0]!]) });
    for (const [yaw, pitch, surface] of [
      [0, 0, 'texture'],
      [45, 0, 'texture'],
      [-70, 25, 'plain'],
      [30, -40, 'normals'],
      [-45, 10, 'depth'],
      [150, 0, 'texture'],
    ] as const) {
      await set(page, 'surface', surface);
      await look(page, yaw, pitch);
      const seen = await shot(page);
      const expected = await independent(levels[0]!, yaw, pitch, surface);
      let sum = 0;
      for (let y = 0; y < SIDE; y++) {
        for (let x = 0; x < SIDE; x++) {
          const [a, b] = [at(seen, x, y), at(expected, x, y)];
          sum += Math.abs(a[0]! - b[0]!) + Math.abs(a[1]! - b[1]!) + Math.abs(a[2]! - b[2]!);
        }
      }
      const difference = sum / (SIDE * SIDE * 3);
      expect(difference, `${yaw}° ${pitch}° ${surface}`).toBeLessThan(0.5);
    }
  });

  function independent(mesh: Mesh, yaw: number, pitch: number, surface: SurfaceMode): Promise<Frame> {
    return renderMesh(mesh, { yaw, pitch, surface, width: SIDE, height: SIDE, background: [...BEHIND] });
  }

  it('switches levels: the triangles change, the silhouette stays', async () => {
    const { page } = await open({ glb: await glbOf(levels) });
    await look(page, 35, 10);
    const silhouettes: boolean[][] = [];
    for (const [i, { indices }] of levels.entries()) {
      await set(page, 'level', String(i));
      expect((await drawn(page)).triangles).toBe(indices.length / 3);
      silhouettes.push(isDrawn(await shot(page)));
    }
    const [fine] = silhouettes;
    for (const coarse of silhouettes.slice(1)) {
      const both = count(fine!.map((one, i) => one && coarse[i]!));
      const either = count(fine!.map((one, i) => one || coarse[i]!));
      expect(both / either).toBeGreaterThan(0.95);
    }
  });

  it('takes a coarser level by itself where its error cannot be seen, and the finest when close', async () => {
    const { page } = await open({ glb: await glbOf(levels) });
    const levelAt = async (zoom: number): Promise<number> => {
      await look(page, 0, 0, zoom);
      return (await drawn(page)).level;
    };
    expect(await levelAt(8)).toBe(0);
    expect(await levelAt(1)).toBe(1);
    expect(await levelAt(0.15)).toBe(2);
  });

  it('draws lines instead of faces as a wireframe', async () => {
    const { page } = await open({ glb: await glbOf([gridMesh(bulge, 16, texture)]) });
    await look(page, 20);
    const solid = isDrawn(await shot(page));
    await set(page, 'wireframe', true);
    const lines = isDrawn(await shot(page));
    expect((await drawn(page)).lines).toBeGreaterThan(0);
    expect(count(lines)).toBeGreaterThan(1000);
    expect(count(lines)).toBeLessThan(count(solid) * 0.5);
    // And only where the surface was, up to the width of a line.
    const outside = lines.filter(
      (one, i) => one && !solid[i] && !solid[i + 1] && !solid[i - 1] && !solid[i + SIDE] && !solid[i - SIDE],
    );
    expect(count(outside)).toBeLessThan(count(lines) * 0.01);
  });

  it('colours the surface by its depth: lighter where it is nearer', async () => {
    const { page } = await open({ glb: await glbOf([levels[0]!]) });
    await set(page, 'surface', 'depth');
    await look(page, 0);
    const frame = await shot(page);
    // Green grows along viridis all the way. From the tip of the nose to the edge, on the level of the middle.
    const greens = [256, 276, 300, 340, 380, 410].map((x) => at(frame, x, 270)[1]!);
    for (let i = 1; i < greens.length; i++) expect(greens[i]!).toBeLessThan(greens[i - 1]!);
    await page.evaluate('lineamentViewer.bare(false)');
    expect(await page.textContent('#legend')).toMatch(/558\.\d mm640\.0 mm/);
  });

  it('shows points where they are, in their colours', async () => {
    const mesh = gridMesh(flat, 40);
    const colours = Uint8Array.from({ length: mesh.positions.length }, (_, i) => {
      return QUADRANTS[(mesh.positions[i - (i % 3) + 1]! < 0 ? 0 : 2) + (mesh.positions[i - (i % 3)]! < 0 ? 0 : 1)]![
        i % 3
      ]!;
    });
    const { page } = await open({ cloud: { positions: mesh.positions, colours } });
    await look(page, 0);
    expect((await drawn(page)).points).toBe(41 * 41);
    const frame = await shot(page);
    const near = (colour: Rgb, x: number, y: number): number => {
      let hits = 0;
      for (let j = -20; j < 20; j++)
        for (let i = -20; i < 20; i++) if (apart(at(frame, x + i, y + j), colour) < 8) hits++;
      return hits;
    };
    for (const [i, colour] of QUADRANTS.entries()) {
      expect(near(colour, i % 2 === 0 ? 180 : 332, i < 2 ? 180 : 332)).toBeGreaterThan(300);
    }
    expect(count(isDrawn(frame))).toBeLessThan(SIDE * SIDE * 0.6);
    await set(page, 'points', false);
    expect(count(isDrawn(await shot(page)))).toBe(0);
  });

  it('shows the depth map as a picture, unknown pixels transparent, and tells the depth under the pointer', async () => {
    const { page } = await open({ depth: depthMap(80, 60) }, false);
    const pixel = (x: number, y: number): Promise<number[]> =>
      page.evaluate(
        `[...document.querySelector('#depth-map canvas').getContext('2d').getImageData(${x},${y},1,1).data]`,
      );
    expect((await pixel(5, 30))[3]).toBe(0);
    const [near, middle, far] = [await pixel(12, 30), await pixel(40, 30), await pixel(78, 30)];
    expect(near[1]!).toBeGreaterThan(middle[1]!);
    expect(middle[1]!).toBeGreaterThan(far[1]!);
    const box = (await page.locator('#depth-map canvas').boundingBox())!;
    await page.mouse.move(box.x + (40.5 / 80) * box.width, box.y + box.height / 2);
    expect(await page.textContent('#depth-at')).toBe('540.0 mm');
    await page.mouse.move(box.x + (3 / 80) * box.width, box.y + box.height / 2);
    expect(await page.textContent('#depth-at')).toBe('unknown');
  });

  it('turns, moves and comes closer by mouse, wheel and keys', async () => {
    const { page } = await open({ glb: await glbOf([levels[1]!]) }, false);
    const said = (): Promise<string | null> => page.textContent('#said');
    const settle = (): Promise<unknown> => page.evaluate('lineamentViewer.bare(false)');
    const { x, y, width, height } = (await page.locator('#view').boundingBox())!;
    const [cx, cy] = [x + width / 2, y + height / 2];
    await page.mouse.move(cx, cy);
    await page.mouse.down();
    await page.mouse.move(cx + 100, cy, { steps: 4 });
    await page.mouse.up();
    await settle();
    expect(await said()).toBe('Turned 35°, tilted 0°');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowUp');
    await settle();
    expect(await said()).toBe('Turned 30°, tilted 5°');
    await page.keyboard.press('4');
    await settle();
    expect(await said()).toBe('Turned -90°, tilted 0°');
    expect(await page.getAttribute('[data-yaw="-90"]', 'aria-pressed')).toBe('true');
    await page.keyboard.press('1');
    await settle();
    const size = async (): Promise<number> => {
      const frame = await shot(page);
      let wide = 0;
      // The red quadrant along a row above the middle.
      for (let i = 0; i < width; i++) if (apart(at(frame, i, Math.round(cy) - 40), QUADRANTS[0]!) < 12) wide++;
      return wide;
    };
    const before = await size();
    await page.mouse.move(cx, cy);
    await page.mouse.wheel(0, -200);
    await settle();
    const after = await size();
    expect(after).toBeGreaterThan(before * 1.2);
    await page.keyboard.press('Home');
    await settle();
    expect(Math.abs((await size()) - before)).toBeLessThanOrEqual(2);
  });

  it('has a name for everything that can be used, and can be used by keys alone', async () => {
    const { page } = await open({ glb: await glbOf(levels), depth: depthMap(20, 20) }, false);
    const nameless = await page.evaluate(
      `[...document.querySelectorAll('button,input,canvas:not([aria-hidden])')].filter((one) =>
        !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')?.textContent.trim())).length`,
    );
    expect(nameless).toBe(0);
    await page.focus('#view');
    await page.keyboard.press('w');
    expect(await page.isChecked('[name=wireframe]')).toBe(true);
    await page.focus('[name=surface][value=texture]');
    await page.keyboard.press('ArrowRight');
    expect(await page.isChecked('[name=surface][value=plain]')).toBe(true);
  });

  it('turns by one finger and comes closer by two', async () => {
    const { page } = await open({ glb: await glbOf([levels[1]!]) }, false);
    const client = await page.context().newCDPSession(page);
    const { x, y, width, height } = (await page.locator('#view').boundingBox())!;
    const [cx, cy] = [x + width / 2, y + height / 2];
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...fingers: [number, number][]): Promise<unknown> =>
      client.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: fingers.map(([dx, dy], id) => ({ x: cx + dx, y: cy + dy, id })),
      });
    await touch('touchStart', [0, 0]);
    await touch('touchMove', [-60, 0]);
    await touch('touchMove', [-100, 20]);
    await touch('touchEnd');
    await page.evaluate('lineamentViewer.bare(false)');
    expect(await page.textContent('#said')).toBe('Turned -35°, tilted -7°');
    await look(page, 0);
    const red = async (): Promise<number> => {
      const frame = await shot(page);
      let hits = 0;
      for (let i = 0; i < width; i += 2) {
        for (let j = 0; j < height; j += 2) if (apart(at(frame, i, j), QUADRANTS[0]!) < 12) hits++;
      }
      return hits;
    };
    const before = await red();
    await touch('touchStart', [-50, 0], [50, 0]);
    await touch('touchMove', [-70, 0], [70, 0]);
    await touch('touchEnd');
    await page.evaluate('lineamentViewer.bare(false)');
    // 1.4 times as large, about twice the area; what lies under the depth picture or the buttons is not counted.
    expect((await red()) / before).toBeGreaterThan(1.5);
    expect(await page.textContent('#said')).toBe('Turned 0°, tilted 0°');
  });

  it('gives the GLB file back as it was', async () => {
    const glb = await glbOf(levels);
    const { page } = await open({ glb, title: 'My face' }, false);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-glb')]);
    expect(download.suggestedFilename()).toBe('My-face.glb');
    expect(Buffer.compare(readFileSync(await download.path()), glb)).toBe(0);
  });

  it('says so where the data of the page is damaged', async () => {
    const file = path.join(folder, 'damaged.html');
    const html = await createViewer({ glb: await glbOf([levels[2]!]) });
    writeFileSync(file, html.replace(/(id="data-glb">)[^<]{40}/, '$1'));
    const page = await browser.newPage();
    pages.push(page);
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('#problem:not([hidden])');
    expect(await page.textContent('#problem')).toContain('could not be shown');
  });
});

/** Depth that grows to the right, from 500 mm; unknown in the first ten columns. */
function depthMap(width: number, height: number): DepthMap {
  const depth = Float32Array.from({ length: width * height }, (_, i) =>
    i % width < 10 ? Number.NaN : 500 + (i % width),
  );
  const camera = { fx: 90, fy: 90, cx: width / 2, cy: height / 2 };
  return { width, height, depth, confidence: new Float32Array(width * height), camera, scale: { source: 'iris' } };
}
