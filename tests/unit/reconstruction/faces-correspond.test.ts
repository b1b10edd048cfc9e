import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../../lib/image/index.js';
import { type Engine, openEngine } from '../../../lib/index.js';
import { Runtime } from '../../../lib/inference/index.js';
import { assumedCamera, locateFaceMesh } from '../../../lib/landmarks/index.js';
import { Networks, openPack } from '../../../lib/models/index.js';
import { alignFaces } from '../../../lib/reconstruction/align-faces.js';
import { type CanonicalFace, canonicalFace } from '../../../lib/reconstruction/canonical.js';
import { fitCanonicalFace } from '../../../lib/reconstruction/canonical-fit.js';
import { measureFaceScale } from '../../../lib/reconstruction/depth-scale.js';
import { faceMeasures } from '../../../lib/reconstruction/measures.js';
import { bakeTexture } from '../../../lib/reconstruction/texture.js';
import type { Mesh } from '../../../lib/reconstruction/types.js';
import type { Frame, Point } from '../../../lib/types.js';
import { sample } from '../../support/samples.js';

interface Sitter {
  readonly frame: Frame;
  readonly points: Float32Array;
  readonly mesh: Mesh;
}

let engine: Engine;
let runtime: Runtime;
let canonical: CanonicalFace;
const sitters: Sitter[] = [];

beforeAll(async () => {
  engine = await openEngine();
  runtime = await Runtime.open();
  canonical = await canonicalFace();
  const networks = new Networks(runtime, await openPack());
  for (const number of [1, 2]) {
    const frame = await decodeImage(sample(number));
    const landmarks = (await engine.detect(frame, { landmarks: true })).map(
      (face): readonly Point[] => face.landmarks!,
    );
    const camera = assumedCamera(frame.width, frame.height);
    for (const found of await locateFaceMesh(networks, frame, landmarks)) {
      const scale = found && measureFaceScale(found.points, camera);
      if (scale === undefined) continue;
      sitters.push({ frame, points: found!.points, mesh: await fitCanonicalFace(found!.points, { camera, scale }) });
    }
  }
});
afterAll(async () => {
  await engine.close();
  await runtime.close();
});

describe('faces of photographs', () => {
  it('correspond vertex by vertex: they differ, by millimetres', () => {
    expect(sitters.length).toBeGreaterThanOrEqual(4);
    const turned = sitters.map(({ mesh }) => {
      const mean = alignFaces(canonical, mesh, { scale: true });
      expect(mean.rms).toBeGreaterThan(0.5);
      expect(mean.rms).toBeLessThan(10);
      expect(mean.scale).toBeGreaterThan(0.75);
      expect(mean.scale).toBeLessThan(1.3);
      return (Math.acos(mean.rotation[2][2]) * 180) / Math.PI;
    });
    // Of faces turned away by more the network guesses half, and the irises that give the scale are narrow.
    const front = sitters.filter((_, i) => turned[i]! < 30);
    expect(front.length).toBeGreaterThanOrEqual(3);
    for (const [i, a] of sitters.entries()) {
      for (const b of sitters.slice(i + 1)) {
        const { rms } = alignFaces(a.mesh, b.mesh);
        expect(rms).toBeGreaterThan(0.5);
        expect(rms).toBeLessThanOrEqual(front.includes(a) && front.includes(b) ? 10 : 25);
      }
    }
  });

  it('have measures of people', async () => {
    for (const { mesh } of sitters) {
      const { distances } = await faceMeasures(runtime, mesh);
      for (const { id, millimetres, geodesic } of distances) {
        if (geodesic !== undefined) expect(geodesic, id).toBeGreaterThanOrEqual(millimetres - 1e-3);
      }
      const width = distances.find(({ id }) => id === 'face-width')!.millimetres;
      expect(width).toBeGreaterThan(105);
      expect(width).toBeLessThan(190);
    }
  });

  it('carry their photograph where it shows them', async () => {
    for (const { frame, points, mesh } of sitters) {
      const camera = assumedCamera(frame.width, frame.height);
      const size = 512;
      const { texture, known, coverage } = await bakeTexture(runtime, mesh, [{ frame, camera }], { size });
      expect(coverage).toBeGreaterThan(0.5);
      // At a vertex the texture has the colour of its landmark's pixel, where the picture is even enough to say.
      const differences: number[] = [];
      for (let i = 0; i < 468; i++) {
        const [u, v] = [Math.floor(mesh.uvs![2 * i]! * size), Math.floor(mesh.uvs![2 * i + 1]! * size)];
        const [x, y] = [Math.floor(points[3 * i]!), Math.floor(points[3 * i + 1]!)];
        if (known[v * size + u] !== 1 || x < 0 || y < 0 || x >= frame.width || y >= frame.height) continue;
        const pixel = y * (frame.stride ?? frame.width * frame.channels) + x * frame.channels;
        differences.push(Math.abs(texture.data[3 * (v * size + u) + 1]! - frame.data[pixel + 1]!));
      }
      expect(differences.length).toBeGreaterThan(200);
      differences.sort((a, b) => a - b);
      expect(differences[Math.floor(differences.length / 2)]).toBeLessThanOrEqual(6);
    }
  });
});
