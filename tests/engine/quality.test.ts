import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type FaceQuality,
  layoutOf,
  type MeasureQualityOptions,
  measureQuality,
  QUALITY_NAMES,
  type QualityName,
} from '../../lib/analysis/quality/index.js';
import { boundsOf } from '../../lib/image/geometry.js';
import { type Frame, openEngine, type Point } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/index.js';
import { estimatePose } from '../../lib/landmarks/index.js';
import { haveShared, sample, shared } from '../support/samples.js';
import * as worse from './quality-degradations.js';

/** A face of a photograph: large, turned towards the camera, plainly lit, not covered. */
interface Sitter {
  readonly name: string;
  readonly frame: Frame;
  readonly points: readonly Point[];
  readonly clean: FaceQuality;
  /** Inter-eye distance in pixels. */
  readonly unit: number;
}

let runtime: Runtime;
const sitters: Sitter[] = [];

async function measure(frame: Frame, points: readonly Point[], options?: MeasureQualityOptions): Promise<FaceQuality> {
  const pose = estimatePose(points)!;
  const [quality] = await measureQuality(runtime, frame, [{ box: boundsOf(points), landmarks: points, pose }], options);
  return quality!;
}

beforeAll(async () => {
  runtime = await Runtime.open();
  await using engine = await openEngine();
  for (const i of [1, 2, 3, 4, 5, 6]) {
    const photograph = await engine.decode(sample(i));
    for (const face of await engine.analyze(photograph, { landmarks: true, pose: true })) {
      const { box, landmarks, pose } = face;
      if (box[2] < 100 || Math.abs(pose!.yaw) > 26 || Math.abs(pose!.pitch) > 26) continue;
      // Each face with its surroundings, cut along the grid of its JPEG: less to compute.
      const { eyes, unit } = layoutOf(landmarks!)!;
      const grid = (v: number): number => Math.max(0, Math.floor(v / 8) * 8);
      const [frame, points] = worse.crop(
        photograph,
        [grid(eyes[0] - 3.2 * unit), grid(eyes[1] - 2.6 * unit), eyes[0] + 3.2 * unit, eyes[1] + 3.6 * unit],
        landmarks!,
      );
      const clean = await measure(frame, points);
      // Coloured stage light, deep shade and painted faces are no place to start from.
      const well = (
        ['eyesVisible', 'faceOcclusionPrevention', 'illuminationUniformity', 'naturalColour'] as const
      ).every((name) => scoreOf(clean, name) >= 70);
      if (!well) continue;
      sitters.push({ name: `sample ${i} at ${Math.round(box[0])}, ${Math.round(box[1])}`, frame, points, clean, unit });
    }
  }
  expect(sitters.length).toBeGreaterThanOrEqual(5);
});
afterAll(() => runtime.close());

const nativeOf = (quality: FaceQuality, name: QualityName): number => {
  expect(quality.components[name], name).toBeDefined();
  return quality.components[name]!.value;
};
const scoreOf = (quality: FaceQuality, name: QualityName): number => quality.components[name]!.score;

type Step = (sitter: Sitter) => Promise<readonly [Frame, readonly Point[]]> | readonly [Frame, readonly Point[]];
const still =
  (of: (frame: Frame, sitter: Sitter) => Frame | Promise<Frame>): Step =>
  async (sitter) => [await of(sitter.frame, sitter), sitter.points];

interface Series {
  readonly name: string;
  /** From weak to strong; the clean photograph comes before the first. */
  readonly steps: readonly Step[];
  /** Components that must move: +1 their native value rises, −1 it falls. */
  readonly moves: Partial<Record<QualityName, 1 | -1>>;
  /** Least loss of score from clean to strongest, of each component in `moves`. */
  readonly loss: number;
  /** Index of the step after which components that have nothing to do with it must stand within 15 points of clean. */
  readonly calm: number;
  /** Components that have to do with it in some way and may do as they like. */
  readonly related: readonly QualityName[];
  /** Steps at the start where a move in the other direction is allowed: the photograph may begin beyond the best. */
  readonly from?: number;
}

/** Gain that brings a face to middle grey. */
const toMiddle = ({ clean }: Sitter): number => 0.5 / nativeOf(clean, 'luminanceMean');

const EXPOSURE: readonly QualityName[] = [
  'luminanceMean',
  'luminanceVariance',
  'underExposurePrevention',
  'overExposurePrevention',
  'dynamicRange',
];

const eyesBar = (colour: readonly [number, number, number], half: number): Step =>
  still((frame, { points, unit }) => {
    const { leftEye: l, rightEye: r } = layoutOf(points)!;
    const out = 0.5;
    const a: Point = [l[0] - (r[0] - l[0]) * out, l[1] - (r[1] - l[1]) * out];
    const b: Point = [r[0] + (r[0] - l[0]) * out, r[1] + (r[1] - l[1]) * out];
    return worse.bar(frame, a, b, half * unit, colour);
  });
const mouthBar = (colour: readonly [number, number, number], half: number): Step =>
  still((frame, { points, unit }) => {
    const { mouth, angle } = layoutOf(points)!;
    const [dx, dy] = [0.6 * unit * Math.cos(angle), 0.6 * unit * Math.sin(angle)];
    return worse.bar(frame, [mouth[0] - dx, mouth[1] - dy], [mouth[0] + dx, mouth[1] + dy], half * unit, colour);
  });

const SERIES: readonly Series[] = [
  {
    name: 'Gaussian blur',
    steps: [0.01, 0.02, 0.035, 0.06].map((s) => still((f, { unit }) => worse.blur(f, Math.max(0.5, s * unit)))),
    moves: { sharpness: 1 },
    loss: 50,
    calm: 1,
    related: ['noise', 'compressionArtifacts', 'backgroundUniformity'],
  },
  {
    name: 'noise',
    steps: [5, 10, 20, 40].map((s) => still((f) => worse.noise(f, s))),
    moves: { noise: 1 },
    loss: 60,
    calm: 1,
    related: ['compressionArtifacts', 'overExposurePrevention'],
  },
  {
    name: 'JPEG compression',
    steps: [40, 20, 10, 5].map((q) => still((f) => worse.jpeg(f, q))),
    moves: { compressionArtifacts: 1 },
    loss: 30,
    calm: 1,
    related: ['noise'],
    from: 1,
  },
  {
    name: 'gamma, darker',
    steps: [1.4, 2, 3, 4.5].map((g) => still((f) => worse.gamma(f, g))),
    moves: { luminanceMean: -1 },
    loss: 30,
    calm: 0,
    related: [...EXPOSURE, 'illuminationUniformity', 'naturalColour', 'noise', 'backgroundUniformity'],
  },
  {
    name: 'gamma, brighter',
    steps: [0.7, 0.5, 0.3, 0.15].map((g) => still((f) => worse.gamma(f, g))),
    moves: { luminanceMean: 1, luminanceVariance: -1 },
    loss: 0,
    calm: 1,
    related: [...EXPOSURE, 'illuminationUniformity', 'naturalColour', 'noise', 'backgroundUniformity'],
    from: 1,
  },
  {
    name: 'too much light',
    steps: [1.5, 2, 2.8, 4].map((g) => still((f, sitter) => worse.gain(f, g * toMiddle(sitter)))),
    moves: { overExposurePrevention: 1, luminanceMean: 1 },
    loss: 50,
    calm: 0,
    // Clipped skin has lost its colour.
    related: [
      ...EXPOSURE,
      'illuminationUniformity',
      'naturalColour',
      'noise',
      'backgroundUniformity',
      'eyesVisible',
      'faceOcclusionPrevention',
    ],
  },
  {
    name: 'too little light',
    steps: [0.6, 0.35, 0.18, 0.07].map((g) => still((f, sitter) => worse.gain(f, g * toMiddle(sitter)))),
    moves: { underExposurePrevention: 1, luminanceMean: -1, dynamicRange: -1 },
    loss: 30,
    calm: 1,
    from: 1,
    related: [...EXPOSURE, 'naturalColour', 'noise', 'compressionArtifacts', 'backgroundUniformity'],
  },
  {
    name: 'loss of contrast',
    steps: [0.7, 0.4, 0.2, 0.1].map((g) => still((f) => worse.contrast(f, g))),
    moves: { dynamicRange: -1, luminanceVariance: -1 },
    loss: 30,
    calm: 1,
    related: [
      ...EXPOSURE,
      'illuminationUniformity',
      'naturalColour',
      'noise',
      'compressionArtifacts',
      'backgroundUniformity',
    ],
  },
  {
    name: 'light from the side',
    steps: [0.6, 0.4, 0.2, 0.08].map((least) =>
      still((f, { points }) => {
        const [x, , w] = boundsOf(points);
        return worse.sideLight(f, x + 0.1 * w, x + 0.9 * w, least);
      }),
    ),
    moves: { illuminationUniformity: -1 },
    loss: 30,
    calm: 0,
    related: [...EXPOSURE, 'naturalColour', 'noise', 'backgroundUniformity'],
    from: 1,
  },
  {
    name: 'a black bar over the eyes',
    steps: [0.15, 0.18, 0.22, 0.3].map((half) => eyesBar([12, 12, 12], half)),
    moves: { eyesVisible: 1 },
    loss: 70,
    from: 1,
    calm: 3,
    related: [...EXPOSURE, 'sharpness', 'noise', 'compressionArtifacts', 'faceOcclusionPrevention'],
  },
  {
    name: 'a white bar over the mouth',
    steps: [0.08, 0.16, 0.26, 0.4].map((half) => mouthBar([235, 240, 245], half)),
    moves: { mouthOcclusionPrevention: 1 },
    loss: 70,
    calm: 3,
    related: [
      ...EXPOSURE,
      'sharpness',
      'noise',
      'compressionArtifacts',
      'faceOcclusionPrevention',
      'illuminationUniformity',
    ],
  },
  {
    name: 'a roll of the picture',
    steps: [12, 25, 45, 70].map(
      (d): Step =>
        ({ frame, points }) =>
          worse.turn(frame, d, points),
    ),
    moves: {},
    loss: 0,
    calm: 3,
    related: [
      'headPoseRoll',
      'headSize',
      'leftwardCrop',
      'rightwardCrop',
      'marginAbove',
      'marginBelow',
      'noise',
      'compressionArtifacts',
      'backgroundUniformity',
    ],
  },
  {
    name: 'a smaller picture',
    steps: [0.8, 0.6, 0.45, 0.3].map(
      (k): Step =>
        ({ frame, points }) =>
          worse.shrink(frame, k, points),
    ),
    moves: { interEyeDistance: -1 },
    loss: 10,
    calm: 1,
    // Blur is measured in pixels of the picture, and there are fewer of them.
    related: ['sharpness', 'noise', 'compressionArtifacts'],
  },
  {
    name: 'a busy background',
    steps: [12, 30, 60, 100].map((amplitude) =>
      still((f, { points, unit }) => {
        const { eyes } = layoutOf(points)!;
        return worse.busy(
          f,
          [eyes[0], eyes[1] + 0.5 * unit],
          1.45 * unit,
          1.9 * unit,
          Math.max(2, Math.round(unit / 4)),
          amplitude,
        );
      }),
    ),
    moves: { backgroundUniformity: 1 },
    loss: 10,
    calm: 3,
    related: ['compressionArtifacts'],
    from: 1,
  },
  {
    name: 'a blue cast',
    steps: [0.85, 0.7, 0.5, 0.3].map((k) => still((f) => worse.cast(f, [k, 0.97, 2 - k]))),
    moves: { naturalColour: 1 },
    loss: 40,
    calm: 1,
    related: EXPOSURE,
    from: 1,
  },
];

describe.each(SERIES)('$name', ({ steps, moves, loss, calm, related, from = 0 }) => {
  it('moves what it should, further with each step, and leaves the rest alone', async () => {
    const wrong: string[] = [];
    for (const sitter of sitters) {
      const series = [sitter.clean];
      for (const step of steps) series.push(await measure(...(await step(sitter))));
      const last = series.at(-1)!;
      for (const [name, sign] of Object.entries(moves) as [QualityName, 1 | -1][]) {
        const values = series.map((q) => nativeOf(q, name));
        const told = `${sitter.name}: ${name} ${values.map((v) => v.toPrecision(3)).join(' ')}`;
        // A share that is whole already cannot grow.
        const stuck = (v: number, i: number): boolean =>
          i > from && (v - values[i - 1]!) * sign <= 0 && !(v === 1 && values[i - 1] === 1);
        if (values.some(stuck)) wrong.push(`${told} is not monotone`);
        const lost = scoreOf(sitter.clean, name) - scoreOf(last, name);
        if (lost < loss) wrong.push(`${told} loses ${lost} points only`);
      }
      for (const name of QUALITY_NAMES) {
        if (related.includes(name) || name in moves) continue;
        const before = sitter.clean.components[name]?.score;
        const after = series[calm + 1]!.components[name]?.score;
        const calmly = before === undefined || after === undefined ? before === after : Math.abs(after - before) <= 15;
        if (!calmly) wrong.push(`${sitter.name}: ${name} goes from ${before} to ${after}`);
      }
      if (last.score > sitter.clean.score + 3)
        wrong.push(`${sitter.name}: unified ${sitter.clean.score} to ${last.score}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a cover of the colour of the skin', () => {
  it('hides eyes and mouth by leaving nothing drawn', async () => {
    for (const { frame, points, unit, clean } of sitters) {
      const cheek = points[30]!;
      const at = (Math.floor(cheek[1]) * frame.width + Math.floor(cheek[0])) * 3;
      const skin = [frame.data[at]!, frame.data[at + 1]!, frame.data[at + 2]!] as const;
      const sitter = { frame, points, unit } as Sitter;
      const eyes = await measure(...(await eyesBar(skin, 0.3)(sitter)));
      const mouth = await measure(...(await mouthBar(skin, 0.35)(sitter)));
      expect(scoreOf(eyes, 'eyesVisible')).toBeLessThan(40);
      expect(scoreOf(clean, 'eyesVisible')).toBeGreaterThan(60);
      expect(scoreOf(mouth, 'mouthOcclusionPrevention')).toBeLessThan(40);
    }
  });
});

describe('photographs with a known fault', () => {
  const photograph = async (name: string): Promise<FaceQuality> => {
    await using engine = await openEngine();
    const frame = await engine.decode(shared(name));
    const [face] = await engine.analyze(frame, {
      landmarks: true,
      pose: true,
      attributes: ['expression'],
      maxFaces: 1,
    });
    const [quality] = await measureQuality(runtime, frame, [{ ...face!, landmarks: face!.landmarks! }]);
    return quality!;
  };

  it.skipIf(!haveShared('faces/photos/person-vlado5.jpg'))('sunglasses are seen, and bare eyes', async () => {
    const dark = await photograph('faces/photos/person-vlado5.jpg');
    expect(scoreOf(dark, 'eyesVisible')).toBeLessThan(20);
    expect(dark.guidance.map((g) => g.code)).toContain('uncover-eyes');
    expect(scoreOf(await photograph('faces/photos/person-vlado1.jpg'), 'eyesVisible')).toBeGreaterThan(80);
  });

  it.skipIf(!haveShared('faces/photos/stock-emotions-a-1.jpg'))(
    'a neutral face and an open mouth are told apart',
    async () => {
      const neutral = await photograph('faces/photos/stock-emotions-a-1.jpg');
      const open = await photograph('faces/photos/stock-emotions-a-6.jpg');
      expect(scoreOf(neutral, 'expressionNeutrality')).toBeGreaterThan(80);
      expect(scoreOf(open, 'expressionNeutrality')).toBeLessThan(20);
      expect(scoreOf(neutral, 'mouthClosed')).toBeGreaterThan(scoreOf(open, 'mouthClosed') + 30);
    },
  );
});

describe('what a kiosk says', () => {
  const codes = (quality: FaceQuality): string[] => quality.guidance.map((g) => g.code);

  it.each([
    ['more-light', still((f, sitter) => worse.gain(f, 0.12 * toMiddle(sitter)))],
    ['less-light', still((f, sitter) => worse.gain(f, 4 * toMiddle(sitter)))],
    ['hold-still', still((f, { unit }) => worse.blur(f, 0.06 * unit))],
    ['uncover-eyes', eyesBar([12, 12, 12], 0.3)],
    ['uncover-mouth', mouthBar([235, 240, 245], 0.4)],
    ['come-closer', ({ frame, points, unit }) => worse.shrink(frame, 35 / unit, points)],
    ['less-noise', still((f) => worse.noise(f, 30))],
  ] as [string, Step][])('%s', async (code, step) => {
    for (const sitter of sitters) {
      expect(codes(sitter.clean), sitter.name).not.toContain(code);
      expect(codes(await measure(...(await step(sitter)))), sitter.name).toContain(code);
    }
  });

  it('asks for light from the side that is dark, in the words of the person', async () => {
    for (const { frame, points } of sitters) {
      const [x, , w] = boundsOf(points);
      // Light from the left of the picture: the person's left side, at the right of the picture, lies in the dark.
      const lit = worse.sideLight(frame, x + 0.3 * w, x + 0.7 * w, 0.1);
      expect(codes(await measure(lit, points))).toContain('light-from-left');
      expect(codes(await measure(lit, points, { mirrored: true }))).toContain('light-from-right');
    }
  });
});

describe('pictures of every kind', () => {
  it('are judged the same after a lossless round trip, and in every order of the channels', async () => {
    const { frame, points, clean } = sitters[0]!;
    expect(await measure(await worse.png(frame), points)).toEqual(clean);
    const bgr = new Uint8Array(frame.data.length);
    for (let i = 0; i < bgr.length; i += 3) bgr.set([frame.data[i + 2]!, frame.data[i + 1]!, frame.data[i]!], i);
    expect(await measure({ ...frame, data: bgr, format: 'bgr' }, points)).toEqual(clean);
  });

  it('grey ones have no natural colour, and the same light', async () => {
    for (const { frame, points, clean } of sitters) {
      const grey = worse.grey(frame);
      const one = { ...grey, data: grey.data.filter((_, i) => i % 3 === 0), channels: 1, format: 'gray' } as const;
      for (const picture of [grey, one]) {
        const quality = await measure(picture, points);
        expect(quality.components.naturalColour).toBeUndefined();
        expect(Object.keys(quality.components)).toHaveLength(Object.keys(clean.components).length - 1);
        for (const name of EXPOSURE) {
          expect(Math.abs(scoreOf(quality, name) - scoreOf(clean, name)), name).toBeLessThanOrEqual(3);
        }
      }
    }
  });

  it('a face cut by the border loses its margin, and the rest is judged by what is seen', async () => {
    for (const { frame, points } of sitters) {
      const { eyes, unit } = layoutOf(points)!;
      const before = await measure(frame, points);
      const cut = await measure(
        ...worse.crop(frame, [Math.round(eyes[0] - 0.6 * unit), 0, frame.width, frame.height], points),
      );
      expect(scoreOf(cut, 'leftwardCrop')).toBeLessThan(20);
      expect(cut.score).toBeLessThan(30);
      expect(cut.guidance.map((g) => g.code)).toContain('move-left');
      for (const name of ['luminanceMean', 'sharpness', 'naturalColour', 'dynamicRange'] as const) {
        expect(Math.abs(scoreOf(cut, name) - scoreOf(before, name)), name).toBeLessThanOrEqual(25);
      }
    }
  });

  it('tiny faces leave out what cannot be said, and score low', async () => {
    for (const { frame, points, unit } of sitters) {
      const tiny = await measure(...(await worse.shrink(frame, 6 / unit, points)));
      expect(tiny.components.sharpness).toBeUndefined();
      expect(tiny.components.noise).toBeUndefined();
      expect(tiny.components.interEyeDistance!.score).toBeLessThan(10);
      expect(tiny.score).toBeLessThan(40);
      for (const { value } of Object.values(tiny.components)) expect(Number.isFinite(value)).toBe(true);
    }
  });

  it('a face outside of the picture has no pixels to judge', async () => {
    const { frame, points } = sitters[0]!;
    const away = points.map(([x, y]): Point => [x + 3 * frame.width, y]);
    const quality = await measure(frame, away);
    for (const name of [
      'sharpness',
      'luminanceMean',
      'eyesVisible',
      'backgroundUniformity',
      'compressionArtifacts',
    ] as const) {
      expect(quality.components[name]).toBeUndefined();
    }
  });
});

describe('measureQuality', () => {
  it('answers in the order of the faces, absent for landmarks that are no numbers, more faces than fit in one batch', async () => {
    const { frame, points, clean } = sitters[0]!;
    const box = boundsOf(points);
    const broken = points.map((): Point => [Number.NaN, 0]);
    const pose = estimatePose(points)!;
    const good = { box, landmarks: points, pose };
    const list = Array.from({ length: 11 }, (_, i) => (i % 5 === 3 ? { box, landmarks: broken } : good));
    const answers = await measureQuality(runtime, frame, list, { boxes: [box] });
    answers.forEach((answer, i) => {
      if (i % 5 === 3) expect(answer).toBeUndefined();
      else expect(answer).toEqual(clean);
    });
    expect(await measureQuality(runtime, frame, [])).toEqual([]);
  });

  it('sees the other faces', async () => {
    const { frame, points } = sitters[0]!;
    const [x, y, w, h] = boundsOf(points);
    const face = { box: [x, y, w, h] as const, landmarks: points };
    const other = [x + 2 * w, y, w / 2, h] as const;
    const [first] = await measureQuality(runtime, frame, [face], { boxes: [face.box, other] });
    expect(nativeOf(first!, 'singleFacePresent')).toBeCloseTo(0.5, 9);
  });

  it('refuses what is wrong, and stops when it is told to', async () => {
    const { frame, points } = sitters[0]!;
    const face = { box: boundsOf(points), landmarks: points };
    const code = (c: string) => expect.objectContaining({ code: c });
    await expect(measureQuality(runtime, frame, [{ ...face, landmarks: points.slice(1) }])).rejects.toThrowError(
      code('INVALID_ARGUMENT'),
    );
    await expect(
      measureQuality(runtime, frame, [face], { purpose: 'passport' } as unknown as MeasureQualityOptions),
    ).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(measureQuality(runtime, frame, [face], { signal: AbortSignal.abort() })).rejects.toThrowError(
      code('ABORTED'),
    );
    const other = await Runtime.open();
    await other.close();
    await expect(measureQuality(other, frame, [face])).rejects.toThrowError(code('CLOSED'));
  });
});
