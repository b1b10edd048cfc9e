/** The list of commands. Their code is loaded when one is run. */
import { type Command, ENGINE_OPTIONS, FACE_OPTIONS, type OptionSpec } from '../command.js';

const MANY: readonly [number, number] = [1, Number.POSITIVE_INFINITY];

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

export const COMMANDS: readonly Command[] = [
  {
    name: 'detect',
    summary: 'find the faces of photographs, with their 68 landmarks',
    usage: '[OPTIONS] PHOTOGRAPHS',
    about:
      'Finds every face and its 68 landmarks. Boxes are x, y, width, height in pixels of the upright photograph, from its top-left corner.',
    arity: MANY,
    options: {
      ...ENGINE_OPTIONS,
      ...FACE_OPTIONS,
      'no-landmarks': { type: 'boolean', text: 'boxes and scores only' },
      overlay: { type: 'string', value: 'DIR', text: 'write each photograph with its faces drawn on it, as PNG' },
    },
    examples: [
      ['lineament detect photo.jpg', 'one photograph'],
      ['lineament detect holiday/ --json > faces.json', 'a directory, to its bottom, as JSON'],
      ["lineament detect 'crowd/*.jpg' --preset crowd --overlay drawn", 'many small faces, drawn'],
    ],
    run: async (context) => (await import('./detect.js')).detect(context),
  },
  {
    name: 'landmarks',
    summary: 'the 68 points of each face and the pose of the head',
    usage: '[OPTIONS] PHOTOGRAPHS',
    about:
      'Measures the 68 points (iBUG 300-W order: jaw, brows, nose, eyes, mouth) and from them roll, yaw and pitch of the head in degrees: positive roll is clockwise in the photograph, positive yaw turns to its right edge, positive pitch looks up.',
    arity: MANY,
    options: {
      ...ENGINE_OPTIONS,
      ...FACE_OPTIONS,
      points: { type: 'boolean', text: 'print every point' },
    },
    examples: [
      ['lineament landmarks portrait.jpg', 'pose and distances'],
      ['lineament landmarks portrait.jpg --points', 'all 68 points'],
    ],
    run: async (context) => (await import('./landmarks.js')).landmarks(context),
  },
  {
    name: 'embed',
    summary: 'the vector that each face is recognised by',
    usage: '[OPTIONS] PHOTOGRAPHS',
    about:
      'Computes the embedding of every face: a vector of length 1 that is compared by its scalar product with others of the same model. It is biometric data: look after it.',
    arity: MANY,
    options: { ...ENGINE_OPTIONS, ...FACE_OPTIONS },
    examples: [['lineament embed --json portrait.jpg', 'the vectors as JSON']],
    run: async (context) => (await import('./embed.js')).embed(context),
  },
  {
    name: 'verify',
    summary: 'whether two photographs show the same person',
    usage: '[OPTIONS] A B',
    about:
      'Compares the main face of two photographs. The threshold is asked for as a false match rate: how often two different people may be taken for one. Exit code 0: match, 1: no match, 2: an error, such as no face.',
    arity: [2, 2],
    options: {
      ...ENGINE_OPTIONS,
      fmr: {
        type: 'number',
        value: 'RATE',
        min: 0,
        max: 1,
        default: 'of the calibration',
        text: 'false match rate to stay at',
      },
      threshold: {
        type: 'number',
        value: 'S',
        min: -1,
        max: 1,
        text: 'similarity from which two faces match, instead of --fmr',
      },
    },
    examples: [
      ['lineament verify passport.jpg gate.jpg', 'at the false match rate that the recogniser is calibrated for'],
      ['lineament verify a.jpg b.jpg --fmr 0.0001 && echo same', 'stricter, used by its exit code'],
    ],
    run: async (context) => (await import('./verify.js')).verify(context),
  },
  {
    name: 'analyze',
    summary: 'everything at once: landmarks, pose, age, gender, expression, who is who',
    usage: '[OPTIONS] PHOTOGRAPHS',
    about:
      'Measures every face and compares each with every other. Age, gender and expression are what networks were taught to name, not facts about a person.',
    arity: MANY,
    options: {
      ...ENGINE_OPTIONS,
      ...FACE_OPTIONS,
      fmr: {
        type: 'number',
        value: 'RATE',
        min: 0,
        max: 1,
        default: 'of the calibration',
        text: 'false match rate that counts as a match',
      },
      'no-match': { type: 'boolean', text: 'do not compare faces' },
      embedding: { type: 'boolean', text: 'put the vectors into the JSON output' },
      report: { type: 'string', value: 'FILE', text: 'write a self-contained HTML report' },
      overlay: { type: 'string', value: 'DIR', text: 'write each photograph with its faces drawn on it, as PNG' },
      sheet: { type: 'string', value: 'FILE', text: 'write a contact sheet of all faces, as PNG' },
    },
    examples: [
      ['lineament analyze party.jpg', 'one photograph'],
      ['lineament analyze holiday/ --report report.html', 'a directory, with a report to look at'],
    ],
    run: async (context) => (await import('./analyze.js')).analyze(context),
  },
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
  {
    name: 'doctor',
    summary: 'check this installation and say what to do about what is wrong',
    usage: '[OPTIONS]',
    about:
      'Checks Node.js, the native addon, the instruction set, ONNX Runtime, every model file against its card, the image decoder and memory, then finds a face. Exit code 0: all is well, 2: something is not.',
    arity: [0, 0],
    options: {
      photo: { type: 'string', value: 'FILE', text: 'photograph with a face for the self-test' },
    },
    examples: [
      ['lineament doctor', 'all checks'],
      ['lineament doctor --json', 'for a bug report'],
    ],
    run: async (context) => (await import('./doctor.js')).doctor(context),
  },
];
