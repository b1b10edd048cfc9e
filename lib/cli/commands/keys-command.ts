/** The command of the service's keys. Its code is loaded when it is run. */
import type { Command } from '../command.js';

export const KEYS: Command = {
  name: 'keys',
  summary: 'list, create and revoke the API keys of the service',
  usage: '[OPTIONS] VERB [ARGUMENT]',
  about: [
    'list: all keys, the oldest first, without their secrets. create NAME: makes a key and writes it to standard output, this once. ',
    'revoke ID: a key opens nothing any more, for good. Works on the data folder of the service, without a key: who has lost all of them makes one here. ',
    'The service may run or not; one that runs heeds changes within a second. They are in its audit trail. Exit code 0: done, 2: an error.',
  ].join(''),
  arity: [1, 2],
  options: {
    data: {
      type: 'string',
      short: 'd',
      value: 'DIR',
      default: "of the configuration, as for 'lineament serve'",
      text: 'data folder of the service',
    },
    config: { type: 'string', value: 'FILE', default: 'LINEAMENT_SERVICE_CONFIG', text: 'its configuration in YAML' },
    scope: {
      type: 'string',
      value: 'SCOPE',
      choices: ['read', 'enrol', 'admin'],
      default: 'read',
      text: 'create: what it opens; each holds those before it',
    },
    expires: { type: 'number', value: 'DAYS', min: 0, max: 36_500, default: 'never', text: 'create: ends after DAYS' },
  },
  examples: [
    ['lineament keys create rescue --scope admin', 'the key of the administrator was lost'],
    ['lineament keys create door --expires 365 -d /var/lib/lineament', 'looks and searches, for a year'],
    ['lineament keys list --json', 'who has one, and when it was used last'],
    ['lineament keys revoke 3f9a01c47be2', 'the first part of a key is its id'],
  ],
  run: async (context) => (await import('./keys.js')).keys(context),
};
