/** The configuration: command line over environment over file over defaults. */
import { homedir } from 'node:os';
import path from 'node:path';
import { maskAddresses } from '../../capture/secrets.js';
import { nearestName } from '../../errors/nearest.js';
import { LineamentError } from '../../errors.js';
import { stringifyYaml } from '../vendor.js';
import { complaints } from './check.js';
import { CONFIG_VARIABLE, checkedText, put, readEnvironment } from './environment.js';
import { readConfigFile } from './file.js';
import { refuseDanger } from './safety.js';
import { CONFIG, type ConfigNode, leaves } from './schema.js';
import type { ServiceConfig } from './types.js';

export { isLoopback, warningsOf } from './safety.js';

/** Every value, each of them optional. */
export type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

/** A configuration of which everything may be left out. */
export type ServiceConfigInput = DeepPartial<ServiceConfig>;

export interface ConfigSources {
  /** YAML file; the variable LINEAMENT_SERVICE_CONFIG when absent. */
  readonly file?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** `server.port=80`, stronger than the others; `source` is what a complaint names. */
  readonly settings?: readonly { readonly path: string; readonly text: string; readonly source: string }[];
}

/** Joins all sources. @throws LineamentError CONFIG_INVALID with every wrong key and value of the first source that has some */
export async function loadConfig(sources: ConfigSources = {}): Promise<ServiceConfig> {
  const env = sources.env ?? {};
  const file = sources.file ?? (env[CONFIG_VARIABLE] || undefined);
  const fromFile = file === undefined ? {} : await readConfigFile(file);
  const fromEnvironment = readEnvironment(env);
  const known = new Map([...leaves()].map(([keys, node]) => [keys.join('.'), { keys, node }] as const));
  const given: Record<string, unknown> = {};
  for (const { path: name, text, source } of sources.settings ?? []) {
    const found = known.get(name);
    if (found === undefined) {
      const near = nearestName(name, known.keys());
      throw new LineamentError('CONFIG_INVALID', `${source}: there is no value '${name}'`, {
        fix: near === undefined ? "See 'lineament serve --print-config'." : `Did you mean '${near}'?`,
      });
    }
    put(given, found.keys, checkedText(source, text, found.keys, found.node));
  }
  return finish(merge(merge(fromFile, fromEnvironment), given), env);
}

/** Fills in what a program leaves out. @throws LineamentError CONFIG_INVALID */
export function completeConfig(input: ServiceConfigInput = {}, env: NodeJS.ProcessEnv = {}): ServiceConfig {
  const given = rename(input, snake);
  return finish(given as Record<string, unknown>, env);
}

function finish(given: Record<string, unknown>, env: NodeJS.ProcessEnv): ServiceConfig {
  const wrong = complaints(given, CONFIG, [], true)[0];
  if (wrong !== undefined) {
    throw new LineamentError('CONFIG_INVALID', wrong.message, wrong.fix === undefined ? {} : { fix: wrong.fix });
  }
  const config = rename(withDefaults(given, CONFIG), camel) as ServiceConfig;
  const folder = config.data.folder ?? defaultFolder(env);
  const complete = { ...config, data: { ...config.data, folder: path.resolve(folder) } };
  refuseDanger(complete);
  return complete;
}

/** `lineament/service` in the folder where programs of a user keep their data. */
function defaultFolder(env: NodeJS.ProcessEnv): string {
  const xdg = env['XDG_DATA_HOME'];
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'lineament', 'service');
  if (process.platform === 'win32' && env['LOCALAPPDATA'])
    return path.join(env['LOCALAPPDATA'], 'lineament', 'service');
  return path.join(env['HOME'] || homedir(), '.local', 'share', 'lineament', 'service');
}

/** Sections are joined, values and lists replaced. */
function merge(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    const sections = [below, value].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
    merged[name] = sections ? merge(below as Record<string, unknown>, value as Record<string, unknown>) : value;
  }
  return merged;
}

/** Sections that must be given in whole, or not at all, get their defaults only where they are given. */
function withDefaults(value: Record<string, unknown>, node: ConfigNode): Record<string, unknown> {
  const filled: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const given = value[name];
    if (child.properties !== undefined) {
      const whole = child.required !== undefined;
      if (given !== undefined || !whole) filled[name] = withDefaults((given ?? {}) as Record<string, unknown>, child);
    } else if (given !== undefined) filled[name] = given;
    else if (child.default !== undefined) filled[name] = child.default;
  }
  return filled;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Renames the keys of all sections; absent values are left out. */
function rename(value: unknown, how: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => rename(one, how));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .map(([name, child]) => [how(name), rename(child, how)]),
  );
}

/** A configuration as a file with what each value means. Passwords in addresses of cameras are left out. */
export function printConfig(config: ServiceConfig): string {
  const plain = rename(config, snake) as Record<string, unknown>;
  const lines: string[] = [];
  section(plain, CONFIG, '');
  return `${lines.join('\n')}\n`;

  function section(values: Record<string, unknown>, node: ConfigNode, indent: string): void {
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const value = values[name];
      if (indent === '' && lines.length > 0) lines.push('');
      if (child.description) lines.push(`${indent}# ${child.description}`);
      if (child.properties !== undefined) {
        lines.push(value === undefined ? `${indent}# ${name}:` : `${indent}${name}:`);
        const inner = value === undefined ? `${indent}#   ` : `${indent}  `;
        section((value ?? {}) as Record<string, unknown>, value === undefined ? silent(child) : child, inner);
      } else if (value === undefined) lines.push(`${indent}# ${name}:`);
      else {
        const text = stringifyYaml(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
        lines.push(`${indent}${name}: ${maskAddresses(text)}`);
      }
    }
  }
}

/** A section that is not set is shown by the names of its values alone. */
function silent(node: ConfigNode): ConfigNode {
  const properties = Object.entries(node.properties ?? {}).map(([name, { description: _, ...child }]) => [name, child]);
  return { ...node, properties: Object.fromEntries(properties) as Record<string, ConfigNode> };
}
