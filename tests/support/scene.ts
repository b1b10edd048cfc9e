/**
 * Moving pictures with known truth: heads cut out of the sample photographs walk along known paths over a background, pass in
 * front of each other and behind pillars, come and go. The same numbers give the same bytes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Box, Frame } from '../../lib/types.js';
import { normal, random } from './random.js';
import { blend, CUT, cutHeads, HEADS, type Patch, resize, SCENE_HEADS, smear } from './scene-heads.js';

export { SCENE_HEADS };

export type SceneKind =
  /** Heads at many sizes that drift about and cross. */
  | 'crowd'
  /** Heads that swing from side to side in front of each other. */
  | 'crossing'
  /** The same behind two pillars. */
  | 'pillars'
  /** Heads that come in at one side, walk through and leave at the other. */
  | 'doorway'
  /** Heads that come nearer and go away, 40 to 200 pixels high. */
  | 'approach';

export interface SceneOptions {
  readonly kind: SceneKind;
  /** How many heads are there at most at one time. Default 6. */
  readonly heads?: number;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** The paths repeat after so long: played in a loop there is no jump. */
  readonly seconds?: number;
  readonly seed?: number;
  /** Height of the faces in pixels, [least, most]; default a ninth to a sixth of the picture's height. */
  readonly sizes?: readonly [number, number];
  /** Standard deviation of the noise of each sample; costs some milliseconds a frame. */
  readonly noise?: number;
  /** Share of the time between two frames that the shutter is open: smears what moves. */
  readonly shutter?: number;
}

/** One face in one frame. */
export interface SceneFace {
  /** Unique for each walk through the picture. */
  readonly id: number;
  /** Whose it is: 0 … SCENE_HEADS − 1. */
  readonly head: number;
  readonly box: Box;
  /** Share of the face that is inside the picture and behind nothing. */
  readonly visible: number;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: number;
  /** Where every face is in frame `i` (0 and up, also beyond `frames`: the scene goes on), also those that are hidden; outside the picture there are none. */
  truth(i: number): SceneFace[];
  /** Frame `i` as tight rgb, written into `into` where it is given. */
  render(i: number, into?: Uint8Array): Frame;
}

interface Place {
  readonly x: number;
  readonly y: number;
  /** Height of the face's box. */
  readonly size: number;
}

interface Walk {
  /** Order among heads of one size. */
  readonly rank: number;
  readonly head: number;
  /** The number of the walk at `turn`, the time in lengths of the scene. */
  readonly id: (turn: number) => number;
  /** Where the middle of the face is then; absent while it is not there. */
  readonly at: (turn: number) => Place | undefined;
}

const TAU = 2 * Math.PI;

/** The walks of a scene; periodic in the share. */
function walksOf(options: Required<SceneOptions>): Walk[] {
  const { kind, heads, width, height, seed, sizes } = options;
  const next = random(seed);
  const between = (a: number, b: number): number => a + (b - a) * next();
  const order = Array.from({ length: SCENE_HEADS }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const [least, most] = sizes;
  return Array.from({ length: heads }, (_, i): Walk => {
    const head = order[i % SCENE_HEADS]!;
    const [size, phase, drift, sway] = [between(least, most), next(), next(), next()];
    const row = height * between(0.35, 0.65);
    if (kind === 'doorway') {
      // Each is there for two thirds of the time, one after the other.
      const start = (i + 0.5 * phase) / heads;
      const [forth, bob] = [next() < 0.5, height * 0.02];
      return {
        rank: i,
        head,
        // Who comes again is a new walker.
        id: (turn) => heads * (Math.floor(turn - start) + 1) + i + 1,
        at: (turn) => {
          const u = (turn - start - Math.floor(turn - start)) * 1.5;
          if (u > 1) return undefined;
          const along = (forth ? u : 1 - u) * (width + 2.4 * size) - 1.2 * size;
          return { x: along, y: row + bob * Math.sin(TAU * 6 * u), size: size * (1 + 0.25 * Math.sin(Math.PI * u)) };
        },
      };
    }
    if (kind === 'approach') {
      const lane = (width * (i + 0.5)) / heads;
      const turns = 1 + Math.floor(sway * 2);
      return {
        rank: i,
        head,
        id: () => i + 1,
        at: (share) => {
          const wave = 0.5 - 0.5 * Math.cos(TAU * (turns * share + phase));
          const x = lane + 0.08 * width * Math.sin(TAU * (2 * share + drift));
          return { x, y: row + (height / 2 - row) * wave, size: 40 * 5 ** wave };
        },
      };
    }
    const crowd = kind === 'crowd';
    const turns = crowd ? 1 + Math.floor(sway * 2) : 1 + (i % 3);
    const reach = width * (crowd ? between(0.15, 0.4) : 0.42);
    const middle = crowd ? width * between(0.4, 0.6) : width / 2;
    return {
      rank: i,
      head,
      id: () => i + 1,
      at: (share) => ({
        x: middle + reach * Math.sin(TAU * (turns * share + phase)),
        y: row + height * (crowd ? 0.2 : 0.05) * Math.sin(TAU * (2 * share + drift)),
        size: size * (1 + 0.15 * Math.sin(TAU * (share + sway))),
      }),
    };
  });
}

/** What stands before everything: [x, width]. */
const pillarsOf = ({ kind, width }: Required<SceneOptions>): readonly (readonly [number, number])[] =>
  kind === 'pillars' ? [0.3, 0.68].map((x) => [Math.round(x * width), Math.round(0.1 * width)] as const) : [];

function background(width: number, height: number, seed: number): Uint8Array {
  const next = random(seed ^ 0x5eed);
  const data = new Uint8Array(width * height * 3);
  const panels = Array.from({ length: 14 }, () => ({
    x: next() * width,
    y: next() * height,
    w: width * (0.08 + 0.2 * next()),
    h: height * (0.1 + 0.3 * next()),
    add: [next() * 50 - 25, next() * 50 - 25, next() * 50 - 25],
  }));
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const rgb = [95 + (60 * j) / height, 100 + (40 * i) / width, 115];
      for (const { x, y, w, h, add } of panels) {
        if (i >= x && i < x + w && j >= y && j < y + h) for (let c = 0; c < 3; c++) rgb[c]! += add[c]!;
      }
      const grain = 8 * (next() - 0.5);
      for (let c = 0; c < 3; c++) data[3 * (j * width + i) + c] = Math.min(255, Math.max(0, rgb[c]! + grain));
    }
  }
  return data;
}

/** Makes a scene. Rendering a frame of 1280 × 720 with six heads takes some 3 ms. */
export async function openScene(options: SceneOptions): Promise<Scene> {
  const height = options.height ?? 720;
  const full: Required<SceneOptions> = {
    heads: 6,
    width: 1280,
    fps: 15,
    seconds: 20,
    seed: 1,
    noise: 0,
    shutter: 0,
    sizes: [height / 9, height / 6],
    ...options,
    height,
  };
  const { width, fps, noise, shutter, seed } = full;
  const frames = Math.round(full.seconds * fps);
  const bases = await cutHeads();
  const walks = walksOf(full);
  const pillars = pillarsOf(full);
  const behind = background(width, height, seed);
  const before = background(width, height, seed + 1);
  const next = random(seed ^ 0xfade);
  const grain =
    noise > 0
      ? Int8Array.from({ length: 1 << 16 }, () => Math.max(-127, Math.min(127, Math.round(noise * normal(next)))))
      : undefined;
  const patches = new Map<number, Patch>();

  // Sizes in steps of two pixels, so that there are few patches to make.
  const evenly = (size: number): number => 2 * Math.round(size / 2);
  const patchOf = (head: number, size: number): Patch => {
    const key = head * 4096 + size;
    let patch = patches.get(key);
    if (patch === undefined) {
      const [, , , w, h] = HEADS[head]!;
      patch = resize(bases[head]!, Math.round((2 * CUT.x * w * size) / h), Math.round(2 * CUT.y * size));
      patches.set(key, patch);
    }
    return patch;
  };
  /** Far ones first; of equals the first walk. */
  const standing = (i: number) =>
    walks
      .flatMap((walk) => {
        const place = walk.at(i / frames);
        if (place === undefined) return [];
        const size = evenly(place.size);
        const [, , , w, h] = HEADS[walk.head]!;
        const faceWidth = (w * size) / h;
        const box: Box = [Math.round(place.x - faceWidth / 2), Math.round(place.y - size / 2), faceWidth, size];
        return [{ walk, box, size }];
      })
      .sort((a, b) => a.size - b.size || b.walk.rank - a.walk.rank);
  const insideCut = ([x, y, w, h]: Box, u: number, v: number): boolean =>
    Math.hypot((u - x - w / 2) / (CUT.x * w), (v - y - CUT.middle * h) / (CUT.y * h)) < 1 - CUT.soft / 2;

  const truth = (i: number): SceneFace[] => {
    const all = standing(i);
    return all.flatMap(({ walk, box }, k): SceneFace[] => {
      const [x, y, w, h] = box;
      if (x + w <= 0 || y + h <= 0 || x >= width || y >= height) return [];
      let seen = 0;
      for (let s = 0; s < 144; s++) {
        const [u, v] = [x + (w * ((s % 12) + 0.5)) / 12, y + (h * (Math.floor(s / 12) + 0.5)) / 12];
        if (u < 0 || v < 0 || u >= width || v >= height) continue;
        if (pillars.some(([left, wide]) => u >= left && u < left + wide)) continue;
        if (all.slice(k + 1).some((nearer) => insideCut(nearer.box, u, v))) continue;
        seen++;
      }
      return [{ id: walk.id(i / frames), head: walk.head, box, visible: seen / 144 }];
    });
  };

  const render = (i: number, into?: Uint8Array): Frame => {
    const data = into ?? new Uint8Array(width * height * 3);
    data.set(behind);
    const previous = shutter > 0 ? new Map(standing(i + frames - 1).map((s) => [s.walk.rank, s.box])) : undefined;
    for (const { walk, box, size } of standing(i)) {
      let patch = patchOf(walk.head, size);
      let [left, top] = [
        Math.round(box[0] + box[2] / 2 - patch.width / 2),
        Math.round(box[1] + (CUT.middle - CUT.y) * size),
      ];
      const was = previous?.get(walk.rank);
      if (was !== undefined && Math.abs(box[0] - was[0]) < width / 4) {
        const blurred = smear(patch, (box[0] - was[0]) * shutter, (box[1] - was[1]) * shutter);
        left -= (blurred.width - patch.width) / 2;
        top -= (blurred.height - patch.height) / 2;
        patch = blurred;
      }
      blend(data, width, height, patch, left, top);
    }
    for (const [left, wide] of pillars) {
      for (let j = 0; j < height; j++) {
        const at = 3 * (j * width + left);
        data.set(before.subarray(at, at + 3 * wide), at);
      }
    }
    if (grain !== undefined) {
      const clamped = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
      // Each frame and each row starts elsewhere in the table.
      for (let j = 0; j < height; j++) {
        let g = Math.imul(i * height + j + 1, 40503) & 0xffff;
        for (let k = 3 * j * width; k < 3 * (j + 1) * width; k++) clamped[k] = clamped[k]! + grain[g++ & 0xffff]!;
      }
    }
    return { data, width, height, channels: 3, format: 'rgb' };
  };
  return { width, height, fps, frames, truth, render };
}

/** Writes a scene as H.264 by ffmpeg (`libx264`), its frames at even times. Rejects with ffmpeg's last words. */
export async function writeSceneVideo(scene: Scene, path: string, ffmpeg = 'ffmpeg'): Promise<void> {
  const { width, height, fps, frames } = scene;
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', `${fps}`, '-i', 'pipe:0'];
  const output = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '18',
    '-pix_fmt',
    'yuv420p',
    '-g',
    `${2 * fps}`,
    path,
  ];
  const child = spawn(ffmpeg, ['-y', '-loglevel', 'error', ...input, ...output], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-2000);
  });
  const ended = once(child, 'close');
  child.stdin.on('error', () => {});
  // A frame is a pipe's worth many times over: wait until it is taken, then its memory may be used again.
  const buffer = new Uint8Array(width * height * 3);
  for (let i = 0; i < frames && child.exitCode === null; i++) {
    const { data } = scene.render(i, buffer);
    await new Promise<void>((done) => child.stdin.write(data, () => done()));
  }
  child.stdin.end();
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${said}`);
}
