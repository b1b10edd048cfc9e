import { LineamentError, throwIfAborted } from '../errors.js';
import { intersectionOverSmaller, intersectionOverUnion, squareRegion } from '../image/geometry.js';
import { fixedSize } from '../models/contract.js';
import type { Network, Networks } from '../models/network.js';
import type { Decoder, Detections } from '../native/addon.js';
import type { Box, Frame, Point } from '../types.js';
import { DETECTORS, type DetectionPlan } from './plan.js';
import { fixedLayout, freeLayout, longSideFor, type Part, tilesOf, touchesInnerEdge } from './regions.js';
import { scrfdKeypoints } from './scrfd.js';

/** A place that a detector takes for a face. */
export interface Detection {
  readonly box: Box;
  readonly score: number;
  /**
   * From detectors that give them, image-left first: six points of the blaze networks (eyes, nose, mouth, ears), five of SCRFD (eyes, tip of the
   * nose, corners of the mouth).
   */
  readonly keypoints?: readonly Point[];
}

/** Anchors of the blaze networks: [stride, anchors per cell], in the order of the outputs. */
const BLAZE = {
  blaze: [
    [16, 2],
    [32, 6],
  ],
  'short-range': [
    [8, 2],
    [16, 6],
  ],
} as const;
const BLAZE_KEYPOINTS = 6;

/** MediaPipe's face mesh says whether its square (this much larger than the box) holds a face. */
const VERIFIER = { card: 'mediapipe_face_mesh', output: 'presence', scale: 1.3 } as const;

/**
 * Faces in a picture, best score first, in its pixels. No face gives an empty list.
 * Detectors: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, on MobileNet v1; Bazarevsky et al., "BlazeFace",
 * CVPR workshops 2019; Redmon & Farhadi, "YOLO9000", CVPR 2017 (tiny); Guo et al., "Sample and Computation Redistribution for
 * Efficient Face Detection", ICLR 2022 (SCRFD). Thread-safe; calls may overlap. Rejects with `MODEL_CORRUPT` where a SCRFD file is none.
 */
export async function detectFaces(
  networks: Networks,
  frame: Frame,
  plan: DetectionPlan,
  signal?: AbortSignal,
): Promise<Detection[]> {
  const network = await networks.get(DETECTORS[plan.network]);
  throwIfAborted(signal);
  const whole: Part = { x: 0, y: 0, width: frame.width, height: frame.height };
  const wholeSide = longSideFor(frame.width, frame.height, plan.longSide ?? network.card.input.width);
  const { tiles } = plan;
  if (tiles === undefined) {
    return confirm(networks, frame, await look(network, frame, whole, wholeSide, plan, signal), plan, signal);
  }
  const parts = tilesOf(frame.width, frame.height, tiles);
  const looks = await allSettled([
    look(network, frame, whole, wholeSide, plan, signal),
    ...parts.map(async (part) => {
      const found = await look(network, frame, part, tiles.longSide, plan, signal);
      return found.filter(({ box }) => !touchesInnerEdge(box, part, frame, tiles.margin));
    }),
  ]);
  return confirm(networks, frame, suppress(looks.flat(), plan), plan, signal);
}

async function look(
  network: Network,
  frame: Frame,
  part: Part,
  longSide: number,
  plan: DetectionPlan,
  signal: AbortSignal | undefined,
): Promise<Detection[]> {
  const { input } = network.card;
  const decode = decoderOf(plan, network);
  const free = input.dynamic?.includes('H') === true && input.dynamic.includes('W');
  const fixed = fixedSize(network) ?? (free ? undefined : input);
  const layout = fixed === undefined ? freeLayout(part, longSide, input.multiple ?? 32) : fixedLayout(part, fixed);
  const { width, height, region } = layout;
  const { detections } = await network
    .run(frame, [region], { width, height, decode, signal })
    .catch((error: unknown) => {
      throw ofNetwork(network, error);
    });
  return detections === undefined ? [] : unpack(detections);
}

/** A decoder that lacks an output does not know whose it is. */
function ofNetwork({ card: { id } }: Network, error: unknown): unknown {
  if (!(error instanceof LineamentError && error.code === 'MODEL_CORRUPT')) return error;
  const { message } = error.cause instanceof Error ? error.cause : error;
  return new LineamentError('MODEL_CORRUPT', `${id}: ${message}`, {
    cause: error,
    fix: `Check that the file of ${id} is the one that its card describes.`,
  });
}

/** The boxes without the weak ones that hold no face. A picture of clear faces costs nothing; a weak box some 4 ms. */
async function confirm(
  networks: Networks,
  frame: Frame,
  found: readonly Detection[],
  { doubt }: DetectionPlan,
  signal: AbortSignal | undefined,
): Promise<Detection[]> {
  const weak = doubt === undefined ? [] : found.filter(({ score }) => score < doubt.below);
  if (doubt === undefined || weak.length === 0) return [...found];
  const network = await networks.get(VERIFIER.card);
  throwIfAborted(signal);
  const { width } = network.card.input;
  const squares = weak.map(({ box: [x, y, w, h] }) =>
    squareRegion(x + w / 2, y + h / 2, Math.max(w, h) * VERIFIER.scale, width),
  );
  const presence = await network.output(frame, squares, VERIFIER.output, { signal });
  const dropped = new Set(weak.filter((_, i) => !(presence[i]! >= doubt.minPresence)));
  return found.filter((detection) => !dropped.has(detection));
}

/** All results, or the first failure after every one has ended. */
async function allSettled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((s) => {
    if (s.status === 'rejected') throw s.reason;
    return s.value;
  });
}

/** Greedy non-maximum suppression over boxes that come from different looks at the picture. */
export function suppress(found: readonly Detection[], { iou, contained, max }: DetectionPlan): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.length >= max) break;
    const hidden = kept.some(
      ({ box }) =>
        intersectionOverUnion(box, candidate.box) > iou ||
        (contained !== undefined && intersectionOverSmaller(box, candidate.box) > contained),
    );
    if (!hidden) kept.push(candidate);
  }
  return kept;
}

function decoderOf(plan: DetectionPlan, network: Network): Decoder {
  const common = {
    minScore: plan.minScore,
    iou: plan.iou,
    max: plan.max,
    ...(plan.contained === undefined ? {} : { contained: plan.contained }),
  };
  switch (plan.network) {
    case 'ssd':
    case 'tiny':
      return { kind: plan.network, ...common };
    case 'scrfd_10g':
    case 'scrfd_2.5g':
    case 'scrfd_500m':
      return { kind: 'scrfd', ...common, keypoints: scrfdKeypoints(network) };
    default:
      return { kind: 'blaze', ...common, strides: BLAZE[plan.network], keypoints: BLAZE_KEYPOINTS, logits: false };
  }
}

function unpack({ count, stride, data }: Detections): Detection[] {
  const found: Detection[] = [];
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * stride, (i + 1) * stride);
    const box: Box = [row[0]!, row[1]!, row[2]! - row[0]!, row[3]! - row[1]!];
    // A network fed with nonsense can give a box without area or with NaN in it; no later stage could use it.
    if (!(box[2] > 0 && box[3] > 0 && Number.isFinite(box[0] + box[1] + box[2] + box[3]))) continue;
    const keypoints: Point[] = [];
    for (let k = 6; k + 1 < stride; k += 2) keypoints.push([row[k]!, row[k + 1]!]);
    found.push({ box, score: row[4]!, ...(keypoints.length > 0 ? { keypoints } : {}) });
  }
  return found;
}
