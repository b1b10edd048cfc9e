import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/runtime.js';
import { type CanonicalFace, canonicalFace } from '../../../lib/reconstruction/canonical.js';
import { bakeTexture, type Photograph, photoTexture } from '../../../lib/reconstruction/texture.js';
import type { Mesh } from '../../../lib/reconstruction/types.js';
import { unwrapMesh } from '../../../lib/reconstruction/unwrap.js';
import type { Frame } from '../../../lib/types.js';

let runtime: Runtime;
let face: CanonicalFace;
beforeAll(async () => {
  runtime = await Runtime.open();
  face = await canonicalFace();
});
afterAll(() => runtime.close());

const camera = { fx: 600, fy: 600, cx: 160, cy: 120 };
/** The canonical face half a metre in front of the camera. */
const pose = [1, 0, 0, 0, 0, 1, 0, 10, 0, 0, 1, 500, 0, 0, 0, 1];

const picture = (colour: (x: number, y: number) => readonly number[], width = 320, height = 240): Frame => {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(colour(x, y), 3 * (y * width + x));
  return { data, width, height, channels: 3, format: 'rgb' };
};
const ramp = picture((x, y) => [x / 2, y, 128]);

/** Pixel at which the camera sees a place of the face. */
const seen = (x: number, y: number, z: number): [number, number] => [
  (camera.fx * x) / (z + 500) + camera.cx,
  (camera.fy * (y + 10)) / (z + 500) + camera.cy,
];

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

describe('bakeTexture', () => {
  it('lays a photograph on the canonical face, texel by texel', async () => {
    const size = 256;
    const { texture, known, coverage } = await bakeTexture(runtime, face, [{ frame: ramp, camera, pose }], { size });
    expect(texture).toMatchObject({ width: size, height: size });
    expect(coverage).toBeGreaterThan(0.9);
    let compared = 0;
    for (let t = 0; t < face.indices.length; t += 3) {
      // The texel in the middle of the triangle.
      const corners = [...face.indices.subarray(t, t + 3)];
      const uv = [0, 1].map((k) => corners.reduce((sum, i) => sum + face.uvs[2 * i + k]! / 3, 0)) as [number, number];
      const [column, row] = uv.map((v) => Math.floor(v * size)) as [number, number];
      if (known[row * size + column] === 0) continue;
      // Its centre as a mix of the corners.
      const [[ax, ay], [bx, by], [cx, cy]] = corners.map((i) => [
        face.uvs[2 * i]! * size,
        face.uvs[2 * i + 1]! * size,
      ]) as [[number, number], [number, number], [number, number]];
      const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
      const b = ((column + 0.5 - ax) * (cy - ay) - (cx - ax) * (row + 0.5 - ay)) / area;
      const c = ((bx - ax) * (row + 0.5 - ay) - (column + 0.5 - ax) * (by - ay)) / area;
      if (b < 0 || c < 0 || b + c > 1) continue;
      const weights = [1 - b - c, b, c];
      const place = [0, 1, 2].map((k) =>
        corners.reduce((sum, i, n) => sum + weights[n]! * face.positions[3 * i + k]!, 0),
      );
      const [x, y] = seen(...(place as [number, number, number]));
      const at = 3 * (row * size + column);
      // A ramp is sampled without error but for its own rounding.
      expect(Math.abs(texture.data[at]! - (x - 0.5) / 2)).toBeLessThan(1.3);
      expect(Math.abs(texture.data[at + 1]! - (y - 0.5))).toBeLessThan(1.3);
      expect(Math.abs(texture.data[at + 2]! - 128)).toBeLessThanOrEqual(1);
      compared++;
    }
    expect(compared).toBeGreaterThan(500);
  });

  it('joins two photographs of other brightness without a seam', async () => {
    const turned = (angle: number): number[] => {
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      return [c, 0, s, 0, 0, 1, 0, 10, -s, 0, c, 500, 0, 0, 0, 1];
    };
    const photographs: Photograph[] = [
      { frame: picture(() => [200, 160, 120]), camera, pose: turned(0.5) },
      { frame: picture(() => [150, 120, 90]), camera, pose: turned(-0.5) },
    ];
    const spreadOf = ({ texture, known }: Awaited<ReturnType<typeof bakeTexture>>): number => {
      const values = [...known.keys()].filter((i) => known[i] === 1).map((i) => texture.data[3 * i]!);
      return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
    };
    const even = await bakeTexture(runtime, face, photographs, { size: 128 });
    expect(spreadOf(even)).toBeLessThanOrEqual(3);
    expect(even.gains[1]![0] / even.gains[0]![0]).toBeCloseTo(200 / 150, 2);
    const raw = await bakeTexture(runtime, face, photographs, { size: 128, equalise: false });
    expect(spreadOf(raw)).toBeGreaterThan(40);
    expect(raw.gains).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    const one = await bakeTexture(runtime, face, photographs.slice(0, 1), { size: 128 });
    expect(even.coverage).toBeGreaterThan(one.coverage);
  });

  it('gives the same bytes for any number of threads', async () => {
    await using single = await Runtime.open({ threads: 1 });
    const photographs = [{ frame: ramp, camera, pose }];
    const [a, b] = await Promise.all(
      [single, runtime].map((one) => bakeTexture(one, face, photographs, { size: 200 })),
    );
    expect(Buffer.compare(a!.texture.data, b!.texture.data)).toBe(0);
    expect(Buffer.compare(a!.known, b!.known)).toBe(0);
  });

  it('refuses what is no mesh, no photograph or no size', async () => {
    const good = [{ frame: ramp, camera, pose }];
    const bake = (...args: unknown[]): Promise<string> =>
      refusal((bakeTexture as (...args: unknown[]) => Promise<unknown>)(runtime, ...args));
    const { uvs, ...bare } = face;
    expect(await bake(bare, good)).toBe('INVALID_ARGUMENT');
    expect(await bake(undefined, good)).toBe('INVALID_ARGUMENT');
    expect(await bake({ ...face, uvs: uvs.map(() => Number.NaN) }, good)).toBe('INVALID_ARGUMENT');
    expect(await bake({ ...face, uvs: uvs.map(() => 0.5) }, good)).toBe('NO_SURFACE');
    expect(await bake({ ...face, positions: face.positions.map(() => Number.NaN) }, good)).toBe('INVALID_ARGUMENT');
    expect(await bake({ ...face, indices: Uint32Array.of(0, 1, 468) }, good)).toBe('INVALID_ARGUMENT');
    for (const none of [[], undefined, new Array(65).fill(good[0])])
      expect(await bake(face, none)).toBe('INVALID_ARGUMENT');
    for (const size of [0, 8193, 1.5, Number.NaN]) expect(await bake(face, good, { size })).toBe('INVALID_ARGUMENT');
    for (const sharpness of [0, 17, '2']) expect(await bake(face, good, { sharpness })).toBe('INVALID_ARGUMENT');
    expect(await bake(face, good, { equalise: 1 })).toBe('INVALID_ARGUMENT');
    expect(await bake(face, good, { colour: true })).toBe('INVALID_ARGUMENT');
    const one = (change: object): Promise<string> => bake(face, [{ frame: ramp, camera, pose, ...change }]);
    expect(await one({ camera: { ...camera, fx: Number.NaN } })).toBe('INVALID_ARGUMENT');
    expect(await one({ camera: { ...camera, fx: 0 } })).toBe('INVALID_ARGUMENT');
    expect(await one({ frame: { ...ramp, data: ramp.data.subarray(9) } })).toBe('INVALID_ARGUMENT');
    expect(await one({ frame: { ...ramp, width: 0 } })).toBe('INVALID_ARGUMENT');
    expect(await one({ frame: undefined })).toBe('INVALID_ARGUMENT');
    expect(await one({ pose: pose.slice(1) })).toBe('INVALID_ARGUMENT');
    expect(await one({ pose: pose.map((v) => 2 * v) })).toBe('INVALID_ARGUMENT');
    expect(await one({ pose: pose.with(0, 3) })).toBe('INVALID_ARGUMENT');
    // Behind the camera.
    expect(await one({ pose: pose.with(11, -500) })).toBe('NO_SURFACE');
    expect(await bake(face, good, { signal: AbortSignal.abort() })).toBe('ABORTED');
  });
});

describe('photoTexture', () => {
  it('is the part of the photograph that a map covers', async () => {
    const part = { width: 30, height: 20, origin: [40, 50] as const };
    const texture = await photoTexture(runtime, ramp, part);
    expect(texture).toMatchObject({ width: 30, height: 20 });
    for (let y = 0; y < 20; y++) {
      const row = 3 * ((50 + y) * 320 + 40);
      expect(Buffer.compare(texture.data.subarray(90 * y, 90 * (y + 1)), ramp.data.subarray(row, row + 90))).toBe(0);
    }
    expect(Buffer.compare((await photoTexture(runtime, ramp)).data, ramp.data)).toBe(0);
  });

  it('refuses parts beyond the picture', async () => {
    for (const part of [
      { width: 321, height: 1 },
      { width: 10, height: 10, origin: [311, 0] as const },
      { width: 10, height: 10, origin: [-1, 0] as const },
      { width: 10, height: 10, origin: [0.5, 0] as const },
      { width: 0, height: 10 },
    ]) {
      expect(await refusal(photoTexture(runtime, ramp, part))).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('unwrapMesh', () => {
  const cube = (): Mesh => ({
    positions: Float32Array.from({ length: 24 }, (_, i) => ((Math.floor(i / 3) >> (i % 3)) & 1) * 100 - 50),
    indices: Uint32Array.of(
      ...[0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5, 0, 1, 5, 0, 5, 4],
      ...[2, 6, 7, 2, 7, 3, 0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6],
    ),
    colours: Uint8Array.from({ length: 24 }, (_, i) => i),
  });

  it('gives a mesh that a photograph can be laid on', async () => {
    const { mesh, sources, charts, filled } = await unwrapMesh(runtime, cube(), { size: 256 });
    expect(charts).toBe(6);
    expect(filled).toBeGreaterThan(0.5);
    expect(sources).toHaveLength(24);
    for (const [i, source] of sources.entries()) {
      expect(mesh.colours!.subarray(3 * i, 3 * i + 3)).toEqual(
        Uint8Array.of(3 * source, 3 * source + 1, 3 * source + 2),
      );
    }
    const baked = await bakeTexture(
      runtime,
      mesh,
      [{ frame: picture(() => [9, 99, 199]), camera, pose: pose.with(7, 0) }],
      { size: 256 },
    );
    // One of six sides is seen.
    expect(baked.coverage).toBeGreaterThan(0.12);
    expect(baked.coverage).toBeLessThan(0.2);
    for (let i = 0; i < baked.texture.data.length; i += 999) expect(baked.texture.data[i]).toBe([9, 99, 199][i % 3]);
  });

  it('refuses what it cannot unwrap', async () => {
    const unwrap = (...args: unknown[]): Promise<string> =>
      refusal((unwrapMesh as (...args: unknown[]) => Promise<unknown>)(runtime, ...args));
    expect(await unwrap(undefined)).toBe('INVALID_ARGUMENT');
    for (const size of [0, 8193]) expect(await unwrap(cube(), { size })).toBe('INVALID_ARGUMENT');
    for (const padding of [-1, 65, 0.5]) expect(await unwrap(cube(), { padding })).toBe('INVALID_ARGUMENT');
    expect(await unwrap(cube(), { size: 8, padding: 8 })).toBe('INVALID_ARGUMENT');
    expect(await unwrap({ ...cube(), indices: Uint32Array.of(0, 0, 1) })).toBe('NO_SURFACE');
    expect(await unwrap(cube(), { signal: AbortSignal.abort() })).toBe('ABORTED');
  });
});
