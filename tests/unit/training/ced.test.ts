import { describe, expect, it } from 'vitest';
import { parseXml } from '../../../lib/training/xml.js';
import { cedSvg } from '../../../lib/visualization/ced.js';

const curve = [0, 0.02, 0.04, 0.08, 0.16].map((error, i) => ({ error, share: i / 4 }));

describe('cedSvg', () => {
  it('is well-formed, self-contained and says what it shows', () => {
    const svg = cedSvg(
      [
        { name: 'ours', curve, mean: 0.0312, auc: 0.61, failureRate: 0.025 },
        { name: 'network', curve },
      ],
      { title: '18 faces', normaliser: 'distance of the eyes', threshold: 0.08 },
    );
    const names = [...parseXml(svg, 'ced.svg')].flatMap((e) => (e.kind === 'open' ? [e.name] : []));
    expect(names[0]).toBe('svg');
    expect(svg).toContain('mean 3.12 %');
    expect(svg).toContain('failures at 8 % 2.5 %');
    expect(svg).toContain('distance of the eyes');
    expect(svg.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|<script|<image|@import/);
    // Two curves, each with its own colour and line in the legend.
    expect(svg.match(/class="c0"/g)).toHaveLength(2);
    expect(svg.match(/class="c1"/g)).toHaveLength(2);
  });

  it('puts higher shares higher and larger errors further right, within the axes', () => {
    const svg = cedSvg([{ name: 'a', curve }], { limit: 0.08 });
    const path = /class="c0" d="([^"]+)" fill/.exec(svg)?.[1] ?? '';
    const points = [...path.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    expect(points).toHaveLength(4);
    for (const [i, [x, y]] of points.slice(1).entries()) {
      expect(x).toBeGreaterThan(points[i]![0]);
      expect(y).toBeLessThan(points[i]![1]);
    }
    // Half of the range of errors is half of the axis.
    expect((points[2]![0] - points[0]![0]) / (points[3]![0] - points[0]![0])).toBeCloseTo(0.5, 2);
  });

  it('escapes names, and shortens long ones', () => {
    const svg = cedSvg([
      { name: '<script>"&', curve },
      { name: `${'x'.repeat(100)}end`, curve },
    ]);
    expect(svg).toContain('&lt;script&gt;&quot;&amp;');
    expect(svg).not.toContain('<script>');
    expect(svg).toContain('…x');
    expect(svg).not.toContain('x'.repeat(60));
  });

  it('refuses what cannot be drawn', () => {
    expect(() => cedSvg([])).toThrow('1 to 6');
    expect(() => cedSvg([{ name: 'a', curve: [] }])).toThrow('limit');
    expect(() => cedSvg([{ name: 'a', curve }], { limit: Number.NaN })).toThrow('limit');
  });
});
