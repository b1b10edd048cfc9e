// The loop around nextExposure, with real statistics of pictures that a simulated sensor gives: no driver that can be had without a
// camera has an exposure to set.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FACE_LUMA } from '../../../lib/capture/device-exposure.js';
import { DeviceMeter } from '../../../lib/capture/device-meter.js';
import {
  loadAddon,
  type NativeAddon,
  type NativeDeviceCamera,
  type NativeExecutor,
  type NativePicture,
  type NativeSetting,
  type NativeSettingName,
} from '../../../lib/native/index.js';

const WIDTH = 64;
const HEIGHT = 48;
const FACE = [20, 10, 24, 30] as const;

/** A sensor of gamma 2.2: a face before a bright wall. What is set shows two pictures later. */
class Sensor {
  light = 1;
  readonly set: [NativeSettingName, number][] = [];
  readonly values = new Map<string, number>([
    ['exposure', 156],
    ['gain', 0],
    ['autoExposure', 1],
  ]);
  lent = 0;
  #sequence = 0;
  #pipeline = [
    { exposure: 156, gain: 0 },
    { exposure: 156, gain: 0 },
    { exposure: 156, gain: 0 },
  ];
  readonly format: 'gray' | 'yuyv' | 'i420' | 'z16';

  constructor(format: Sensor['format'] = 'gray') {
    this.format = format;
  }

  /** The next picture. */
  advance(): void {
    this.#sequence += 1;
    this.#pipeline.push({ exposure: this.values.get('exposure') ?? 0, gain: this.values.get('gain') ?? 0 });
    this.#pipeline.shift();
  }

  get faceLuma(): number {
    return this.#luma(0.5);
  }

  #luma(reflectance: number): number {
    const { exposure, gain } = this.#pipeline[0] ?? { exposure: 0, gain: 0 };
    return Math.min(
      255,
      Math.round(255 * ((exposure * (1 + gain / 40) * this.light * reflectance) / 1000) ** (1 / 2.2)),
    );
  }

  #picture(): Uint8Array {
    const luma = new Uint8Array(WIDTH * HEIGHT).fill(this.#luma(1.8));
    const [x, y, w, h] = FACE;
    for (let row = y; row < y + h; row += 1) luma.fill(this.#luma(0.5), row * WIDTH + x, row * WIDTH + x + w);
    if (this.format === 'gray') return luma;
    if (this.format === 'yuyv')
      return Uint8Array.from({ length: luma.length * 2 }, (_, i) => (i % 2 ? 128 : (luma[i / 2] ?? 0)));
    const planar = new Uint8Array((luma.length * 3) / 2).fill(128);
    planar.set(luma);
    return planar;
  }

  camera(settings: readonly NativeSettingName[] = ['exposure', 'gain', 'autoExposure']): NativeDeviceCamera {
    const ranges: Partial<Record<NativeSettingName, [number, number]>> = { exposure: [3, 2047], gain: [0, 255] };
    const device = { path: '/dev/video0', name: '', driver: '', bus: '', width: WIDTH, height: HEIGHT, fps: 30 };
    return {
      device: { ...device, format: this.format },
      settings: async (): Promise<NativeSetting[]> =>
        settings.map((name) => {
          const [least, most] = ranges[name] ?? [0, 1];
          return { name, least, most, step: 1, usual: least, value: this.values.get(name) ?? 0 };
        }),
      set: async (_: NativeExecutor, name: NativeSettingName, value: number): Promise<number> => {
        this.set.push([name, value]);
        this.values.set(name, value);
        return value;
      },
      read: (): NativePicture => {
        this.lent += 1;
        const facts = { sequence: this.#sequence, timestamp: this.#sequence * 33, width: WIDTH, height: HEIGHT };
        return { ...facts, format: this.format, data: this.#picture(), release: () => (this.lent -= 1) };
      },
    } as unknown as NativeDeviceCamera;
  }
}

describe('exposure that follows faces', () => {
  let addon: NativeAddon;
  let executor: NativeExecutor;
  beforeAll(() => {
    addon = loadAddon();
    executor = addon.createExecutor(1);
  });
  afterAll(() => executor.close());

  async function follow(sensor: Sensor, meter: DeviceMeter, pictures: number, boxes = [FACE]): Promise<void> {
    for (let i = 0; i < pictures; i += 1) {
      sensor.advance();
      meter.meter(boxes);
      await meter.idle();
    }
  }

  it.each(['gray', 'yuyv', 'i420'] as const)('brings a face to its brightness and stays there (%s)', async (format) => {
    const sensor = new Sensor(format);
    const meter = await DeviceMeter.start(addon, executor, sensor.camera(), undefined);
    for (const light of [0.2, 5, 1]) {
      sensor.light = light;
      await follow(sensor, meter, 8 * 4 + 2);
      // Luma of packed and planar pictures is taken as it is; the statistics convert it to grey, which may differ by a step.
      expect(Math.abs(sensor.faceLuma / FACE_LUMA - 1), `light ${light}`).toBeLessThanOrEqual(0.12);
      const settings = sensor.set.length;
      await follow(sensor, meter, 10);
      expect(sensor.set.length).toBe(settings);
    }
    expect(sensor.lent).toBe(0);
  });

  it('measures no picture that was taken before the last change', async () => {
    const sensor = new Sensor();
    const meter = await DeviceMeter.start(addon, executor, sensor.camera(), undefined);
    sensor.light = 0.1;
    const counts: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      await follow(sensor, meter, 1);
      counts.push(sensor.set.length);
    }
    const changed = counts.flatMap((count, i) => (i > 0 && count !== counts[i - 1] ? [i] : []));
    expect(changed.length).toBeGreaterThanOrEqual(2);
    for (const [i, at] of changed.entries()) if (i > 0) expect(at - (changed[i - 1] ?? 0)).toBeGreaterThanOrEqual(4);
  });

  it('leaves alone what the caller fixed, and holds without faces', async () => {
    const sensor = new Sensor();
    const meter = await DeviceMeter.start(addon, executor, sensor.camera(), 12);
    sensor.light = 0.05;
    await follow(sensor, meter, 30);
    expect(sensor.set.map(([name]) => name)).not.toContain('gain');
    const held = sensor.set.length;
    sensor.light = 40;
    await follow(sensor, meter, 10, []);
    await follow(sensor, meter, 10, [[500, 500, 20, 20] as unknown as typeof FACE]);
    expect(sensor.set.length).toBe(held);
  });

  it('refuses cameras without an exposure, and depth', async () => {
    const code = { code: 'CAMERA_UNSUPPORTED' };
    await expect(DeviceMeter.start(addon, executor, new Sensor().camera(['gain']), undefined)).rejects.toMatchObject(
      code,
    );
    await expect(DeviceMeter.start(addon, executor, new Sensor('z16').camera(), undefined)).rejects.toMatchObject(code);
  });
});
