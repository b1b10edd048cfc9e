/** The command of the service. Its code is loaded when it is run. */
import { type Command, ENGINE_OPTIONS } from '../command.js';

export const SERVE: Command = {
  name: 'serve',
  summary: 'serve all of this over HTTP: REST, WebSocket, metrics',
  usage: '[OPTIONS]',
  about:
    'Starts without any configuration: at 127.0.0.1, with a data folder of the user, and with a key for an administrator that is shown this once. A YAML file, environment variables (LINEAMENT_SERVICE_ and the path of the value in capitals, such as LINEAMENT_SERVICE_SERVER_PORT) and options set the rest; options are stronger than variables, variables than the file. SIGINT and SIGTERM let running requests end. What the service says goes to standard error. Exit code 0: stopped in good order, 2: an error.',
  arity: [0, 0],
  options: {
    config: { type: 'string', value: 'FILE', default: 'LINEAMENT_SERVICE_CONFIG', text: 'configuration in YAML' },
    host: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', text: 'address to listen at' },
    port: { type: 'number', value: 'N', integer: true, min: 0, max: 65_535, default: '8080', text: '0: any free one' },
    data: { type: 'string', short: 'd', value: 'DIR', text: 'folder of gallery, keys and audit trail' },
    preset: { type: 'string', short: 'p', value: 'NAME', default: 'balanced', text: ENGINE_OPTIONS['preset']!.text },
    set: { type: 'string', many: true, value: 'NAME=VALUE', text: 'any value of the configuration; repeatable' },
    'print-config': { type: 'boolean', text: 'write what is set, with what it means, and end' },
  },
  examples: [
    ['lineament serve', 'for this machine alone'],
    ['lineament serve --print-config > lineament.yaml', 'a file to begin with'],
    ['lineament serve --config lineament.yaml --port 80 --json', 'with lines of JSON, for a collector of logs'],
  ],
  run: async (context) => (await import('./serve.js')).serve(context),
};
