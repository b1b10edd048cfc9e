// The suites in this folder need more than Node and a compiler. They run where LINEAMENT_ORACLES=1 says that
// scripts/install-oracles.sh has been here (as .ci/run does) and are reported as skipped, by name, elsewhere.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

export const wanted = process.env['LINEAMENT_ORACLES'] === '1';
export const has = (command: string): boolean => wanted && spawnSync(command, ['--version']).error === undefined;

const execute = promisify(execFile);

/** Runs a command to its end; throws with its output when it fails. */
export async function command(
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly timeout?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, ...options.env };
  return execute(file, [...args], {
    env,
    maxBuffer: 1 << 27,
    timeout: options.timeout ?? 300_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}
