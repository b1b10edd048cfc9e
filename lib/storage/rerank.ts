import { throwIfAborted } from '../errors.js';
import { similarity } from '../recognition/compare.js';
import type { TemplateCipher } from '../templates/index.js';
import type { Row } from './driver.js';
import { takeTurns, templateOf } from './storage.js';
import type { TemplateMatch, TemplateRef } from './types.js';

/** What a database's approximate index found. */
export type CandidateRow = TemplateRef & Pick<Row, 'bytes'>;

/**
 * The best `k` candidates by the cosine of their own 32-bit vectors, which lie in the templates: order and similarity no longer
 * depend on how the database rounds or computes. What its index has missed stays missed.
 */
export async function rerank(
  vector: Float32Array,
  candidates: readonly CandidateRow[],
  { k, threshold = -1 }: { readonly k: number; readonly threshold?: number },
  cipher: TemplateCipher | undefined,
  signal?: AbortSignal,
): Promise<TemplateMatch[]> {
  const probe = { model: '', dims: vector.length, vector };
  const matches: TemplateMatch[] = [];
  const turn = takeTurns();
  for (const row of candidates) {
    throwIfAborted(signal);
    await turn();
    const template = await templateOf(row, cipher);
    const value = similarity(probe, { ...template, model: '' });
    if (value >= threshold) matches.push({ id: row.id, collection: row.collection, similarity: value });
  }
  return matches.sort(order).slice(0, k);
}

function order(a: TemplateMatch, b: TemplateMatch): number {
  if (a.similarity !== b.similarity) return b.similarity - a.similarity;
  if (a.collection !== b.collection) return a.collection < b.collection ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
