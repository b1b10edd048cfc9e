/** The command of the model catalogue. Its code is loaded when it is run. */
import { type Command, MANY } from '../command.js';

export const MODELS: Command = {
  name: 'models',
  summary: 'list, download and remove models',
  usage: '[OPTIONS] VERB [ARGUMENT]',
  about: [
    'list: all models, those that are here and those that can be fetched. show ID: one of them, with its card. download ID...: fetches models, ',
    'or all of a set (buffalo_l, buffalo_m, buffalo_s, antelopev2), goes on where an earlier try stopped, and verifies them. accept LICENCE: accepts a ',
    'licence by its name, lastingly; nothing is fetched before that. remove ID: deletes a downloaded model. path [ID]: the folder of the downloads, ',
    'or where a model lies. Proxies of the environment are not heeded; name a mirror instead.',
  ].join(''),
  arity: MANY,
  options: {
    cache: {
      type: 'string',
      value: 'DIR',
      default: "LINEAMENT_MODEL_CACHE, or the user's cache folder",
      text: 'folder of the downloads',
    },
    cards: { type: 'string', value: 'DIR', text: 'folder of private cards and their files' },
    models: {
      type: 'string',
      value: 'DIR',
      many: true,
      text: 'folder that is looked through before anything is fetched; may be given several times',
    },
    mirror: {
      type: 'string',
      value: 'URL',
      many: true,
      text: 'address that is tried first; may be given several times',
    },
    offline: { type: 'boolean', text: 'fetch nothing' },
    accept: { type: 'string', value: 'LICENCE', many: true, text: 'download: accept this licence for this once' },
    forget: { type: 'boolean', text: 'remove: forget the hash that was trusted on first use, too' },
  },
  examples: [
    ['lineament models list', 'what there is'],
    ['lineament models accept insightface-non-commercial', 'for research only, says its licence'],
    ['lineament models download buffalo_l', 'detector, recogniser and more, into the cache'],
  ],
  run: async (context) => (await import('./models.js')).models(context),
};
