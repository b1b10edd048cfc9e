import { nonEmptyString, numberIn, oneOf, positiveInteger } from '../errors/validate.js';
import type { ShapeTrainingOptions } from '../native/addon.js';

/** How a cascade of regression trees is trained. Names and defaults are those of dlib's `shape_predictor_trainer`. */
export interface ShapeOptions {
  /** Cascades, each of which moves the shapes anew; 10. */
  readonly cascadeDepth?: number;
  /** Splits from the root of a tree to a leaf; 4. A tree has 2 to the power of it leaves. */
  readonly treeDepth?: number;
  /** Trees in a cascade; 500. */
  readonly treesPerCascade?: number;
  /** Share of what a tree learns that is applied, 0–1; 0.1. Smaller generalises better and wants more trees. */
  readonly nu?: number;
  /** Starting shapes that are tried for each face; 20. */
  readonly oversampling?: number;
  /** How far starting shapes are moved at random, as a fraction of the box; 0. */
  readonly oversamplingTranslationJitter?: number;
  /** Pixels that a cascade may look at; 400. */
  readonly featurePoolSize?: number;
  /** How near to each other the two pixels of a split are preferred, as a fraction of the box; 0.1. */
  readonly lambda?: number;
  /** Random splits of which the best is taken; 20. */
  readonly testSplits?: number;
  /** How far beyond the mean shape pixels are taken, as a fraction of the box; 0. */
  readonly featurePoolRegionPadding?: number;
  /** What that padding is around: the bounds of the landmarks (default) or the box. */
  readonly paddingMode?: 'landmark' | 'box';
  /** The same seed, data and options give the same model. */
  readonly seed?: string;
}

export const SHAPE_DEFAULTS: Required<ShapeOptions> = {
  cascadeDepth: 10,
  treeDepth: 4,
  treesPerCascade: 500,
  nu: 0.1,
  oversampling: 20,
  oversamplingTranslationJitter: 0,
  featurePoolSize: 400,
  lambda: 0.1,
  testSplits: 20,
  featurePoolRegionPadding: 0,
  paddingMode: 'landmark',
  seed: '',
};

/** Most features of a cascade: the trainer keeps a table of all their pairs. */
const MOST_FEATURES = 8192;

/** Checks the options and fills in what is absent. Throws `INVALID_ARGUMENT`. */
export function checkShapeOptions(options: ShapeOptions, checkpoint?: string): ShapeTrainingOptions {
  const o = { ...SHAPE_DEFAULTS, ...withoutAbsent(options) };
  return {
    cascadeDepth: positiveInteger('cascadeDepth', o.cascadeDepth, 1000),
    treeDepth: positiveInteger('treeDepth', o.treeDepth, 12),
    treesPerCascade: positiveInteger('treesPerCascade', o.treesPerCascade, 100_000),
    nu: numberIn('nu', o.nu, 1e-6, 1),
    oversampling: positiveInteger('oversampling', o.oversampling, 10_000),
    oversamplingTranslationJitter: numberIn('oversamplingTranslationJitter', o.oversamplingTranslationJitter, 0, 1),
    featurePoolSize: positiveInteger(
      'featurePoolSize',
      numberIn('featurePoolSize', o.featurePoolSize, 2, MOST_FEATURES),
    ),
    lambda: numberIn('lambda', o.lambda, 1e-6, 1000),
    testSplits: positiveInteger('testSplits', o.testSplits, 100_000),
    featurePoolRegionPadding: numberIn('featurePoolRegionPadding', o.featurePoolRegionPadding, -0.49, 10),
    paddingMode: oneOf('paddingMode', o.paddingMode, ['landmark', 'box']),
    seed: o.seed === '' ? '' : nonEmptyString('seed', o.seed),
    ...(checkpoint === undefined ? {} : { checkpoint: nonEmptyString('checkpoint', checkpoint) }),
  };
}

function withoutAbsent<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
