// Runs in the guest of scripts/vivid.mjs, where /dev/video0 and /dev/video1 are cameras of the vivid driver: measures what the library
// makes of them and prints one line of JSON. tests/oracles/vivid.test.ts says what has to come out.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDevice } from '../dist/capture/device.js';
import { deviceChanges, listDevices, openCamera } from '../dist/capture/index.js';
import { loadAddon } from '../dist/native/index.js';

const addon = loadAddon();
const executor = addon.createExecutor(1);
const device = (node) => ({ kind: 'device', device: `/dev/video${node}` });
/** Large enough for some of it to be free of the text that vivid writes. */
const SMALL = { width: 640, height: 360, slots: 32 };

/** Colours of the eight bars, [r, g, b] each, below the text. */
async function bars({ data, width, height, format }) {
  const rgb = format === 'rgb' ? data : await addon.convert(executor, { data, width, height, format }, 'rgb');
  return Array.from({ length: 8 }, (_, bar) => {
    const sum = [0, 0, 0];
    let count = 0;
    for (let y = Math.floor(height * 0.6); y < height * 0.9; y += 1) {
      for (let x = Math.floor((width * (bar + 0.3)) / 8); x < (width * (bar + 0.7)) / 8; x += 1) {
        for (let c = 0; c < 3; c += 1) sum[c] += rgb[(y * width + x) * 3 + c];
        count += 1;
      }
    }
    return sum.map((value) => Math.round(value / count));
  });
}

async function pictures(camera, count, after = -1) {
  const taken = [];
  for (let last = after; taken.length < count; ) {
    const picture = await camera.native.next(last, { order: 'all' });
    if (picture === null) throw new Error(`the camera ended: ${JSON.stringify(camera.native.ending)}`);
    last = picture.sequence;
    taken.push(picture);
  }
  return taken;
}

async function withDevice(source, options, work) {
  const camera = await openDevice(source, options);
  try {
    return await work(camera);
  } finally {
    await camera.close();
  }
}

async function codeOf(work) {
  try {
    await work();
    return 'none';
  } catch (error) {
    return error.code ?? String(error);
  }
}

/** Pictures in a format, with the colours that come out. */
const inFormat = (node, format) =>
  withDevice(device(node), { ...SMALL, formats: [format] }, async (camera) => {
    const taken = await pictures(camera, 4);
    const last = taken.at(-1);
    return {
      node,
      ...camera.device,
      bytes: last.data.length,
      sequences: taken.map(({ sequence }) => sequence),
      timestamps: taken.map(({ timestamp }) => timestamp),
      now: Date.now(),
      bars: await bars(last),
      counts: camera.native.counts,
    };
  });

async function formats() {
  const all = [];
  for (const format of ['yuyv', 'nv12', 'i420', 'rgb', 'bgr', 'rgba', 'bgra', 'gray'])
    all.push(await inFormat(0, format));
  for (const format of ['yuyv', 'nv12', 'i420', 'gray']) all.push(await inFormat(1, format));
  return all;
}

async function negotiation() {
  const all = [];
  for (const [width, height, fps] of [
    [640, 480, 15],
    [600, 300, undefined],
    [1000, 700, 5],
    [undefined, undefined, undefined],
  ]) {
    const asked = Object.fromEntries(Object.entries({ width, height, fps }).filter(([, value]) => value !== undefined));
    await withDevice(device(0), { slots: 4, ...asked }, async (camera) => {
      const [picture] = await pictures(camera, 1);
      all.push({ asked, device: camera.device, picture: [picture.width, picture.height, picture.data.length] });
    });
  }
  return all;
}

async function settings() {
  return withDevice(device(0), { ...SMALL, formats: ['nv12'] }, async (camera) => {
    const means = [];
    for (const value of [128, 40, 220]) {
      const given = await camera.set('brightness', value);
      const from = camera.native.read(-1)?.sequence ?? -1;
      const shown = (await pictures(camera, 7, from)).at(-1);
      means.push({ given, luma: (await bars(shown)).flat().reduce((sum, one) => sum + one, 0) / 24 });
    }
    await camera.set('brightness', 128);
    return {
      means,
      list: await camera.settings(),
      gain: await camera.set('gain', 99),
      tooMuch: await codeOf(() => camera.set('gain', 1e6)),
      exposure: await codeOf(() => camera.set('exposure', 100)),
    };
  });
}

async function errors() {
  const busy = await withDevice(device(0), SMALL, () => codeOf(() => openDevice(device(0), SMALL)));
  return {
    busy,
    missing: await codeOf(() => openDevice(device(9), SMALL)),
    name: await codeOf(() => openDevice({ kind: 'device', device: 'No such camera' }, SMALL)),
    other: await codeOf(() => openDevice({ kind: 'device', device: '/dev/null' }, SMALL)),
    format: await codeOf(() => openDevice(device(0), { ...SMALL, formats: ['z16'] })),
    control: await codeOf(() => openDevice({ ...device(0), controls: { exposure: 'face' } }, SMALL)),
  };
}

/** The public interface, by the driver's name, through a pull of the plug. */
async function replugged(name) {
  const stop = new AbortController();
  const changes = [];
  const watching = (async () => {
    for await (const change of deviceChanges({ signal: stop.signal })) changes.push(change);
  })();
  const camera = await openCamera({
    source: { kind: 'device', device: name },
    width: 640,
    height: 360,
    fps: 10,
    format: 'rgb',
    reconnect: { firstDelayMs: 300, mostDelayMs: 1000 },
  });
  const notices = [];
  const sequences = [];
  const timestamps = [];
  let colours;
  const listening = (async () => {
    for await (const { state, code } of camera.notices({ signal: stop.signal })) notices.push({ state, code });
  })();
  for await (const frame of camera.frames({ order: 'all', signal: AbortSignal.timeout(120_000) })) {
    sequences.push(frame.sequence);
    timestamps.push(frame.timestamp);
    colours = await bars(frame);
    if (sequences.length === 5) {
      writeFileSync('/sys/bus/platform/drivers/vivid/unbind', 'vivid.0');
      setTimeout(() => writeFileSync('/sys/bus/platform/drivers/vivid/bind', 'vivid.0'), 3000);
    }
    // A slow guest still has pictures from before when the camera is there again.
    if (camera.stats().reconnects > 0 && sequences.length >= 10) break;
  }
  const stats = camera.stats();
  await camera.close();
  await sleep(100);
  stop.abort();
  await Promise.allSettled([watching, listening]);
  return { changes, notices, sequences, timestamps, colours, stats };
}

const found = await listDevices();
const report = {
  devices: found.map((one) => ({
    ...one,
    modes: one.modes.length,
    formats: [...new Set(one.modes.map((mode) => mode.format))],
  })),
  formats: await formats(),
  negotiation: await negotiation(),
  settings: await settings(),
  errors: await errors(),
  replugged: await replugged(found[0].name),
};
process.stdout.write(`vivid: report ${JSON.stringify(report)}\n`);
await executor.close();
