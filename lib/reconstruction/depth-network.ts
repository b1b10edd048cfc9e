import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { abortSignal, invalid, nonEmptyString, numberIn, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { type ModelCard, parseCard } from '../models/card.js';
import { Network } from '../models/network.js';
import { readVerified } from '../models/pack.js';
import type { Frame } from '../types.js';
import { checkDepth, checkDepthSize, positive } from './depth-check.js';
import type { DepthMap } from './types.js';

/**
 * What the numbers of a depth network mean, as its card says in `postprocess.depth`: `inverse` grows as 1/Z does, up to scale and
 * shift (MiDaS, Depth Anything); `depth` grows as Z does, in any unit (also networks that say metres).
 */
export type DepthQuantity = 'inverse' | 'depth';

/** What a network says of a picture: a grid that is laid over the whole of it. */
export interface RelativeDepth {
  readonly width: number;
  readonly height: number;
  /** width × height, row by row; known up to scale and shift. */
  readonly values: Float32Array;
  readonly quantity: DepthQuantity;
}

/** How a relative depth was fitted to a reference. */
export interface DepthFit {
  /** 1/Z = scale · value + shift (`inverse`), or Z = scale · value + shift (`depth`), in millimetres. */
  readonly scale: number;
  readonly shift: number;
  /** Pixels with both depths that were looked at. */
  readonly compared: number;
  /** The share of them that the robust fit keeps, and what these differ by, root mean square in millimetres. */
  readonly inliers: number;
  readonly rms: number;
}

export interface AlignedDepth extends DepthMap {
  readonly fit: DepthFit;
}

const TASK = 'depth';
/** A picture is not fed at a side of more than this many times the other. */
const MOST_ASPECT = 4;

/**
 * Opens a network for monocular depth from its card, a JSON file as those in models/cards, beside the ONNX file that it names. None is
 * in the starter pack: networks of this kind are downloads of 25 to 100 MB and more. Beside what every card says (input, size and SHA-256 of
 * the file, licence) it has `task: "depth"`, one output of H × W numbers, whatever dimensions of 1 are before or after them, and
 * `postprocess: { "depth": "inverse" | "depth" }`. With `dynamic: ["H", "W"]` and `multiple` the picture's aspect is kept, with
 * the card's size for the shorter side; otherwise it is stretched to the card's size.
 *
 * Close `network.session` when it is done with; the runtime does so too. Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT` (the card, the
 * file), `MODEL_HASH_MISMATCH`, `CLOSED`.
 */
export async function openDepthNetwork(runtime: Runtime, card: string): Promise<Network> {
  const path = resolve(nonEmptyString('card', card));
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LineamentError('MODEL_NOT_FOUND', `${path} cannot be read`, { cause });
  });
  const parsed = parseCard(text, path);
  quantityOf(parsed);
  const model = await readVerified(dirname(path), parsed);
  return new Network(parsed, await runtime.createSession(parsed.id, model, { consume: true }));
}

/**
 * Runs a depth network on a picture. Rejects with `MODEL_CORRUPT` (its card or its output is not that of a depth network), `ABORTED`,
 * `CLOSED`, `INFERENCE_FAILED`. Thread-safe.
 */
export async function estimateDepth(
  network: Network,
  frame: Frame,
  options: { readonly signal?: AbortSignal } = {},
): Promise<RelativeDepth> {
  plainObject('options', options, ['signal']);
  const signal = options.signal && abortSignal('signal', options.signal);
  const quantity = quantityOf(network.card);
  const { width, height } = inputSize(network.card, frame);
  const name = network.card.outputs[0]!.name;
  const whole = [frame.width / width, 0, 0, 0, frame.height / height, 0] as const;
  const result = await network.run(frame, [whole], {
    width,
    height,
    sampling: { filter: 'area', border: 'replicate' },
    outputs: [name],
    signal,
  });
  const output = result.outputs?.find((one) => one.name === name);
  const sides = output?.shape.filter((n) => n !== 1) ?? [];
  const [rows, columns] = sides.length === 2 ? sides : (output?.shape.slice(-2) ?? []);
  if (!(output?.data instanceof Float32Array) || rows! * columns! !== output.data.length) {
    throw new LineamentError('MODEL_CORRUPT', `${network.card.id} gave no H × W numbers of type float32 in '${name}'`);
  }
  return { width: columns!, height: rows!, values: output.data, quantity };
}

/**
 * A relative depth in millimetres: fitted to a depth map of the same picture (that of its landmarks, in `picture` region) by scale and
 * shift, in 1/Z for `inverse` and in Z for `depth`. Least squares weighted by the reference's confidence, repeated for the least absolute
 * deviations, then under Huber's loss and Tukey's biweight (P. Huber, "Robust Statistics", 1981), so that up to a third or so of
 * nonsense does no harm. Several faces may be in one reference.
 *
 * The map has the reference's size and camera, with depth also where the reference has none. Confidence: where the reference has
 * depth 1 / (1 + (difference / tolerance)²), elsewhere half the mean of that. Away from the face the fit is an
 * extrapolation: depth there is plausible in order, not in millimetres.
 *
 * Rejects with `NO_SURFACE` (fewer than 64 pixels have both depths, one does not vary there, or one grows where the other shrinks),
 * `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`. Thread-safe; the same bytes for any number of threads.
 */
export async function alignDepth(
  runtime: Runtime,
  relative: RelativeDepth,
  reference: DepthMap,
  options: {
    /** Millimetres of difference from the reference that halve the confidence; default 10. */
    readonly tolerance?: number;
    /** Millimetres; nearer is taken for nothing. Default 1. */
    readonly near?: number;
    /** Millimetres; farther is taken for nothing. Default 100 m. */
    readonly far?: number;
    readonly signal?: AbortSignal;
  } = {},
): Promise<AlignedDepth> {
  plainObject('options', options, ['tolerance', 'near', 'far', 'signal']);
  if (typeof relative !== 'object' || relative === null) throw invalid('relative', 'relative depth', relative);
  const grid = checkDepthSize(relative);
  const { values, quantity } = relative;
  if (!(values instanceof Float32Array) || values.length !== grid.width * grid.height) {
    throw invalid('relative.values', `Float32Array of ${grid.width * grid.height} numbers`, values);
  }
  if (quantity !== 'inverse' && quantity !== 'depth') {
    throw invalid('relative.quantity', "'inverse' or 'depth'", quantity);
  }
  const shape = checkDepth(reference, 'reference');
  const tolerance = positive('tolerance', options.tolerance ?? 10);
  const near = numberIn('near', options.near ?? 1, 1e-3, 1e9);
  const far = numberIn('far', options.far ?? 100_000, near, 1e9);
  if (far === near) throw invalid('far', `number above ${near}`, far);
  const signal = options.signal && abortSignal('signal', options.signal);
  const { depth, confidence, ...fit } = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.alignDepth(
      runtime.executor,
      values,
      { ...grid, inverse: quantity === 'inverse' },
      reference.depth,
      reference.confidence,
      { ...shape, tolerance, near, far },
      token,
    ),
  );
  const { millimetresPerPixel } = reference.scale;
  return {
    width: shape.width,
    height: shape.height,
    depth,
    confidence,
    camera: reference.camera,
    scale: { source: 'landmarks', ...(millimetresPerPixel !== undefined && { millimetresPerPixel }) },
    fit,
  };
}

function quantityOf(card: ModelCard): DepthQuantity {
  const said = (card['postprocess'] as { readonly depth?: unknown } | null | undefined)?.depth;
  if (card.task !== TASK || (said !== 'inverse' && said !== 'depth')) {
    throw new LineamentError(
      'MODEL_CORRUPT',
      `the card ${card.id} is not that of a depth network: task '${card.task}', postprocess.depth '${String(said)}'`,
    );
  }
  return said;
}

function inputSize({ input }: ModelCard, frame: Frame): { readonly width: number; readonly height: number } {
  const { width, height, dynamic = [], multiple = 1 } = input;
  if (!dynamic.includes('H') || !dynamic.includes('W')) return { width, height };
  const shorter = Math.min(width, height);
  const scale = shorter / Math.min(frame.width, frame.height);
  const side = (pixels: number): number =>
    Math.max(1, Math.round(Math.min(pixels * scale, shorter * MOST_ASPECT) / multiple)) * multiple;
  return { width: side(frame.width), height: side(frame.height) };
}
