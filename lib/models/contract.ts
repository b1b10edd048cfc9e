import { LineamentError } from '../errors.js';
import type { TensorInfo } from '../native/addon.js';
import type { Network } from './network.js';

/** A tensor as people write it: `683 [N, 512] float32`. */
export const tensorText = ({ name, shape, type }: TensorInfo): string =>
  `${name} [${shape.map((n) => (n < 0 ? '?' : n)).join(', ')}] ${type}`;

/** The error for a file that is not what its card says: `what` is what it should have, `found` what it has. */
export function contractError(network: Network, what: string, found: readonly TensorInfo[]): LineamentError {
  const { id } = network.card;
  return new LineamentError(
    'MODEL_CORRUPT',
    `${id} needs ${what}, but has ${found.map(tensorText).join(', ') || 'none'}`,
    {
      fix: `Check that the file of ${id} is the one that its card describes.`,
    },
  );
}

/** Whether a file's own dimension can be `expected`; −1 and absent are free. */
const fits = (own: number | undefined, expected: number | undefined): boolean =>
  own === undefined || own < 0 || expected === undefined || own === expected;

/** Checks that a network takes pictures as its card says. Throws `MODEL_CORRUPT` with both. */
export function checkPictureInput(network: Network): void {
  const { inputs } = network.session;
  const { layout, colour, width, height, dynamic = [] } = network.card.input;
  const depth = colour === 'GRAY' ? 1 : 3;
  const h = dynamic.includes('H') ? undefined : height;
  const w = dynamic.includes('W') ? undefined : width;
  const expected = layout === 'NCHW' ? [undefined, depth, h, w] : [undefined, h, w, depth];
  const [input] = inputs;
  const same =
    inputs.length === 1 &&
    input!.type === 'float32' &&
    input!.shape.length === 4 &&
    input!.shape.every((n, i) => fits(n, expected[i]));
  if (!same) {
    const text = expected.map((n, i) => n ?? (i === 0 ? 'N' : '?')).join(', ');
    throw contractError(network, `one input [${text}] float32 (${layout})`, inputs);
  }
}

/** Width and height that the file itself fixes, whatever its card leaves free; absent where it takes any. */
export function fixedSize({ card, session }: Network): { readonly width: number; readonly height: number } | undefined {
  const shape = session.inputs[0]?.shape ?? [];
  const [height, width] = card.input.layout === 'NCHW' ? [shape[2], shape[3]] : [shape[1], shape[2]];
  return height !== undefined && width !== undefined && height > 0 && width > 0 ? { width, height } : undefined;
}

/**
 * Name of the one float32 output whose last dimension is `values`: published files often name outputs by numbers. Where no shape says so,
 * the only output with a free last dimension is taken. Throws `MODEL_CORRUPT` where there is none, or more than one; also where the network
 * does not take pictures as its card says.
 */
export function outputOfLength(network: Network, values: number, meaning: string): string {
  checkPictureInput(network);
  const { outputs } = network.session;
  const floats = outputs.filter(({ type, shape }) => type === 'float32' && shape.length > 0);
  const exact = floats.filter(({ shape }) => shape.at(-1) === values);
  const [found, another] = exact.length > 0 ? exact : floats.filter(({ shape }) => shape.at(-1)! < 0);
  if (found === undefined || another !== undefined) {
    throw contractError(network, `one float32 output of ${values} values for each item (${meaning})`, outputs);
  }
  return found.name;
}

/** Checks that an output has `values` numbers for each of `items`. Throws `MODEL_CORRUPT`. */
export function checkLength(network: Network, data: Float32Array, items: number, values: number): void {
  if (data.length === items * values) return;
  throw new LineamentError(
    'MODEL_CORRUPT',
    `${network.card.id} gave ${data.length} values for ${items} items instead of ${values} for each`,
  );
}
