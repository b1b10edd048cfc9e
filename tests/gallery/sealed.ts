import { randomBytes } from 'node:crypto';
import type { KeySource } from '../../lib/templates/index.js';

let count = 0;

/** Keys in an environment variable of their own; the first one is active. */
export async function keyring(...ids: readonly string[]): Promise<KeySource & { readonly env: string }> {
  const env = `LINEAMENT_TEST_KEYS_${process.pid}_${count++}`;
  process.env[env] = (ids.length === 0 ? ['k1'] : ids)
    .map((id) => `${id}:${randomBytes(32).toString('base64')}`)
    .join(' ');
  return { env };
}
