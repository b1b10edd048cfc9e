import type { ModelPack } from '../../models/pack.js';
import { networksFor } from '../faces.js';
import { checkAnalyzeOptions } from '../options.js';
import type { Preset } from '../presets.js';

/** What an engine is warmed with: faces found and described. Other networks are read on first need. */
export const WARM = { embedding: true } as const;

/** A network of a preset, as its card says. */
export interface Weight {
  readonly sha256: string;
  readonly bytes: number;
}

export const total = (weights: readonly Weight[]): number => weights.reduce((sum, { bytes }) => sum + bytes, 0);

/** The networks that finding and describing faces may need, each once. Rejects where a card is not there. */
export async function weightsOf(preset: Preset, pack: ModelPack): Promise<Weight[]> {
  const ask = checkAnalyzeOptions(WARM);
  const { fallback } = preset;
  const ids = networksFor(preset, ask);
  if (fallback !== undefined) ids.push(...networksFor({ ...preset, detection: fallback }, ask));
  const cards = await Promise.all([...new Set(ids)].map((id) => pack.card(id)));
  return cards.map(({ sha256, bytes, memoryMb }) => ({
    sha256,
    bytes: memoryMb === undefined ? bytes : Math.round(memoryMb * 2 ** 20),
  }));
}
