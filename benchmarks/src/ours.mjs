// The product through its public API, from this checkout's build.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { PRODUCT } from './paths.mjs';

/** True when the product is built. */
export const haveProduct = () => fs.existsSync(PRODUCT);

/**
 * Opens an engine of the product.
 * @param {{preset?: string, threads?: number}} options
 */
export async function openOurs({ preset = 'balanced', threads } = {}) {
  const { openEngine } = await import(pathToFileURL(PRODUCT).href);
  const engine = await openEngine({ preset, ...(threads === undefined ? {} : { threads }) });
  return {
    name: `lineament ${preset}`,
    engine,
    /** Detection, 68 landmarks and embedding of every face. */
    analyze: (input) => engine.analyze(input, { embedding: true, landmarks: true }),
    detect: (input) => engine.detect(input),
    similarity: (a, b) => engine.compare(a, b),
    close: () => engine.close(),
  };
}
