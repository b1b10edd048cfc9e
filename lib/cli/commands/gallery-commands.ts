/** The commands of calibration and of galleries. Their code is loaded when one is run. */
import { type Command, ENGINE_OPTIONS, FACE_OPTIONS } from '../command.js';

export const GALLERY_COMMANDS: readonly Command[] = [
  {
    name: 'calibrate',
    summary: 'measure what a similarity means, on your own labelled photographs',
    usage: '[OPTIONS] FOLDER -o FILE',
    about:
      'FOLDER holds one folder for each person, named after the person, with photographs in it; the main face of each photograph counts. Every face is compared with every other: the file states, for false match rates that the comparisons can bear, the similarity from which two faces match, with 95 % intervals. Rates that they cannot bear are left out, never extrapolated. Use the file by --calibration, or openEngine({ calibration }).',
    arity: [1, 1],
    options: {
      ...ENGINE_OPTIONS,
      'min-size': FACE_OPTIONS['min-size']!,
      output: { type: 'string', short: 'o', value: 'FILE', text: 'where the calibration goes' },
      fmr: {
        type: 'number',
        value: 'RATE',
        min: 0,
        max: 1,
        default: '0.01',
        text: 'false match rate for those who name none',
      },
      provenance: {
        type: 'string',
        value: 'TEXT',
        text: 'where the photographs come from, for whoever reads the file',
      },
      svg: { type: 'string', value: 'FILE', text: 'write the detection error trade-off as a chart' },
    },
    examples: [
      ['lineament calibrate staff/ -o staff.json', 'from staff/ada/1.jpg, staff/ada/2.jpg, staff/grace/1.jpg, …'],
      ['lineament verify a.jpg b.jpg --calibration staff.json --fmr 0.001', 'and its use'],
    ],
    run: async (context) => (await import('./calibrate.js')).calibrateFolder(context),
  },
];
