/** Finds what is wrong with a configuration, value by value, with words for people. */
import { nearestName } from '../../errors/nearest.js';
import { CONFIG, type ConfigNode } from './schema.js';

export interface Complaint {
  /** Keys and indices from the top. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly fix?: string;
  /** The key is wrong, not the value. */
  readonly key: boolean;
}

/** What a value should be, in words. */
function expectation(node: ConfigNode): string {
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number': {
      const kind = node.type === 'integer' ? 'integer' : 'number';
      if (node.minimum === undefined || node.maximum === undefined) return kind;
      return `${kind} from ${node.minimum} to ${node.maximum}`;
    }
    case 'array':
      return node.items?.properties === undefined ? 'list of text' : 'list';
    case 'object':
      return 'section with keys of its own';
    default:
      return node.pattern === undefined ? 'text' : `text like ${node.pattern}`;
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  const text = String(value);
  return `${JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)} of type ${typeof value}`;
}

function fits(node: ConfigNode, value: unknown): boolean {
  if (node.enum !== undefined) return typeof value === 'string' && node.enum.includes(value);
  switch (node.type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
    case 'number':
      return (
        typeof value === 'number' &&
        (node.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
        value >= (node.minimum ?? Number.NEGATIVE_INFINITY) &&
        value <= (node.maximum ?? Number.POSITIVE_INFINITY)
      );
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= (node.minItems ?? 0) &&
        value.length <= (node.maxItems ?? Number.POSITIVE_INFINITY)
      );
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return (
        typeof value === 'string' &&
        value.length >= (node.minLength ?? 0) &&
        value.length <= (node.maxLength ?? Number.POSITIVE_INFINITY) &&
        (node.pattern === undefined || new RegExp(node.pattern).test(value))
      );
  }
}

/**
 * Everything that is wrong with `value`, in the order in which it stands there. What is missing of a section is wrong only where `whole` says that no other
 * source may add it; what is missing of an item of a list always is.
 */
export function complaints(
  value: unknown,
  node: ConfigNode = CONFIG,
  path: readonly (string | number)[] = [],
  whole = false,
): Complaint[] {
  const name = pathText(path);
  if (!fits(node, value)) {
    const message = `Expected ${expectation(node)} for ${name || 'the configuration'} but received ${shown(value)}`;
    return [{ path, message, key: false }];
  }
  if (node.type === 'array') {
    return (value as unknown[]).flatMap((item, index) => complaints(item, node.items ?? {}, [...path, index], true));
  }
  if (node.properties === undefined) return [];
  const { properties } = node;
  const found = Object.entries(value as object).flatMap(([key, child]): Complaint[] => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    // A section whose lines are all commented out is empty, and means its defaults.
    if (known !== undefined && child === null && known.properties !== undefined) return [];
    if (known !== undefined) return complaints(child, known, [...path, key], whole);
    const near = nearestName(key, Object.keys(properties));
    const fix = near === undefined ? `Known keys: ${Object.keys(properties).join(', ')}.` : `Did you mean '${near}'?`;
    return [{ path: [...path, key], message: `Unknown key '${key}'${name ? ` in ${name}` : ''}`, fix, key: true }];
  });
  for (const key of whole ? (node.required ?? []) : []) {
    if (!Object.hasOwn(value as object, key)) {
      found.push({ path, message: `${name ? `${name} lacks` : 'There is no'} '${key}'`, key: false });
    }
  }
  return found;
}

/** `cameras[0].source` */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}
