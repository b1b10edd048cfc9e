import { once } from 'node:events';
import { LineamentError } from '../../errors.js';
import {
  createLogger,
  loadConfig,
  openService,
  printConfig,
  type Service,
  type ServiceConfig,
} from '../../service/index.js';
import type { CommandContext } from '../command.js';

interface Setting {
  readonly path: string;
  readonly text: string;
  readonly source: string;
}

/** Options that stand for one value of the configuration each. */
const VALUES: Readonly<Record<string, string>> = {
  host: 'server.host',
  port: 'server.port',
  data: 'data.folder',
  preset: 'engine.preset',
};

function settingsOf({ options, lists }: CommandContext): Setting[] {
  const set = (lists['set'] ?? []).map((given) => {
    const equals = given.indexOf('=');
    if (equals < 1) {
      throw new LineamentError('INVALID_ARGUMENT', `Expected NAME=VALUE for --set but received '${given}'`, {
        fix: "See 'lineament serve --print-config' for the names.",
      });
    }
    return { path: given.slice(0, equals).trim(), text: given.slice(equals + 1), source: `--set ${given}` };
  });
  const named = Object.entries(VALUES).flatMap(([name, path]) =>
    options[name] === undefined ? [] : [{ path, text: String(options[name]), source: `--${name}` }],
  );
  return [...set, ...named];
}

/** `lineament serve`: until SIGINT or SIGTERM. */
export async function serve(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const json = options['json'] === true;
  const file = options['config'];
  const config = await loadConfig({
    env: process.env,
    settings: settingsOf(context),
    ...(typeof file === 'string' && { file }),
  });
  if (options['print-config'] === true) {
    terminal.stdout.write(json ? `${JSON.stringify(config, null, 2)}\n` : printConfig(config));
    return 0;
  }
  const level = options['quiet'] === true && config.log.level !== 'silent' ? 'error' : config.log.level;
  const log = createLogger({ level, json, write: (line) => void terminal.stderr.write(line) });
  await using service = await openService({ config, log, signal });
  announce(service, config, context, json);
  if (!signal.aborted) await once(signal, 'abort');
  await service.close();
  return 0;
}

/** Says where the service is. The key goes to standard output alone, never into the log. */
function announce(service: Service, config: ServiceConfig, { terminal }: CommandContext, json: boolean): void {
  const { address, firstKey } = service;
  const docs = config.server.docs ? `${address}/docs` : undefined;
  if (json) {
    const said = { address, ...(docs && { docs }), data: config.data.folder, ...(firstKey && { key: firstKey }) };
    terminal.stdout.write(`${JSON.stringify(said)}\n`);
    return;
  }
  const { bold, dim } = terminal.style;
  const rows: [string, string][] = [['address', bold(address)]];
  if (docs) rows.push(['docs', docs]);
  rows.push(['data', config.data.folder], ['preset', config.engine.preset]);
  if (firstKey) rows.push(['key', `${bold(firstKey)}  ${dim('for an administrator; shown this once')}`]);
  const key = firstKey ?? 'KEY';
  const header = config.auth.enabled ? ` -H 'Authorization: Bearer ${key}'` : '';
  rows.push(['try', `curl${header} -F image=@photo.jpg ${address}/api/v1/detect`]);
  terminal.stdout.write(`${rows.map(([name, value]) => `${dim(name.padEnd(8))} ${value}`).join('\n')}\n`);
}
