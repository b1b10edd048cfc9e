/** The commands of calibration and of galleries. Their code is loaded when one is run. */
import { type Command, ENGINE_OPTIONS, FACE_OPTIONS, GALLERY_OPTIONS, MANY, MATCH_OPTIONS } from '../command.js';

export const GALLERY_COMMANDS: readonly Command[] = [
  {
    name: 'enroll',
    summary: 'put persons into a gallery',
    usage: '[OPTIONS] --gallery DIR PHOTOGRAPHS',
    about:
      'Enrols the main face of each photograph. With --person all photographs show that one person; otherwise every photograph lies in a folder that is named after its person. The gallery is made where there is none; with --key its templates are encrypted. What is reported as enrolled is on the disk.',
    arity: MANY,
    options: {
      ...GALLERY_OPTIONS,
      ...ENGINE_OPTIONS,
      'min-size': FACE_OPTIONS['min-size']!,
      person: { type: 'string', value: 'ID', text: 'who is on all of the photographs' },
      name: { type: 'string', value: 'TEXT', text: 'name to show for that person; needs --person' },
      consent: { type: 'string', value: 'REF', text: 'reference to the record of consent' },
      expires: { type: 'string', value: 'DATE', text: 'when the templates expire: 2027-01-31, or an ISO 8601 time' },
      'min-quality': { type: 'number', value: 'Q', min: 0, max: 100, text: 'leave out faces of lower quality (0–100)' },
      conflict: {
        type: 'string',
        value: 'DO',
        choices: ['allow', 'report', 'refuse'],
        default: 'report',
        text: 'when a face is enrolled as somebody else already',
      },
      thumbnails: { type: 'boolean', text: 'keep a small picture of each face' },
    },
    examples: [
      ['lineament enroll -g staff.gallery --person ada ada1.jpg ada2.jpg', 'one person'],
      ['lineament enroll -g staff.gallery staff/', 'from staff/ada/1.jpg, staff/grace/1.jpg, …'],
      ['lineament enroll -g staff.gallery --key staff.keys staff/', 'encrypted: make the keys with gallery new-key'],
    ],
    run: async (context) => (await import('./enroll.js')).enroll(context),
  },
  {
    name: 'identify',
    summary: 'who of a gallery is on photographs',
    usage: '[OPTIONS] --gallery DIR PHOTOGRAPHS',
    about:
      'Compares every face with all templates of the gallery; the search is exact. The threshold is asked for as a false match rate of one comparison (--fmr), or of the whole search (--fpir). Exit code 0: at least one face was recognised, 1: none, 2: an error.',
    arity: MANY,
    options: {
      ...GALLERY_OPTIONS,
      ...ENGINE_OPTIONS,
      ...FACE_OPTIONS,
      ...MATCH_OPTIONS,
      fpir: {
        type: 'number',
        value: 'RATE',
        min: 0,
        max: 1,
        text: 'false positive identification rate of a search, instead of --fmr',
      },
      threshold: {
        type: 'number',
        value: 'S',
        min: -1,
        max: 1,
        text: 'similarity from which faces match, instead of --fmr',
      },
      candidates: {
        type: 'number',
        short: 'k',
        value: 'N',
        integer: true,
        min: 1,
        max: 1000,
        default: '3',
        text: 'candidates for each face, those below the threshold included',
      },
    },
    examples: [
      ['lineament identify -g staff.gallery gate.jpg', 'at the rate that the recogniser is calibrated for'],
      ['lineament identify -g staff.gallery gate/ --fpir 0.05 --json', 'one search in twenty may be wrong, as JSON'],
    ],
    run: async (context) => (await import('./identify.js')).identify(context),
  },
  {
    name: 'gallery',
    summary: 'list, export, import, delete, check: look after a gallery',
    usage: '[OPTIONS] VERB [ARGUMENT] --gallery DIR',
    about: [
      'list: the persons. show PERSON: one of them, with samples. stats: counts and sizes. export: everything as JSON lines. import FILE: what export wrote. ',
      'delete PERSON: erases a person and writes a signed receipt (--collection NAME without a person: a whole collection). purge: erases what has expired. ',
      'merge INTO FROM: two persons are one. undo N: takes operation N back. history: the operations. check: compares index and database. ',
      'backup FILE: a copy while the gallery is in use. new-key FILE: makes a keyring; rotate-key FILE: adds a new key to it, and seals the gallery with it.',
    ].join(''),
    arity: [1, 3],
    options: {
      ...GALLERY_OPTIONS,
      output: {
        type: 'string',
        short: 'o',
        value: 'FILE',
        text: 'where export and receipts go, instead of standard output',
      },
      plain: { type: 'boolean', text: 'export the templates of a sealed gallery in the open' },
      existing: {
        type: 'string',
        value: 'DO',
        choices: ['refuse', 'add', 'skip'],
        default: 'refuse',
        text: 'import: what to do with persons who are there already',
      },
      yes: { type: 'boolean', short: 'y', text: 'delete without asking' },
      repair: { type: 'boolean', text: 'check: put right what is wrong' },
    },
    examples: [
      ['lineament gallery list -g staff.gallery', 'who is enrolled'],
      ['lineament gallery export -g staff.gallery -o staff.jsonl', 'everything, sealed where the gallery is'],
      ['lineament gallery delete ada -g staff.gallery --yes -o receipt.json', 'erased, with a signed receipt'],
    ],
    run: async (context) => (await import('./gallery.js')).gallery(context),
  },
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
