import { afterAll, beforeAll, expect } from 'vitest';
import {
  type FaceQuality,
  layoutOf,
  type MeasureQualityOptions,
  measureQuality,
  type QualityName,
} from '../../lib/analysis/quality/index.js';
import { boundsOf } from '../../lib/image/geometry.js';
import { type Frame, openEngine, type Point } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/index.js';
import { estimatePose } from '../../lib/landmarks/index.js';
import { sample } from '../support/samples.js';
import * as worse from './quality-degradations.js';

/** A face of a photograph: large, turned towards the camera, plainly lit, not covered. */
export interface Sitter {
  readonly name: string;
  readonly frame: Frame;
  readonly points: readonly Point[];
  readonly clean: FaceQuality;
  /** Inter-eye distance in pixels. */
  readonly unit: number;
}

/** Quality of one face from its landmarks alone, without networks. */
export async function measure(
  runtime: Runtime,
  frame: Frame,
  points: readonly Point[],
  options?: MeasureQualityOptions,
): Promise<FaceQuality> {
  const pose = estimatePose(points)!;
  const [quality] = await measureQuality(runtime, frame, [{ box: boundsOf(points), landmarks: points, pose }], options);
  return quality!;
}

/** The faces of the sample photographs that are good to start from. */
async function findSitters(runtime: Runtime): Promise<Sitter[]> {
  const sitters: Sitter[] = [];
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
      const clean = await measure(runtime, frame, points);
      // Coloured stage light, deep shade and painted faces are no place to start from.
      const well = (
        ['eyesVisible', 'faceOcclusionPrevention', 'illuminationUniformity', 'naturalColour'] as const
      ).every((name) => scoreOf(clean, name) >= 70);
      if (!well) continue;
      sitters.push({ name: `sample ${i} at ${Math.round(box[0])}, ${Math.round(box[1])}`, frame, points, clean, unit });
    }
  }
  return sitters;
}

/** Native value of a component that must be there. */
export function nativeOf(quality: FaceQuality, name: QualityName): number {
  const component = quality.components[name];
  if (component === undefined) throw new Error(`no ${name} was measured`);
  return component.value;
}
export const scoreOf = (quality: FaceQuality, name: QualityName): number => quality.components[name]!.score;

/** One degradation of a sitter: the picture, and where the points are in it. */
export type Step = (sitter: Sitter) => Promise<readonly [Frame, readonly Point[]]> | readonly [Frame, readonly Point[]];
export const still =
  (of: (frame: Frame, sitter: Sitter) => Frame | Promise<Frame>): Step =>
  async (sitter) => [await of(sitter.frame, sitter), sitter.points];

/** Gain that brings a face to middle grey. */
export const toMiddle = ({ clean }: Sitter): number => 0.5 / nativeOf(clean, 'luminanceMean');

export const EXPOSURE: readonly QualityName[] = [
  'luminanceMean',
  'luminanceVariance',
  'underExposurePrevention',
  'overExposurePrevention',
  'dynamicRange',
];

export const eyesBar = (colour: readonly [number, number, number], half: number): Step =>
  still((frame, { points, unit }) => {
    const { leftEye: l, rightEye: r } = layoutOf(points)!;
    const out = 0.5;
    const a: Point = [l[0] - (r[0] - l[0]) * out, l[1] - (r[1] - l[1]) * out];
    const b: Point = [r[0] + (r[0] - l[0]) * out, r[1] + (r[1] - l[1]) * out];
    return worse.bar(frame, a, b, half * unit, colour);
  });
export const mouthBar = (colour: readonly [number, number, number], half: number): Step =>
  still((frame, { points, unit }) => {
    const { mouth, angle } = layoutOf(points)!;
    const [dx, dy] = [0.6 * unit * Math.cos(angle), 0.6 * unit * Math.sin(angle)];
    return worse.bar(frame, [mouth[0] - dx, mouth[1] - dy], [mouth[0] + dx, mouth[1] + dy], half * unit, colour);
  });

/** What the tests of a file share, there once they run. */
export interface Studio {
  readonly runtime: Runtime;
  readonly sitters: readonly Sitter[];
  judge(frame: Frame, points: readonly Point[], options?: MeasureQualityOptions): Promise<FaceQuality>;
}

/** Opens a runtime and finds the sitters before the tests of the file that calls it. */
export function useStudio(): Studio {
  let runtime: Runtime | undefined;
  let sitters: Sitter[] = [];
  beforeAll(async () => {
    runtime = await Runtime.open();
    sitters = await findSitters(runtime);
    expect(sitters.length).toBeGreaterThanOrEqual(5);
  });
  afterAll(() => runtime?.close());
  return {
    get runtime() {
      return runtime!;
    },
    get sitters() {
      return sitters;
    },
    judge: (frame, points, options) => measure(runtime!, frame, points, options),
  };
}
