import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receipt, verifyReceipt } from '../../lib/gallery/index.js';
import { type ServeProcess, serve } from '../support/serve.js';
import { root, sample } from './run.js';

const haveCurl = spawnSync('curl', ['--version']).status === 0 && spawnSync('sh', ['-c', 'true']).status === 0;
const commandsOf = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('curl '));
const commands = commandsOf(readFileSync(fileURLToPath(new URL('./newcomer.sh', import.meta.url)), 'utf8'));

const readme = commandsOf(readFileSync(path.join(root, 'README.md'), 'utf8'));

describe.skipIf(!haveCurl)('what a newcomer types (needs curl)', () => {
  let folder: string;
  let service: ServeProcess;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lineament-newcomer-'));
    await copyFile(sample(1), path.join(folder, 'ada.jpg'));
    await copyFile(sample(1), path.join(folder, 'group.jpg'));
    service = await serve(path.join(folder, 'data'));
  });
  afterAll(async () => {
    await service?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a command as it stands there; `--fail-with-body` and silence are all that is added. */
  const run = async (command: string | undefined): Promise<Record<string, unknown>> => {
    const env = { ...process.env, URL: service.address, KEY: service.key ?? '' };
    const line = (command ?? '').replace(/^curl /, 'curl --silent --show-error --fail-with-body ');
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: folder, env });
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  it('detects, verifies, enrols, identifies and erases', async () => {
    expect(commands).toHaveLength(5);
    const [detect, verify, enrol, identify, erase] = commands;
    const found = await run(detect);
    expect((found['faces'] as unknown[]).length).toBeGreaterThan(0);
    expect(await run(verify)).toMatchObject({ is_match: true, status: 'match', fmr: 0.001 });
    expect(await run(enrol)).toMatchObject({ person: 'ada', created: true });
    const { faces } = (await run(identify)) as { faces: { match?: { person: string; name?: string } }[] };
    expect(faces).toHaveLength((found['faces'] as unknown[]).length);
    expect(faces.some(({ match }) => match?.person === 'ada' && match.name === 'Ada Lovelace')).toBe(true);
    const { receipt, samples } = (await run(erase)) as { receipt: Receipt; samples: number };
    expect(samples).toBe(1);
    expect(verifyReceipt(receipt)).toBe(true);
    expect(((await run(identify)) as { faces: { match?: unknown }[] }).faces.every(({ match }) => !match)).toBe(true);
  });

  it('is refused without the key', async () => {
    const bare = commands[0]?.replace(/-H "Authorization[^"]*" /, '');
    await expect(run(bare)).rejects.toThrow(/401/);
  });

  it('is what the README says', () => {
    for (const command of commands) expect(readme).toContain(command);
  });
});
