import { describe, expect, it } from 'vitest';
import { type TrackedFrame, trackingMetrics } from '../../../../lib/pipeline/tracking/metrics.js';
import type { Box } from '../../../../lib/types.js';

const at = (x: number, y = 0): Box => [x, y, 10, 10];
const frame = (truth: [number, Box, boolean?][], found: [number, Box][]): TrackedFrame => ({
  truth: truth.map(([id, box, ignore]) => ({ id, box, ...(ignore === undefined ? {} : { ignore }) })),
  found: found.map(([id, box]) => ({ id, box })),
});

describe('metrics of tracking', () => {
  it('are one where all is right', () => {
    const frames = [0, 1, 2].map((i) =>
      frame(
        [
          [1, at(i)],
          [2, at(50 - i)],
        ],
        [
          [7, at(i)],
          [9, at(50 - i)],
        ],
      ),
    );
    expect(trackingMetrics(frames)).toMatchObject({
      boxes: 6,
      mota: 1,
      motp: 1,
      idf1: 1,
      matched: 6,
      missed: 0,
      falsePositives: 0,
      switches: 0,
      fragmentations: 0,
    });
  });

  it('count a switch once, and IDF1 gives the person to the longer number', () => {
    // Five frames under 1, three under 2: one switch, IDTP 5, 8 boxes of each.
    const frames = [1, 1, 1, 1, 1, 2, 2, 2].map((id) => frame([[4, at(0)]], [[id, at(1)]]));
    const m = trackingMetrics(frames);
    expect(m).toMatchObject({ switches: 1, fragmentations: 0, missed: 0, falsePositives: 0 });
    expect(m.mota).toBeCloseTo(1 - 1 / 8);
    expect(m.idf1).toBeCloseTo(10 / 16);
    expect(m.motp).toBeCloseTo(90 / 110);
  });

  it('count what is missed, false and found again', () => {
    const frames = [
      frame([[1, at(0)]], [[5, at(0)]]),
      frame([[1, at(0)]], []),
      frame(
        [[1, at(0)]],
        [
          [5, at(0)],
          [6, at(80)],
        ],
      ),
      frame([[1, at(0)]], [[6, at(6)]]),
    ];
    const m = trackingMetrics(frames);
    // In the last frame the boxes overlap by 4 of 16.
    expect(m).toMatchObject({ boxes: 4, matched: 2, missed: 2, falsePositives: 2, switches: 0, fragmentations: 1 });
    expect(m.mota).toBeCloseTo(1 - 4 / 4);
    expect([m.idp, m.idr]).toEqual([2 / 4, 2 / 4]);
  });

  it('keep a number while the boxes agree, though another lies nearer', () => {
    const frames = [
      frame([[1, at(0)]], [[5, at(0)]]),
      frame(
        [[1, at(0)]],
        [
          [5, at(2)],
          [6, at(0)],
        ],
      ),
    ];
    expect(trackingMetrics(frames)).toMatchObject({ switches: 0, falsePositives: 1 });
  });

  it('see two who swap their numbers', () => {
    const swap = (i: number): TrackedFrame =>
      frame(
        [
          [1, at(0)],
          [2, at(50)],
        ],
        i < 3
          ? [
              [1, at(0)],
              [2, at(50)],
            ]
          : [
              [2, at(0)],
              [1, at(50)],
            ],
      );
    const m = trackingMetrics([0, 1, 2, 3].map(swap));
    expect(m).toMatchObject({ switches: 2, matched: 8 });
    expect(m.idf1).toBeCloseTo(6 / 8);
  });

  it('match as many as can be before as well as can be', () => {
    // The first true box overlaps both found ones, the second only the nearer of them.
    const frames = [
      frame(
        [
          [1, at(0)],
          [2, at(3)],
        ],
        [
          [5, at(1.5)],
          [6, at(-3)],
        ],
      ),
    ];
    expect(trackingMetrics(frames)).toMatchObject({ matched: 2, missed: 0, falsePositives: 0 });
  });

  it('leave out what is ignored, and what was found on it', () => {
    const frames = [
      frame(
        [
          [1, at(0)],
          [2, at(50), true],
        ],
        [
          [5, at(0)],
          [6, at(51)],
        ],
      ),
    ];
    expect(trackingMetrics(frames)).toMatchObject({ boxes: 1, mota: 1, idf1: 1 });
    expect(() => trackingMetrics(frames, 0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
