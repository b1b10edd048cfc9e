/** The commands that look at photographs. Their code is loaded when one is run. */
import { type Command, ENGINE_OPTIONS, FACE_OPTIONS, MANY, MATCH_OPTIONS } from '../command.js';

export const FACE_COMMANDS: readonly Command[] = [
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
      ...MATCH_OPTIONS,
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
      ...MATCH_OPTIONS,
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
    name: 'mesh',
    summary: 'a face as a textured 3D surface, with levels of detail',
    usage: '[OPTIONS] PHOTOGRAPHS',
    about:
      "Rebuilds the most prominent face of each photograph: a textured surface in millimetres, as a GLB file with levels of detail that any 3D program opens. The shape is a network's prior fitted to the photograph, not a measurement; its size comes from the irises (11.7 mm across) where they are seen well.",
    arity: MANY,
    options: {
      ...ENGINE_OPTIONS,
      ...FACE_OPTIONS,
      output: {
        type: 'string',
        short: 'o',
        value: 'FILE',
        default: 'beside the photograph',
        text: 'file to write, or folder for several faces',
      },
      format: {
        type: 'string',
        value: 'NAME',
        choices: ['glb', 'ply', 'obj', 'stl'],
        default: 'of FILE, glb',
        text: 'glb holds all levels, the others the finest one',
      },
      lod: { type: 'number', value: 'N', integer: true, min: 1, max: 8, default: '4', text: 'levels of detail' },
      triangles: {
        type: 'number',
        value: 'N',
        integer: true,
        min: 1,
        max: 10_000_000,
        default: '20000',
        text: 'most triangles of the finest level',
      },
      fov: {
        type: 'number',
        value: 'DEGREES',
        min: 1,
        max: 170,
        default: 'as EXIF says, 53',
        text: "angle that the camera sees across the photograph's longer side",
      },
      all: { type: 'boolean', text: 'every face instead of the most prominent one' },
      'no-texture': { type: 'boolean', text: 'the shape alone' },
      viewer: { type: 'boolean', text: 'write a page beside it that shows the face in any browser, without a network' },
      depth: { type: 'boolean', text: 'write the depth in colours beside it, as PNG' },
      cloud: { type: 'boolean', text: 'write the points beside it, as PLY' },
      report: { type: 'string', value: 'FILE', text: 'write an HTML page with all faces from the front and the side' },
    },
    examples: [
      ['lineament mesh photo.jpg -o face.glb --lod 4 --viewer', 'face.glb, and face.html to look at it'],
      ['lineament mesh people/ -o meshes/ --report faces.html', 'a directory, with a page of renders'],
    ],
    run: async (context) => (await import('./mesh.js')).mesh(context),
  },
];
