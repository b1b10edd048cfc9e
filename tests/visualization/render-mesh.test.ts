// The renderer in Node: colours at their places, the nearer surface in front, and shapes at their size.
import { describe, expect, it } from 'vitest';
import type { Mesh } from '../../lib/reconstruction/index.js';
import type { Frame } from '../../lib/types.js';
import { renderMesh } from '../../lib/visualization/index.js';
import { BACK, FIELD_OF_VIEW, fittingDistance } from '../../lib/visualization/view.js';
import { bulge, flat, gridMesh, QUADRANTS, quadrantTexture } from './meshes.js';

const pixel = ({ data, width }: Frame, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4),
];
const near = (colour: readonly number[], expected: readonly number[], tolerance = 3): void => {
  for (const [k, value] of expected.entries()) expect(Math.abs(colour[k]! - value)).toBeLessThanOrEqual(tolerance);
};
const covered = ({ data }: Frame): number => data.filter((value, i) => i % 4 === 3 && value > 127).length;

const sheet = gridMesh(flat, 4, quadrantTexture());

/** A square of one colour at a depth, its middle at the axis. */
function square(side: number, z: number, colour: readonly number[], frontSeen = true): Mesh {
  const h = side / 2;
  const positions = Float32Array.from([-h, -h, z, h, -h, z, -h, h, z, h, h, z]);
  const indices = Uint32Array.from(frontSeen ? [0, 2, 1, 1, 2, 3] : [0, 1, 2, 1, 3, 2]);
  return { positions, indices, colours: Uint8Array.from([0, 1, 2, 3].flatMap(() => [...colour])) };
}

function together(a: Mesh, b: Mesh): Mesh {
  const offset = a.positions.length / 3;
  return {
    positions: Float32Array.from([...a.positions, ...b.positions]),
    indices: Uint32Array.from([...a.indices, ...b.indices.map((index) => index + offset)]),
    colours: Uint8Array.from([...a.colours!, ...b.colours!]),
  };
}

describe('renderMesh', () => {
  it('shows a texture as the camera saw it: each quadrant in its colour and place', async () => {
    const frame = await renderMesh(sheet, { width: 200, height: 200 });
    expect([frame.width, frame.height, frame.channels, frame.format]).toEqual([200, 200, 4, 'rgba']);
    for (const [i, colour] of QUADRANTS.entries()) {
      near(pixel(frame, i % 2 === 0 ? 70 : 130, i < 2 ? 70 : 130), [...colour, 255]);
    }
    expect(pixel(frame, 3, 3)[3]).toBe(0);
  });

  it('shows the plain back when it is turned round', async () => {
    const frame = await renderMesh(sheet, { yaw: 180, width: 200, height: 200 });
    const back = pixel(frame, 70, 70);
    // The back is grey-blue under the lights, whatever the texture.
    expect(back[2]! / back[0]!).toBeCloseTo(BACK[2] / BACK[0], 1);
    near(pixel(frame, 130, 130), back, 12);
  });

  it('turns the face to the right edge with a positive yaw and up with a positive pitch', async () => {
    // A nose in front of the middle is seen on the side that the face turns to.
    const nose = together(square(100, 600, [90, 90, 90]), square(10, 560, [250, 0, 0]));
    const place = async (yaw: number, pitch: number): Promise<readonly [number, number]> => {
      const frame = await renderMesh(nose, { yaw, pitch, width: 160, height: 160, surface: 'texture' });
      let [sumX, sumY, count] = [0, 0, 0];
      for (let y = 0; y < 160; y++) {
        for (let x = 0; x < 160; x++) {
          const [r, g, , a] = pixel(frame, x, y);
          if (a! > 200 && r! > 200 && g! < 40) [sumX, sumY, count] = [sumX + x, sumY + y, count + 1];
        }
      }
      expect(count).toBeGreaterThan(10);
      return [sumX / count - 79.5, sumY / count - 79.5];
    };
    const [x0, y0] = await place(0, 0);
    expect(Math.hypot(x0, y0)).toBeLessThan(1);
    expect((await place(35, 0))[0]).toBeGreaterThan(10);
    expect((await place(-35, 0))[0]).toBeLessThan(-10);
    expect((await place(0, 35))[1]).toBeLessThan(-10);
  });

  it('draws what is nearer over what is further, in any order of triangles', async () => {
    const [front, behind] = [square(40, 500, [10, 200, 10]), square(80, 560, [200, 10, 10])];
    for (const mesh of [together(front, behind), together(behind, front)]) {
      const frame = await renderMesh(mesh, { width: 120, height: 120 });
      near(pixel(frame, 60, 60), [10, 200, 10, 255]);
      near(pixel(frame, 60, 35), [200, 10, 10, 255]);
    }
  });

  it('has the size that the camera gives it: area of a square within 1 %', async () => {
    const size = 400;
    const radius = Math.hypot(80, 80);
    const scale = size / 2 / Math.tan((FIELD_OF_VIEW * Math.PI) / 360) / fittingDistance(radius, size, size);
    const frame = await renderMesh(square(160, 600, [255, 255, 255]), { width: size, height: size });
    expect(Math.abs(covered(frame) / (160 * scale) ** 2 - 1)).toBeLessThan(0.01);
  });

  it('interpolates perspectively: the middle of a slanted texture lies where the camera sees it', async () => {
    const [angle, radius] = [60, Math.hypot(80, 80)];
    const frame = await renderMesh(sheet, { yaw: angle, width: 400, height: 400, samples: 1 });
    // The vertical middle line of the texture passes through the centre, which stays at the picture's middle.
    expect(pixel(frame, 195, 150).slice(0, 3)).toEqual([...QUADRANTS[0]!]);
    expect(pixel(frame, 205, 150).slice(0, 3)).toEqual([...QUADRANTS[1]!]);
    // And the nearer half is wider than the further one.
    const row = Array.from({ length: 400 }, (_, x) => pixel(frame, x, 190)).map((p) =>
      p[3] === 0 ? -1 : p[0]! > 120 ? 0 : 1,
    );
    const [red, green] = [row.filter((one) => one === 0).length, row.filter((one) => one === 1).length];
    const d = fittingDistance(radius, 400, 400);
    const half = (side: number): number => (80 * Math.cos(Math.PI / 3)) / (d + side * 80 * Math.sin(Math.PI / 3));
    expect(Math.abs(red / green / (half(-1) / half(1)) - 1)).toBeLessThan(0.06);
  });

  it('colours depth and normals by what they are', async () => {
    const mesh = gridMesh(bulge, 60);
    const depth = await renderMesh(mesh, { surface: 'depth', width: 128, height: 128, samples: 1 });
    const lightness = (x: number, y: number): number => pixel(depth, x, y)[1]!;
    expect(lightness(64, 70)).toBeGreaterThan(lightness(64, 40));
    expect(lightness(64, 40)).toBeGreaterThan(lightness(28, 64));
    const normals = await renderMesh(mesh, { surface: 'normals', width: 128, height: 128, samples: 1 });
    expect(pixel(normals, 30, 64)[0]!).toBeLessThan(110);
    expect(pixel(normals, 98, 64)[0]!).toBeGreaterThan(145);
    expect(pixel(normals, 64, 30)[1]!).toBeGreaterThan(145);
  });

  it('draws the same with computed normals as with given ones, nearly', async () => {
    const { normals: _, ...without } = gridMesh(bulge, 80);
    const [a, b] = await Promise.all(
      [gridMesh(bulge, 80), without].map((mesh) =>
        renderMesh(mesh, { surface: 'plain', yaw: 30, width: 96, height: 96 }),
      ),
    );
    let sum = 0;
    for (let i = 0; i < a!.data.length; i++) sum += Math.abs(a!.data[i]! - b!.data[i]!);
    expect(sum / a!.data.length).toBeLessThan(1.5);
  });

  it('fills a background and leaves no transparency then', async () => {
    const frame = await renderMesh(sheet, { width: 64, height: 48, background: [1, 2, 3] });
    expect(pixel(frame, 0, 0)).toEqual([1, 2, 3, 255]);
    expect(frame.data.filter((value, i) => i % 4 === 3 && value !== 255)).toHaveLength(0);
  });

  it('leaves the event loop to others', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns++;
    }, 1);
    await renderMesh(gridMesh(bulge, 300, quadrantTexture()), { width: 1024, height: 1024 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it.each([
    ['no triangle', { positions: new Float32Array(9), indices: new Uint32Array(0) }, {}, 'NO_SURFACE'],
    ['an index out of range', { ...sheet, indices: Uint32Array.of(0, 1, 999) }, {}, 'INVALID_ARGUMENT'],
    ['NaN', { ...sheet, positions: sheet.positions.map((v, i) => (i === 4 ? Number.NaN : v)) }, {}, 'INVALID_ARGUMENT'],
    ['short normals', { ...sheet, normals: new Float32Array(3) }, {}, 'INVALID_ARGUMENT'],
    ['a pitch over the pole', sheet, { pitch: 120 }, 'INVALID_ARGUMENT'],
    ['a yaw that is no number', sheet, { yaw: Number.NaN }, 'INVALID_ARGUMENT'],
    ['a size of zero', sheet, { width: 0 }, 'INVALID_ARGUMENT'],
    ['a huge size', sheet, { height: 1e6 }, 'INVALID_ARGUMENT'],
    ['an unknown option', sheet, { zoom: 2 } as object, 'INVALID_ARGUMENT'],
    ['an aborted signal', sheet, { signal: AbortSignal.abort() }, 'ABORTED'],
  ])('refuses %s', async (_, mesh, options, code) => {
    await expect(renderMesh(mesh, options)).rejects.toMatchObject({ code });
  });

  it('draws degenerate triangles as nothing', async () => {
    const mesh = { ...sheet, indices: Uint32Array.from([...sheet.indices, 3, 3, 3, 0, 1, 1]) };
    const [a, b] = [await renderMesh(sheet, { width: 64 }), await renderMesh(mesh, { width: 64 })];
    expect(Buffer.compare(a.data, b.data)).toBe(0);
  });
});
