// Closed eyes on photographs: real ones, and open ones whose lids are pulled down.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExpressionTracker, eyeAspectRatio, measureActionUnits } from '../../lib/analysis/index.js';
import { type AnalyzedFace, type Engine, type Frame, openEngine, type Point } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/runtime.js';
import { LID_COUNT, LID_NETWORK, locateLids } from '../../lib/landmarks/lids.js';
import { openPack } from '../../lib/models/index.js';
import { Networks } from '../../lib/models/network.js';
import { closeEyes } from '../support/eyelids.js';
import { haveShared, sample, shared } from '../support/samples.js';
import * as worse from './quality-degradations.js';

let engine: Engine;
let runtime: Runtime;
let networks: Networks;
beforeAll(async () => {
  engine = await openEngine();
  runtime = await Runtime.open();
  networks = new Networks(runtime, await openPack());
});
afterAll(() => Promise.all([engine.close(), runtime.close()]));

const SIDES = ['left', 'right'] as const;

const known = new Map<string, Promise<AnalyzedFace[]>>();
const analyse = (path: string): Promise<AnalyzedFace[]> => {
  const reading = known.get(path) ?? engine.analyze(path, { landmarks: true, quality: true, actionUnits: true });
  known.set(path, reading);
  return reading;
};

/** The face whose box holds a point of the picture. */
async function at(path: string, x: number, y: number): Promise<AnalyzedFace> {
  const face = (await analyse(path)).find(({ box: [left, top, w, h] }) => {
    return x > left && x < left + w && y > top && y < top + h;
  });
  expect(face, `${path} at ${x}, ${y}`).toBeDefined();
  return face!;
}

interface Eyes {
  readonly ratio: number;
  readonly unit: number;
}

/** Aspect ratio of the lids and intensity of AU43, of one side. */
const eyeOf = ({ landmarks, lids, actionUnits }: AnalyzedFace, side: (typeof SIDES)[number]): Eyes => ({
  ratio: eyeAspectRatio(landmarks!, side, lids)!,
  unit: actionUnits![side].AU43!,
});

function expectShut(face: AnalyzedFace, side: (typeof SIDES)[number]): void {
  const { ratio, unit } = eyeOf(face, side);
  expect(ratio).toBeLessThan(0.15);
  expect(unit).toBeGreaterThan(2);
  expect(face.quality!.components.eyesOpen).toMatchObject({ source: 'network' });
  expect(face.quality!.components.eyesOpen!.score).toBeLessThan(35);
  expect(face.quality!.guidance.map(({ code }) => code)).toContain('open-eyes');
}

function expectOpen(face: AnalyzedFace): void {
  for (const side of SIDES) {
    const { ratio, unit } = eyeOf(face, side);
    expect(ratio).toBeGreaterThan(0.18);
    expect(unit).toBeLessThan(1);
  }
  expect(face.quality!.components.eyesOpen!.score).toBeGreaterThan(70);
  expect(face.quality!.guidance.map(({ code }) => code)).not.toContain('open-eyes');
}

describe('on the sample photographs', () => {
  // Looked at: eyes that are shut or look down under closed lids; of the second, hair hides the other eye.
  const shut = [
    [1, 930, 530, SIDES],
    [2, 980, 340, ['left']],
    [2, 1540, 280, SIDES],
  ] as const;
  const open = [
    [1, 505, 480],
    [1, 1570, 330],
    [3, 685, 460],
    [3, 1175, 370],
    [3, 1595, 430],
    [4, 330, 320],
    [4, 750, 180],
    [5, 865, 215],
    [5, 460, 1000],
    [6, 350, 610],
    [6, 1590, 410],
    [6, 1265, 450],
  ] as const;

  it('shut eyes are shut, open ones are open', async () => {
    for (const [i, x, y, sides] of shut) {
      const face = await at(sample(i), x, y);
      for (const side of sides) expectShut(face, side);
    }
    for (const [i, x, y] of open) expectOpen(await at(sample(i), x, y));
  });

  it('the 68 points alone do not tell them', async () => {
    for (const [i, x, y, sides] of shut) {
      const { landmarks } = await at(sample(i), x, y);
      for (const side of sides) expect(eyeAspectRatio(landmarks!, side)).toBeGreaterThan(0.2);
      expect(measureActionUnits(landmarks!)!.intensity.AU43).toBeLessThan(1);
    }
  });

  it('are the same for one face as for a batch, in order; absent where no face is', async () => {
    const frame = await engine.decode(sample(6));
    const faces = (await analyse(sample(6))).map(({ landmarks }) => landmarks!);
    const nowhere = faces[0]!.map(([x, y]): Point => [x + 5 * frame.width, y]);
    const together = await locateLids(networks, frame, [...faces, nowhere]);
    expect(together.map((lids) => lids?.length)).toEqual([...faces.map(() => LID_COUNT), undefined]);
    for (const [i, face] of faces.entries()) {
      const [alone] = await locateLids(networks, frame, [face]);
      for (const [k, [x, y]] of alone!.entries()) {
        expect(x).toBeCloseTo(together[i]![k]![0], 2);
        expect(y).toBeCloseTo(together[i]![k]![1], 2);
        // Where the 68 points have the corners of the eyes, to a seventh of the eyes' distance.
        if (k % 3 > 0) continue;
        const [cx, cy] = face[36 + k]!;
        expect(Math.hypot(x - cx, y - cy)).toBeLessThan(0.15 * (face[45]![0] - face[36]![0]));
      }
    }
    expect(await locateLids(networks, frame, [])).toEqual([]);
  });

  it('refuses what is no face, and stops when it is told to', async () => {
    const frame = await engine.decode(sample(6));
    const faces = (await analyse(sample(6))).map(({ landmarks }) => landmarks!);
    await expect(locateLids(networks, frame, [[[1, 2]]])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(locateLids(networks, frame, faces, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('eyes that are closed by pulling down their lids', () => {
  /** A face of a photograph with its surroundings, and what it needs to be analysed again. */
  interface Sitter {
    readonly frame: Frame;
    readonly landmarks: readonly Point[];
    readonly lids: readonly Point[];
  }

  const sitterAt = async (path: string, x: number, y: number): Promise<Sitter> => {
    const face = await at(path, x, y);
    const [left, top, w, h] = face.box;
    const whole = await engine.decode(path);
    const corner = [Math.max(0, Math.round(left - w)), Math.max(0, Math.round(top - h))] as const;
    const [frame, landmarks] = worse.crop(whole, [...corner, left + 2 * w, top + 2 * h], face.landmarks!);
    const lids = face.lids!.map(([px, py]): Point => [px - corner[0], py - corner[1]]);
    return { frame, landmarks, lids };
  };

  const lidsAt = async ({ frame, landmarks, lids }: Sitter, share: number): Promise<Point[]> => {
    const [found] = await locateLids(networks, closeEyes(frame, lids, share), [landmarks]);
    expect(found).toBeDefined();
    return found!;
  };

  it.each([
    [1, 1570, 330],
    [3, 685, 460],
    [3, 1175, 370],
    [3, 1595, 430],
    [5, 460, 1000],
    [6, 350, 610],
    [6, 1590, 410],
    [6, 1265, 450],
  ])('their aspect ratio falls step by step: sample %d at %d, %d', async (i, x, y) => {
    const sitter = await sitterAt(sample(i), x, y);
    const ratios: number[] = [];
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const lids = await lidsAt(sitter, share);
      ratios.push(SIDES.reduce((sum, side) => sum + eyeAspectRatio(sitter.landmarks, side, lids)! / 2, 0));
    }
    for (let k = 1; k < ratios.length; k++) expect(ratios[k]!).toBeLessThan(ratios[k - 1]!);
    expect(ratios[0]).toBeGreaterThan(0.25);
    expect(ratios.at(-1)).toBeLessThan(0.5 * ratios[0]!);
  });

  it('quality and AU43 follow, from picture to answer', async () => {
    const sitter = await sitterAt(sample(6), 350, 610);
    const faces: AnalyzedFace[] = [];
    for (const share of [0, 0.5, 0.75, 1]) {
      const [face] = await engine.analyze(closeEyes(sitter.frame, sitter.lids, share), {
        quality: true,
        actionUnits: true,
        maxFaces: 1,
      });
      faces.push(face!);
    }
    const open = faces.map(({ quality }) => quality!.components.eyesOpen!.value);
    for (let k = 1; k < open.length; k++) expect(open[k]!).toBeLessThan(open[k - 1]!);
    expect(faces.at(-1)!.quality!.components.eyesOpen!.score).toBeLessThan(40);
    expect(faces.at(-1)!.quality!.score).toBeLessThan(faces[0]!.quality!.score);
    const units = faces.map(({ actionUnits }) => actionUnits!.intensity.AU43);
    expect(units[0]).toBe(0);
    expect(units.at(-1)).toBeGreaterThan(2);
  });

  it('a tracker counts the blinks of a film, and sees none in the 68 points', async () => {
    const sitter = await sitterAt(sample(3), 1595, 430);
    const blink = [0, 0.6, 1, 1, 0.5, 0];
    const shares = [...Array.from({ length: 22 }, () => 0), ...blink, ...Array.from({ length: 12 }, () => 0), ...blink];
    const found = new Map<number, Promise<Point[]>>();
    const byLids = new ExpressionTracker();
    const byPoints = new ExpressionTracker();
    let blinks = 0;
    for (const [i, share] of [...shares, 0, 0, 0, 0].entries()) {
      found.set(share, found.get(share) ?? lidsAt(sitter, share));
      const lids = await found.get(share)!;
      const { events } = byLids.update(i / 30, sitter.landmarks, { lids })!;
      blinks += events.filter(({ kind, unit }) => kind === 'blink' && unit === 'AU45').length;
      expect(byPoints.update(i / 30, sitter.landmarks)!.events.filter(({ kind }) => kind === 'blink')).toEqual([]);
    }
    expect(blinks).toBe(2);
  });
});

describe.skipIf(!haveShared('faces/photos'))('on photographs of shut eyes (needs ../shared/faces)', () => {
  const photo = (name: string): string => shared(`faces/photos/${name}.jpg`);

  it('squeezed, winking and resting eyes are shut', async () => {
    for (const name of ['stock-emotions-b-1', 'stock-emotions-b-4']) {
      const [face] = await analyse(photo(name));
      for (const side of SIDES) expectShut(face!, side);
    }
    const [wink] = await analyse(photo('stock-emotions-b-8'));
    expectShut(wink!, 'left');
    expect(eyeOf(wink!, 'right').ratio).toBeGreaterThan(0.2);
    expect(eyeOf(wink!, 'right').unit).toBeLessThan(0.5);
    // Small faces: 20 to 25 pixels between the eyes.
    for (const [name, x, y] of [
      ['stock-models-7', 637, 105],
      ['stock-group-1', 499, 280],
      ['stock-group-1', 305, 148],
    ] as const) {
      const face = await at(photo(name), x, y);
      for (const side of SIDES) expectShut(face, side);
    }
  });

  it('open eyes of every expression are not', async () => {
    for (const name of ['a-1', 'a-3', 'a-4', 'a-5', 'a-6', 'a-7', 'a-8', 'b-2', 'b-3', 'b-5', 'b-6', 'b-7']) {
      const [face] = await analyse(photo(`stock-emotions-${name}`));
      expectOpen(face!);
    }
  });
});

describe('nothing unasked', () => {
  it('the network is read by what looks at the eyes, and by nothing else', async () => {
    // The quick detector has no doubts that the mesh would have to settle.
    await using fresh = await openEngine({ preset: 'fast' });
    const names = (): string[] => fresh.memory().sessions.map(({ name }) => name);
    const [plain] = await fresh.analyze(sample(1), { landmarks: true, headPose: true, symmetry: true, geometry: true });
    expect(names()).not.toContain(LID_NETWORK);
    expect(plain!.lids).toBeUndefined();
    const [face] = await fresh.analyze(sample(1), { actionUnits: true });
    expect(names()).toContain(LID_NETWORK);
    expect(face!.lids).toBeUndefined();
    const [both] = await fresh.analyze(sample(1), { landmarks: true, quality: true });
    expect(both!.lids).toHaveLength(LID_COUNT);
  });
});
