/** Rebuilds the faces of a picture. */
import { wrapError } from '../errors.js';
import { locateFaceMesh } from '../landmarks/dense-mesh.js';
import { type FaceReconstruction, reconstructFace } from '../reconstruction/reconstruct.js';
import type { ReconstructFaceOptions } from '../reconstruction/reconstruct-options.js';
import type { Frame } from '../types.js';
import type { AnalyzedFace } from './analysis.js';
import { findFaces, type Stages } from './faces.js';
import type { Ask } from './options.js';

/** A face of a picture, rebuilt. */
export interface ReconstructedFace extends AnalyzedFace {
  readonly reconstruction: FaceReconstruction;
}

/** The faces that could be rebuilt, best score first; others (seen from behind, outside of the picture) are left out. */
export async function reconstructFaces(
  stages: Stages,
  frame: Frame,
  ask: Ask,
  options: ReconstructFaceOptions,
): Promise<ReconstructedFace[]> {
  const faces = await findFaces(stages, frame, ask);
  stages.check();
  const landmarks = faces.map((face) => face.landmarks!);
  const meshes = await locateFaceMesh(stages.networks, frame, landmarks, stages.signal);
  const rebuilt: ReconstructedFace[] = [];
  for (const [i, face] of faces.entries()) {
    stages.check();
    const mesh = meshes[i];
    if (mesh === undefined) continue;
    try {
      rebuilt.push({
        ...face,
        reconstruction: await reconstructFace(stages.runtime, frame, mesh, options, stages.models),
      });
    } catch (error) {
      if (wrapError(error).code !== 'NO_SURFACE') throw error;
    }
  }
  return rebuilt;
}
