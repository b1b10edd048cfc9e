// A photograph becomes a surface: where parts of the face lie, how large it is, levels, texture, bad input.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine, type ReconstructedFace } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/index.js';
import { inspectMesh } from '../../lib/reconstruction/index.js';
import { codeOf } from '../support/code.js';
import { sample } from '../support/samples.js';

let engine: Engine;
const faces: ReconstructedFace[] = [];
beforeAll(async () => {
  engine = await openEngine();
  for (const i of [1, 2, 3, 4, 5, 6]) {
    const [face] = await engine.reconstruct(sample(i), { all: true, maxFaces: 1 });
    if (face !== undefined) faces.push(face);
  }
  expect(faces.length).toBeGreaterThanOrEqual(5);
});
afterAll(() => engine.close());

/** Landmarks of the face mesh: tip of the nose, outer corners of the eyes, corners of the mouth, chin. */
const NOSE = 1;
const EYES = [33, 263] as const;
const CHIN = 152;

const depthOf = (face: ReconstructedFace, vertex: number): number =>
  face.reconstruction.canonical.positions[3 * vertex + 2]!;

describe('the face of a photograph', () => {
  it('has its nose before its eyes, and the size of a head', () => {
    for (const face of faces) {
      const eyes = EYES.map((vertex) => depthOf(face, vertex));
      expect(depthOf(face, NOSE)).toBeLessThan(Math.min(...eyes));
      const { positions } = face.reconstruction.canonical;
      const at = (vertex: number): number[] => [...positions.subarray(3 * vertex, 3 * vertex + 3)];
      const between = (a: number, b: number): number => Math.hypot(...at(a).map((v, i) => v - at(b)[i]!));
      expect(between(...EYES)).toBeGreaterThan(70);
      expect(between(...EYES)).toBeLessThan(120);
      expect(between(10, CHIN)).toBeGreaterThan(120);
      expect(between(10, CHIN)).toBeLessThan(260);
    }
  });

  it('is one smooth sheet without spikes', async () => {
    await using runtime = await Runtime.open({ threads: 1 });
    for (const { reconstruction } of faces) {
      const { mesh } = reconstruction.levels[0]!;
      // The rim of a nose that hides a cheek may cut small pieces off.
      const report = await inspectMesh(runtime, mesh);
      expect([report.nonManifoldEdges, report.inconsistentEdges, report.degenerateTriangles]).toEqual([0, 0, 0]);
      expect(report.components).toBeLessThan(12);
      const { positions, indices } = mesh;
      // The longest edge of a triangle beside the extent of the face.
      let longest = 0;
      for (let t = 0; t < indices.length; t += 3) {
        for (let k = 0; k < 3; k++) {
          const [a, b] = [3 * indices[t + k]!, 3 * indices[t + ((k + 1) % 3)]!];
          longest = Math.max(
            longest,
            Math.hypot(...[0, 1, 2].map((axis) => positions[a + axis]! - positions[b + axis]!)),
          );
        }
      }
      const depths = Array.from({ length: positions.length / 3 }, (_, i) => positions[3 * i + 2]!);
      const relief = Math.max(...depths) - Math.min(...depths);
      expect(relief).toBeGreaterThan(15);
      expect(relief).toBeLessThan(220);
      expect(longest).toBeLessThan(40);
    }
  });

  it('has levels that grow coarser, each with texture coordinates inside the texture', () => {
    for (const { reconstruction } of faces) {
      const counts = reconstruction.levels.map(({ mesh }) => mesh.indices.length / 3);
      expect(counts).toHaveLength(4);
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
      expect(counts[3]!).toBeLessThan(counts[0]! / 30);
      for (const { mesh, error } of reconstruction.levels) {
        expect(mesh.uvs!.every((v) => v >= 0 && v <= 1)).toBe(true);
        expect(mesh.texture!.data.length).toBe(mesh.texture!.width * mesh.texture!.height * 3);
        expect(error).toBeLessThan(6);
      }
    }
  });

  it('lies where the photograph shows it: the texture has the colour of the pixel that sees the vertex', async () => {
    const face = faces[0]!;
    const frame = await engine.decode(sample(1));
    const { depth, levels } = face.reconstruction;
    const { mesh } = levels[0]!;
    const { fx, fy, cx, cy } = depth.camera;
    const { data, width } = mesh.texture!;
    for (let v = 0; v < mesh.positions.length / 3; v += 7) {
      const [x, y, z] = mesh.positions.subarray(3 * v, 3 * v + 3) as unknown as [number, number, number];
      const seen = [(fx * x) / z + cx, (fy * y) / z + cy] as const;
      const laid = [mesh.uvs![2 * v]! * depth.width, mesh.uvs![2 * v + 1]! * depth.height] as const;
      const texel = 3 * (Math.floor(laid[1]) * width + Math.floor(laid[0]));
      const [column, row] = [0, 1].map((axis) => Math.floor(seen[axis]! + 1e-3) + depth.origin[axis]!);
      const pixel = frame.channels * (row! * frame.width + column!);
      const near = Math.hypot(...[0, 1].map((axis) => seen[axis]! - laid[axis]!));
      expect(near).toBeLessThan(0.01);
      // Not where rounding may choose the neighbour.
      if (seen.some((at) => Math.abs(at - Math.round(at)) < 0.05)) continue;
      expect([...data.subarray(texel, texel + 3)]).toEqual([...frame.data.subarray(pixel, pixel + 3)]);
    }
  });

  it('can be had without texture, with other levels, at another scale', async () => {
    const face = await engine.reconstruct(sample(2), {
      levels: 2,
      triangles: 1000,
      texture: false,
      scale: { source: 'sensor', millimetresPerPixel: 2 },
    });
    const { levels, depth } = face!.reconstruction;
    expect(levels.map(({ mesh }) => mesh.indices.length / 3 <= 1000)).toEqual([true, true]);
    expect(levels[0]!.mesh.texture).toBeUndefined();
    expect(depth.scale).toEqual({ source: 'sensor', millimetresPerPixel: 2 });
  });
});

describe('a picture', () => {
  it('without a face gives none', async () => {
    const grey = { data: new Uint8Array(300 * 200 * 3).fill(120), width: 300, height: 200, channels: 3 as const };
    expect(await engine.reconstruct({ ...grey, format: 'rgb' })).toBeUndefined();
    expect(await engine.reconstruct({ ...grey, format: 'rgb' }, { all: true })).toEqual([]);
  });

  it('of several people gives each', async () => {
    const all = await engine.reconstruct(sample(1), { all: true, levels: 1 });
    expect(all.length).toBeGreaterThanOrEqual(2);
  });

  it('is refused with options that are none', async () => {
    for (const options of [
      { levels: 0 },
      { levels: 9 },
      { triangles: 0 },
      { triangles: -1 },
      { texture: 'yes' },
      { fieldOfView: 180 },
      { intrinsics: { fx: Number.NaN, fy: 1, cx: 0, cy: 0 } },
      { scale: { source: 'sensor', millimetresPerPixel: Number.POSITIVE_INFINITY } },
      { unknown: 1 },
    ]) {
      expect(await codeOf(engine.reconstruct(sample(2), options as never)), JSON.stringify(options)).toBe(
        'INVALID_ARGUMENT',
      );
    }
  });

  it('is given up when the signal fires', async () => {
    expect(await codeOf(engine.reconstruct(sample(2), { signal: AbortSignal.abort() }))).toBe('ABORTED');
  });
});
