// Each component moves the right way under one kind of degradation, and the others stay.
import { describe, expect, it } from 'vitest';
import { layoutOf, QUALITY_NAMES, type QualityName } from '../../lib/analysis/quality/index.js';
import { boundsOf } from '../../lib/image/geometry.js';
import * as worse from './quality-degradations.js';
import {
  EXPOSURE,
  eyesBar,
  mouthBar,
  nativeOf,
  type Step,
  scoreOf,
  still,
  toMiddle,
  useStudio,
} from './quality-sitters.js';

const studio = useStudio();
const { judge } = studio;

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
    for (const sitter of studio.sitters) {
      const series = [sitter.clean];
      for (const step of steps) series.push(await judge(...(await step(sitter))));
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
