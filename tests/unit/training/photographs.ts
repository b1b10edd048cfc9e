import type { Engine } from '../../../lib/engine/index.js';
import type { LandmarkDataset } from '../../../lib/training/index.js';
import { SAMPLE_FACES, sample } from '../../support/samples.js';

/** Faces that are known to be on these sample photographs. */
export const facesOn = (pictures: readonly number[]): number => pictures.reduce((sum, i) => sum + SAMPLE_FACES[i]!, 0);

/** Sample photographs as a data set: the boxes and the 68 points that the engine itself finds on them. */
export async function labelledPhotographs(engine: Engine, numbers: readonly number[]): Promise<LandmarkDataset> {
  const pictures = [];
  for (const i of numbers) {
    const faces = await engine.detect(sample(i), { landmarks: true });
    pictures.push({
      path: sample(i),
      source: `sample${i}`,
      line: 1,
      faces: faces.map(({ box, landmarks = [] }, n) => ({ box, points: landmarks, line: n + 1 })),
    });
  }
  return { names: Array.from({ length: 68 }, (_, i) => String(i).padStart(2, '0')), pictures, ignored: 0 };
}
