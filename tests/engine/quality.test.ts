// Quality of photographs: covers, known faults, hints, kinds of pictures and bad input.
import { describe, expect, it } from 'vitest';
import {
  type FaceQuality,
  layoutOf,
  type MeasureQualityOptions,
  measureQuality,
} from '../../lib/analysis/quality/index.js';
import { boundsOf } from '../../lib/image/geometry.js';
import { openEngine, type Point } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/index.js';
import { estimatePose } from '../../lib/landmarks/index.js';
import { haveShared, shared } from '../support/samples.js';
import * as worse from './quality-degradations.js';
import {
  EXPOSURE,
  eyesBar,
  mouthBar,
  nativeOf,
  type Sitter,
  type Step,
  scoreOf,
  still,
  toMiddle,
  useStudio,
} from './quality-sitters.js';

const studio = useStudio();
const { judge } = studio;

describe('a cover of the colour of the skin', () => {
  it('hides eyes and mouth by leaving nothing drawn', async () => {
    for (const { frame, points, unit, clean } of studio.sitters) {
      const cheek = points[30]!;
      const at = (Math.floor(cheek[1]) * frame.width + Math.floor(cheek[0])) * 3;
      const skin = [frame.data[at]!, frame.data[at + 1]!, frame.data[at + 2]!] as const;
      const sitter = { frame, points, unit } as Sitter;
      const eyes = await judge(...(await eyesBar(skin, 0.3)(sitter)));
      const mouth = await judge(...(await mouthBar(skin, 0.35)(sitter)));
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
    const [quality] = await measureQuality(studio.runtime, frame, [{ ...face!, landmarks: face!.landmarks! }]);
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
    for (const sitter of studio.sitters) {
      expect(codes(sitter.clean), sitter.name).not.toContain(code);
      expect(codes(await judge(...(await step(sitter)))), sitter.name).toContain(code);
    }
  });

  it('asks for light from the side that is dark, in the words of the person', async () => {
    for (const { frame, points } of studio.sitters) {
      const [x, , w] = boundsOf(points);
      // Light from the left of the picture: the person's left side, at the right of the picture, lies in the dark.
      const lit = worse.sideLight(frame, x + 0.3 * w, x + 0.7 * w, 0.1);
      expect(codes(await judge(lit, points))).toContain('light-from-left');
      expect(codes(await judge(lit, points, { mirrored: true }))).toContain('light-from-right');
    }
  });
});

describe('pictures of every kind', () => {
  it('are judged the same after a lossless round trip, and in every order of the channels', async () => {
    const { frame, points, clean } = studio.sitters[0]!;
    expect(await judge(await worse.png(frame), points)).toEqual(clean);
    const bgr = new Uint8Array(frame.data.length);
    for (let i = 0; i < bgr.length; i += 3) bgr.set([frame.data[i + 2]!, frame.data[i + 1]!, frame.data[i]!], i);
    expect(await judge({ ...frame, data: bgr, format: 'bgr' }, points)).toEqual(clean);
  });

  it('grey ones have no natural colour, and the same light', async () => {
    for (const { frame, points, clean } of studio.sitters) {
      const grey = worse.grey(frame);
      const one = { ...grey, data: grey.data.filter((_, i) => i % 3 === 0), channels: 1, format: 'gray' } as const;
      for (const picture of [grey, one]) {
        const quality = await judge(picture, points);
        expect(quality.components.naturalColour).toBeUndefined();
        expect(Object.keys(quality.components)).toHaveLength(Object.keys(clean.components).length - 1);
        for (const name of EXPOSURE) {
          expect(Math.abs(scoreOf(quality, name) - scoreOf(clean, name)), name).toBeLessThanOrEqual(3);
        }
      }
    }
  });

  it('a face cut by the border loses its margin, and the rest is judged by what is seen', async () => {
    for (const { frame, points } of studio.sitters) {
      const { eyes, unit } = layoutOf(points)!;
      const before = await judge(frame, points);
      const cut = await judge(
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
    for (const { frame, points, unit } of studio.sitters) {
      const tiny = await judge(...(await worse.shrink(frame, 6 / unit, points)));
      expect(tiny.components.sharpness).toBeUndefined();
      expect(tiny.components.noise).toBeUndefined();
      expect(tiny.components.interEyeDistance!.score).toBeLessThan(10);
      expect(tiny.score).toBeLessThan(40);
      for (const { value } of Object.values(tiny.components)) expect(Number.isFinite(value)).toBe(true);
    }
  });

  it('a face outside of the picture has no pixels to judge', async () => {
    const { frame, points } = studio.sitters[0]!;
    const away = points.map(([x, y]): Point => [x + 3 * frame.width, y]);
    const quality = await judge(frame, away);
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
    const { frame, points, clean } = studio.sitters[0]!;
    const box = boundsOf(points);
    const broken = points.map((): Point => [Number.NaN, 0]);
    const pose = estimatePose(points)!;
    const good = { box, landmarks: points, pose };
    const list = Array.from({ length: 11 }, (_, i) => (i % 5 === 3 ? { box, landmarks: broken } : good));
    const answers = await measureQuality(studio.runtime, frame, list, { boxes: [box] });
    answers.forEach((answer, i) => {
      if (i % 5 === 3) expect(answer).toBeUndefined();
      else expect(answer).toEqual(clean);
    });
    expect(await measureQuality(studio.runtime, frame, [])).toEqual([]);
  });

  it('sees the other faces', async () => {
    const { frame, points } = studio.sitters[0]!;
    const [x, y, w, h] = boundsOf(points);
    const face = { box: [x, y, w, h] as const, landmarks: points };
    const other = [x + 2 * w, y, w / 2, h] as const;
    const [first] = await measureQuality(studio.runtime, frame, [face], { boxes: [face.box, other] });
    expect(nativeOf(first!, 'singleFacePresent')).toBeCloseTo(0.5, 9);
  });

  it('refuses what is wrong, and stops when it is told to', async () => {
    const { frame, points } = studio.sitters[0]!;
    const face = { box: boundsOf(points), landmarks: points };
    const code = (c: string) => expect.objectContaining({ code: c });
    await expect(measureQuality(studio.runtime, frame, [{ ...face, landmarks: points.slice(1) }])).rejects.toThrowError(
      code('INVALID_ARGUMENT'),
    );
    await expect(
      measureQuality(studio.runtime, frame, [face], { purpose: 'passport' } as unknown as MeasureQualityOptions),
    ).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(measureQuality(studio.runtime, frame, [face], { signal: AbortSignal.abort() })).rejects.toThrowError(
      code('ABORTED'),
    );
    const other = await Runtime.open();
    await other.close();
    await expect(measureQuality(other, frame, [face])).rejects.toThrowError(code('CLOSED'));
  });
});
