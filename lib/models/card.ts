import { LineamentError } from '../errors.js';
import type { TensorSpec } from '../native/addon.js';

type Dimension = number | string;

/** How pixels become the input of a network; `value = pixel * scale[c] + offset[c]`, channel c in the order `colour` names. */
export interface CardInput {
  /** Name of the network's input. */
  readonly name: string;
  /** Dimensions, free ones as letters. */
  readonly shape: readonly Dimension[];
  readonly layout: 'NCHW' | 'NHWC';
  readonly type: 'float32' | 'uint8' | 'int32';
  readonly colour: 'RGB' | 'BGR' | 'GRAY';
  readonly scale: readonly number[];
  readonly offset: readonly number[];
  /** Usual size; the only one unless `dynamic` holds 'H' and 'W'. */
  readonly width: number;
  readonly height: number;
  /** Dimensions that may be chosen: 'N' (any batch), 'H', 'W'. */
  readonly dynamic?: readonly string[];
  /** Where 'H' and 'W' are free, they are multiples of this. */
  readonly multiple?: number;
  readonly [more: string]: unknown;
}

export interface CardOutput {
  readonly name: string;
  readonly shape: readonly Dimension[];
  readonly meaning: string;
}

/** One file of `models/cards/`: where a model comes from, what it eats and gives, and how to know that a file is it. */
export interface ModelCard {
  readonly id: string;
  readonly title: string;
  readonly task: string;
  /** Part of the published starter pack. */
  readonly published: boolean;
  /** Name of the file in a pack. */
  readonly file: string;
  /** SHA-256 of the file's bytes, lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  readonly licence: string;
  /** What is known of the photographs that it learned from. */
  readonly trainingData: string;
  readonly input: CardInput;
  readonly outputs: readonly CardOutput[];
  /** Resident memory in MiB that making the network and running it took, measured for it alone. */
  readonly memoryMb?: number;
  readonly thresholds?: Readonly<Record<string, unknown>>;
  /** Everything else that the card says, as written (origin, post-processing, agreement with the origin, notes). */
  readonly [more: string]: unknown;
}

const isNumbers = (v: unknown): boolean =>
  Array.isArray(v) && (v.length === 3 || v.length === 1) && v.every(Number.isFinite);
const isSize = (v: unknown): boolean => Number.isInteger(v) && (v as number) > 0;
const isText = (v: unknown): boolean => typeof v === 'string' && v.length > 0;

/**
 * Reads a card and checks what the library relies on; `origin` names the file in the error (`MODEL_CORRUPT`). Where `digest` is
 * `optional`, hash and size may be absent.
 */
export function parseCard(text: string, origin: string, digest: 'required' | 'optional' = 'required'): ModelCard {
  let card: ModelCard;
  try {
    card = JSON.parse(text) as ModelCard;
  } catch (cause) {
    throw new LineamentError('MODEL_CORRUPT', `the model card ${origin} is not valid JSON`, { cause });
  }
  const need = (field: string, valid: boolean): void => {
    if (!valid) throw new LineamentError('MODEL_CORRUPT', `the model card ${origin} has no valid '${field}'`);
  };
  need('id', typeof card === 'object' && card !== null && isText(card.id));
  need('task', isText(card.task));
  need('licence', isText(card.licence));
  // A card names a file beside the others, never a path: a pack cannot reach out of its folder.
  need('file', isText(card.file) && /^[\w.-]+$/.test(card.file));
  const absent = (value: unknown): boolean => digest === 'optional' && value === undefined;
  need('sha256', absent(card.sha256) || (isText(card.sha256) && /^[0-9a-f]{64}$/.test(card.sha256)));
  need('bytes', absent(card.bytes) || isSize(card.bytes));
  need('memoryMb', card.memoryMb === undefined || (Number.isFinite(card.memoryMb) && card.memoryMb > 0));
  const { input, outputs } = card;
  need('input', typeof input === 'object' && input !== null && isText(input.name));
  need('input.width, input.height', isSize(input.width) && isSize(input.height));
  need('input.colour', ['RGB', 'BGR', 'GRAY'].includes(input.colour));
  need('input.layout', ['NCHW', 'NHWC'].includes(input.layout));
  need('input.scale, input.offset', isNumbers(input.scale) && isNumbers(input.offset));
  need('outputs', Array.isArray(outputs) && outputs.length > 0 && outputs.every((o) => isText(o?.name)));
  return card;
}

const triple = (v: readonly number[]): [number, number, number] => [v[0]!, v[1] ?? v[0]!, v[2] ?? v[0]!];

/** The tensor that the card's network wants, at its usual size or, where the card allows it, at another. */
export function tensorSpec(card: ModelCard, width = card.input.width, height = card.input.height): TensorSpec {
  const { input } = card;
  if (input.type === 'int32') {
    throw new LineamentError('INTERNAL', `${card.id} takes int32 input, which pixels are not turned into`);
  }
  return {
    width,
    height,
    colour: input.colour.toLowerCase() as TensorSpec['colour'],
    layout: input.layout.toLowerCase() as TensorSpec['layout'],
    type: input.type,
    scale: triple(input.scale),
    offset: triple(input.offset),
  };
}

/** Whether one run of the network takes any number of items. */
export function takesBatches(card: ModelCard): boolean {
  return card.input.dynamic?.includes('N') === true;
}
