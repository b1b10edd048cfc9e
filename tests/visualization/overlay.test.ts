import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  CONTOURS_68,
  contactSheet,
  escapeMarkup,
  faceCrop,
  overlaySvg,
  poseAxes,
  renderOverlay,
} from '../../lib/visualization/index.js';
import { handMadeFace, sample } from './faces.js';

/** Parses as XML (librsvg refuses what is not well-formed) and renders. */
async function rasterise(svg: string): Promise<{ width: number; height: number; data: Buffer }> {
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('overlaySvg', () => {
  const size = { width: 640, height: 480 };

  it('is well-formed, as large as the picture, and draws something', async () => {
    const { width, height, data } = await rasterise(overlaySvg(size, [handMadeFace([100, 100, 120, 150])]));
    expect([width, height]).toEqual([640, 480]);
    expect(data.some((value, index) => index % 4 === 3 && value > 0)).toBe(true);
  });

  it('draws nothing where there is no face', async () => {
    const { data } = await rasterise(overlaySvg(size, []));
    expect(data.every((value, index) => index % 4 !== 3 || value === 0)).toBe(true);
  });

  it('draws what a face carries and what was not switched off', () => {
    const face = handMadeFace([100, 100, 120, 150]);
    const all = overlaySvg(size, [face]);
    expect(count(all, '<circle')).toBe(68);
    expect(all).toContain('class="pose"');
    expect(all).toContain('class="label"');
    const bare = overlaySvg(size, [{ box: face.box }]);
    expect(bare).toContain('class="box"');
    expect(bare).not.toContain('<circle');
    expect(bare).not.toContain('class="pose"');
    const none = overlaySvg(size, [face], { boxes: false, landmarks: false, pose: false, labels: false });
    expect(none).not.toMatch(/<(rect|circle|path|text)/);
  });

  it('puts the box where the face is', async () => {
    const { data } = await rasterise(
      overlaySvg(size, [{ box: [200, 150, 100, 80] }], { labels: false, colour: () => '#ff0000' }),
    );
    const rows: number[] = [];
    const columns: number[] = [];
    for (let y = 0; y < 480; y++) {
      for (let x = 0; x < 640; x++) {
        if ((data[(y * 640 + x) * 4 + 3] ?? 0) > 100) {
          rows.push(y);
          columns.push(x);
        }
      }
    }
    expect(Math.abs(Math.min(...columns) - 200)).toBeLessThanOrEqual(2);
    expect(Math.abs(Math.max(...columns) - 300)).toBeLessThanOrEqual(2);
    expect(Math.abs(Math.min(...rows) - 150)).toBeLessThanOrEqual(2);
    expect(Math.abs(Math.max(...rows) - 230)).toBeLessThanOrEqual(2);
  });

  it('escapes labels and refuses colours that are not colours', async () => {
    const svg = overlaySvg(size, [handMadeFace([10, 10, 50, 50])], {
      label: () => '"><script>alert(1)</script>&\u0000\ud800',
      colour: () => '"/><script>alert(2)</script>',
    });
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;');
    await rasterise(svg);
  });

  it('stays well-formed for boxes outside the picture, without area, or not finite', async () => {
    const boxes = [
      [-50, -50, 80, 80],
      [600, 460, 200, 200],
      [10, 10, 0, 0],
      [Number.NaN, 0, 10, Number.POSITIVE_INFINITY],
    ] as const;
    const svg = overlaySvg(
      size,
      boxes.map((box) => handMadeFace(box)),
    );
    expect(svg).not.toMatch(/NaN|Infinity|undefined|="-\d[^"]*" height/);
    await rasterise(svg);
  });

  it('joins every one of the 68 points in exactly one contour', () => {
    const covered = CONTOURS_68.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
    expect(covered).toEqual(Array.from({ length: 68 }, (_, i) => i));
  });
});

describe('poseAxes', () => {
  it('follows the signs of Pose', () => {
    const ahead = poseAxes({ roll: 0, yaw: 0, pitch: 0 });
    expect(ahead.x).toEqual([1, 0]);
    expect(ahead.y).toEqual([0, 1]);
    expect(Math.hypot(...ahead.z)).toBeCloseTo(0);
    expect(poseAxes({ roll: 0, yaw: 30, pitch: 0 }).z[0]).toBeCloseTo(0.5); // nose to the picture's right
    expect(poseAxes({ roll: 0, yaw: 0, pitch: 30 }).z[1]).toBeCloseTo(-0.5); // nose up
    expect(poseAxes({ roll: 90, yaw: 0, pitch: 0 }).x[1]).toBeCloseTo(1); // clockwise on the picture
  });

  it('projects an orthonormal frame', () => {
    const { x, y, z } = poseAxes({ roll: 17, yaw: -35, pitch: 22 });
    // The rows of a rotation matrix have length 1.
    expect(x[0] ** 2 + y[0] ** 2 + z[0] ** 2).toBeCloseTo(1);
    expect(x[1] ** 2 + y[1] ** 2 + z[1] ** 2).toBeCloseTo(1);
    expect(x[0] * x[1] + y[0] * y[1] + z[0] * z[1]).toBeCloseTo(0);
  });
});

describe('escapeMarkup', () => {
  it('escapes what means something and replaces what XML forbids', () => {
    expect(escapeMarkup(`<a href="x" title='y'>&</a>`)).toBe(
      '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;',
    );
    expect(escapeMarkup('a\u0000b\u0007c\ud800d')).toBe('a\ufffdb\ufffdc\ufffdd');
    expect(escapeMarkup('Zoë 😀 名前\n\t')).toBe('Zoë 😀 名前\n\t');
  });
});

describe('PNG drawings', () => {
  it('renders the overlay onto the photograph and changes it only near the face', async () => {
    const { width = 0, height = 0 } = await sharp(sample(1)).metadata();
    const png = await renderOverlay(sample(1), [handMadeFace([300, 250, 200, 260])]);
    const drawn = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect([drawn.info.width, drawn.info.height, drawn.info.format]).toEqual([width, height, 'raw']);
    const plain = await sharp(sample(1)).raw().toBuffer();
    let near = 0;
    let far = 0;
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        const at = (y * width + x) * 3;
        const changed = Math.abs((drawn.data[at * (drawn.info.channels / 3)] ?? 0) - (plain[at] ?? 0)) > 8;
        if (changed && x > 250 && x < 550 && y > 180 && y < 560) near++;
        else if (changed) far++;
      }
    }
    expect(near).toBeGreaterThan(200);
    expect(far).toBe(0);
  });

  it('scales down to maxSide, never up', async () => {
    const small = await sharp(await renderOverlay(sample(2), [], { maxSide: 320 })).metadata();
    expect(Math.max(small.width ?? 0, small.height ?? 0)).toBe(320);
    const { width } = await sharp(sample(2)).metadata();
    const same = await sharp(await renderOverlay(sample(2), [], { maxSide: 100_000 })).metadata();
    expect(same.width).toBe(width);
  });

  it('accepts raw frames with padded rows, and names a format it cannot draw on', async () => {
    const stride = 40 * 3 + 8;
    const frame = {
      data: new Uint8Array(stride * 30).fill(200),
      width: 40,
      height: 30,
      channels: 3,
      format: 'rgb',
      stride,
    } as const;
    const { data } = await sharp(await renderOverlay(frame, []))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(new Set(data)).toEqual(new Set([200]));
    await expect(renderOverlay({ ...frame, format: 'bgr' }, [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('lays faces out on a contact sheet, keeping a place for one that cannot be cut out', async () => {
    const items = [
      { picture: sample(1), face: { box: [300, 250, 200, 260] as const }, label: 'first <one>' },
      { picture: sample(1), face: { box: [-500, -500, 100, 100] as const } },
      { picture: sample(2), face: { box: [100, 100, 200, 200] as const }, label: 'third' },
    ];
    const sheet = await sharp(await contactSheet(items, { cell: 80, columns: 2, gap: 10 })).metadata();
    expect(sheet.format).toBe('png');
    expect(sheet.width).toBe(2 * 90 + 10);
    expect(sheet.height).toBe(2 * (80 + 16 + 10) + 10);
    await expect(contactSheet([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(contactSheet(items, { columns: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('cuts a square around a face at the edge without leaving the picture', async () => {
    const crop = await faceCrop(sample(3), [-40, -40, 120, 120], 64);
    const { width, height, format } = await sharp(crop).metadata();
    expect([width, height, format]).toEqual([64, 64, 'jpeg']);
    expect(await faceCrop(sample(3), [99_999, 0, 10, 10], 64)).toBeUndefined();
  });
});
