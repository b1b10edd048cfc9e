import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cases, toleranceOf } from '../../models/import/check/cases.js';
import { runPixels } from '../../models/import/check/ours.js';
import { CROPS, cropPixels } from '../../models/import/check/photographs.js';
import { type Recording, recordedFolder, recordedValues } from '../../models/import/check/recording.js';
import { networks } from '../../models/import/networks.js';
import { currentPack, withNetwork } from './support.js';

beforeAll(() => {
  currentPack();
}, 120_000);

describe('networks agree with what their origin gave for the sample photographs', () => {
  it('covers every network', () => {
    expect(cases.map((c) => c.id).sort()).toEqual(networks.map((n) => n.id).sort());
  });

  for (const item of cases) {
    it(item.id, { timeout: 60_000 }, async () => {
      const recording = JSON.parse(readFileSync(join(recordedFolder, `${item.id}.json`), 'utf8')) as Recording;
      const crops = CROPS[item.crops];
      expect(recording.runs).toHaveLength(crops.length);
      await withNetwork(item.id, async (session, card) => {
        for (const [i, crop] of crops.entries()) {
          const run = recording.runs[i]!;
          const pixels = await cropPixels(crop, card.input.width, card.input.height);
          expect(pixels.sha256, 'the JPEG decoder gives other pixels than when the outputs were recorded').toBe(
            run.pixels,
          );
          const raw = await runPixels(session, card, pixels);
          const ours = item.ours?.(raw) ?? raw;
          for (const [name, recorded] of Object.entries(run.outputs)) {
            const values = ours[name];
            expect(values, `output ${name}`).toBeDefined();
            expect(values).toHaveLength(recorded.length);
            const expected = recordedValues(recorded);
            const accepted = toleranceOf(item, name) * expected.reduce((max, v) => Math.max(max, Math.abs(v)), 1);
            recorded.indices.forEach((at, k) => {
              const distance = Math.abs((values?.[at] ?? Number.NaN) - (expected[k] ?? 0));
              expect(distance, `${name}[${at}]`).toBeLessThanOrEqual(accepted);
            });
          }
        }
      });
    });
  }
});

describe('the comparison itself', () => {
  it('notices a network that is fed the wrong colours', { timeout: 60_000 }, async () => {
    const item = cases.find((c) => c.id === 'faceapi_recognition')!;
    const recording = JSON.parse(readFileSync(join(recordedFolder, `${item.id}.json`), 'utf8')) as Recording;
    await withNetwork(item.id, async (session, card) => {
      const swapped = { ...card, input: { ...card.input, colour: 'BGR' as const } };
      const pixels = await cropPixels(CROPS.head[0], card.input.width, card.input.height);
      const { descriptor } = await runPixels(session, swapped, pixels);
      const recorded = recording.runs[0]!.outputs.descriptor!;
      const expected = recordedValues(recorded);
      const error = Math.max(...recorded.indices.map((at, k) => Math.abs(descriptor![at]! - expected[k]!)));
      expect(error).toBeGreaterThan(100 * item.tolerance);
    });
  });
});
