import { copyFile, mkdtemp, readdir, rm, symlink, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EngineHost,
  type HostedEngine,
  type HostedPreset,
  openEngineHost,
} from '../../../lib/engine/host/index.js';
import { openEngine, PRESETS, type Preset } from '../../../lib/engine/index.js';
import { type ModelPack, openPack } from '../../../lib/models/index.js';
import { gpuStatus } from '../../../lib/native/index.js';
import type { Embedding, Frame } from '../../../lib/types.js';
import { codeOf } from '../../support/code.js';
import { sample } from '../../support/samples.js';

let frame: Frame;
let pack: ModelPack;
/** What an engine of its own says of the picture. */
const expected = new Map<string, Embedding>();

beforeAll(async () => {
  pack = await openPack();
  for (const preset of ['fast', 'balanced'] as const) {
    await using engine = await openEngine({ preset });
    frame ??= await engine.decode(sample(3));
    const embedding = await engine.embed(frame);
    expected.set(embedding!.model, embedding!);
  }
});

const embed = (host: EngineHost, name?: string): Promise<Embedding | undefined> =>
  host.use((engine) => engine.embed(frame), name === undefined ? {} : { name });
const stateOf = (host: EngineHost, name: string): HostedEngine['state'] | undefined =>
  host.list().find((one) => one.name === name)?.state;
const FAST = PRESETS.fast.recognition.model;
const BALANCED = PRESETS.balanced.recognition.model;

/** A promise and what settles it. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** The pack with readers that wait, and a count of what was read. */
function slowly(until: Promise<void>): ModelPack & { readonly reads: string[] } {
  const reads: string[] = [];
  const read: ModelPack['read'] = async (id) => {
    reads.push(id);
    await until;
    return pack.read(id);
  };
  return { folder: pack.folder, card: pack.card, read, reads };
}

describe('loading', () => {
  it('reads nothing before it is used, and each network once for all who ask', async () => {
    const waiting = gate();
    const slow = slowly(waiting.opened);
    await using host = await openEngineHost({ models: slow });
    expect(host.current).toBe('balanced');
    expect(slow.reads).toEqual([]);
    const states = host.list().map(({ name, state, current }) => [name, state, current]);
    expect(states.slice(0, 4)).toEqual([
      ['balanced', 'absent', true],
      ['fast', 'absent', false],
      ['crowd', 'absent', false],
      ['accurate', 'absent', false],
    ]);
    const work = [embed(host), embed(host, 'balanced'), host.load('balanced'), host.load('fast'), embed(host, 'fast')];
    await expect.poll(() => slow.reads.length).toBe(5);
    expect(stateOf(host, 'balanced')).toBe('loading');
    waiting.open();
    const [first, second, loaded, , third] = await Promise.all(work);
    expect([first, second, third]).toEqual([expected.get(BALANCED), expected.get(BALANCED), expected.get(FAST)]);
    expect(loaded).toMatchObject({ name: 'balanced', state: 'ready', model: BALANCED, dims: 1153 });
    // The landmarks and dlib's network are those of both.
    expect([...slow.reads].sort()).toEqual(
      ['faceapi_landmarks68', 'faceapi_recognition', 'faceapi_ssd', 'human_blazeface', 'human_faceres'].sort(),
    );
  });

  it('holds networks once that engines have in common', async () => {
    await using host = await openEngineHost({});
    const { bytes: alone } = await host.load('fast');
    expect((await host.memory()).used).toBe(alone);
    const { bytes: other } = await host.load('balanced');
    const { used } = await host.memory();
    expect(used).toBeLessThan(alone + other);
    // Closing one leaves the other whole.
    await host.unload('fast');
    expect((await host.memory()).used).toBe(other);
    expect(await embed(host)).toEqual(expected.get(BALANCED));
  });

  it('goes on for the others when one who waits gives up', async () => {
    const waiting = gate();
    const slow = slowly(waiting.opened);
    await using host = await openEngineHost({ models: slow, current: 'fast' });
    const gone = new AbortController();
    const { signal } = gone;
    const given = [host.load('fast', { signal }), host.switchTo('balanced', { signal }), embed(host)] as const;
    const used = codeOf(host.use((engine) => engine.embed(frame), { signal }));
    await expect.poll(() => slow.reads.length).toBe(5);
    gone.abort();
    expect(await codeOf(given[0])).toBe('ABORTED');
    expect(await codeOf(given[1])).toBe('ABORTED');
    expect(await used).toBe('ABORTED');
    waiting.open();
    expect(await given[2]).toEqual(expected.get(FAST));
    expect(host.current).toBe('fast');
    // What was being opened for nobody is kept for the next one.
    expect(await embed(host, 'balanced')).toEqual(expected.get(BALANCED));
    expect(slow.reads).toHaveLength(5);
    expect(await codeOf(host.load('fast', { signal }))).toBe('ABORTED');
  });

  it('refuses names that it does not know, and options', async () => {
    await using host = await openEngineHost({});
    for (const call of [host.load('nobody'), host.unload('nobody'), host.switchTo('nobody'), embed(host, 'nobody')]) {
      expect(await codeOf(call)).toBe('NOT_FOUND');
    }
    expect(await codeOf(openEngineHost({ current: 'nobody' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openEngineHost({ memoryBudget: -1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openEngineHost({ presets: [{ preset: {} as Preset }] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openEngineHost({ preset: 'fast' } as object))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(openEngineHost({ models: join(tmpdir(), 'nowhere') }))).toBe('MODEL_NOT_FOUND');
  });

  it('says what a provider needs that is not there, and never takes another', async () => {
    const nonsense = openEngineHost({ providers: ['nonsense'] });
    await expect(nonsense).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      fix: expect.stringContaining('ONNX'),
    });
    if ((await gpuStatus()).state === 'ready') return;
    // The usual library knows CUDA, and needs another one for it, and a driver: so it shows when a network is made.
    for (const provider of ['cuda', 'tensorrt']) {
      const failed = await openEngineHost({ providers: [provider] }).then(
        async (host) => {
          await using opened = host;
          return await opened.load('fast').catch((error: unknown) => error);
        },
        (error: unknown) => error,
      );
      expect(failed).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', fix: expect.stringContaining('CUDA 12') });
    }
  });
});

describe('switching', () => {
  it('drops no call under a steady load, and every answer is right', async () => {
    await using host = await openEngineHost({ current: 'fast' });
    let going = true;
    const models: string[] = [];
    const caller = async (): Promise<void> => {
      while (going) {
        const embedding = await embed(host);
        expect(embedding).toEqual(expected.get(embedding!.model));
        models.push(embedding!.model);
      }
    };
    const callers = Promise.all(Array.from({ length: 6 }, caller));
    for (const name of ['balanced', 'fast', 'balanced']) {
      await host.switchTo(name);
      expect(host.current).toBe(name);
      // The one that is left goes while calls are in the middle of it, and comes again.
      await host.unload(name === 'fast' ? 'balanced' : 'fast');
      const before = models.length;
      await expect.poll(() => models.length, { timeout: 60_000 }).toBeGreaterThan(before + 6);
    }
    going = false;
    await callers;
    expect(new Set(models)).toEqual(new Set([FAST, BALANCED]));
    expect(host.list().every(({ running }) => running === 0)).toBe(true);
    expect(stateOf(host, 'fast')).toBe('absent');
  });

  it('serves with the old one while the new one is being opened, and lets calls end with theirs', async () => {
    const waiting = gate();
    await using host = await openEngineHost({
      current: 'fast',
      presets: [{ preset: PRESETS.balanced, models: slowly(waiting.opened) }],
    });
    await host.load('fast');
    const switching = host.switchTo('balanced');
    expect((await embed(host))?.model).toBe(FAST);
    expect([host.current, stateOf(host, 'balanced')]).toEqual(['fast', 'loading']);
    const held = gate();
    const long = host.use(async (engine) => {
      await held.opened;
      return engine.embed(frame);
    });
    waiting.open();
    expect(await switching).toMatchObject({ name: 'balanced', state: 'ready', current: true });
    let unloaded = false;
    const unloading = host.unload('fast').then(() => (unloaded = true));
    expect((await embed(host))?.model).toBe(BALANCED);
    expect([stateOf(host, 'fast'), unloaded]).toEqual(['closing', false]);
    // Asked for by name it is opened anew, beside the one that closes.
    expect((await embed(host, 'fast'))?.model).toBe(FAST);
    held.open();
    expect(await long).toEqual(expected.get(FAST));
    await unloading;
    expect(stateOf(host, 'fast')).toBe('ready');
  });

  it('keeps what was asked for last', async () => {
    const waiting = gate();
    await using host = await openEngineHost({
      current: 'fast',
      presets: [{ preset: PRESETS.balanced, models: slowly(waiting.opened) }],
    });
    await host.load('fast');
    const both = [host.switchTo('balanced'), host.switchTo('fast')];
    waiting.open();
    await Promise.all(both);
    expect(host.current).toBe('fast');
    await host.switchTo('crowd');
    await host.switchTo('crowd');
    expect(await codeOf(host.unload('crowd'))).toBe('INVALID_ARGUMENT');
  });

  it('to one that is unloaded meanwhile opens it again: what serves is open', async () => {
    const waiting = gate();
    await using host = await openEngineHost({
      current: 'fast',
      presets: [{ preset: PRESETS.balanced, models: slowly(waiting.opened) }],
    });
    const switching = host.switchTo('balanced');
    await expect.poll(() => stateOf(host, 'balanced')).toBe('loading');
    const unloading = host.unload('balanced');
    waiting.open();
    expect(await switching).toMatchObject({ name: 'balanced', state: 'ready', current: true });
    await unloading;
    expect(stateOf(host, 'balanced')).toBe('ready');
    expect(await embed(host)).toEqual(expected.get(BALANCED));
  });

  describe('to a model that cannot be read', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lineament-host-'));
      for (const name of await readdir(pack.folder)) {
        if (name === 'human_faceres.onnx') await copyFile(join(pack.folder, name), join(folder, name));
        else await symlink(join(pack.folder, name), join(folder, name));
      }
      await truncate(join(folder, 'human_faceres.onnx'), 1000);
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('keeps the old one serving, says why, and works once it is put right', async () => {
      const broken = { ...PRESETS.balanced, name: 'broken' };
      await using host = await openEngineHost({ current: 'fast', presets: [{ preset: broken, models: folder }] });
      await host.load('fast');
      const before = (await host.memory()).used;
      const load = Promise.all(Array.from({ length: 4 }, () => embed(host)));
      expect(await codeOf(host.switchTo('broken'))).toBe('MODEL_CORRUPT');
      expect(host.current).toBe('fast');
      for (const embedding of await load) expect(embedding).toEqual(expected.get(FAST));
      expect(host.list().find(({ name }) => name === 'broken')).toMatchObject({
        state: 'failed',
        error: { code: 'MODEL_CORRUPT' },
      });
      // What had been read of it is given back.
      expect((await host.memory()).used).toBe(before);
      expect(await codeOf(embed(host, 'broken'))).toBe('MODEL_CORRUPT');
      await copyFile(join(pack.folder, 'human_faceres.onnx'), join(folder, 'human_faceres.onnx'));
      await host.switchTo('broken');
      expect(await embed(host)).toEqual(expected.get(BALANCED));
      expect(host.list().find(({ name }) => name === 'broken')?.error).toBeUndefined();
    });
  });
});

describe('the memory budget', () => {
  const MiB = 2 ** 20;
  const own = (name: string, network: 'tiny' | 'short-range'): Preset => ({
    ...PRESETS.fast,
    name,
    detection: { ...PRESETS.fast.detection, network },
  });
  const presets = [{ preset: own('tiny', 'tiny') }, { preset: own('short', 'short-range') }];
  /** Bytes of networks together, as their cards say. */
  const bytesOf = async (...ids: string[]): Promise<number> =>
    (await Promise.all(ids.map((id) => pack.card(id)))).reduce((sum, { memoryMb = 0 }) => sum + memoryMb * MiB, 0);
  const COMMON = ['faceapi_ssd', 'human_faceres', 'faceapi_recognition', 'faceapi_landmarks68'];

  it('closes the least recently used one, never the current one or one with calls', async () => {
    const memoryBudget = await bytesOf(...COMMON, 'human_blazeface', 'faceapi_tiny');
    await using host = await openEngineHost({ memoryBudget, presets });
    await host.load('balanced');
    await host.load('fast');
    await host.load('tiny');
    expect((await host.memory()).used).toBe(memoryBudget);
    await embed(host, 'fast');
    await host.load('short');
    const states = (): (string | undefined)[] =>
      ['balanced', 'fast', 'tiny', 'short'].map((name) => stateOf(host, name));
    expect(states()).toEqual(['ready', 'ready', 'absent', 'ready']);
    // The least recently used one has a call: the next one goes in its place.
    const held = gate();
    const long = host.use(
      async (engine) => {
        await held.opened;
        return engine.embed(frame);
      },
      { name: 'fast' },
    );
    await embed(host, 'short');
    await host.load('tiny');
    expect(states()).toEqual(['ready', 'ready', 'ready', 'absent']);
    held.open();
    expect((await long)?.model).toBe(FAST);
    const { budget, used } = await host.memory();
    expect([budget, used <= memoryBudget]).toEqual([memoryBudget, true]);
  });

  it('counts what goes with one that is closed, though the next one needs it', async () => {
    const like = (name: string, base: Preset, network: 'ssd' | 'tiny' | 'short-range'): HostedPreset => ({
      preset: { ...base, name, detection: { ...PRESETS.fast.detection, network } },
    });
    const { fast, balanced } = PRESETS;
    // human_faceres is the oldest's, and the next one's too: it goes with the oldest and is to be read again.
    const trio = [like('oldest', balanced, 'short-range'), like('other', fast, 'ssd'), like('next', balanced, 'tiny')];
    const memoryBudget = await bytesOf(...COMMON, 'human_blazeface', 'mediapipe_face_short');
    let other: string | undefined;
    const watched: ModelPack = {
      ...pack,
      read: (id) => {
        if (id === 'faceapi_tiny') other = stateOf(host, 'other');
        return pack.read(id);
      },
    };
    await using host = await openEngineHost({ current: 'fast', memoryBudget, presets: trio, models: watched });
    for (const name of ['fast', 'oldest', 'other']) await host.load(name);
    expect((await host.memory()).used).toBe(memoryBudget);
    await host.load('next');
    expect(other).toBe('absent');
    expect(['oldest', 'other', 'next'].map((name) => stateOf(host, name))).toEqual(['absent', 'absent', 'ready']);
  });

  it('refuses to load what has no room beside the current one; a call may go above it', async () => {
    const memoryBudget = await bytesOf(...COMMON);
    await using host = await openEngineHost({ memoryBudget });
    await host.load('balanced');
    expect(await codeOf(host.load('fast'))).toBe('OUT_OF_MEMORY');
    expect(await embed(host, 'fast')).toEqual(expected.get(FAST));
    await expect.poll(() => stateOf(host, 'fast')).toBe('absent');
    // After a switch the old one goes.
    await host.switchTo('fast');
    await expect.poll(() => stateOf(host, 'balanced')).toBe('absent');
    expect(await embed(host)).toEqual(expected.get(FAST));
    expect((await host.memory()).used).toBeLessThanOrEqual(memoryBudget);
  });

  it('is what a selection keeps to', async () => {
    await using free = await openEngineHost({});
    expect((await free.select('speed'))?.name).toBe('fast');
    expect((await free.select('balanced'))?.name).toBe('balanced');
    expect((await free.select('accuracy'))?.name).toBe('accurate');
    expect((await free.select('minimal_memory'))?.name).toBe('fast');
    const memoryBudget = await bytesOf('human_blazeface', 'faceapi_recognition', 'faceapi_landmarks68');
    await using small = await openEngineHost({ memoryBudget });
    expect((await small.select('accuracy'))?.name).toBe('fast');
    await using none = await openEngineHost({ memoryBudget: 1 });
    expect(await none.select('speed')).toBeUndefined();
    // One that is open fits.
    await none.load('balanced');
    expect((await none.select('speed'))?.name).toBe('balanced');
  });
});

describe('closing', () => {
  it('lets calls end, refuses new ones, and is idempotent', async () => {
    const host = await openEngineHost({ current: 'fast' });
    await host.load('fast');
    const held = gate();
    const long = host.use(async (engine) => {
      await held.opened;
      return engine.embed(frame);
    });
    let closed = false;
    const closing = host.close().then(() => (closed = true));
    expect(await codeOf(embed(host))).toBe('CLOSED');
    expect(await codeOf(host.load('balanced'))).toBe('CLOSED');
    expect(closed).toBe(false);
    held.open();
    expect(await long).toEqual(expected.get(FAST));
    await closing;
    await host.close();
    expect((await host.memory()).used).toBe(0);
  });

  it('gives up what is being opened', async () => {
    const waiting = gate();
    const host = await openEngineHost({ current: 'fast', models: slowly(waiting.opened) });
    const loading = codeOf(host.load('fast'));
    const using = codeOf(embed(host));
    const closing = host.close();
    waiting.open();
    expect([await loading, await using]).toEqual(['CLOSED', 'CLOSED']);
    await closing;
    expect((await host.memory()).used).toBe(0);
  });
});
