import { describe, expect, it } from 'vitest';
import {
  assessQuality,
  componentScore,
  DETAIL_CHIP,
  FACE_CHIP,
  type FaceQuality,
  faceRegion,
  GUIDANCE,
  layoutOf,
  QUALITY_COMPONENTS,
  QUALITY_NAMES,
  type QualityInput,
  type QualityName,
  type QualityOptions,
  unifiedScore,
} from '../../../lib/analysis/quality/index.js';
import { applyRegion } from '../../../lib/image/geometry.js';
import { estimatePose } from '../../../lib/landmarks/index.js';
import { EXPRESSIONS, type Expression, type Point, type Pose } from '../../../lib/types.js';
import { project } from '../../support/head.js';

const frame = { width: 640, height: 480 };
const still: Pose = { roll: 0, yaw: 0, pitch: 0 };
/** A head with 6.25 units between the eyes: 100 pixels at 16. */
const headAt = (pose: Partial<Pose> = {}, scale = 16, centre: Point = [320, 240]): Point[] =>
  project({ ...still, ...pose }, scale, centre);

function assess(
  landmarks: readonly Point[],
  more: Partial<QualityInput> = {},
  options: QualityOptions = {},
): FaceQuality {
  const pose = estimatePose(landmarks);
  return assessQuality({ landmarks, frame, ...(pose === undefined ? {} : { pose }), ...more }, options)!;
}

const value = (quality: FaceQuality, name: QualityName): number => quality.components[name]!.value;
const score = (quality: FaceQuality, name: QualityName): number => quality.components[name]!.score;
const codes = (quality: FaceQuality): string[] => quality.guidance.map((g) => g.code);

describe('the table of components', () => {
  it.each(QUALITY_NAMES)('%s scores whole numbers from 0 to 100 for whatever is measured', (name) => {
    for (const v of [-1e6, -45, -1, 0, 0.01, 0.3, 1, 5, 60, 1000, 1e9]) {
      const s = componentScore(name, v);
      expect(Number.isInteger(s)).toBe(true);
      expect(s).toBeGreaterThanOrEqual(0);
      expect(s).toBeLessThanOrEqual(100);
    }
    expect(QUALITY_COMPONENTS[name].unit.length).toBeGreaterThan(0);
    expect(QUALITY_COMPONENTS[name].meaning.length).toBeGreaterThan(10);
  });

  const falling: [QualityName, number, number][] = [
    ['sharpness', 0.5, 5],
    ['noise', 1, 50],
    ['compressionArtifacts', 0, 5],
    ['underExposurePrevention', 0, 1],
    ['overExposurePrevention', 0, 1],
    ['naturalColour', 0, 60],
    ['mouthClosed', 0, 0.6],
    ['eyesVisible', 0, 1],
    ['mouthOcclusionPrevention', 0, 1],
    ['faceOcclusionPrevention', 0, 1],
    ['backgroundUniformity', 0, 30],
    ['singleFacePresent', 0, 1],
  ];
  const rising: [QualityName, number, number][] = [
    ['illuminationUniformity', 0, 1],
    ['dynamicRange', 0, 8],
    ['interEyeDistance', 0, 200],
    ['leftwardCrop', 0, 3],
    ['rightwardCrop', 0, 3],
    ['marginAbove', 0, 3],
    ['marginBelow', 0, 4],
    ['eyesOpen', 0, 0.1],
    ['expressionNeutrality', 0, 1],
  ];
  it.each([...falling.map((r) => [...r, -1] as const), ...rising.map((r) => [...r, 1] as const)])(
    '%s is monotone from %d to %d and uses most of the scale',
    (name, from, to, sign) => {
      const scores = Array.from({ length: 101 }, (_, i) => componentScore(name, from + ((to - from) * i) / 100));
      for (let i = 1; i < scores.length; i++) expect((scores[i]! - scores[i - 1]!) * sign).toBeGreaterThanOrEqual(0);
      expect(Math.abs(scores[0]! - scores[100]!)).toBeGreaterThan(80);
    },
  );
});

describe('the unified score', () => {
  const perfect = Object.fromEntries(QUALITY_NAMES.map((name) => [name, { value: 0, unit: '', score: 100 }]));

  it('is 100 where nothing is missing, and what importance says where one component fails', () => {
    for (const purpose of ['recognition', 'portrait'] as const) {
      expect(unifiedScore(perfect, purpose)).toBe(100);
      expect(unifiedScore({}, purpose)).toBe(100);
      for (const name of QUALITY_NAMES) {
        const importance = QUALITY_COMPONENTS[name].importance[purpose];
        const one = unifiedScore({ ...perfect, [name]: { value: 0, unit: '', score: 0 } }, purpose);
        expect(one).toBe(Math.round(100 * Math.max(0.01, 1 - importance)));
      }
    }
  });

  it('never rises when a component falls, and several weaknesses weigh more than one', () => {
    for (const name of QUALITY_NAMES) {
      let before = 100;
      for (let s = 100; s >= 0; s -= 5) {
        const now = unifiedScore({ ...perfect, [name]: { value: 0, unit: '', score: s } }, 'portrait');
        expect(now).toBeLessThanOrEqual(before);
        before = now;
      }
    }
    const at = (names: QualityName[]): number =>
      unifiedScore(
        { ...perfect, ...Object.fromEntries(names.map((n) => [n, { value: 0, unit: '', score: 50 }])) },
        'portrait',
      );
    expect(at(['sharpness', 'headPoseYaw'])).toBeLessThan(at(['sharpness']));
  });
});

describe('what follows from landmarks', () => {
  it('measures a frontal head in the middle of the picture', () => {
    const quality = assess(headAt());
    const eyes = layoutOf(headAt())!;
    expect(value(quality, 'interEyeDistance')).toBeCloseTo(eyes.eyeDistance, 6);
    expect(value(quality, 'headSize')).toBeCloseTo(eyes.height / 480, 9);
    expect(value(quality, 'leftwardCrop')).toBeCloseTo(320 / eyes.eyeDistance, 6);
    for (const name of ['headPoseYaw', 'headPosePitch', 'headPoseRoll'] as const) {
      expect(value(quality, name)).toBeCloseTo(0, 6);
      expect(score(quality, name)).toBe(100);
    }
    expect(score(quality, 'eyesOpen')).toBeGreaterThan(95);
    expect(score(quality, 'mouthClosed')).toBeGreaterThan(90);
    expect(quality.guidance).toEqual([]);
    // Landmarks stand in for lids and expression; nothing that needs pixels or other boxes.
    for (const name of ['eyesOpen', 'expressionNeutrality'] as const)
      expect(quality.components[name]!.source).toBe('landmarks');
    for (const name of ['sharpness', 'noise', 'luminanceMean', 'eyesVisible', 'singleFacePresent'] as const) {
      expect(quality.components[name]).toBeUndefined();
    }
  });

  it.each([
    ['headPoseYaw', 'yaw'],
    ['headPosePitch', 'pitch'],
    ['headPoseRoll', 'roll'],
  ] as const)('%s falls with the angle, both ways', (name, angle) => {
    for (const sign of [1, -1]) {
      const scores = [0, 10, 20, 30, 45].map((d) => score(assess(headAt({ [angle]: sign * d })), name));
      for (let i = 1; i < scores.length; i++) expect(scores[i]!).toBeLessThan(scores[i - 1]!);
      expect(scores.at(-1)!).toBeLessThan(55);
    }
  });

  it('keeps the inter-eye distance under a turn, and leaves other angles alone', () => {
    const straight = assess(headAt());
    for (const yaw of [-40, -20, 20, 40]) {
      const turned = assess(headAt({ yaw }));
      expect(value(turned, 'interEyeDistance')).toBeCloseTo(value(straight, 'interEyeDistance'), 0);
      expect(Math.abs(score(turned, 'headPosePitch') - 100)).toBeLessThanOrEqual(3);
      expect(Math.abs(score(turned, 'headPoseRoll') - 100)).toBeLessThanOrEqual(3);
      expect(Math.abs(score(turned, 'eyesOpen') - score(straight, 'eyesOpen'))).toBeLessThanOrEqual(15);
      expect(Math.abs(score(turned, 'mouthClosed') - score(straight, 'mouthClosed'))).toBeLessThanOrEqual(15);
    }
  });

  it('sizes fall with the distance', () => {
    const at = [13, 11, 9, 7, 5].map((scale) => assess(headAt({}, scale)));
    for (let i = 1; i < at.length; i++) {
      expect(value(at[i]!, 'interEyeDistance')).toBeLessThan(value(at[i - 1]!, 'interEyeDistance'));
      expect(value(at[i]!, 'headSize')).toBeLessThan(value(at[i - 1]!, 'headSize'));
      expect(at[i]!.score).toBeLessThanOrEqual(at[i - 1]!.score);
    }
    expect(score(at[4]!, 'interEyeDistance')).toBeLessThan(20);
  });

  it('lids and lips: closing and opening them moves their own scores only', () => {
    const lids = (share: number): Point[] => {
      const points = headAt();
      for (const [up, down] of [
        [37, 41],
        [38, 40],
        [43, 47],
        [44, 46],
      ] as const) {
        const middle = (points[up]![1] + points[down]![1]) / 2;
        for (const i of [up, down]) points[i] = [points[i]![0], middle + (points[i]![1] - middle) * share];
      }
      return points;
    };
    const closing = [1, 0.6, 0.4, 0.1].map((s) => assess(lids(s)));
    for (let i = 1; i < closing.length; i++) {
      expect(value(closing[i]!, 'eyesOpen')).toBeLessThan(value(closing[i - 1]!, 'eyesOpen'));
      expect(score(closing[i]!, 'mouthClosed')).toBe(score(closing[0]!, 'mouthClosed'));
    }
    expect(codes(closing[3]!)).toEqual(['open-eyes']);
    const lips = (gap: number): Point[] =>
      headAt().map(([x, y], i): Point => [x, [65, 66, 67].includes(i) ? y + gap : y]);
    const opening = [0, 20, 40, 70].map((g) => assess(lips(g)));
    for (let i = 1; i < opening.length; i++) {
      expect(score(opening[i]!, 'mouthClosed')).toBeLessThan(score(opening[i - 1]!, 'mouthClosed'));
      expect(score(opening[i]!, 'eyesOpen')).toBe(score(opening[0]!, 'eyesOpen'));
    }
    expect(codes(opening[3]!)).toEqual(['close-mouth']);
  });

  it('expression and other faces', () => {
    const expression = (neutral: number): Expression => {
      const rest = (1 - neutral) / 6;
      const probabilities = Object.fromEntries(EXPRESSIONS.map((e) => [e, e === 'neutral' ? neutral : rest]));
      return { label: 'neutral', probability: neutral, probabilities: probabilities as Expression['probabilities'] };
    };
    const scores = [1, 0.6, 0.1].map((p) =>
      score(assess(headAt(), { expression: expression(p) }), 'expressionNeutrality'),
    );
    expect(scores).toEqual([100, 60, 10]);
    const box = [200, 100, 200, 200] as const;
    const alone = assess(headAt(), { box, others: [] }, { purpose: 'portrait' });
    const beside = assess(
      headAt(),
      {
        box,
        others: [
          [0, 0, 10, 10],
          [0, 0, 160, 200],
        ],
      },
      { purpose: 'portrait' },
    );
    expect(score(alone, 'singleFacePresent')).toBe(100);
    expect(value(beside, 'singleFacePresent')).toBeCloseTo(0.8, 9);
    expect(codes(beside)).toContain('one-person');
    // A box without area says nothing.
    expect(assess(headAt(), { box: [1, 2, 0, 0], others: [box] }).components.singleFacePresent).toBeUndefined();
  });
});

describe('guidance', () => {
  const cases: [string, Point[], string, string][] = [
    ['turned to the right of the picture', headAt({ yaw: 30 }), 'turn-right', 'turn-left'],
    ['turned to the left of the picture', headAt({ yaw: -30 }), 'turn-left', 'turn-right'],
    ['tilted clockwise', headAt({ roll: 45 }), 'tilt-right', 'tilt-left'],
    ['tilted anticlockwise', headAt({ roll: -45 }), 'tilt-left', 'tilt-right'],
    ['at the left edge', headAt({}, 16, [60, 240]), 'move-left', 'move-right'],
    ['at the right edge', headAt({}, 16, [580, 240]), 'move-right', 'move-left'],
    ['looking up', headAt({ pitch: 25 }), 'chin-down', 'chin-down'],
    ['looking down', headAt({ pitch: -25 }), 'chin-up', 'chin-up'],
    ['far away', headAt({}, 5), 'come-closer', 'come-closer'],
    ['at the upper edge', headAt({}, 16, [320, 90]), 'move-down', 'move-down'],
    ['at the lower edge', headAt({}, 16, [320, 400]), 'move-up', 'move-up'],
  ];
  it.each(cases)('%s', (_, points, plain, mirrored) => {
    expect(codes(assess(points))).toContain(plain);
    const mirror = codes(assess(points, {}, { mirrored: true }));
    expect(mirror).toContain(mirrored);
    if (mirrored !== plain) expect(mirror).not.toContain(plain);
  });

  it('says each thing once, the heaviest first, with a text', () => {
    const quality = assess(headAt({ yaw: 50, pitch: 25 }, 5, [25, 240]));
    expect(quality.guidance.length).toBeGreaterThan(2);
    expect(new Set(codes(quality)).size).toBe(quality.guidance.length);
    for (const { code, text } of quality.guidance) expect(text).toBe(GUIDANCE[code]);
    const loss = quality.guidance.map(
      ({ component }) => (100 - score(quality, component)) * QUALITY_COMPONENTS[component].importance.recognition,
    );
    expect(loss).toEqual([...loss].sort((a, b) => b - a));
  });

  it('a head cut off on both sides moves back and not sideways', () => {
    const quality = assess(headAt({}, 60, [320, 240]));
    expect(codes(quality)).toContain('move-back');
    expect(codes(quality).some((c) => c.startsWith('move-') && c !== 'move-back')).toBe(false);
  });

  it('asks more of a portrait', () => {
    const points = headAt({}, 12);
    expect(assess(points, {}, { purpose: 'portrait' }).score).toBeLessThan(assess(points).score);
    expect(codes(assess(points, {}, { purpose: 'portrait' }))).toContain('come-closer');
  });
});

describe('chips', () => {
  it('the upright chip holds the eyes level and at its own distance, however the head is turned in the picture', () => {
    for (const roll of [0, 35, -80, 170]) {
      const layout = layoutOf(headAt({ roll }, 23, [400, 300]))!;
      const region = faceRegion(layout);
      const left = applyRegion(region, FACE_CHIP.size / 2 - FACE_CHIP.eyes / 2, FACE_CHIP.top);
      const right = applyRegion(region, FACE_CHIP.size / 2 + FACE_CHIP.eyes / 2, FACE_CHIP.top);
      expect(left[0]).toBeCloseTo(layout.leftEye[0], 0);
      expect(left[1]).toBeCloseTo(layout.leftEye[1], 0);
      expect(right[0]).toBeCloseTo(layout.rightEye[0], 0);
      expect(right[1]).toBeCloseTo(layout.rightEye[1], 0);
    }
  });

  it('black, white and grey chips give finite values, and no colour', () => {
    const landmarks = headAt();
    const region = faceRegion(layoutOf(landmarks)!);
    for (const level of [0, 128, 255]) {
      const grey = { data: new Uint8Array(DETAIL_CHIP.size ** 2).fill(level), region: [1, 0, 224, 0, 1, 144] as const };
      const quality = assess(landmarks, {
        face: { data: new Uint8Array(FACE_CHIP.size ** 2 * 3).fill(level), region },
        detail: grey,
        native: grey,
      });
      for (const component of Object.values(quality.components)) expect(Number.isFinite(component.value)).toBe(true);
      expect(quality.components.naturalColour).toBeUndefined();
      expect(quality.components.sharpness).toBeUndefined();
      expect(value(quality, 'dynamicRange')).toBe(0);
      expect(value(quality, 'compressionArtifacts')).toBe(0);
      expect(value(quality, 'luminanceMean')).toBeCloseTo(level / 255, 2);
      expect(value(quality, 'eyesVisible')).toBe(1);
    }
  });
});

describe('bad input', () => {
  it('landmarks that are not finite or span no face give nothing', () => {
    const nan = headAt();
    nan[40] = [Number.NaN, 1];
    expect(assessQuality({ landmarks: nan, frame })).toBeUndefined();
    expect(assessQuality({ landmarks: headAt().map((): Point => [7, 7]), frame })).toBeUndefined();
    expect(assessQuality({ landmarks: headAt().map((): Point => [Infinity, 7]), frame })).toBeUndefined();
    expect(assessQuality({ landmarks: headAt({}, 1e8), frame })).toBeUndefined();
  });

  it('what is not of the right form is refused', () => {
    const refused = (input: unknown): void => {
      expect(() => assessQuality(input as QualityInput)).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    };
    refused({ landmarks: headAt().slice(1), frame });
    refused({ landmarks: 'none', frame });
    refused({ landmarks: headAt(), frame: { width: 0, height: 5 } });
    refused({ landmarks: headAt(), frame: { width: 5, height: Number.NaN } });
    refused({ landmarks: headAt(), frame, face: { data: new Uint8Array(5), region: [1, 0, 0, 0, 1, 0] } });
    refused({
      landmarks: headAt(),
      frame,
      detail: { data: new Uint8Array(DETAIL_CHIP.size ** 2), region: [Number.NaN, 0, 0, 0, 1, 0] },
    });
  });

  it('an angle that is not a number is as none', () => {
    const quality = assess(headAt(), { pose: { roll: Number.NaN, yaw: 0, pitch: 0 } });
    expect(quality.components.headPoseYaw).toBeUndefined();
    expect(value(quality, 'interEyeDistance')).toBeGreaterThan(90);
  });

  it('a face far outside of the picture has margins and a score of nothing', () => {
    const quality = assess(headAt({}, 16, [-5000, 240]));
    expect(value(quality, 'leftwardCrop')).toBeLessThan(0);
    expect(quality.score).toBeLessThan(5);
  });
});
