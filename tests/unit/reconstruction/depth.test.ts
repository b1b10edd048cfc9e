import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import { assumedCamera, FACE_MESH_POINTS } from '../../../lib/landmarks/index.js';
import { canonicalFace } from '../../../lib/reconstruction/canonical.js';
import { depthFromLandmarks, type LandmarkDepthOptions, rateDepth } from '../../../lib/reconstruction/depth.js';
import { IRIS_DIAMETER, measureFaceScale, OUTER_EYE_CORNERS } from '../../../lib/reconstruction/depth-scale.js';

const PICTURE = { width: 640, height: 480 };
const camera = assumedCamera(PICTURE.width, PICTURE.height);
let runtime: Runtime;
let face: Float32Array;
beforeAll(async () => {
  runtime = await Runtime.open({ threads: 2 });
  face = await mesh({});
});
afterAll(() => runtime.close());

/**
 * The canonical face at `distance` mm as the camera sees it, turned about the vertical by `yaw`, with irises of `iris` mm in front of
 * its eyes: what the network would give for it.
 */
async function mesh({ distance = 500, yaw = 0, iris = IRIS_DIAMETER, turned = 0 }): Promise<Float32Array> {
  const { positions } = await canonicalFace();
  const scale = distance / camera.fx;
  const points = new Float32Array(3 * FACE_MESH_POINTS);
  const put = (i: number, x: number, y: number, z: number): void => {
    const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
    const depth = distance + z * c - x * s;
    points[3 * i] = (camera.fx * (x * c + z * s)) / depth + camera.cx;
    points[3 * i + 1] = (camera.fy * y) / depth + camera.cy;
    points[3 * i + 2] = depth / scale - camera.fx;
  };
  const at = (i: number): [number, number, number] => [positions[3 * i]!, positions[3 * i + 1]!, positions[3 * i + 2]!];
  for (let i = 0; i < 468; i++) put(i, ...at(i));
  for (const [first, a, b] of [
    [468, 33, 133],
    [473, 263, 362],
  ] as const) {
    const [p, q] = [at(a), at(b)];
    const [x, y, z] = [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2, (p[2] + q[2]) / 2 - turned];
    const r = iris / 2;
    put(first, x, y, z);
    put(first + 1, x + r, y, z);
    put(first + 2, x, y - r, z);
    put(first + 3, x - r, y, z);
    put(first + 4, x, y + r, z);
  }
  return points;
}

describe('measureFaceScale', () => {
  it('knows the canonical face at any distance and turn', async () => {
    for (const distance of [300, 500, 900]) {
      for (const yaw of [0, 0.3, -0.5]) {
        const scale = measureFaceScale(await mesh({ distance, yaw }), camera)!;
        expect(scale.source).toBe('iris');
        expect(scale.millimetresPerPixel / (distance / camera.fx)).toBeCloseTo(1, 3);
        expect(scale.irises.left).toBeCloseTo(scale.irises.right!, 3);
        // The canonical face's corners are 88.9 mm apart, the mean head's 89.2.
        expect(scale.interOcular / scale.millimetresPerPixel).toBeCloseTo(OUTER_EYE_CORNERS / 88.92, 3);
      }
    }
  });

  it('falls back on the corners of the eyes where irises say nothing', async () => {
    const prior = (points: Float32Array): void => {
      const scale = measureFaceScale(points, camera)!;
      expect(scale.source).toBe('inter-ocular');
      expect(scale.millimetresPerPixel).toBe(scale.interOcular);
    };
    // Too far away for irises of six pixels, implausibly large, implausibly small, lids shut.
    prior(await mesh({ distance: 1500 }));
    prior(await mesh({ iris: 1.25 * IRIS_DIAMETER }));
    prior(await mesh({ iris: 0.7 * IRIS_DIAMETER }));
    const shut = face.slice();
    for (const [upper, lower] of [
      [159, 145],
      [386, 374],
    ] as const) {
      shut.set(shut.subarray(3 * lower, 3 * lower + 3), 3 * upper);
    }
    prior(shut);
    // One open eye is enough.
    const wink = face.slice();
    wink.set(wink.subarray(3 * 145, 3 * 146), 3 * 159);
    expect(measureFaceScale(wink, camera)).toMatchObject({ source: 'iris', irises: { right: expect.any(Number) } });
    expect(measureFaceScale(wink, camera)!.irises.left).toBeUndefined();
  });

  it('has no answer where the eyes coincide, and refuses what is no mesh', () => {
    expect(measureFaceScale(new Float32Array(3 * FACE_MESH_POINTS).fill(5), camera)).toBeUndefined();
    for (const bad of [new Float32Array(9), [...face], face.map((v, i) => (i === 77 ? Number.NaN : v))]) {
      expect(() => measureFaceScale(bad as never, camera)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
    const blind = { ...camera, fx: 0 };
    expect(() => measureFaceScale(face, blind)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('depthFromLandmarks', () => {
  it('puts every vertex that is seen where it is, in millimetres', async () => {
    const { positions } = await canonicalFace();
    const map = await depthFromLandmarks(runtime, face, PICTURE);
    expect(map.scale).toMatchObject({ source: 'iris' });
    // On the ridge and the cheeks, which nothing hides from the front; a pixel is 0.8 mm wide here.
    for (const i of [1, 4, 5, 6, 168, 151, 50, 280, 205, 425, 175]) {
      const [x, y] = [Math.floor(face[3 * i]!), Math.floor(face[3 * i + 1]!)];
      expect(Math.abs(map.depth[y * map.width + x]! - (500 + positions[3 * i + 2]!))).toBeLessThan(1.5);
    }
  });

  it('is as flat triangles are, but rounder', async () => {
    const curved = await depthFromLandmarks(runtime, face, PICTURE, { region: 'face' });
    const flat = await depthFromLandmarks(runtime, face, PICTURE, { region: 'face', curved: false });
    const off = curved.depth.map((z, i) => Math.abs(z - flat.depth[i]!)).filter((d) => !Number.isNaN(d));
    expect(off.reduce((a, b) => a + b, 0) / off.length).toBeLessThan(0.5);
    // Bends between neighbours, over pixels that are far from silhouettes: patches have no creases.
    const bends = ({ depth, width, confidence }: typeof curved): number[] =>
      [...depth.keys()]
        .filter(
          (i) => i > 0 && confidence[i - 1]! > 0.8 && confidence[i]! > 0.8 && confidence[i + 1]! > 0.8 && i % width > 1,
        )
        .map((i) => Math.abs(depth[i - 1]! - 2 * depth[i]! + depth[i + 1]!));
    const p99 = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(0.99 * values.length)]!;
    expect(p99(bends(curved))).toBeLessThan(0.75 * p99(bends(flat)));
  });

  it('gives the same bytes on any number of threads', async () => {
    const one = await Runtime.open({ threads: 1 });
    try {
      const options = { scale: { source: 'iris', millimetresPerPixel: 0.8 } } as const;
      const [a, b] = [
        await depthFromLandmarks(one, face, PICTURE, options),
        await depthFromLandmarks(runtime, face, PICTURE, options),
      ];
      expect(Buffer.compare(Buffer.from(a.depth.buffer), Buffer.from(b.depth.buffer))).toBe(0);
      expect(Buffer.compare(Buffer.from(a.confidence.buffer), Buffer.from(b.confidence.buffer))).toBe(0);
    } finally {
      await one.close();
    }
  });

  it('does without a view of the face: NO_SURFACE', async () => {
    const away = face.map((v, i) => (i % 3 === 0 ? v + 5000 : v));
    for (const [points, options] of [
      [away, {}],
      [away, { region: 'face' }],
      [new Float32Array(3 * FACE_MESH_POINTS).fill(5), {}],
      [face, { triangles: new Uint32Array(0) }],
    ] as const) {
      await expect(depthFromLandmarks(runtime, points, PICTURE, options)).rejects.toMatchObject({ code: 'NO_SURFACE' });
    }
  });

  it('refuses bad input', async () => {
    const bad: [Float32Array, { width: number; height: number }, unknown][] = [
      [face.slice(3), PICTURE, {}],
      [face.map((v, i) => (i === 3 ? Number.POSITIVE_INFINITY : v)), PICTURE, {}],
      [face, { width: 0, height: 480 }, {}],
      [face, { width: 20_000, height: 480 }, {}],
      [face, { width: 10_000, height: 10_000 }, {}],
      [face, PICTURE, { region: [0, 0, 10] }],
      [face, PICTURE, { region: [0, 0, 10.5, 10] }],
      [face, PICTURE, { region: [0, 0, -10, 10] }],
      [face, PICTURE, { scale: { source: 'iris', millimetresPerPixel: Number.NaN } }],
      [face, PICTURE, { intrinsics: { ...camera, fx: Number.NaN } }],
      [face, PICTURE, { triangles: Uint32Array.of(0, 1) }],
      [face, PICTURE, { triangles: Uint32Array.of(0, 1, 478) }],
      [face, PICTURE, { margin: 0 }],
      [face, PICTURE, { curve: true }],
      // So wide a view that the face would begin behind the lens.
      [face, PICTURE, { intrinsics: { fx: 20, fy: 20, cx: 320, cy: 240 } }],
    ];
    for (const [points, picture, options] of bad) {
      const call = depthFromLandmarks(runtime, points, picture, options as LandmarkDepthOptions);
      await expect(call).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const signal = AbortSignal.abort();
    await expect(depthFromLandmarks(runtime, face, PICTURE, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('large pictures are cut to the face', async () => {
    const picture = { width: 12_000, height: 9_000 };
    const map = await depthFromLandmarks(runtime, face, picture, { region: 'face', intrinsics: camera });
    expect(map.width).toBeLessThan(300);
    expect(map.camera.cx).toBe(camera.cx - map.origin[0]);
  });
});

describe('rateDepth', () => {
  it('halves confidence where a second depth is off by the tolerance', async () => {
    const map = await depthFromLandmarks(runtime, face, PICTURE);
    const other = { ...map, depth: map.depth.map((z) => z + 8) };
    const rated = await rateDepth(runtime, map, { other, tolerance: 8 });
    for (let i = 0; i < rated.confidence.length; i += 101) {
      expect(rated.confidence[i]).toBeCloseTo(map.confidence[i]! / 2, 3);
    }
    const again = await rateDepth(runtime, map);
    expect(Buffer.compare(Buffer.from(again.confidence.buffer), Buffer.from(map.confidence.buffer))).toBe(0);
    const smaller = await depthFromLandmarks(runtime, face, PICTURE, { region: 'face' });
    await expect(rateDepth(runtime, map, { other: smaller })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
