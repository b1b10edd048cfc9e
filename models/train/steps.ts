/** The steps of the recipe: label, hold out, change, train, measure. */
import path from 'node:path';
import { findTargets } from '../../lib/cli/files.js';
import { Runtime } from '../../lib/inference/runtime.js';
import { readCalibration, similarityAt } from '../../lib/models/calibration.js';
import { loadAddon } from '../../lib/native/index.js';
import {
  evaluateLandmarks,
  type LandmarkDataset,
  openNetworkPredictor,
  openShapePredictor,
  SampleSet,
  type ShapeOptions,
  trainSamples,
} from '../../lib/training/index.js';
import { Random } from '../../lib/training/random.js';
import { type Augmentation, augment } from './augment.js';
import { type LabelledPicture, Labeller, withoutPersons } from './label.js';

export const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
export const secondsSince = (begin: number): string => `${((performance.now() - begin) / 1000).toFixed(1)} s`;

export interface LabelSettings {
  /** Photographs, and folders of them. */
  readonly photographs: readonly string[];
  /** Photographs that are never measured on: montages of faces that other photographs show as well. */
  readonly montages: readonly string[];
  readonly quick: boolean;
  readonly holdOut: number;
  /** Keep who is on the photographs, for `personsApart`; so it is where faces are held out. */
  readonly identify?: boolean;
  readonly seed: string;
  readonly threads: number;
}

export interface Labelled {
  readonly train: readonly LabelledPicture[];
  readonly test: readonly LabelledPicture[];
}

const facesOf = (pictures: readonly LabelledPicture[]): number => pictures.reduce((sum, p) => sum + p.faces.length, 0);

/** Labels photographs and holds some out; faces of persons on these are not learned from either. */
export async function labelAll(settings: LabelSettings): Promise<Labelled> {
  const { quick, holdOut, seed, threads } = settings;
  const begin = performance.now();
  await using runtime = await Runtime.open({ threads });
  const labeller = await Labeller.open(runtime);
  const label = async (names: readonly string[]): Promise<LabelledPicture[]> => {
    const pictures: LabelledPicture[] = [];
    for (const { path: file, error } of names.length > 0 ? await findTargets(names) : []) {
      if (error !== undefined) throw error;
      const picture = await labeller.label(file, { quick, identify: settings.identify ?? holdOut > 0 });
      if (picture.faces.length > 0) pictures.push(picture);
    }
    return pictures;
  };
  const pictures = await label(settings.photographs);
  const montages = await label(settings.montages);
  const all = [...pictures, ...montages];
  console.log(`labelled ${facesOf(all)} faces on ${all.length} photographs, ${secondsSince(begin)}`);
  return { ...(await splitOff(pictures, montages, holdOut, seed)) };
}

/** False match rate at which a face counts as that of a person who is held out. */
const SAME_PERSON = 0.002;

/** The pictures without the faces of persons whom `others` show; both labelled with `identify`. */
export async function personsApart(
  pictures: readonly LabelledPicture[],
  others: readonly LabelledPicture[],
): Promise<LabelledPicture[]> {
  const model = others.flatMap(({ faces }) => faces).find(({ embedding }) => embedding)?.embedding?.model;
  if (model === undefined) return [...pictures];
  const calibration = await readCalibration(model);
  if (calibration === undefined) throw new Error(`There is no calibration of ${model}.`);
  return withoutPersons(pictures, others, similarityAt(calibration, SAME_PERSON));
}

export async function splitOff(
  pictures: readonly LabelledPicture[],
  montages: readonly LabelledPicture[],
  holdOut: number,
  seed: string,
): Promise<Labelled> {
  if (holdOut <= 0) return { train: [...pictures, ...montages], test: [] };
  const random = new Random(`${seed} split`);
  const order = pictures.map((picture) => ({ picture, key: random.uniform() })).sort((a, b) => a.key - b.key);
  const test: LabelledPicture[] = [];
  for (const { picture } of order) {
    if (facesOf(test) + picture.faces.length <= facesOf(pictures) * holdOut) test.push(picture);
  }
  const rest = [...pictures, ...montages].filter((picture) => !test.includes(picture));
  const train = await personsApart(rest, test);
  console.log(
    `held out ${facesOf(test)} faces on ${test.length} photographs; ` +
      `of the others ${facesOf(train)} are learned from, ${facesOf(rest) - facesOf(train)} show the same persons`,
  );
  return { train, test };
}

export interface LearnSettings {
  readonly output: string;
  readonly variants: number;
  readonly seed: string;
  readonly shape: ShapeOptions;
  readonly threads: number;
  readonly augmentation?: Augmentation;
}

/** Makes samples of the faces and trains on them. */
export async function learn(pictures: readonly LabelledPicture[], settings: LearnSettings): Promise<void> {
  const { output, variants, seed, shape, threads, augmentation } = settings;
  const addon = loadAddon();
  const executor = addon.createExecutor(threads);
  const set = new SampleSet(68);
  let begin = performance.now();
  try {
    for (const { frame, path: file, faces } of pictures) {
      for (const [i, face] of faces.entries()) {
        const random = new Random(`${seed} ${path.basename(file)} ${i}`);
        for (const sample of await augment(addon, executor, frame, face, variants, random, augmentation))
          set.add(sample.picture, [sample.face]);
      }
    }
  } finally {
    await executor.close();
  }
  console.log(`made ${set.faces} samples, ${secondsSince(begin)}`);
  begin = performance.now();
  let said = -1;
  const trained = await trainSamples(set, {
    ...shape,
    seed,
    threads,
    output,
    onProgress: ({ cascades, error, secondsLeft }) => {
      if (cascades === undefined || cascades.done === said) return;
      said = cascades.done;
      const left = secondsLeft === undefined ? '' : `, ${secondsLeft.toFixed(0)} s left`;
      console.log(
        `  cascade ${cascades.done}/${cascades.total}, training error ${percent(error ?? Number.NaN)}${left}`,
      );
    },
  });
  console.log(
    `${output}: ${(trained.bytes / 1e6).toFixed(2)} MB, ${trained.cascades} × ${trained.trees} trees of depth ${trained.depth}, ` +
      `training error ${percent(trained.trainingError)} of the box, ${secondsSince(begin)}`,
  );
}

/** The labels as marked faces. */
export function asDataset(pictures: readonly LabelledPicture[]): LandmarkDataset {
  return {
    names: Array.from({ length: 68 }, (_, i) => String(i).padStart(2, '0')),
    ignored: 0,
    pictures: pictures.map(({ path: file, faces }) => ({
      path: file,
      source: file,
      line: 1,
      faces: faces.map(({ box, points }, i) => ({ box, points, line: i + 1 })),
    })),
  };
}

/** The model, with one look and with seven, beside the network as the engine uses it, all against the labels. */
export async function measure(model: string, data: LandmarkDataset, threads: number): Promise<void> {
  await using once = await openShapePredictor(model, { threads, square: true });
  await using robust = await openShapePredictor(model, { threads, square: true, robust: true });
  await using network = await openNetworkPredictor({ threads });
  for (const [name, predictor] of [
    ['model', once],
    ['model, robust', robust],
    ['network', network],
  ] as const) {
    const e = await evaluateLandmarks({ predictor, data });
    const parts = Object.entries(e.parts).map(([name, value]) => `${name} ${percent(value)}`);
    console.log(
      `${name} on ${e.faces} held-out faces: mean ${percent(e.mean)}, median ${percent(e.median)}, ` +
        `90 % within ${percent(e.p90)}, area to 8 % ${e.auc.toFixed(3)}, failures at 8 % ${percent(e.failureRate)}\n  ${parts.join(', ')}`,
    );
  }
}
