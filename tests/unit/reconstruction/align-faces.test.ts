import { beforeAll, describe, expect, it } from 'vitest';
import { assumedCamera } from '../../../lib/landmarks/camera.js';
import { type Matrix3, rotationAbout } from '../../../lib/landmarks/linear.js';
import { alignFaces } from '../../../lib/reconstruction/align-faces.js';
import { type CanonicalFace, canonicalFace } from '../../../lib/reconstruction/canonical.js';
import { fitCanonicalFace } from '../../../lib/reconstruction/canonical-fit.js';
import { random } from '../../support/random.js';

let face: CanonicalFace;
beforeAll(async () => {
  face = await canonicalFace();
});

const moved = (positions: Float32Array, r: Matrix3, t: readonly number[], scale = 1): Float32Array =>
  Float32Array.from(positions, (_, i) => {
    const at = i - (i % 3);
    const row = r[i % 3]!;
    return scale * (row[0] * positions[at]! + row[1] * positions[at + 1]! + row[2] * positions[at + 2]!) + t[i % 3]!;
  });

describe('alignFaces', () => {
  it('finds the turn, the shift and the scale that a face was moved by', () => {
    const rotation = rotationAbout([0.4, -1.1, 2.2]);
    for (const scale of [1, 0.37]) {
      const b = { positions: moved(face.positions, rotation, [30, -12, 600], scale) };
      const found = alignFaces(face, b, { scale: scale !== 1 });
      expect(found.scale).toBeCloseTo(scale, 5);
      for (let r = 0; r < 3; r++)
        for (let c = 0; c < 3; c++) expect(found.rotation[r]![c]).toBeCloseTo(rotation[r]![c]!, 5);
      expect(found.translation[2]).toBeCloseTo(600, 3);
      expect(found.rms).toBeLessThan(1e-3);
      expect(found.largest).toBeLessThan(1e-3);
    }
  });

  it('leaves what differs, and no other turn does better', () => {
    const next = random(3);
    const b = Float32Array.from(face.positions, (v) => v + 4 * (next() - 0.5));
    const found = alignFaces(face, { positions: b });
    expect(found.rms).toBeGreaterThan(1);
    expect(found.rms).toBeLessThan(3);
    expect(found.differences).toHaveLength(468);
    expect(Math.max(...found.differences)).toBeCloseTo(found.largest, 5);
    const rmsOf = (positions: Float32Array): number =>
      Math.sqrt(positions.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0) / 468);
    expect(rmsOf(found.positions)).toBeCloseTo(found.rms, 4);
    for (const axis of [0, 1, 2]) {
      const turn = [0, 0, 0] as [number, number, number];
      turn[axis] = 0.01;
      expect(rmsOf(moved(found.positions, rotationAbout(turn), [0, 0, 0]))).toBeGreaterThan(found.rms);
    }
  });

  it('never gives a mirror image', () => {
    const b = { positions: face.positions.map((v, i) => (i % 3 === 2 ? -v : v)) };
    const { rotation: r, rms } = alignFaces(face, b);
    const determinant =
      r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) -
      r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
      r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
    expect(determinant).toBeCloseTo(1, 6);
    expect(rms).toBeGreaterThan(1);
  });

  it('counts vertices by their weights', () => {
    const b = new Float32Array(face.positions);
    for (let i = 0; i < 30; i++) b[i]! += 50;
    const weights = Float64Array.from({ length: 468 }, (_, i) => (i < 10 ? 0 : 1));
    const found = alignFaces(face, { positions: b }, { weights });
    expect(found.rms).toBeLessThan(1e-3);
    expect(found.differences[0]).toBeCloseTo(Math.hypot(50, 50, 50), 1);
    expect(alignFaces(face, { positions: b }).rms).toBeGreaterThan(5);
  });

  it('refuses meshes and options that are none', () => {
    const refused = (...args: unknown[]): void =>
      expect(() => (alignFaces as (...args: unknown[]) => unknown)(...args)).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    refused(face, undefined);
    refused(face, { positions: new Float32Array(3) });
    refused({ positions: new Float32Array() }, { positions: new Float32Array() });
    refused(face, { positions: face.positions.map(() => Number.NaN) });
    refused(face, face, { weights: [1, 2] });
    refused(face, face, { weights: new Float64Array(468) });
    refused(face, face, { weights: new Float64Array(468).fill(-1) });
    refused(face, face, { shear: true });
    refused(face, face, { scale: 1 });
    refused({ positions: new Float32Array(9) }, { positions: new Float32Array(9).fill(2) }, { scale: true });
    expect(alignFaces({ positions: new Float32Array(9) }, { positions: new Float32Array(9).fill(2) }).rms).toBe(0);
  });
});

describe('fitCanonicalFace', () => {
  const camera = assumedCamera(640, 480);
  const scale = { source: 'iris', millimetresPerPixel: 0.7 } as const;

  /** The landmarks that a camera sees of the canonical face, 600 mm away, turned. */
  const seen = (count: 468 | 478): { points: Float32Array; positions: Float32Array } => {
    const middle = camera.fx * scale.millimetresPerPixel;
    const positions = moved(face.positions, rotationAbout([0.1, 0.5, -0.2]), [20, 5, middle]);
    const points = new Float32Array(3 * count);
    for (let i = 0; i < positions.length; i += 3) {
      const [x, y, z] = [positions[i]!, positions[i + 1]!, positions[i + 2]!];
      points[i] = (camera.fx * x) / z + camera.cx;
      points[i + 1] = (camera.fy * y) / z + camera.cy;
      points[i + 2] = z / scale.millimetresPerPixel - camera.fx;
    }
    return { points, positions };
  };

  it('puts the vertices where the landmarks are seen', async () => {
    for (const count of [468, 478] as const) {
      const { points, positions } = seen(count);
      const mesh = await fitCanonicalFace(points, { camera, scale });
      expect(mesh.positions).toHaveLength(3 * 468);
      expect(mesh.indices).toBe(face.indices);
      expect(mesh.uvs).toBe(face.uvs);
      for (let i = 0; i < positions.length; i++) expect(mesh.positions[i]).toBeCloseTo(positions[i]!, 2);
      const found = alignFaces(face, mesh);
      expect(found.rms).toBeLessThan(0.01);
    }
  });

  it('takes a camera that looks at a part of the picture', async () => {
    const { points, positions } = seen(468);
    const part = { ...camera, cx: camera.cx - 100, cy: camera.cy - 50 };
    const mesh = await fitCanonicalFace(points, { camera: part, scale, origin: [100, 50] });
    for (let i = 0; i < positions.length; i += 7) expect(mesh.positions[i]).toBeCloseTo(positions[i]!, 2);
  });

  it('refuses what is no face or no camera', async () => {
    const { points } = seen(468);
    const refused = (code: string, ...args: unknown[]) =>
      expect((fitCanonicalFace as (...args: unknown[]) => Promise<unknown>)(...args)).rejects.toMatchObject({ code });
    await refused('INVALID_ARGUMENT', new Float32Array(9), { camera, scale });
    await refused('INVALID_ARGUMENT', [...points], { camera, scale });
    await refused('INVALID_ARGUMENT', points, undefined);
    await refused('INVALID_ARGUMENT', points, { camera: { ...camera, fx: 0 }, scale });
    await refused('INVALID_ARGUMENT', points, { camera, scale: { source: 'iris' } });
    await refused('INVALID_ARGUMENT', points, { camera, scale, origin: [0, Number.NaN] });
    const broken = new Float32Array(points);
    broken[5] = Number.NaN;
    await refused('INVALID_ARGUMENT', broken, { camera, scale });
    broken[5] = -1e6;
    await refused('NO_SURFACE', broken, { camera, scale });
  });
});
