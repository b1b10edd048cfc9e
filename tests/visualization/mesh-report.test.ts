// The page of rebuilt faces: pictures that are there, figures, escaped text.
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type MeshReportFace, meshReport } from '../../lib/visualization/index.js';
import { bulge, gridMesh, quadrantTexture } from './meshes.js';

const mesh = gridMesh(bulge, 24, quadrantTexture());

const pictures = (html: string): Buffer[] =>
  [...html.matchAll(/<img src="data:image\/\w+;base64,([^"]+)"/g)].map(([, data]) => Buffer.from(data!, 'base64'));

describe('meshReport', () => {
  it('shows each face from the front, at 45° and in profile, with its figures', async () => {
    const html = await meshReport(
      [
        { name: 'first', mesh, facts: [['Depth', '12 ms']] },
        { name: 'second', mesh },
      ],
      { side: 96, created: new Date('2026-01-02T03:04:05Z') },
    );
    expect(pictures(html)).toHaveLength(8);
    expect(html).toContain('2 faces');
    expect(html).toContain('2026-01-02 03:04 UTC');
    expect(html).toMatch(/<dt>Triangles<\/dt><dd>1,152<\/dd>/);
    expect(html).toMatch(/<dt>Depth<\/dt><dd>12 ms<\/dd>/);
    for (const picture of pictures(html)) {
      const { width, height } = await sharp(picture).metadata();
      expect([width, height]).toEqual([96, 96]);
    }
    const [front, half] = pictures(html);
    const { channels } = await sharp(front).stats();
    expect(Math.max(...channels.map((channel) => channel.stdev))).toBeGreaterThan(30);
    expect(Buffer.compare(front!, half!)).not.toBe(0);
  });

  it('adds photograph and depth where they are given, and takes faces as they come', async () => {
    const frame = { data: new Uint8Array(300).fill(90), width: 10, height: 10, channels: 3, format: 'rgb' } as const;
    const depth = Float32Array.from({ length: 600 }, (_, i) => 500 + i / 30);
    const map = { width: 20, height: 30, depth, confidence: depth, camera: { fx: 9, fy: 9, cx: 10, cy: 15 } };
    async function* faces(): AsyncGenerator<MeshReportFace> {
      yield {
        name: 'one',
        mesh,
        photo: frame,
        box: [2, 2, 5, 5],
        depth: { ...map, scale: { source: 'inter-ocular' } },
      };
    }
    const html = await meshReport(faces(), { side: 64, views: [{ name: 'From below', yaw: 10, pitch: 20 }] });
    expect(pictures(html)).toHaveLength(3);
    expect(html).toContain('alt="one: From below"');
    expect(html).toContain('<dd>inter-ocular</dd>');
  });

  it('shows the angle of the head, from the side that the camera saw', async () => {
    const half = [{ name: 'Half', yaw: 45 }];
    const drawn = async (yaw?: number): Promise<Buffer> =>
      pictures(
        await meshReport([{ name: 'x', mesh, ...(yaw !== undefined && { pose: { yaw } }) }], { side: 64, views: half }),
      )[0]!;
    const asked = async (yaw: number): Promise<Buffer> =>
      pictures(await meshReport([{ name: 'x', mesh }], { side: 64, views: [{ name: 'Half', yaw }] }))[0]!;
    expect(Buffer.compare(await drawn(), await asked(45))).toBe(0);
    expect(Buffer.compare(await drawn(20), await asked(25))).toBe(0);
    expect(Buffer.compare(await drawn(-20), await asked(-25))).toBe(0);
  });

  it('keeps text text and forbids scripts', async () => {
    const html = await meshReport([{ name: '<script>alert(1)</script>', mesh }], { side: 16, title: '<b>' });
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<b>');
    expect(html).toContain(`default-src 'none'`);
  });

  it.each([
    ['a mesh without triangles', [{ name: 'x', mesh: { ...mesh, indices: new Uint32Array(0) } }], {}, 'NO_SURFACE'],
    ['a mesh that is none', [{ name: 'x', mesh: null as never }], {}, 'INVALID_ARGUMENT'],
    ['no views', [{ name: 'x', mesh }], { views: [] }, 'INVALID_ARGUMENT'],
    ['an unknown option', [], { width: 3 } as object, 'INVALID_ARGUMENT'],
    ['an aborted signal', [{ name: 'x', mesh }], { signal: AbortSignal.abort() }, 'ABORTED'],
  ])('refuses %s', async (_, faces, options, code) => {
    await expect(meshReport(faces, options)).rejects.toMatchObject({ code });
  });
});
