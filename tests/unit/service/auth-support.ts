/** Authorities and logs for the tests of keys, tokens and tickets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openAuthority } from '../../../lib/service/auth/index.js';
import { completeConfig, type ServiceConfigInput } from '../../../lib/service/config/index.js';
import type { Authority, Logger } from '../../../lib/service/types.js';

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lineament-auth-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A log that keeps what it is told. */
export function listeningLog(): Logger & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push(JSON.stringify({ level, message, ...fields }));
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

export interface OpenedAuthority {
  readonly authority: Authority;
  /** The clock of it. */
  readonly clock: { now: number };
  readonly folder: string;
  readonly log: ReturnType<typeof listeningLog>;
}

/** Opens one whose clock stands still until it is moved. */
export async function authorityWith(
  input: ServiceConfigInput = {},
  given: { readonly folder?: string; readonly clock?: { now: number } } = {},
): Promise<OpenedAuthority> {
  const folder = given.folder ?? (await temporaryFolder());
  const clock = given.clock ?? { now: Date.now() };
  const log = listeningLog();
  const authority = await openAuthority(completeConfig(input, {}), folder, log, () => clock.now);
  onTestFinished(() => authority.close());
  return { authority, clock, folder, log };
}
