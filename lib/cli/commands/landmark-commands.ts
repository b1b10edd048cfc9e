/** The commands that make and measure landmark models. Their code is loaded when one is run. */
import { type Command, ENGINE_OPTIONS, MANY, type OptionSpec } from '../command.js';

const count = (text: string, standard: string, max: number): OptionSpec => ({
  type: 'number',
  value: 'N',
  integer: true,
  min: 1,
  max,
  default: standard,
  text,
});

const BOXES: OptionSpec = {
  type: 'string',
  value: 'FROM',
  choices: ['given', 'points', 'detector'],
  default: 'given',
  text: "boxes of the data, bounds of the points, or this library's detector",
};

export const LANDMARK_COMMANDS: readonly Command[] = [
  {
    name: 'train-landmarks',
    summary: 'train a landmark model on marked faces',
    usage: '[OPTIONS] DATA [DATA…] -o FILE',
    about:
      "Trains a cascade of regression trees (the method and the options of dlib's shape_predictor_trainer). DATA is an imglab file (.xml) or a folder in the style of 300-W (.pts beside each picture). The same data, options and seed give the same model.",
    arity: MANY,
    options: {
      output: { type: 'string', short: 'o', value: 'FILE', text: 'where the model goes' },
      format: {
        type: 'string',
        value: 'NAME',
        choices: ['compact', 'dlib'],
        default: 'compact',
        text: 'format of the model',
      },
      'cascade-depth': count('cascades', '10', 1000),
      'tree-depth': count('splits from the root of a tree to a leaf', '4', 12),
      trees: count('trees in a cascade', '500', 100_000),
      nu: {
        type: 'number',
        value: 'X',
        min: 1e-6,
        max: 1,
        default: '0.1',
        text: 'share of what a tree learns that is applied',
      },
      oversampling: count('starting shapes for each face', '20', 10_000),
      'translation-jitter': {
        type: 'number',
        value: 'X',
        min: 0,
        max: 1,
        default: '0',
        text: 'how far starting shapes are moved, as a fraction of the box',
      },
      features: count('pixels that a cascade may look at', '400', 65_535),
      lambda: {
        type: 'number',
        value: 'X',
        min: 1e-6,
        max: 1000,
        default: '0.1',
        text: 'how near to each other the two pixels of a split are preferred',
      },
      'test-splits': count('random splits of which the best is taken', '20', 100_000),
      padding: {
        type: 'number',
        value: 'X',
        min: -0.49,
        max: 10,
        default: '0',
        text: 'how far beyond the shape pixels are taken',
      },
      'padding-mode': {
        type: 'string',
        value: 'NAME',
        choices: ['landmark', 'box'],
        default: 'landmark',
        text: 'what the padding is around',
      },
      seed: { type: 'string', value: 'TEXT', text: 'another seed gives another model' },
      mirror: { type: 'boolean', text: 'learn from the mirror images as well (68 points)' },
      boxes: BOXES,
      test: { type: 'string', value: 'DATA', text: 'measure the model on these faces afterwards' },
      resume: {
        type: 'string',
        value: 'FILE',
        text: 'checkpoint: written after each cascade, continued from where it is there',
      },
      threads: ENGINE_OPTIONS['threads']!,
    },
    examples: [
      ['lineament train-landmarks faces.xml -o faces.lmk --mirror', 'a model from an imglab file'],
      [
        'lineament train-landmarks 300w/train -o m.lmk --resume m.part --test 300w/test',
        'can be stopped and gone on with',
      ],
    ],
    run: async (context) => (await import('./train-landmarks.js')).trainLandmarks(context),
  },
  {
    name: 'evaluate-landmarks',
    summary: 'how near predicted landmarks come to marked ones',
    usage: '[OPTIONS] MODEL [MODEL…] DATA',
    about:
      "Predicts the points of marked faces and measures the normalised mean error, the cumulative error distribution, the area under it and the failure rate. MODEL is a file, dlib's or compact, or the word 'network' for the landmark network of the starter pack.",
    arity: [2, 7],
    options: {
      normalise: {
        type: 'string',
        value: 'NAME',
        choices: ['interocular', 'diagonal'],
        default: 'interocular for 68 points',
        text: "divide by the distance of the outer eye corners or by the points' diagonal",
      },
      threshold: {
        type: 'number',
        value: 'X',
        min: 1e-6,
        max: 10,
        default: '0.08',
        text: 'error that counts as a failure',
      },
      boxes: BOXES,
      square: { type: 'boolean', text: 'make boxes square first, for models trained on such boxes' },
      robust: { type: 'boolean', text: 'the median of seven predictions from boxes a little aside' },
      svg: { type: 'string', value: 'FILE', text: 'write the cumulative error distribution as a chart' },
      threads: ENGINE_OPTIONS['threads']!,
    },
    examples: [
      ['lineament evaluate-landmarks faces.lmk test.xml', 'a model'],
      ['lineament evaluate-landmarks faces.lmk network test.xml --svg ced.svg', 'beside the network, as a chart'],
    ],
    run: async (context) => (await import('./evaluate-landmarks.js')).evaluateLandmarks(context),
  },
  {
    name: 'convert-landmarks',
    summary: "turn a landmark model from dlib's format into the compact one, or back",
    usage: '[OPTIONS] IN OUT',
    about:
      "Reads dlib's serialised shape_predictor (any number of points) or our compact format, and writes the other one. The compact format is a quarter to a half as large and is mapped into memory instead of being read; its leaves have 16 bits.",
    arity: [2, 2],
    options: {
      format: {
        type: 'string',
        value: 'NAME',
        choices: ['compact', 'dlib'],
        default: 'the other one',
        text: 'format to write',
      },
    },
    examples: [['lineament convert-landmarks shape_predictor_68_face_landmarks.dat faces.lmk', 'from dlib']],
    run: async (context) => (await import('./convert-landmarks.js')).convertLandmarks(context),
  },
];
