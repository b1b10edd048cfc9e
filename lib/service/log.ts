import { redactText } from './auth/redact.js';
import type { Logger, ServiceConfig } from './config/types.js';

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
/** Fields that are named like secrets are never written, wherever they come from. */
const SECRET = /^(?:authorization|cookie|set-cookie|x-api-key|api_?key|key|token|secret|password|passwd|credential)$/i;

export interface LogOptions {
  readonly level: ServiceConfig['log']['level'];
  /** One JSON object a line, instead of text for people. */
  readonly json?: boolean;
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

/** A value as it may be written: no secrets, no passwords in addresses, not deeper than anybody reads. */
function clean(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) return redactText(value.message);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth >= 4) return '…';
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => clean(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, SECRET.test(name) ? '***' : clean(child, depth + 1)]),
  );
}

/** Text on one line: what comes from outside cannot forge another one. */
const oneLine = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) =>
    c === '\n' ? ' ⏎ ' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** A log of lines: JSON for machines, or text for people. Writing never throws. */
export function createLogger({ level, json = false, write, now = () => new Date() }: LogOptions): Logger {
  const least = LEVELS.indexOf(level);
  const at = (name: (typeof LEVELS)[number]) => {
    if (LEVELS.indexOf(name) > least) return () => {};
    return (fields: object, given: string): void => {
      const message = redactText(given);
      const time = now().toISOString();
      const rest = clean(fields) as Record<string, unknown>;
      try {
        if (json) write(`${JSON.stringify({ time, level: name, message, ...rest })}\n`);
        else {
          const words = Object.entries(rest).map(
            ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
          );
          write(`${time} ${name.padEnd(5)} ${oneLine([message, ...words].join(' '))}\n`);
        }
      } catch {
        // a log that cannot be written stops nobody
      }
    };
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
