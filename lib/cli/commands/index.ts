/** The list of commands, in the order of the help. */
import type { Command } from '../command.js';
import { FACE_COMMANDS } from './face-commands.js';
import { GALLERY_COMMANDS } from './gallery-commands.js';
import { KEYS } from './keys-command.js';
import { LANDMARK_COMMANDS } from './landmark-commands.js';
import { MODELS } from './models-command.js';
import { RETENTION } from './retention-command.js';
import { SERVE } from './serve-command.js';
import { STRANGERS } from './strangers-command.js';
import { WATCH } from './watch-command.js';

const DOCTOR: Command = {
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
};

export const COMMANDS: readonly Command[] = [
  ...FACE_COMMANDS,
  ...GALLERY_COMMANDS,
  WATCH,
  STRANGERS,
  RETENTION,
  SERVE,
  KEYS,
  ...LANDMARK_COMMANDS,
  MODELS,
  DOCTOR,
];
