import { describe, expect, it } from 'vitest';
import type { CameraFrame } from '../../../lib/capture/types.js';
import type { LineamentError } from '../../../lib/errors.js';
import { type Look, type PrivacyPolicy, Redactor } from '../../../lib/pipeline/privacy/index.js';
import type { Identity, Track } from '../../../lib/pipeline/types.js';
import type { Box, FrameFormat } from '../../../lib/types.js';

const T0 = 1_800_000_000_000;
const SIZE = { width: 640, height: 360 };

const track = (id: number, face: Box | undefined, time: number, more: Partial<Track> = {}): Track => ({
  id,
  camera: 'gate',
  state: 'confirmed',
  seen: true,
  velocity: [0, 0],
  first: T0,
  last: T0 + time,
  hits: 9,
  ...(face === undefined ? {} : { face }),
  ...more,
});
const look = (time: number, tracks: readonly Track[], identities: Record<number, Identity> = {}): Look => ({
  camera: 'gate',
  timestamp: T0 + time,
  ...SIZE,
  tracks,
  identities: new Map(Object.entries(identities).map(([id, identity]) => [Number(id), identity])),
});
const at = (time: number): { camera: string; timestamp: number; width: number; height: number } => ({
  camera: 'gate',
  timestamp: T0 + time,
  ...SIZE,
});
const known = (id: string): Identity => ({ kind: 'known', id, name: id, looks: 3, weight: 2 });
const stranger = (id: string): Identity => ({ kind: 'stranger', id, looks: 3, weight: 2 });
const undecided: Identity = { kind: 'undecided', looks: 1, weight: 0.3 };

/** Margins of nothing: heads are faces, so that numbers are easy to tell. */
const made = (policy: PrivacyPolicy): Redactor => new Redactor({ margin: 0, ...policy });
const inside = ([x, y, w, h]: Box, boxes: readonly Box[] | 'everything'): boolean =>
  boxes === 'everything' ||
  boxes.some(([a, b, c, d]) => a <= x + 1e-6 && b <= y + 1e-6 && a + c >= x + w - 1e-6 && b + d >= y + h - 1e-6);

describe('a policy', () => {
  it('is checked, and cannot ask for consent without a way to', () => {
    for (const bad of [
      {},
      { mode: 'blur' },
      { mode: 'blur-all', margin: -1 },
      { mode: 'blur-all', blocks: 33 },
      { mode: 'none', x: 1 },
    ]) {
      expect(() => new Redactor(bad as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(() => new Redactor({ mode: 'blur-without-consent' })).toThrow(/consent/);
  });

  const face: Box = [100, 100, 40, 50];
  const who: Record<string, Identity | undefined> = {
    known: known('ada'),
    stranger: stranger('Person_A1'),
    undecided,
    nobody: undefined,
  };
  const covered = async (policy: PrivacyPolicy): Promise<string[]> => {
    const out: string[] = [];
    for (const [name, identity] of Object.entries(who)) {
      const redactor = made(policy);
      redactor.look(look(0, [track(1, face, 0)], identity === undefined ? {} : { 1: identity }));
      const regions = await redactor.regions(at(0));
      if (regions === 'everything' || regions.length > 0) out.push(name);
    }
    return out;
  };

  it('decides by who it is', async () => {
    expect(await covered({ mode: 'none' })).toEqual([]);
    expect(await covered({ mode: 'blur-unknown' })).toEqual(['stranger', 'undecided', 'nobody']);
    expect(await covered({ mode: 'blur-all' })).toEqual(['known', 'stranger', 'undecided', 'nobody']);
    const consent = (identity: Identity): boolean => identity.id === 'ada' || identity.id === 'Person_A1';
    expect(await covered({ mode: 'blur-without-consent', consent })).toEqual(['undecided', 'nobody']);
    expect(await covered({ mode: 'blur-without-consent', consent: async () => false })).toHaveLength(4);
  });

  it('takes a failure to ask for a no, and anything but yes', async () => {
    const answers = [() => Promise.reject(new Error('down')), () => 'yes' as never, () => undefined as never];
    for (const consent of answers) expect(await covered({ mode: 'blur-without-consent', consent })).toHaveLength(4);
    const throws = (): boolean => {
      throw new Error('down');
    };
    expect(await covered({ mode: 'blur-without-consent', consent: throws })).toHaveLength(4);
  });

  it('uncovers the past of a track when it learns who it is, and covers it when it changed hands', async () => {
    const redactor = made({ mode: 'blur-unknown' });
    redactor.look(look(0, [track(1, face, 0)]));
    expect(await redactor.regions(at(0))).toHaveLength(1);
    redactor.look(look(100, [track(1, face, 100)], { 1: known('ada') }));
    expect(await redactor.regions(at(0))).toEqual([]);
    redactor.look(look(200, [track(1, face, 200)], { 1: stranger('Person_B2') }));
    expect(await redactor.regions(at(0))).toHaveLength(1);
    redactor.look(look(300, [track(1, face, 300)], { 1: known('ada') }));
    expect(await redactor.regions(at(300))).toHaveLength(1);
  });
});

describe('where faces are', () => {
  it('is not known before the first look, long after the last, in a gap and for another camera: everything is covered', async () => {
    const redactor = made({ mode: 'blur-all' });
    expect(await redactor.regions(at(0))).toBe('everything');
    redactor.look(look(0, []));
    redactor.look(look(5000, []));
    expect(await redactor.regions(at(0))).toEqual([]);
    expect(await redactor.regions(at(1000))).toEqual([]);
    expect(await redactor.regions(at(2500))).toBe('everything');
    expect(await redactor.regions(at(4100))).toEqual([]);
    expect(await redactor.regions(at(6001))).toBe('everything');
    expect(await redactor.regions(at(Number.NaN))).toBe('everything');
    expect(await redactor.regions({ ...at(0), camera: 'yard' })).toBe('everything');
  });

  it('is not known from pictures that the detector has not seen', async () => {
    const redactor = made({ mode: 'blur-all', holdMs: 1000 });
    redactor.look(look(0, []));
    for (let time = 100; time <= 4000; time += 100) redactor.look({ ...look(time, []), detected: false });
    expect(await redactor.regions(at(900))).toEqual([]);
    expect(await redactor.regions(at(1100))).toBe('everything');
    expect(await redactor.regions(at(4000))).toBe('everything');
    // One that has waited knows only what a look after it says.
    expect(await redactor.regions(at(100), { waited: true })).toBe('everything');
    expect(await redactor.regions(at(0), { waited: true })).toEqual([]);
    redactor.look(look(4100, [track(1, [10, 20, 30, 40], 4100)]));
    expect(inside([10, 20, 30, 40], await redactor.regions(at(3200), { waited: true }))).toBe(true);
    expect(await redactor.regions(at(3000), { waited: true })).toBe('everything');
  });

  it('is interpolated between two sights, with both ends over longer gaps', async () => {
    const redactor = made({ mode: 'blur-all' });
    const a: Box = [100, 100, 40, 40];
    const b: Box = [200, 140, 40, 40];
    redactor.look(look(0, [track(1, a, 0)]));
    redactor.look(look(200, [track(1, b, 200)]));
    redactor.look(look(1200, [track(1, a, 1200)]));
    expect(await redactor.regions(at(200))).toEqual([b.map((v) => expect.closeTo(v, 6))]);
    const between = await redactor.regions(at(100));
    expect(between).toHaveLength(1);
    expect(inside([150, 120, 40, 40], between)).toBe(true);
    const long = await redactor.regions(at(700));
    for (const box of [a, b, [150, 120, 40, 40]] as Box[]) expect(inside(box, long)).toBe(true);
  });

  it('stays covered for a second after it was lost, where it was and where it was going, and before it was found', async () => {
    const redactor = made({ mode: 'blur-all' });
    const face: Box = [100, 100, 40, 40];
    redactor.look(look(0, []));
    redactor.look(look(900, [track(1, face, 900, { velocity: [50, 0] })]));
    for (let time = 1000; time <= 3000; time += 100) redactor.look(look(time, []));
    expect(inside(face, await redactor.regions(at(100)))).toBe(true);
    expect(inside(face, await redactor.regions(at(1800)))).toBe(true);
    expect(inside([145, 100, 40, 40], await redactor.regions(at(1800)))).toBe(true);
    expect(await redactor.regions(at(2000))).toEqual([]);
  });

  it('is predicted by tracks that are not seen now, with the last sight kept', async () => {
    const redactor = made({ mode: 'blur-all' });
    redactor.look(look(0, [track(1, [100, 100, 40, 40], 0)]));
    redactor.look(look(500, [track(1, [180, 100, 40, 40], 0, { seen: false, state: 'lost' })]));
    const regions = await redactor.regions(at(500));
    expect(inside([180, 100, 40, 40], regions)).toBe(true);
    expect(inside([100, 100, 40, 40], regions)).toBe(true);
    redactor.look(look(1600, [track(1, [300, 100, 40, 40], 0, { seen: false, state: 'lost' })]));
    expect(await redactor.regions(at(1600))).toEqual([]);
  });

  it('is the upper part of a person whose face was not found, and the whole head by default', async () => {
    const redactor = new Redactor({ mode: 'blur-all' });
    redactor.look(look(0, [track(1, undefined, 0, { person: [300, 50, 80, 200] }), track(2, [100, 100, 40, 50], 0)]));
    const regions = await redactor.regions(at(0));
    expect(inside([300, 50, 80, 50], regions)).toBe(true);
    expect(inside([100 - 13, 100 - 20, 40 + 26, 50 + 36], regions)).toBe(true);
  });

  it('follows the size of the picture, and starts anew with a camera that does', async () => {
    const redactor = made({ mode: 'blur-all' });
    redactor.look(look(0, [track(1, [100, 100, 40, 50], 0)]));
    const regions = await redactor.regions({ ...at(0), width: 1280, height: 720 });
    expect(regions).toEqual([[200, 200, 80, 100].map((v) => expect.closeTo(v, 6))]);
    redactor.look(look(-60_000, []));
    expect(await redactor.regions(at(0))).toBe('everything');
  });

  it('is waited for by pictures that can wait', async () => {
    const redactor = made({ mode: 'blur-all', aheadMs: 200 });
    const order: string[] = [];
    redactor.look(look(0, []));
    const settled = redactor.settled('gate', T0).then(() => order.push('settled'));
    redactor.look(look(100, []));
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push('looked');
    redactor.look(look(200, []));
    await settled;
    expect(order).toEqual(['looked', 'settled']);
    const abort = new AbortController();
    const other = redactor.settled('gate', T0 + 5000, abort.signal);
    abort.abort();
    await other;
    const ended = redactor.settled('gate', T0 + 5000);
    redactor.end('gate');
    await ended;
  });
});

describe('pictures', () => {
  const noisy = (format: FrameFormat, time: number): CameraFrame => {
    const data = Uint8Array.from(
      { length: 640 * 360 * (format === 'rgb' ? 3 : 1.5) },
      (_, i) => (i * 2_654_435_761) >>> 24,
    );
    const channels = format === 'rgb' ? 3 : 1;
    return { camera: 'gate', sequence: 1, timestamp: T0 + time, data, ...SIZE, channels, format };
  };

  it('are themselves where nothing is covered, copies where something is, to the bit the same elsewhere', async () => {
    await using redactor = made({ mode: 'blur-all' });
    redactor.look(look(0, []));
    const free = noisy('i420', 0);
    expect(await redactor.apply(free)).toBe(free);
    redactor.look(look(2000, [track(1, [100, 101, 60, 61], 2000)]));
    for (const format of ['i420', 'rgb'] as const) {
      // A Buffer, as decoders give: its `slice` would share the memory.
      const given = noisy(format, 2000);
      const frame = { ...given, data: Buffer.from(given.data) };
      const original = given.data;
      const shown = await redactor.apply(frame);
      expect(Buffer.compare(frame.data, original)).toBe(0);
      let changed = 0;
      const pixel = format === 'rgb' ? 3 : 1;
      for (let i = 0; i < 640 * 360 * pixel; i++) {
        if (shown.data[i] === original[i]) continue;
        changed++;
        const [x, y] = [Math.floor(i / pixel) % 640, Math.floor(i / pixel / 640)];
        expect(x >= 100 && x < 160 && y >= 101 && y < 162).toBe(true);
      }
      // The ellipse is π/4 of the box.
      expect(changed / pixel / 3660).toBeGreaterThan(0.75);
      expect(await redactor.apply(frame, { inPlace: true })).toBe(frame);
      expect(Buffer.compare(frame.data, shown.data)).toBe(0);
    }
  });

  it('are covered wholly where faces may be anywhere', async () => {
    await using redactor = made({ mode: 'blur-all', method: 'blur' });
    const frame = noisy('i420', 0);
    const shown = await redactor.apply(frame);
    let same = 0;
    for (let i = 0; i < frame.data.length; i++) same += shown.data[i] === frame.data[i] ? 1 : 0;
    expect(same / frame.data.length).toBeLessThan(0.05);
  });

  it('are not given out by a closed redactor, nor where they are damaged', async () => {
    const redactor = made({ mode: 'blur-all' });
    const short = { ...noisy('i420', 0), data: new Uint8Array(9) };
    await expect(redactor.apply(short)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    } satisfies Partial<LineamentError>);
    await redactor.close();
    await redactor.close();
    await expect(redactor.apply(noisy('i420', 0))).rejects.toMatchObject({ code: 'CLOSED' });
    // Its waiting ends too.
    await redactor.settled('gate', T0);
  });
});
