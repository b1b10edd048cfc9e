import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCamera } from '../../lib/capture/index.js';
import { lastJson, runChild } from '../support/child.js';
import { haveFfmpeg, makeVideo } from '../support/video.js';

const havePs = spawnSync('ps', ['-A'], { stdio: 'ignore' }).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'lineament-children-'));
const clip = join(folder, 'clip.mp4');
beforeAll(async () => {
  if (haveFfmpeg) await makeVideo(clip, { frames: 100 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Programs named ffmpeg that this process started, also dead ones that were not waited for. */
const children = (parent: number): number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, name]) => Number(ppid) === parent && name?.startsWith('ffmpeg'))
    .map(([pid]) => Number(pid));

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function gone(pids: readonly number[]): Promise<void> {
  for (let i = 0; pids.some(alive); i++) {
    if (i > 1500) throw new Error(`still there: ${pids.filter(alive).join(', ')}`);
    await sleep(20);
  }
}

describe.skipIf(!haveFfmpeg || !havePs)('ffmpeg does not outlive its camera (needs ffmpeg and ps)', () => {
  const source = { kind: 'file', path: clip, loop: true } as const;

  it('when that is closed', async () => {
    const camera = await openCamera({ source });
    expect(children(process.pid)).toHaveLength(1);
    await camera.close();
    expect(children(process.pid)).toEqual([]);
  });

  it('when that is closed while nobody takes its pictures', async () => {
    const camera = await openCamera({ source: { ...source, pace: 'fast' } });
    await sleep(200);
    await camera.close();
    expect(children(process.pid)).toEqual([]);
  });

  it('when opening is aborted', async () => {
    for (const ms of [0, 5, 40, 100]) {
      const abort = new AbortController();
      const opening = openCamera({ source, signal: abort.signal });
      setTimeout(() => abort.abort(), ms);
      // In a hundred milliseconds it may have been opened.
      await opening.then((camera) => camera.close()).catch((error) => expect(error.code).toBe('ABORTED'));
    }
    await expect.poll(() => children(process.pid)).toEqual([]);
  });

  it('when the source ends', async () => {
    await using camera = await openCamera({ source: { kind: 'file', path: clip, pace: 'fast' } });
    for await (const _ of camera.frames({ borrow: true }));
    expect(children(process.pid)).toEqual([]);
  });

  it('when the process ends, whichever way', async () => {
    for (const end of ['process.exit(0)', "process.kill(process.pid, 'SIGKILL')", "throw new Error('on purpose')"]) {
      const result = await runChild(`
        import { openCamera } from './lib/capture/index.ts';
        import { execFileSync } from 'node:child_process';
        const camera = await openCamera({ source: ${JSON.stringify(source)} });
        const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' }).split('\\n');
        const all = lines.map((line) => line.trim().split(/\\s+/));
        const own = all.filter(([, ppid, name]) => Number(ppid) === process.pid && name.startsWith('ffmpeg'));
        console.log(JSON.stringify(own.map(([pid]) => Number(pid))));
        setTimeout(() => { ${end}; }, 50);
      `);
      const pids = lastJson(result) as number[];
      expect(pids).toHaveLength(1);
      await gone(pids);
    }
  });

  it('and ends alone: a process with a closed camera ends by itself', async () => {
    const result = await runChild(`
      import { openCamera } from './lib/capture/index.ts';
      const camera = await openCamera({ source: ${JSON.stringify({ kind: 'file', path: clip, pace: 'fast' })} });
      let count = 0;
      for await (const frame of camera.frames()) count++;
      await camera.close();
      console.log(count);
    `);
    expect(result).toMatchObject({ code: 0 });
    expect(lastJson(result)).toBe(100);
  });

  it('that is killed makes the camera fail, and nothing else', async () => {
    await using camera = await openCamera({ source });
    const [pid] = children(process.pid);
    process.kill(pid!, 'SIGKILL');
    const read = (async () => {
      for await (const _ of camera.frames());
    })();
    await expect(read).rejects.toMatchObject({ name: 'LineamentError' });
    expect(camera.state).toBe('failed');
  });
});
