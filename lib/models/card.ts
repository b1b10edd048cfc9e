import { LineamentError } from '../errors.js';

/** How pixels become the input of a network; `value = pixel * scale[c] + offset[c]`, channel c in the order `colour` names. */
export interface CardInput {
  /** Name of the network's input. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Width and height may be any multiple of this; fixed when absent. */
  readonly multipleOf?: number;
  /** The first dimension may be any number of items; 1 only when false or absent. */
  readonly batch?: boolean;
  readonly colour: 'rgb' | 'bgr' | 'gray';
  readonly layout: 'nchw' | 'nhwc';
  readonly type: 'float32' | 'uint8' | 'int32';
  readonly scale: readonly [number, number, number];
  readonly offset: readonly [number, number, number];
}

export interface CardOutput {
  readonly name: string;
  /** Dimensions; −1 where free. */
  readonly shape: readonly number[];
  readonly meaning: string;
}

/** One model: where it comes from, what it eats and gives, and how to know that a file is it. */
export interface ModelCard {
  readonly id: string;
  /** Name of the file in a pack. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Part of the published starter pack. */
  readonly published: boolean;
  readonly task: string;
  readonly licence: string;
  readonly input: CardInput;
  readonly outputs: readonly CardOutput[];
  /** Everything else that the card says (origin, training data, thresholds, memory), as written. */
  readonly [more: string]: unknown;
}

const isTriple = (v: unknown): boolean => Array.isArray(v) && v.length === 3 && v.every((n) => Number.isFinite(n));
const isSize = (v: unknown): boolean => Number.isInteger(v) && (v as number) > 0;
const isText = (v: unknown): boolean => typeof v === 'string' && v.length > 0;

/** Checks what a card says of itself; `origin` names the file in the error (`MODEL_CORRUPT`). */
export function parseCard(text: string, origin: string): ModelCard {
  let card: ModelCard;
  try {
    card = JSON.parse(text) as ModelCard;
  } catch (cause) {
    throw new LineamentError('MODEL_CORRUPT', `the model card ${origin} is not valid JSON`, { cause });
  }
  const wrong = (field: string): LineamentError =>
    new LineamentError('MODEL_CORRUPT', `the model card ${origin} has no valid '${field}'`);
  if (typeof card !== 'object' || card === null) throw wrong('id');
  for (const field of ['id', 'task', 'licence'] as const) if (!isText(card[field])) throw wrong(field);
  // A card names a file beside the others, never a path: a pack cannot reach out of its folder.
  if (!isText(card.file) || !/^[\w.-]+$/.test(card.file)) throw wrong('file');
  if (!isText(card.sha256) || !/^[0-9a-f]{64}$/.test(card.sha256)) throw wrong('sha256');
  if (!isSize(card.bytes)) throw wrong('bytes');
  const input = card.input as CardInput | undefined;
  if (typeof input !== 'object' || input === null || !isText(input.name)) throw wrong('input');
  if (!isSize(input.width) || !isSize(input.height)) throw wrong('input.width, input.height');
  if (!['rgb', 'bgr', 'gray'].includes(input.colour)) throw wrong('input.colour');
  if (!['nchw', 'nhwc'].includes(input.layout)) throw wrong('input.layout');
  if (!isTriple(input.scale) || !isTriple(input.offset)) throw wrong('input.scale, input.offset');
  if (!Array.isArray(card.outputs) || card.outputs.length === 0 || !card.outputs.every((o) => isText(o?.name))) {
    throw wrong('outputs');
  }
  return card;
}
