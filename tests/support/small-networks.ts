/** Small ONNX networks with the inputs and outputs of published ones, whose answers follow from the picture by arithmetic that a test can do. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelCard, parseCard } from '../../lib/models/card.js';
import { type ModelPack, openPack, readVerified } from '../../lib/models/pack.js';
import { type Dim, OnnxGraph } from '../../models/import/onnx.js';
import { root } from './child.js';

export interface LinearNetwork {
  readonly channels: 1 | 3;
  /** Side of the input. */
  readonly size: number;
  /** Side of the squares over which the input is averaged. */
  readonly pool: number;
  /** Items in a batch as the file declares them. */
  readonly batch?: Dim;
  readonly output: string;
  /** One for each output. */
  readonly bias: ArrayLike<number>;
  /** Rows: channels × squares (channel by channel, row by row); columns: outputs. */
  readonly weights: Float32Array;
}

/** Means of squares of the input, then a matrix and a bias. */
export function linearNetwork({ channels, size, pool, batch = 'N', output, bias, weights }: LinearNetwork): Uint8Array {
  const graph = new OnnxGraph('linear');
  const input = graph.input('data', [batch, channels, size, size]);
  const means = graph.op('AveragePool', [input], { kernel_shape: [pool, pool], strides: [pool, pool] });
  const flat = graph.op('Flatten', [means], { axis: 1 });
  const rows = channels * (size / pool) ** 2;
  const matrix = graph.initializer('weights', 'float32', [rows, bias.length], weights);
  const added = graph.initializer('bias', 'float32', [bias.length], Float32Array.from(bias));
  graph.output(output, graph.op('Add', [graph.op('MatMul', [flat, matrix]), added]), [batch, bias.length]);
  return graph.serialize();
}

/** What `linearNetwork` gives for the means of its squares. */
export function linear({ bias, weights }: Pick<LinearNetwork, 'bias' | 'weights'>, means: ArrayLike<number>): number[] {
  return Array.from({ length: bias.length }, (_, column) => {
    let sum = bias[column]!;
    for (let row = 0; row < means.length; row++) sum += means[row]! * weights[row * bias.length + column]!;
    return sum;
  });
}

/** Strides of SCRFD; each has a colour of its own here, in this order of channels: red, green, blue. */
export const SCRFD_STRIDES = [8, 16, 32] as const;
/** Which of the two anchors of a cell answers, stride by stride. */
const SCRFD_ANCHOR = [0, 1, 0] as const;

/** Score of a cell that is filled with x (normalised) of its stride's colour and nothing else. */
export const scrfdScore = (x: number): number => 1 / (1 + Math.exp(44 - 16 * (x + 2 * BLACK)));
const BLACK = 127.5 / 128;

/** Value `k` of the distances (4) or offsets (10) in strides: a base of its own and a share of the normalised colour. */
const base = (kind: 'box' | 'points', k: number): number => (kind === 'box' ? 0.5 + 0.25 * k : 0.2 * k - 0.7);
const share = (kind: 'box' | 'points', k: number): number => (kind === 'box' ? 0.125 : 0.0625) * (1 + (k % 3));
export const scrfdValue = (kind: 'box' | 'points', k: number, x: number): number => base(kind, k) + share(kind, k) * x;

export interface ScrfdNetwork {
  readonly keypoints?: boolean;
  /** Width and height of the input; free when absent. */
  readonly size?: readonly [number, number];
  /** Leave out the outputs of one stride. */
  readonly without?: (typeof SCRFD_STRIDES)[number];
  /** Give the rows of one stride twice. */
  readonly twice?: (typeof SCRFD_STRIDES)[number];
}

/**
 * SCRFD's inputs and outputs (3 strides × 2 anchors, scores, distances and five points, named by numbers; the shapes that the file declares
 * are those of 640 × 640 whatever the input is, as in the published files). Where a cell is filled with its stride's colour and the rest is
 * black, `scrfdScore` and `scrfdValue` say what comes out for one of its anchors; all other scores are below 0.1.
 */
export function scrfdNetwork({ keypoints = true, size, without, twice }: ScrfdNetwork = {}): Uint8Array {
  const graph = new OnnxGraph('scrfd');
  const input = graph.input('input.1', [1, 3, size?.[1] ?? 'H', size?.[0] ?? 'W']);
  const strides = SCRFD_STRIDES.filter((stride) => stride !== without);
  const means = new Map(
    strides.map((stride) => [
      stride,
      graph.op('AveragePool', [input], { kernel_shape: [stride, stride], strides: [stride, stride] }),
    ]),
  );
  let name = 448;
  const add = (stride: (typeof SCRFD_STRIDES)[number], kind: 'score' | 'box' | 'points', values: number): void => {
    const own = SCRFD_STRIDES.indexOf(stride);
    const weights = new Float32Array(2 * values * 3);
    const bias = new Float32Array(2 * values);
    for (let anchor = 0; anchor < 2; anchor++) {
      const active = SCRFD_ANCHOR[own] === anchor;
      for (let k = 0; k < values; k++) {
        const row = anchor * values + k;
        bias[row] = kind === 'score' ? (active ? -44 : -99) : active ? base(kind, k) : 9;
        for (let channel = 0; channel < 3; channel++) {
          const weight = kind === 'score' ? (channel === own ? 16 : -16) : channel === own ? share(kind, k) : 0;
          weights[row * 3 + channel] = active ? weight : 0;
        }
      }
    }
    const w = graph.initializer(`w${name}`, 'float32', [2 * values, 3, 1, 1], weights);
    const b = graph.initializer(`b${name}`, 'float32', [2 * values], bias);
    const raw = graph.op('Conv', [means.get(stride)!, w, b], { kernel_shape: [1, 1] });
    const map = kind === 'score' ? graph.op('Sigmoid', [raw]) : raw;
    const rows = graph.op('Reshape', [graph.op('Transpose', [map], { perm: [0, 2, 3, 1] }), graph.int64([-1, values])]);
    const all = stride === twice ? graph.op('Concat', [rows, rows], { axis: 0 }) : rows;
    graph.output(String(name++), all, [2 * (640 / stride) ** 2, values]);
  };
  for (const stride of strides) add(stride, 'score', 1);
  for (const stride of strides) add(stride, 'box', 4);
  if (keypoints) for (const stride of strides) add(stride, 'points', 10);
  return graph.serialize();
}

/** A card of models/catalogue for a file with these bytes, with `more` in the place of what it says of the input. */
export function cardOf(id: string, bytes: Uint8Array, more: Partial<ModelCard['input']> = {}): ModelCard {
  const card = JSON.parse(readFileSync(join(root, 'models', 'catalogue', `${id}.json`), 'utf8')) as ModelCard;
  return parseCard(
    JSON.stringify({
      ...card,
      input: { ...card.input, ...more },
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    }),
    id,
  );
}

/** A pack that counts what is read. */
export interface SmallPack extends ModelPack {
  readonly reads: string[];
}

export interface SmallModel {
  readonly bytes: Uint8Array;
  readonly input?: Partial<ModelCard['input']>;
}

/** Writes models into a folder, and gives a pack of them with the cards of the catalogue; other ids are the starter pack's. */
export async function smallPack(folder: string, models: Readonly<Record<string, SmallModel>>): Promise<SmallPack> {
  const cards = new Map<string, ModelCard>();
  for (const [id, { bytes, input }] of Object.entries(models)) {
    const card = cardOf(id, bytes, input);
    writeFileSync(join(folder, card.file), bytes);
    cards.set(id, card);
  }
  const starter = await openPack();
  const reads: string[] = [];
  return {
    folder: starter.folder,
    reads,
    card: async (id) => cards.get(id) ?? starter.card(id),
    read: async (id) => {
      reads.push(id);
      const card = cards.get(id);
      return card === undefined ? starter.read(id) : readVerified(folder, card);
    },
  };
}
