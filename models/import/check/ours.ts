import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { CardHead } from '../card.js';
import type { Outputs } from './outputs.js';
import { type InputFacts, type Pixels, toTensor } from './photographs.js';

/** What is read of a card here. */
export type CheckedCard = CardHead & { readonly input: InputFacts & { readonly name: string } };

/** An ONNX file of the pack in ONNX Runtime on one thread, as the product sets it up. */
export async function openNetwork(folder: string, card: CheckedCard): Promise<InferenceSession> {
  return InferenceSession.create(join(folder, card.file), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
}

/** Runs it on a flat NCHW tensor of one image. */
export async function runTensor(
  session: InferenceSession,
  card: CheckedCard,
  data: Float32Array,
  width = card.input.width,
  height = card.input.height,
): Promise<Outputs> {
  const channels = card.input.colour === 'GRAY' ? 1 : 3;
  const batch = data.length / (channels * width * height);
  const tensor = new Tensor('float32', data, [batch, channels, height, width]);
  const results = await session.run({ [card.input.name]: tensor });
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.data as Float32Array]));
}

/** Runs it on pixels, prepared as the card says. */
export function runPixels(session: InferenceSession, card: CheckedCard, pixels: Pixels): Promise<Outputs> {
  return runTensor(session, card, toTensor(pixels, card.input, 'NCHW'));
}
