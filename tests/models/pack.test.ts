import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPixels, runTensor } from '../../models/import/check/ours.js';
import { CROPS, cropPixels, toTensor } from '../../models/import/check/photographs.js';
import { networks } from '../../models/import/networks.js';
import { buildPack, type Pack, readSourceTable } from '../../models/import/pack.js';
import { sha256 } from '../../models/import/source.js';
import { card, cards, currentPack, withNetwork } from './support.js';

let pack: Pack;
const scratch = mkdtempSync(join(tmpdir(), 'lineament-pack-'));

beforeAll(() => {
  pack = currentPack();
}, 120_000);

afterAll(() => {
  rmSync(scratch, { recursive: true });
});

describe('the pack', () => {
  it('has the same bytes when it is made again', { timeout: 120_000 }, () => {
    const again = buildPack(networks, scratch, readSourceTable(), undefined, true);
    expect(again).toEqual(pack);
    for (const entry of pack.models) {
      const data = readFileSync(join(scratch, entry.file));
      expect(sha256(data), entry.id).toBe(entry.sha256);
      expect(data.byteLength, entry.id).toBe(entry.bytes);
    }
  });

  it('is left alone when it is up to date, and repaired where a file was changed', () => {
    const events: { id: string; skipped: boolean }[] = [];
    const victim = join(scratch, 'faceapi_tiny.onnx');
    const data = readFileSync(victim);
    data[1000] = (data[1000] ?? 0) ^ 1;
    writeFileSync(victim, data);
    buildPack(networks, scratch, readSourceTable(), (event) => {
      if (event.bytes !== undefined) events.push({ id: event.id, skipped: event.skipped === true });
    });
    expect(events.filter((e) => !e.skipped).map((e) => e.id)).toEqual(['faceapi_tiny']);
    expect(sha256(readFileSync(victim))).toBe(card('faceapi_tiny').sha256);
  });

  it('is what the cards describe', () => {
    expect([...cards().keys()].sort()).toEqual(pack.models.map((m) => m.id).sort());
    for (const entry of pack.models) {
      const { file, sha256: hash, bytes } = card(entry.id);
      expect({ id: entry.id, file, sha256: hash, bytes }).toEqual(entry);
    }
  });

  it('publishes at most 45 MB', () => {
    const published = [...cards().values()].filter((c) => c.published);
    expect(published.length).toBeGreaterThan(8);
    expect(published.reduce((sum, c) => sum + c.bytes, 0)).toBeLessThanOrEqual(45_000_000);
  });
});

describe('cards', () => {
  it('state origin, licence, training data and agreement', () => {
    for (const c of cards().values() as Iterable<ReturnType<typeof card> & Record<string, unknown>>) {
      const origin = c.origin as { package: string; version: string; files: string[]; licence: string };
      const record = readSourceTable()[origin.package];
      expect(record?.version, c.id).toBe(origin.version);
      for (const file of origin.files) expect(Object.keys(record?.files ?? {}), c.id).toContain(file.split('#')[0]);
      expect(c.licence, c.id).toBeTruthy();
      expect(c.trainingData, c.id).toBeTruthy();
      const agreement = c.agreement as { maxAbsError: number | null; peer: string };
      expect(agreement.maxAbsError, c.id).toBeTypeOf('number');
      expect(c.memoryMb, c.id).toBeGreaterThan(0);
    }
  });

  it('never offer anti-spoofing or liveness as security', () => {
    for (const id of ['human_antispoof', 'human_liveness']) {
      const facts = card(id) as ReturnType<typeof card> & { security?: boolean; notes?: string[] };
      expect(facts.security).toBe(false);
      expect(facts.published).toBe(false);
      expect(facts.notes?.join(' ')).toMatch(/must not be offered as security/i);
    }
  });

  for (const [id, facts] of cards()) {
    it(`describe the input and the outputs of ${id}`, { timeout: 60_000 }, async () => {
      await withNetwork(id, async (session) => {
        const outputs = (facts as unknown as { outputs: { name: string; shape: (number | string)[] }[] }).outputs;
        expect(session.inputNames).toEqual([facts.input.name]);
        expect([...session.outputNames].sort()).toEqual(outputs.map((o) => o.name).sort());
        const pixels = await cropPixels(CROPS.head[0], facts.input.width, facts.input.height);
        const results = await runPixels(session, facts, pixels);
        for (const output of outputs) {
          const known = output.shape.map((d) => (d === 'N' ? 1 : d));
          const values = results[output.name]!;
          const fixed = known.filter((d) => typeof d === 'number').reduce((a, b) => a * b, 1);
          if (known.every((d) => typeof d === 'number')) expect(values).toHaveLength(fixed);
          else expect(values.length % fixed).toBe(0);
          expect(values.every(Number.isFinite), output.name).toBe(true);
        }
      });
    });
  }

  for (const [id, facts] of cards()) {
    const dynamic = (facts.input as unknown as { dynamic: string[] }).dynamic;
    if (!dynamic.includes('N')) continue;
    it(`tell the truth about batches of ${id}`, { timeout: 60_000 }, async () => {
      await withNetwork(id, async (session) => {
        const { width, height } = facts.input;
        const tensors = await Promise.all(
          CROPS.head.map(async (crop) => toTensor(await cropPixels(crop, width, height), facts.input, 'NCHW')),
        );
        const size = tensors[0]!.length;
        const batch = new Float32Array(size * tensors.length);
        tensors.forEach((tensor, i) => {
          batch.set(tensor, i * size);
        });
        const together = await runTensor(session, facts, batch);
        for (const [i, tensor] of tensors.entries()) {
          const alone = await runTensor(session, facts, tensor);
          for (const [name, values] of Object.entries(alone)) {
            const part = together[name]!.subarray(i * values.length, (i + 1) * values.length);
            const scale = values.reduce((max, v) => Math.max(max, Math.abs(v)), 1);
            const worst = values.reduce((max, v, k) => Math.max(max, Math.abs(v - part[k]!)), 0);
            expect(worst / scale, `${name} of image ${i}`).toBeLessThan(1e-5);
          }
        }
      });
    });
  }
});

describe('faceapi_ssd', () => {
  it('takes rectangles: an empty margin changes nothing away from it', { timeout: 60_000 }, async () => {
    await withNetwork('faceapi_ssd', async (session, facts) => {
      // 512×384 against the same picture in 512×512 with the padding that the card prescribes (black).
      const pixels = await cropPixels(CROPS.whole[0], 512, 384);
      const narrow = toTensor(pixels, facts.input, 'NCHW');
      const square = new Float32Array(3 * 512 * 512).fill(facts.input.offset[0]!);
      for (let c = 0; c < 3; c++) square.set(narrow.subarray(c * 512 * 384, (c + 1) * 512 * 384), c * 512 * 512);
      const a = await runTensor(session, facts, narrow, 512, 384);
      const b = await runTensor(session, facts, square, 512, 512);
      // Anchors: 32×24 cells with three, then 16×12, 8×6, 4×3, 2×2, 1×1 with six.
      expect(a.scores).toHaveLength(32 * 24 * 3 + (16 * 12 + 8 * 6 + 4 * 3 + 2 * 2 + 1) * 6);
      expect(a.boxes).toHaveLength(a.scores!.length * 4);
      // The first rows of the finest map see nothing of the margin: the same scores to rounding.
      const rows = 32 * 6 * 3;
      const worst = a.scores!.subarray(0, rows).reduce((max, v, i) => Math.max(max, Math.abs(v - b.scores![i]!)), 0);
      expect(worst).toBeLessThan(1e-4);
      expect(Math.max(...a.scores!)).toBeGreaterThan(0.5);
    });
  });
});
