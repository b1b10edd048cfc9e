import { nearestName } from '../../errors/nearest.js';
import { LineamentError } from '../../errors.js';
import { parseYaml } from '../vendor.js';
import { complaints } from './check.js';
import { type ConfigNode, leaves } from './schema.js';

export const PREFIX = 'LINEAMENT_SERVICE_';
/** The configuration file, where no option names one. */
export const CONFIG_VARIABLE = `${PREFIX}CONFIG`;

/** What Kubernetes sets in every container beside a Service that is named `lineament`: no settings of ours. */
const KUBERNETES = /^LINEAMENT_SERVICE_(?:HOST|PORT|PORT_.*)$/;

/** The variable of a value: `server.trust_proxy` is `LINEAMENT_SERVICE_SERVER_TRUST_PROXY`. */
export const variableOf = (path: readonly string[]): string => PREFIX + path.join('_').toUpperCase();

/** Text of a variable or of the command line as the value that the schema asks for; text that does not fit stays text. */
export function valueOfText(text: string, node: ConfigNode): unknown {
  const trimmed = text.trim();
  if (node.type === 'string' || node.enum !== undefined) return text;
  if (node.type === 'array' && !/^[[-]/.test(trimmed)) {
    return trimmed === '' ? [] : trimmed.split(',').map((one) => one.trim());
  }
  try {
    return parseYaml(trimmed) as unknown;
  } catch {
    return text;
  }
}

/** Puts a value at its path; sections are made as needed. */
export function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = target;
  for (const name of path.slice(0, -1)) {
    at[name] ??= {};
    at = at[name] as Record<string, unknown>;
  }
  at[path[path.length - 1]!] = value;
}

/**
 * Reads what environment variables say: `LINEAMENT_SERVICE_` and the path of the value in capitals. Lists are separated by commas, or JSON.
 * @throws LineamentError CONFIG_INVALID naming the variable, also where there is no such value
 */
export function readEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const known = new Map([...leaves()].map(([path, node]) => [variableOf(path), { path, node }] as const));
  const config: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(PREFIX) || name === CONFIG_VARIABLE || KUBERNETES.test(name) || text === undefined) continue;
    const found = known.get(name);
    if (found === undefined) {
      const near = nearestName(
        name.slice(PREFIX.length),
        [...known.keys()].map((one) => one.slice(PREFIX.length)),
      );
      throw new LineamentError('CONFIG_INVALID', `the environment variable ${name} sets nothing`, {
        fix: near === undefined ? "See 'lineament serve --print-config'." : `Did you mean ${PREFIX}${near}?`,
      });
    }
    if (text === '') continue;
    put(config, found.path, checkedText(name, text, found.path, found.node));
  }
  return config;
}

/** A value given as text, checked. `source` opens the complaint: a variable or an option. */
export function checkedText(source: string, text: string, path: readonly string[], node: ConfigNode): unknown {
  const value = valueOfText(text, node);
  const wrong = complaints(value, node, path)[0];
  if (wrong !== undefined) {
    throw new LineamentError(
      'CONFIG_INVALID',
      `${source}: ${wrong.message}`,
      wrong.fix === undefined ? {} : { fix: wrong.fix },
    );
  }
  return value;
}
