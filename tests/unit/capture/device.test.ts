import { chmodSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DeviceChange,
  deviceChanges,
  listDevices,
  openDevice,
  pickDevice,
  resolveDevice,
  type VideoDevice,
} from '../../../lib/capture/device.js';

const linux = process.platform === 'linux';
const device = (name: string | number) => ({ kind: 'device', device: name }) as const;

function video(number: number, name: string, bus = `usb-${number}`): VideoDevice {
  return { path: `/dev/video${number}`, name, driver: 'uvcvideo', bus, modes: [] };
}

describe('names of devices', () => {
  const all = [
    video(0, 'HD Webcam C525'),
    video(2, 'Integrated Camera', 'usb-a'),
    video(4, 'Integrated Camera', 'usb-a'),
    video(6, 'Depth Camera'),
    { ...video(8, ''), driver: '', bus: '' },
  ];

  it.each([
    ['HD Webcam C525', '/dev/video0'],
    ['hd webcam', '/dev/video0'],
    ['C525', '/dev/video0'],
    ['Integrated', '/dev/video2'], // two nodes of one camera
    ['depth camera', '/dev/video6'],
  ])('%s', (name, found) => {
    expect(pickDevice(name, all)).toBe(found);
  });

  it('says which there are where a name fits none or several', () => {
    expect(() => pickDevice('Camera', all)).toThrow(
      expect.objectContaining({
        code: 'CAMERA_NOT_FOUND',
        message: expect.stringMatching(/several .*'Depth Camera' \(\/dev\/video6\)/),
      }),
    );
    expect(() => pickDevice('Nikon', all)).toThrow(/none is called 'Nikon'; there are 'HD Webcam C525'/);
    expect(() => pickDevice('Nikon', [])).toThrow(/there are none/);
  });

  it('takes numbers and nodes as they are, and follows links', async () => {
    expect(await resolveDevice(3)).toBe('/dev/video3');
    expect(await resolveDevice('3')).toBe('/dev/video3');
    expect(await resolveDevice('video12')).toBe('/dev/video12');
    expect(await resolveDevice('/dev/no/such')).toBe('/dev/no/such');
    if (linux) expect(await resolveDevice('/proc/self/exe')).toBe(process.execPath);
  });
});

describe.skipIf(!linux)('devices of this machine (Linux)', () => {
  it('are listed, none or some', async () => {
    for (const { path: node } of await listDevices()) expect(node).toMatch(/^\/dev\/video\d+$/);
  });

  it.each([
    ['a node that is not there', '/dev/video250', 'CAMERA_NOT_FOUND'],
    ['another device', '/dev/null', 'CAMERA_NOT_FOUND'],
    ['a file', path.resolve('package.json'), 'CAMERA_NOT_FOUND'],
    ['a name that nobody has', 'No such camera at all', 'CAMERA_NOT_FOUND'],
  ])('refuses %s', async (_, name, code) => {
    await expect(openDevice(device(name))).rejects.toMatchObject({ code, name: 'LineamentError' });
  });

  it('refuses after an abort', async () => {
    await expect(openDevice(device(0), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(listDevices({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe.skipIf(!linux)('cameras that are plugged in and out (inotify)', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lineament-nodes-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are told in order, and nothing else is', async () => {
    const stop = new AbortController();
    const changes: DeviceChange[] = [];
    const reading = (async () => {
      for await (const change of deviceChanges({ folder, signal: stop.signal })) {
        changes.push(change);
        if (changes.length === 4) stop.abort();
      }
    })();
    const at = (name: string): string => path.join(folder, name);
    writeFileSync(at('null'), '');
    writeFileSync(at('video3'), '');
    chmodSync(at('video3'), 0o640);
    while (changes.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    renameSync(at('null'), at('video11'));
    unlinkSync(at('video3'));
    await reading;
    expect(changes).toEqual([
      { path: at('video3'), present: true },
      { path: at('video3'), present: true },
      { path: at('video11'), present: true },
      { path: at('video3'), present: false },
    ]);
  });

  it('ends with its signal, and when it is left', async () => {
    const stop = new AbortController();
    const changes = deviceChanges({ folder, signal: stop.signal });
    const first = changes.next();
    stop.abort();
    expect(await first).toEqual({ done: true, value: undefined });
    for await (const _ of deviceChanges({ folder, signal: AbortSignal.abort() })) throw new Error('nothing is told');
    const left = deviceChanges({ folder });
    const waiting = left.next();
    writeFileSync(path.join(folder, 'video1'), '');
    expect((await waiting).value).toEqual({ path: path.join(folder, 'video1'), present: true });
    await left.return();
    expect(await left.next()).toEqual({ done: true, value: undefined });
  });

  it('needs a folder', async () => {
    await expect(deviceChanges({ folder: path.join(folder, 'none') }).next()).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
