/** The command that looks after strangers. Its code is loaded when it is run. */
import { type Command, GALLERY_OPTIONS } from '../command.js';

export const STRANGERS: Command = {
  name: 'strangers',
  summary: 'list, name, merge, split, enrol, erase the strangers that cameras have seen',
  usage: '[OPTIONS] VERB [ARGUMENTS] --data DIR',
  about: [
    'list: those who were seen, the latest first. show ID: one of them, with samples. name ID [NAME]: gives a name, or takes it away. ',
    'merge INTO FROM: two are one. split ID SAMPLE…: one is two, some samples are the new one’s. undo N: takes operation N back. ',
    'history: the operations. enrol ID: makes a known person of a stranger, in the same gallery; needs --consent. ',
    'erase ID: deletes a stranger for good, in the log too, and writes a signed receipt. ',
    'recluster: finds strangers who are one person and merges them, each of which can be undone. ',
    'Old events show what they are called now. A gallery that is being watched with is taken: end the watch first. ',
    'Exit code 0: done, 1: done, and the log could not follow, 2: an error.',
  ].join(''),
  arity: [1, 102],
  options: {
    data: {
      type: 'string',
      short: 'd',
      value: 'DIR',
      default: 'LINEAMENT_DATA',
      text: 'folder in which the strangers and the event log lie',
    },
    gallery: {
      ...GALLERY_OPTIONS['gallery']!,
      default: 'LINEAMENT_GALLERY, or gallery in that folder',
      text: 'gallery that holds their templates: the one that was watched with',
    },
    key: GALLERY_OPTIONS['key']!,
    'clips-folder': { type: 'string', value: 'DIR', default: 'clips in that folder', text: 'where clips lie' },
    inactive: { type: 'number', value: 'DAYS', min: 0, max: 1e6, text: 'list: only those not seen for DAYS' },
    consent: { type: 'string', value: 'REF', text: 'enrol: reference to the record of consent' },
    name: { type: 'string', value: 'TEXT', text: 'enrol: name to show' },
    person: { type: 'string', value: 'ID', text: 'enrol: as this person, who may be enrolled already' },
    collection: { type: 'string', short: 'c', value: 'NAME', default: 'default', text: 'enrol: into this collection' },
    'dry-run': { type: 'boolean', text: 'recluster: only say what would be merged' },
    fmr: {
      type: 'number',
      value: 'RATE',
      min: 0,
      max: 1,
      text: 'recluster: false match rate at which two looks are of one person',
    },
    threshold: { type: 'number', value: 'S', min: -1, max: 1, text: 'recluster: similarity, instead of --fmr' },
    output: { type: 'string', short: 'o', value: 'FILE', text: 'erase: where the receipt goes' },
    yes: { type: 'boolean', short: 'y', text: 'erase without asking' },
  },
  examples: [
    ['lineament strangers list -d watched', 'who was seen whom nobody knows'],
    ['lineament strangers merge Person_A47B8C12 Person_0B93D1F7 -d watched', 'they are one'],
    ['lineament strangers enrol Person_A47B8C12 -d watched --name Ada --consent form-17', 'known from now on'],
    ['lineament strangers recluster --dry-run -d watched --json', 'who may be one person, as JSON'],
  ],
  run: async (context) => (await import('./strangers.js')).strangers(context),
};
