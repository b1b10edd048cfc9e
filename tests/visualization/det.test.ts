import { describe, expect, it } from 'vitest';
import { parseXml } from '../../lib/training/xml.js';
import { detSvg } from '../../lib/visualization/index.js';

const points = [
  { fmr: 0.1, fnmr: 0.01, fnmr95: [0.005, 0.02] as const },
  { fmr: 0.01, fnmr: 0.05, fnmr95: [0.03, 0.08] as const },
  { fmr: 0.001, fnmr: 0.2, fnmr95: [0.15, 0.3] as const },
];
const placesOf = (svg: string, name: string): number[][] =>
  [...(new RegExp(`class="${name}" d="([^"]+)"`).exec(svg)?.[1] ?? '').matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(
    ([, x, y]) => [Number(x), Number(y)],
  );

describe('detSvg', () => {
  it('is well-formed, self-contained and says what it shows', () => {
    const svg = detSvg([{ name: 'a < b', points, facts: '9 genuine' }], { title: 'Trade-off' });
    expect([...parseXml(svg, 'det.svg')].flatMap((e) => (e.kind === 'open' ? [e.name] : []))[0]).toBe('svg');
    for (const text of ['false match rate', 'false non-match rate', '9 genuine', 'a &lt; b', 'Trade-off'])
      expect(svg).toContain(text);
    expect(svg.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|<script|<image|@import/);
  });

  it('puts rarer false matches further left and more false non-matches higher', () => {
    const places = placesOf(detSvg([{ name: 'a', points }]), 'c0');
    expect(places).toHaveLength(3);
    for (let i = 1; i < places.length; i++) {
      expect(places[i]![0]).toBeGreaterThan(places[i - 1]![0]!);
      expect(places[i]![1]).toBeGreaterThan(places[i - 1]![1]!);
    }
  });

  it('draws rates of normally distributed scores as a straight line', () => {
    // Two normal distributions, two deviations apart: FMR = Φ(−t), FNMR = Φ(t − 2).
    const normal = [
      { fmr: 0.15865525, fnmr: 0.15865525 },
      { fmr: 0.0668072, fnmr: 0.3085375 },
      { fmr: 0.3085375, fnmr: 0.0668072 },
    ];
    const [a, b, c] = placesOf(detSvg([{ name: 'a', points: normal }]), 'c0') as [number[], number[], number[]];
    const slope = (p: number[], q: number[]): number => (q[1]! - p[1]!) / (q[0]! - p[0]!);
    expect(slope(a, b)).toBeCloseTo(slope(b, c), 2);
  });

  it('keeps zero and one inside the plot, and refuses a curve of nothing', () => {
    const places = placesOf(
      detSvg([
        {
          name: 'a',
          points: [
            { fmr: 0, fnmr: 1 },
            { fmr: 1, fnmr: 0 },
          ],
        },
      ]),
      'c0',
    );
    expect(places.flat().every(Number.isFinite)).toBe(true);
    expect(() => detSvg([{ name: 'a', points: [] }])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => detSvg([])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
