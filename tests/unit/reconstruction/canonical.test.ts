import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPack } from '../../../lib/models/pack.js';
import {
  CANONICAL_VERTICES,
  type CanonicalFace,
  canonicalFace,
  FACE_REGIONS,
  parseFaceMesh,
} from '../../../lib/reconstruction/canonical.js';

let face: CanonicalFace;
let bytes: Buffer;
let folder: string;

beforeAll(async () => {
  face = await canonicalFace();
  bytes = await readFile(join((await openPack()).folder, 'face468.mesh'));
  folder = await mkdtemp(join(tmpdir(), 'lineament-face-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (i: number): readonly [number, number, number] => [
  face.positions[3 * i]!,
  face.positions[3 * i + 1]!,
  face.positions[3 * i + 2]!,
];

/** Directed edges of all triangles. */
function edges(): [number, number][] {
  const found: [number, number][] = [];
  for (let t = 0; t < face.indices.length; t += 3) {
    for (let k = 0; k < 3; k++) found.push([face.indices[t + k]!, face.indices[t + ((k + 1) % 3)]!]);
  }
  return found;
}

/** Twice the signed area of a triangle of UVs. */
function uvArea(t: number): number {
  const [a, b, c] = [0, 1, 2].map((k) => 2 * face.indices[3 * t + k]!) as [number, number, number];
  const { uvs } = face;
  return (uvs[b]! - uvs[a]!) * (uvs[c + 1]! - uvs[a + 1]!) - (uvs[c]! - uvs[a]!) * (uvs[b + 1]! - uvs[a + 1]!);
}

describe('the canonical face', () => {
  it('has 468 finite vertices and 898 triangles', () => {
    expect(face.positions).toHaveLength(3 * CANONICAL_VERTICES);
    expect(face.uvs).toHaveLength(2 * CANONICAL_VERTICES);
    expect(face.indices).toHaveLength(3 * 898);
    expect(face.positions.every(Number.isFinite)).toBe(true);
    expect(new Set(face.indices).size).toBe(CANONICAL_VERTICES);
  });

  it('is one manifold sheet whose only border is the oval', () => {
    const all = edges();
    const key = (a: number, b: number): number => a * 1000 + b;
    const known = new Set(all.map(([a, b]) => key(a, b)));
    expect(known.size).toBe(all.length);
    const border = new Map(all.filter(([a, b]) => !known.has(key(b, a))));
    const oval: readonly number[] = FACE_REGIONS.faceOval;
    expect(border.size).toBe(oval.length);
    // Counterclockwise from in front: against the order of the oval, which is clockwise.
    for (const [i, vertex] of oval.entries()) expect(border.get(oval[(i + 1) % oval.length]!)).toBe(vertex);
    const undirected = new Set(all.map(([a, b]) => key(Math.min(a, b), Math.max(a, b))));
    // Euler: a disc, without holes.
    expect(CANONICAL_VERTICES - undirected.size + 898).toBe(1);
  });

  it('looks at the camera, upright, and is as large as a head', () => {
    const [forehead, chin] = [at(10)[1], at(152)[1]];
    expect(forehead).toBeLessThan(0);
    expect(chin).toBeGreaterThan(0);
    expect(chin - forehead).toBeGreaterThan(150);
    expect(chin - forehead).toBeLessThan(200);
    // The tip of the nose is nearest to the viewer; the person's right eye is on the picture's left.
    expect(at(4)[2]).toBe(Math.min(...face.positions.filter((_, i) => i % 3 === 2)));
    expect(at(33)[0]).toBeLessThan(at(263)[0]);
    const front = Array.from({ length: 898 }, (_, t) => {
      const [a, b, c] = [0, 1, 2].map((k) => [...at(face.indices[3 * t + k]!)]) as [number[], number[], number[]];
      // Z of the normal; with Y down and Z away the viewer sees counterclockwise triangles where it is below 0.
      return (b[0]! - a[0]!) * (c[1]! - a[1]!) - (c[0]! - a[0]!) * (b[1]! - a[1]!) < 0;
    });
    expect(front.filter(Boolean).length).toBeGreaterThan(880);
  });

  it('is the same left and right', () => {
    for (const [left, right] of [
      [33, 263],
      [133, 362],
      [61, 291],
      [234, 454],
      [64, 294],
    ] as const) {
      expect(at(left)[0]).toBeCloseTo(-at(right)[0], 3);
      expect(at(left)[1]).toBeCloseTo(at(right)[1], 3);
    }
  });

  it('has UVs within the picture that do not overlap', () => {
    expect(face.uvs.every((value) => value >= 0 && value <= 1)).toBe(true);
    let sum = 0;
    for (let t = 0; t < 898; t++) {
      expect(uvArea(t), `triangle ${t}`).toBeLessThan(0);
      sum += uvArea(t) / 2;
    }
    // Triangles of one sense cover each place once exactly where their areas sum up to that of the outline.
    const oval = FACE_REGIONS.faceOval.map((i) => [face.uvs[2 * i]!, face.uvs[2 * i + 1]!] as const);
    const outline = oval.reduce((area, [x, y], i) => {
      const [u, v] = oval[(i + 1) % oval.length]!;
      return area + (x * v - u * y) / 2;
    }, 0);
    expect(-sum).toBeCloseTo(outline, 6);
    expect(outline).toBeGreaterThan(0.5);
  });

  it('has a basis of weighted vertices', () => {
    expect(face.basis.vertices).toHaveLength(33);
    expect(face.basis.weights.every((w) => w > 0)).toBe(true);
  });

  it('has regions of distinct vertices that follow the edges around', () => {
    const known = new Set(edges().flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
    for (const [name, region] of Object.entries(FACE_REGIONS)) {
      expect(new Set(region).size, name).toBe(region.length);
      if (name.endsWith('Brow')) continue;
      const steps = name === 'noseBridge' ? region.length - 1 : region.length;
      for (let i = 0; i < steps; i++) {
        const step = `${region[i]} ${region[(i + 1) % region.length]}`;
        expect(known.has(step), `${name}: ${step}`).toBe(true);
      }
    }
    for (const [left, right] of [
      [FACE_REGIONS.leftEye, FACE_REGIONS.rightEye],
      [FACE_REGIONS.leftBrow, FACE_REGIONS.rightBrow],
    ] as const) {
      for (const [i, vertex] of left.entries()) expect(at(vertex)[0]).toBeCloseTo(-at(right[i]!)[0], 1);
    }
  });

  it('is read once', async () => {
    expect(await canonicalFace()).toBe(face);
  });

  it('is refused where the file is missing, cut, changed or another', async () => {
    await expect(canonicalFace(folder)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    const path = join(folder, 'face468.mesh');
    await writeFile(path, bytes.subarray(0, 1000));
    await expect(canonicalFace(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    const changed = Buffer.from(bytes);
    changed[5000]! ^= 1;
    await writeFile(path, changed);
    await expect(canonicalFace(folder)).rejects.toMatchObject({ code: 'MODEL_HASH_MISMATCH' });
    await writeFile(path, bytes);
    expect((await canonicalFace(folder)).indices).toEqual(face.indices);
    for (const wrong of [new Uint8Array(), new Uint8Array(100), bytes.subarray(0, 14_000)]) {
      expect(() => parseFaceMesh(wrong)).toThrow('no mesh of a face');
    }
    const far = Buffer.from(bytes);
    far.writeUInt16LE(468, bytes.length - 2);
    expect(() => parseFaceMesh(far)).toThrow('no mesh of a face');
  });
});
