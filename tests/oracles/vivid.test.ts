// V4L2 for real: the kernel's vivid driver in a qemu guest, where a native program and Node with the built addon take pictures.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/child.js';
import { wanted } from './support.js';

interface Format {
  readonly node: number;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sequences: readonly number[];
  readonly timestamps: readonly number[];
  readonly now: number;
  readonly bars: readonly (readonly [number, number, number])[];
  readonly counts: { readonly received: number; readonly damaged: number };
}

interface Report {
  readonly devices: readonly { path: string; name: string; driver: string; modes: number; formats: string[] }[];
  readonly formats: readonly Format[];
  readonly negotiation: readonly {
    asked: { width?: number; height?: number; fps?: number };
    device: { width: number; height: number; fps: number; format: string };
    picture: readonly number[];
  }[];
  readonly settings: {
    means: readonly { given: number; luma: number }[];
    list: readonly { name: string; least: number; most: number; value: number }[];
    gain: number;
    tooMuch: string;
    exposure: string;
  };
  readonly errors: Readonly<Record<'busy' | 'missing' | 'name' | 'other' | 'format' | 'control', string>>;
  readonly replugged: {
    changes: readonly { path: string; present: boolean }[];
    notices: readonly { state: string; code?: string }[];
    sequences: readonly number[];
    timestamps: readonly number[];
    colours: Format['bars'];
    stats: { received: number; reconnects: number; state: string; format: string };
  };
}

const { measureVivid, missingForVivid } = (await import(
  pathToFileURL(path.join(root, 'scripts', 'vivid.mjs')).href
)) as {
  measureVivid(): Promise<{ program: string; report: Report }>;
  missingForVivid(): Promise<string | undefined>;
};

const missing = wanted ? await missingForVivid() : 'LINEAMENT_ORACLES is not set';

/** White, yellow, cyan, green, magenta, red, blue, black at 75 %, which is what vivid draws. */
const BARS = [
  [191, 191, 191],
  [191, 191, 0],
  [0, 191, 191],
  [0, 191, 0],
  [191, 0, 191],
  [191, 0, 0],
  [0, 0, 191],
  [0, 0, 0],
] as const;

function expectBars(bars: Format['bars'], what: string): void {
  expect(bars, what).toHaveLength(BARS.length);
  for (const [i, bar] of bars.entries()) {
    for (const [c, value] of bar.entries()) {
      expect(Math.abs(value - (BARS[i]?.[c] ?? 0)), `${what}: bar ${i}, channel ${c} is ${value}`).toBeLessThanOrEqual(
        6,
      );
    }
  }
}

const increasing = (values: readonly number[]): boolean =>
  values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0));

describe.skipIf(missing !== undefined)(
  `cameras of the vivid driver in a guest${missing ? ` (${missing})` : ''}`,
  () => {
    let program = '';
    let report: Report;
    beforeAll(async () => {
      const measured = await measureVivid();
      program = measured.program;
      report = measured.report;
    }, 1_200_000);

    it('passes the native program: DMA-buf export, damage, drops, busy, settings, unplugging', () => {
      expect(program).toMatch(/8 passed, 0 failed, 0 skipped/);
    });

    it('lists both cameras', () => {
      expect(report.devices.map(({ path }) => path)).toEqual(['/dev/video0', '/dev/video1']);
      for (const { driver, name, formats } of report.devices) {
        expect(driver).toBe('vivid');
        expect(name).not.toBe('');
        expect(formats).toEqual(expect.arrayContaining(['yuyv', 'nv12', 'i420', 'rgb', 'bgr', 'gray']));
      }
    });

    it('takes pictures in every format, with the right colours', () => {
      expect(report.formats).toHaveLength(12);
      for (const { node, format, width, height, bytes, bars } of report.formats) {
        const per = { yuyv: 2, nv12: 1.5, i420: 1.5, rgb: 3, bgr: 3, rgba: 4, bgra: 4, gray: 1 }[format] ?? 0;
        expect([width, height, bytes], format).toEqual([640, 360, 640 * 360 * per]);
        if (format !== 'gray') expectBars(bars, `/dev/video${node} ${format}`);
        else {
          // Darker from bar to bar, as the luma of these colours is.
          const luma = bars.map(([value]) => value);
          expect(increasing(luma.toReversed())).toBe(true);
        }
      }
    });

    it('counts and dates pictures by the driver', () => {
      for (const { format, sequences, timestamps, now, counts } of report.formats) {
        expect(increasing(sequences), format).toBe(true);
        expect(increasing(timestamps), format).toBe(true);
        expect(sequences[0], format).toBe(0);
        expect(Math.abs(now - (timestamps.at(-1) ?? 0)), format).toBeLessThan(60_000);
        expect(timestamps.at(-1), format).toBeLessThanOrEqual(now);
        expect(counts.received, format).toBeGreaterThanOrEqual(4);
        expect(counts.damaged, format).toBe(0);
      }
    });

    it('negotiates the nearest size that is large enough', () => {
      const sizes = report.negotiation.map(({ device }) => [device.width, device.height]);
      expect(sizes.slice(0, 3)).toEqual([
        [640, 480],
        [640, 360],
        [1280, 720],
      ]);
      for (const { asked, device, picture } of report.negotiation) {
        expect(picture.slice(0, 2)).toEqual([device.width, device.height]);
        expect(device.format).toBe('nv12');
        expect(device.fps).toBeGreaterThanOrEqual(asked.fps ?? 1);
      }
    });

    it('changes settings, and pictures change with them', () => {
      const { means, list, gain, tooMuch, exposure } = report.settings;
      const [usual, dark, bright] = means;
      expect(means.map(({ given }) => given)).toEqual([128, 40, 220]);
      expect(dark?.luma).toBeLessThan((usual?.luma ?? 0) - 20);
      expect(bright?.luma).toBeGreaterThan((usual?.luma ?? 255) + 20);
      expect(list.map(({ name }) => name)).toEqual(expect.arrayContaining(['gain', 'autoGain', 'brightness']));
      expect(gain).toBe(99);
      expect(tooMuch).toBe('INVALID_ARGUMENT');
      expect(exposure).toBe('CAMERA_UNSUPPORTED');
    });

    it('names what is wrong', () => {
      expect(report.errors).toEqual({
        busy: 'CAMERA_BUSY',
        missing: 'CAMERA_NOT_FOUND',
        name: 'CAMERA_NOT_FOUND',
        other: 'CAMERA_NOT_FOUND',
        format: 'CAMERA_UNSUPPORTED',
        control: 'CAMERA_UNSUPPORTED',
      });
    });

    it('goes on after the camera was pulled out and plugged in again', () => {
      const { changes, notices, sequences, timestamps, colours, stats } = report.replugged;
      expect(changes).toContainEqual({ path: '/dev/video0', present: false });
      expect(changes.findLastIndex(({ present }) => present)).toBeGreaterThan(
        changes.findIndex(({ present }) => !present),
      );
      const states = notices.map(({ state }) => state);
      expect(states).toContain('lost');
      expect(states.indexOf('running', states.indexOf('lost'))).toBeGreaterThan(states.indexOf('lost'));
      expect(notices.find(({ state }) => state === 'lost')?.code).toBe('CAMERA_LOST');
      expect(increasing(sequences)).toBe(true);
      expect(increasing(timestamps)).toBe(true);
      expect(stats.reconnects).toBe(1);
      expectBars(colours, 'after the reconnection');
    });
  },
);
