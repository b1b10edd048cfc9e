/** Collects what a run found into the HTML report. */

import { cpus } from 'node:os';
import path from 'node:path';
import type { Engine } from '../index.js';
import { type ModelCard, openPack } from '../models/index.js';
import { loadAddon } from '../native/index.js';
import {
  dataUri,
  faceCrop,
  type Report,
  type ReportFace,
  type ReportModel,
  type ReportPhoto,
  type ReportTiming,
  renderReport,
  thumbnail,
} from '../visualization/index.js';
import type { ErrorJson } from './failure.js';
import { LARGEST_MATRIX, type Matching } from './matching.js';
import type { PhotoResult } from './photos.js';

/** Longest side of a photograph in a report of so many: a page with hundreds must still open. */
function sideFor(photographs: number): number {
  if (photographs <= 24) return 1200;
  return photographs <= 120 ? 800 : 480;
}

/** Collects photographs as they are done, keeping only their thumbnails, and renders them at the end. */
export class ReportBuilder {
  readonly #photos: ReportPhoto[] = [];
  readonly #side: number;
  #decodeMs = 0;
  #facesMs = 0;

  /** @param photographs how many there will be, about */
  constructor(photographs: number) {
    this.#side = sideFor(photographs);
  }

  /** Takes a photograph; its pixels are not kept. */
  async add({ path: file, frame, faces, decodeMs, facesMs }: PhotoResult): Promise<void> {
    this.#decodeMs += decodeMs;
    this.#facesMs += facesMs;
    const shown: ReportFace[] = [];
    for (const { embedding: _, geometry: _geometry, symmetry: _symmetry, headPose: _headPose, ...face } of faces) {
      const crop = await faceCrop(frame, face.box, 96);
      shown.push({ ...face, ...(crop && { crop: dataUri(crop) }) });
    }
    this.#photos.push({
      name: path.basename(file),
      width: frame.width,
      height: frame.height,
      image: dataUri(await thumbnail(frame, this.#side)),
      faces: shown,
      milliseconds: decodeMs + facesMs,
    });
  }

  /** Takes a photograph that failed. */
  addFailure(file: string, error: ErrorJson): void {
    this.#photos.push({ name: path.basename(file), width: 4, height: 3, faces: [], error });
  }

  /** The page. The engine must still be open: it knows which networks took part. */
  async render(engine: Engine, matching: Matching | undefined, openMs: number, totalMs: number): Promise<string> {
    const faces = this.#photos.reduce((sum, photo) => sum + photo.faces.length, 0);
    const timings: ReportTiming[] = [
      { label: 'Opening the engine', milliseconds: openMs },
      { label: 'Decoding, summed over photographs', milliseconds: this.#decodeMs },
      { label: 'Faces, summed over photographs', milliseconds: this.#facesMs },
      { label: 'The whole run', milliseconds: totalMs },
    ];
    const report: Report = {
      created: new Date(),
      facts: factsOf(engine),
      photos: this.#photos,
      timings,
      models: await modelsOf(engine),
      ...(matching && {
        matches: {
          faces: Array.from({ length: Math.min(faces, LARGEST_MATRIX) }, (_, index) => index),
          similarity: matching.matrix,
          threshold: matching.threshold,
          ...(matching.fmr !== undefined && { fmr: matching.fmr }),
        },
      }),
    };
    return renderReport(report);
  }
}

function factsOf(engine: Engine): [string, string][] {
  const { simd } = loadAddon().cpu();
  return [
    ['preset', engine.preset.name],
    ['threads', String(engine.threads)],
    ['instructions', simd],
    ['ONNX Runtime', engine.runtime.version],
    ['Node.js', process.versions.node],
    ['processor', cpus()[0]?.model.trim() ?? 'unknown'],
  ];
}

/** The cards of the networks that were loaded. */
async function modelsOf(engine: Engine): Promise<ReportModel[]> {
  const pack = await openPack(engine.models);
  const ids = [...new Set(engine.memory().sessions.map(({ name }) => name))].sort();
  return Promise.all(ids.map(async (id) => describeModel(await pack.card(id))));
}

function describeModel(card: ModelCard): ReportModel {
  const origin = card['origin'] as { package?: string; version?: string } | undefined;
  return {
    id: card.title || card.id,
    task: `${card.task.replaceAll('-', ' ')} (${card.id})`,
    licence: card.licence,
    origin: origin?.package ? `${origin.package} ${origin.version ?? ''}`.trim() : 'not stated',
    training: card.trainingData,
    sha256: card.sha256,
    bytes: card.bytes,
  };
}
