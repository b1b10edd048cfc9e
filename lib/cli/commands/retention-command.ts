/** The command of retention. Its code is loaded when it is run. */
import { type Command, GALLERY_OPTIONS } from '../command.js';

const days = (text: string, or: string) => ({ type: 'string', value: 'DAYS', default: or, text }) as const;

export const RETENTION: Command = {
  name: 'retention',
  summary: 'delete events, clips and persons that were kept long enough',
  usage: 'run|dry-run [OPTIONS] --data DIR',
  about:
    "run: deletes what is due from the folder of an event log, while cameras are being watched or not, and writes it to the log's audit trail. dry-run: says what would go. Persons who were not seen for long are archived first, and deleted with a signed receipt when they have been archived for long; name their gallery to have them deleted there too. Exit code 0: done, 1: done, and some files or persons were left alone, 2: an error.",
  arity: [1, 1],
  options: {
    data: { type: 'string', short: 'd', value: 'DIR', default: 'LINEAMENT_DATA', text: 'folder of the event log' },
    'clips-folder': { type: 'string', value: 'DIR', default: 'clips in that folder', text: 'where clips lie' },
    gallery: { type: 'string', short: 'g', value: 'DIR', text: 'gallery whose persons are archived and deleted too' },
    key: GALLERY_OPTIONS['key']!,
    'archive-after': days('archive persons not seen for DAYS; never: keep', '180'),
    'delete-after': days('delete persons archived for DAYS; never: keep', '730'),
    events: days('delete events after DAYS; never: keep', '365'),
    clips: days('delete clips after DAYS; never: keep', '30'),
  },
  examples: [
    ['lineament retention dry-run --data /var/lib/lineament', 'what would go'],
    ['lineament retention run --data /var/lib/lineament -g staff.gallery --clips 7', 'clips after a week'],
  ],
  run: async (context) => (await import('./retention.js')).retention(context),
};
