import { setImmediate } from 'node:timers/promises';
import { invalid, oneOf } from '../../errors/validate.js';
import { throwIfAborted } from '../../errors.js';
import { packRegions, type Region } from '../../image/geometry.js';
import { cancellable } from '../../inference/cancel.js';
import type { Runtime } from '../../inference/runtime.js';
import type { Box, Expression, Frame, Point, Pose } from '../../types.js';
import { assessing, type FaceQuality, type QualityChip, type QualityOptions } from './assess.js';
import { DETAIL_CHIP, detailRegion, FACE_CHIP, type FaceLayout, faceRegion, layoutOf, nativeRegion } from './layout.js';

/** A face whose quality is to be measured. */
export interface QualityFace {
  readonly box: Box;
  /** 68 points in pixels of the picture. */
  readonly landmarks: readonly Point[];
  readonly pose?: Pose;
  readonly expression?: Expression;
  /** Lids of the eyes, 12 points in pixels (`locateLids`); without them the eyes are judged by the 68 points. */
  readonly lids?: readonly Point[] | undefined;
}

export interface MeasureQualityOptions extends QualityOptions {
  /** Boxes of all faces of the picture; those of `faces` when absent. */
  readonly boxes?: readonly Box[];
  readonly signal?: AbortSignal;
}

/** Faces whose chips are held at one time: 0.4 MB each. */
const BATCH = 8;

/**
 * Quality of the faces of a picture, in their order; absent where the landmarks are not finite or do not span a face. Chips
 * are cut on the compute threads, by area-averaging; they are looked at in steps of a millisecond or two, between which the event loop goes on. Rejects with
 * `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`.
 */
export async function measureQuality(
  runtime: Runtime,
  frame: Frame,
  faces: readonly QualityFace[],
  options: MeasureQualityOptions = {},
): Promise<(FaceQuality | undefined)[]> {
  if (options.purpose !== undefined) oneOf('purpose', options.purpose, ['recognition', 'portrait']);
  const layouts = faces.map(({ landmarks }) => {
    if (!Array.isArray(landmarks) || landmarks.length !== 68) throw invalid('landmarks', '68 points', landmarks);
    return layoutOf(landmarks);
  });
  const results: (FaceQuality | undefined)[] = faces.map(() => undefined);
  const present = layouts.flatMap((layout, i) => (layout === undefined ? [] : [{ i, layout }]));
  for (let at = 0; at < present.length; at += BATCH) {
    const batch = present.slice(at, at + BATCH);
    const chips = await cutChips(
      runtime,
      frame,
      batch.map(({ layout }) => layout),
      options.signal,
    );
    for (const [k, { i }] of batch.entries()) {
      const face = faces[i]!;
      const others = options.boxes?.filter((box) => !sameBox(box, face.box)) ?? boxesBut(faces, i);
      const steps = assessing({ ...face, frame, others, ...chips[k]! }, options);
      for (;;) {
        await setImmediate();
        throwIfAborted(options.signal);
        const step = steps.next();
        if (step.done !== true) continue;
        results[i] = step.value;
        break;
      }
    }
  }
  return results;
}

const sameBox = (a: Box, b: Box): boolean => a.every((v, i) => v === b[i]);
const boxesBut = (faces: readonly QualityFace[], i: number): Box[] =>
  faces.filter((_, k) => k !== i).map(({ box }) => box);

type Chips = Record<'face' | 'detail' | 'native', QualityChip>;

async function cutChips(
  runtime: Runtime,
  frame: Frame,
  layouts: readonly FaceLayout[],
  signal: AbortSignal | undefined,
): Promise<Chips[]> {
  const { addon, executor } = runtime;
  const cut = (regions: readonly Region[], side: number, colour: 'rgb' | 'gray'): Promise<Uint8Array> =>
    cancellable(addon, signal, (token) =>
      addon.warp(
        executor,
        frame,
        packRegions(regions),
        { width: side, height: side, colour },
        { filter: 'area', border: 'replicate' },
        token,
      ),
    );
  const upright = layouts.map(faceRegion);
  const grain = layouts.flatMap((layout) => [detailRegion(layout), nativeRegion(layout)]);
  // Both jobs end before an error of one is told, so that nothing of a call runs on after it.
  const jobs = await Promise.allSettled([cut(upright, FACE_CHIP.size, 'rgb'), cut(grain, DETAIL_CHIP.size, 'gray')]);
  for (const job of jobs) if (job.status === 'rejected') throw job.reason;
  const [faces, greys] = jobs.map((job) => (job as PromiseFulfilledResult<Uint8Array>).value) as [
    Uint8Array,
    Uint8Array,
  ];
  const chip = (pixels: Uint8Array, bytes: number, k: number, region: Region): QualityChip => ({
    data: pixels.subarray(k * bytes, (k + 1) * bytes),
    region,
  });
  return layouts.map((_, k): Chips => {
    const grey = DETAIL_CHIP.size ** 2;
    return {
      face: chip(faces, FACE_CHIP.size ** 2 * 3, k, upright[k]!),
      detail: chip(greys, grey, 2 * k, grain[2 * k]!),
      native: chip(greys, grey, 2 * k + 1, grain[2 * k + 1]!),
    };
  });
}
