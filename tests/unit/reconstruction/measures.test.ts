import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFERENCE_POINTS } from '../../../lib/analysis/geometry-points.js';
import { Runtime } from '../../../lib/inference/runtime.js';
import { type CanonicalFace, canonicalFace } from '../../../lib/reconstruction/canonical.js';
import { FACE_POINTS, facePoint } from '../../../lib/reconstruction/face-points.js';
import {
  FACE_DISTANCES,
  faceDistances,
  faceMeasures,
  geodesicDistances,
} from '../../../lib/reconstruction/measures.js';

let runtime: Runtime;
let face: CanonicalFace;
beforeAll(async () => {
  runtime = await Runtime.open();
  face = await canonicalFace();
});
afterAll(() => runtime.close());

describe('points of the face', () => {
  it('lie left and right of each other, and in order from brow to chin', () => {
    for (const { symbol, paired } of REFERENCE_POINTS) {
      if (!paired) {
        expect(facePoint(face, symbol as 'n')[0], symbol).toBeCloseTo(0, 1);
        continue;
      }
      const [left, right] = [
        facePoint(face, `${symbol}.left` as 'ex.left'),
        facePoint(face, `${symbol}.right` as 'ex.left'),
      ];
      expect(left[0], symbol).toBeLessThan(0);
      expect(right[0], symbol).toBeCloseTo(-left[0], 1);
      expect(right[1], symbol).toBeCloseTo(left[1], 1);
      expect(right[2], symbol).toBeCloseTo(left[2], 1);
    }
    const down = (['g', 'n', 'prn', 'sn', 'ls', 'sto', 'li', 'gn'] as const).map((id) => facePoint(face, id)[1]);
    expect(down).toEqual([...down].sort((a, b) => a - b));
    // The tip of the nose is the foremost, the ears are behind the eyes.
    expect(facePoint(face, 'prn')[2]).toBe(
      Math.min(...Object.keys(FACE_POINTS).map((id) => facePoint(face, id as 'n')[2])),
    );
    expect(facePoint(face, 't.left')[2]).toBeGreaterThan(facePoint(face, 'ex.left')[2] + 40);
  });
});

describe('measures of the face', () => {
  it('are those of a head, in millimetres', async () => {
    const { unit, depth, distances } = await faceMeasures(runtime, face);
    expect({ unit, depth }).toEqual({ unit: 'mm', depth: 'prior' });
    const of = new Map(distances.map((one) => [one.id, one]));
    expect(of.size).toBe(distances.length);
    expect(distances.map(({ id }) => id)).toEqual(FACE_DISTANCES.map(({ id }) => id));
    // What heads of adults have, give or take (L. Farkas 1994).
    for (const [id, low, high] of [
      ['biocular-width', 75, 105],
      ['intercanthal-width', 25, 42],
      ['interpupillary-distance', 52, 75],
      ['face-width', 110, 160],
      ['mandible-width', 85, 130],
      ['face-height', 95, 135],
      ['nose-height', 40, 65],
      ['nose-width', 26, 45],
      ['mouth-width', 40, 65],
      ['nasal-tip-protrusion', 12, 30],
    ] as const) {
      expect(of.get(id)!.millimetres, id).toBeGreaterThan(low);
      expect(of.get(id)!.millimetres, id).toBeLessThan(high);
    }
  });

  it('are no shorter over the skin than through space, and the same left and right', async () => {
    const { distances } = await faceMeasures(runtime, face);
    const ways = distances.filter((one) => one.geodesic !== undefined);
    expect(ways.length).toBeGreaterThan(25);
    for (const { id, millimetres, geodesic } of ways) {
      expect(geodesic, id).toBeGreaterThanOrEqual(millimetres - 1e-4);
      expect(geodesic, id).toBeLessThan(2 * millimetres);
    }
    const of = new Map(distances.map((one) => [one.id, one]));
    for (const one of ways.filter(({ id }) => id.endsWith('.left'))) {
      const other = of.get(one.id.replace('.left', '.right'))!;
      expect(other.millimetres, one.id).toBeCloseTo(one.millimetres, 0);
      expect(other.geodesic, one.id).toBeCloseTo(one.geodesic!, 0);
    }
    // Over the nose from eye to eye.
    expect(of.get('intercanthal-width')!.geodesic).toBeGreaterThan(of.get('intercanthal-width')!.millimetres + 2);
    // Means of several vertices lie on no triangle.
    expect(of.get('interpupillary-distance')!.geodesic).toBeUndefined();
  });

  it('grow with the face', () => {
    const twice = { positions: face.positions.map((v) => 2 * v) };
    const [small, large] = [faceDistances(face), faceDistances(twice)];
    for (const [i, { id, millimetres }] of small.entries())
      expect(large[i]!.millimetres, id).toBeCloseTo(2 * millimetres, 3);
  });

  it('refuse other meshes, and stop when they are told to', async () => {
    const short = { ...face, positions: face.positions.subarray(0, 300) };
    expect(() => faceDistances(short)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => faceDistances({ positions: face.positions.map(() => Number.NaN) })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    await expect(faceMeasures(runtime, { ...face, indices: new Uint32Array([0, 1, 468]) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(faceMeasures(runtime, face, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('geodesicDistances', () => {
  it('are straight on a plane, from several sources', async () => {
    const side = 12;
    const positions = new Float32Array(3 * side * side);
    const indices: number[] = [];
    for (let r = 0; r < side; r++) {
      for (let c = 0; c < side; c++) {
        positions.set([10 * c, 7 * r, 3 * c], 3 * (side * r + c));
        if (r + 1 === side || c + 1 === side) continue;
        const i = side * r + c;
        indices.push(i, i + side, i + 1, i + 1, i + side, i + side + 1);
      }
    }
    const mesh = { positions, indices: Uint32Array.from(indices) };
    const sources = [0, 77];
    const rows = await geodesicDistances(runtime, mesh, sources);
    for (const [k, source] of sources.entries()) {
      for (let i = 0; i < side * side; i++) {
        const away = Math.hypot(...[0, 1, 2].map((d) => positions[3 * i + d]! - positions[3 * source + d]!));
        expect(rows[k]![i]).toBeCloseTo(away, 4);
      }
    }
  });

  it('refuses sources that are no vertices', async () => {
    for (const sources of [[], [468], [-1], [0.5], undefined]) {
      await expect(geodesicDistances(runtime, face, sources as number[])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
  });
});
