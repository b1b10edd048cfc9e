import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../../lib/image/index.js';
import { type Engine, openEngine } from '../../../lib/index.js';
import { Runtime } from '../../../lib/inference/index.js';
import { assumedCamera, type FaceMesh, locateFaceMesh, locateLids } from '../../../lib/landmarks/index.js';
import { Networks, openPack } from '../../../lib/models/index.js';
import { depthFromLandmarks, type FaceDepth } from '../../../lib/reconstruction/depth.js';
import { measureFaceScale } from '../../../lib/reconstruction/depth-scale.js';
import type { Frame, Point } from '../../../lib/types.js';
import { SAMPLE_FACES, sample } from '../../support/samples.js';

interface Photograph {
  readonly number: number;
  readonly frame: Frame;
  readonly landmarks: readonly (readonly Point[])[];
  readonly meshes: readonly FaceMesh[];
}

let engine: Engine;
let runtime: Runtime;
let networks: Networks;
const photographs: Photograph[] = [];

beforeAll(async () => {
  engine = await openEngine();
  runtime = await Runtime.open();
  networks = new Networks(runtime, await openPack());
  for (const number of [1, 2, 3, 4, 5, 6]) {
    const frame = await decodeImage(sample(number));
    const landmarks = (await engine.detect(frame, { landmarks: true })).map((face) => face.landmarks!);
    const found = await locateFaceMesh(networks, frame, landmarks);
    const meshes = found.filter((mesh) => mesh !== undefined);
    photographs.push({ number, frame, landmarks, meshes });
  }
});
afterAll(async () => {
  await engine.close();
  await runtime.close();
});

const everyFace = async (work: (mesh: FaceMesh, photograph: Photograph) => unknown): Promise<void> => {
  for (const photograph of photographs) for (const mesh of photograph.meshes) await work(mesh, photograph);
};
const at = ({ points }: FaceMesh, i: number): [number, number, number] => [
  points[3 * i]!,
  points[3 * i + 1]!,
  points[3 * i + 2]!,
];
/** Depth at a pixel of the picture. */
const depthAt = ({ depth, width, origin }: FaceDepth, x: number, y: number): number =>
  depth[(Math.floor(y) - origin[1]) * width + Math.floor(x) - origin[0]]!;

describe('the dense mesh on photographs', () => {
  it('is found on every face but those that the detector counts beside it', () => {
    for (const { number, meshes } of photographs)
      expect(meshes.length).toBeGreaterThanOrEqual(SAMPLE_FACES[number]! - 1);
  });

  it('lies on the 68 points where both have one', async () => {
    for (const { frame, landmarks } of photographs) {
      const meshes = await locateFaceMesh(networks, frame, landmarks);
      for (const [i, mesh] of meshes.entries()) {
        if (mesh === undefined) continue;
        const face = landmarks[i]!;
        const unit = Math.hypot(face[45]![0] - face[36]![0], face[45]![1] - face[36]![1]);
        for (const [point, landmark] of [
          [33, 36],
          [263, 45],
          [1, 30],
          [61, 48],
          [291, 54],
          [152, 8],
        ] as const) {
          const [x, y] = at(mesh, point);
          expect(Math.hypot(x - face[landmark]![0], y - face[landmark]![1]) / unit).toBeLessThan(0.3);
        }
      }
    }
  });

  it('gives the lids', async () => {
    const { frame, landmarks, meshes } = photographs[4]!;
    const lids = await locateLids(networks, frame, landmarks);
    expect(lids.filter((lid) => lid !== undefined).map((lid) => lid[0])).toEqual(
      meshes.map((mesh) => at(mesh, 33).slice(0, 2)),
    );
  });

  it('turns and scales with the picture, z as x and y', async () => {
    // The same pixels as if they were those of a picture twice as large: every other number must double.
    const { frame, landmarks, meshes } = photographs[2]!;
    const { width, height } = frame;
    const data = new Uint8Array(4 * width * height * 3);
    for (let y = 0; y < 2 * height; y++) {
      for (let x = 0; x < 2 * width; x++) {
        const from = ((y >> 1) * width + (x >> 1)) * 3;
        const to = (y * 2 * width + x) * 3;
        for (let k = 0; k < 3; k++) data[to + k] = frame.data[from + k]!;
      }
    }
    const twice: Frame = { data, width: 2 * width, height: 2 * height, channels: 3, format: 'rgb' };
    const doubled = landmarks.map((face) => face.map(([x, y]): Point => [2 * x, 2 * y]));
    const large = (await locateFaceMesh(networks, twice, doubled)).filter((mesh) => mesh !== undefined);
    expect(large).toHaveLength(meshes.length);
    for (const [n, mesh] of meshes.entries()) {
      for (const i of [1, 33, 152, 234, 454, 468]) {
        const [a, b] = [at(mesh, i), at(large[n]!, i)];
        for (const k of [0, 1, 2]) expect(Math.abs(b[k]! - 2 * a[k]!)).toBeLessThan(4);
      }
    }
  });

  it('refuses what is no face', async () => {
    const { frame } = photographs[0]!;
    await expect(locateFaceMesh(networks, frame, [[[1, 2]]])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await locateFaceMesh(networks, frame, [])).toEqual([]);
    const signal = AbortSignal.abort();
    await expect(locateFaceMesh(networks, frame, photographs[0]!.landmarks, signal)).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('depth of faces on photographs', () => {
  it('has the nose before the eyes and the eyes before the ears', () =>
    everyFace(async (mesh, { frame }) => {
      const map = await depthFromLandmarks(runtime, mesh.points, frame, { region: 'face' });
      // Along the face's own axis a turned head has one eye before the nose's root; the means of both sides have not.
      const depth = (i: number): number => at(mesh, i)[2];
      const eyes = (depth(159) + depth(145) + depth(386) + depth(374)) / 4;
      const ears = (depth(234) + depth(454)) / 2;
      expect(depth(1)).toBeLessThan(eyes);
      expect(eyes).toBeLessThan(ears);
      // And what is drawn is that, in millimetres: the tip of the nose stands out by 10 to 60 mm.
      const [x, y] = at(mesh, 1);
      const nose = depthAt(map, x, y);
      const middle = map.camera.fx * map.scale.millimetresPerPixel!;
      const before = middle + eyes * map.scale.millimetresPerPixel! - nose;
      expect(before).toBeGreaterThan(10);
      expect(before).toBeLessThan(60);
    }));

  it('has a plausible scale: eyes 54 to 75 mm apart', () =>
    everyFace((mesh, { frame }) => {
      const scale = measureFaceScale(mesh.points, assumedCamera(frame.width, frame.height))!;
      expect(scale.interPupillary).toBeGreaterThan(54);
      expect(scale.interPupillary).toBeLessThan(75);
      expect(scale.source === 'iris').toBe(scale.millimetresPerPixel !== scale.interOcular);
    }));

  it('uses irises on most faces', async () => {
    let irises = 0;
    let faces = 0;
    await everyFace((mesh, { frame }) => {
      irises += Number(measureFaceScale(mesh.points, assumedCamera(frame.width, frame.height))!.source === 'iris');
      faces++;
    });
    expect(irises / faces).toBeGreaterThan(0.5);
  });

  it('covers the face and nothing else, with confidence highest where it looks at the camera', () =>
    everyFace(async (mesh, { frame }) => {
      const map = await depthFromLandmarks(runtime, mesh.points, frame, { region: 'face' });
      const known = map.depth.filter((z) => !Number.isNaN(z)).length;
      expect(known / map.depth.length).toBeGreaterThan(0.5);
      for (const [i, c] of map.confidence.entries()) {
        if (Number.isNaN(map.depth[i]!) ? c !== 0 : !(c >= 0 && c <= 1)) expect.fail(`confidence ${c} at ${i}`);
      }
      const best = Math.max(...map.confidence);
      expect(best).toBeGreaterThan(0.9);
      // Of a piece: no neighbours on the face are further apart than its silhouettes are.
      const jumps = map.depth.filter((z, i) => i % map.width > 0 && Math.abs(z - map.depth[i - 1]!) > 10).length;
      expect(jumps / known).toBeLessThan(0.02);
    }));

  it('is the same in the whole picture as around the face', async () => {
    const { frame, meshes } = photographs[0]!;
    const whole = await depthFromLandmarks(runtime, meshes[0]!.points, frame);
    const face = await depthFromLandmarks(runtime, meshes[0]!.points, frame, { region: 'face' });
    expect([whole.width, whole.height, ...whole.origin]).toEqual([frame.width, frame.height, 0, 0]);
    expect(whole.camera.cx - face.camera.cx).toBe(face.origin[0]);
    const rows = (array: Float32Array, y: number): Float32Array => {
      const from = (y + face.origin[1]) * whole.width + face.origin[0];
      return array.subarray(from, from + face.width);
    };
    for (let y = 0; y < face.height; y++) {
      expect(face.depth.subarray(y * face.width, (y + 1) * face.width)).toEqual(rows(whole.depth, y));
    }
  });
});
