import { describe, expect, it } from 'vitest';
import { applyRegion } from '../../lib/image/geometry.js';
import { uprightRegion } from '../../lib/landmarks/locate.js';
import { eyeAngle, turnedBounds } from '../../lib/landmarks/points.js';
import { estimatePose } from '../../lib/landmarks/pose.js';
import { head, project } from '../support/head.js';

describe('estimatePose', () => {
  const cases = [
    { roll: 0, yaw: 0, pitch: 0 },
    { roll: 25, yaw: 0, pitch: 0 },
    { roll: 0, yaw: 30, pitch: 0 },
    { roll: 0, yaw: 0, pitch: 20 },
    { roll: -40, yaw: -35, pitch: -15 },
    { roll: 170, yaw: 10, pitch: 5 },
  ];
  it.each(cases)('recovers roll $roll, yaw $yaw, pitch $pitch of a projected head', (pose) => {
    const estimate = estimatePose(project(pose, 7, [300, 200]))!;
    expect(estimate.roll).toBeCloseTo(pose.roll, 3);
    expect(estimate.yaw).toBeCloseTo(pose.yaw, 3);
    expect(estimate.pitch).toBeCloseTo(pose.pitch, 3);
  });

  it('has the signs that its documentation says', () => {
    // The nose tip moves to where the face turns.
    const nose = (pose: Parameters<typeof project>[0]) => project(pose, 1, [0, 0])[30]!;
    const straight = nose({ roll: 0, yaw: 0, pitch: 0 });
    expect(nose({ roll: 0, yaw: 20, pitch: 0 })[0]).toBeGreaterThan(straight[0]);
    expect(nose({ roll: 0, yaw: 0, pitch: 20 })[1]).toBeLessThan(straight[1]);
    // Tilted clockwise: the right eye of the picture is lower.
    const tilted = project({ roll: 20, yaw: 0, pitch: 0 }, 1, [0, 0]);
    expect(tilted[45]![1]).toBeGreaterThan(tilted[36]![1]);
  });

  it('is absent when the points span nothing', () => {
    expect(estimatePose(head.map(() => [5, 5]))).toBeUndefined();
    expect(estimatePose([])).toBeUndefined();
    expect(estimatePose(head.map(() => [Number.NaN, 0]))).toBeUndefined();
  });
});

describe('upright squares', () => {
  it('turn with the eyes and hold all points', () => {
    const points = project({ roll: 33, yaw: 0, pitch: 0 }, 7, [300, 200]);
    const angle = eyeAngle(points);
    expect((angle * 180) / Math.PI).toBeCloseTo(33, 6);
    const { width, height } = turnedBounds(points, angle);
    const region = uprightRegion(points, 1, 112);
    const corner = applyRegion(region, 0, 0);
    const right = applyRegion(region, 112, 0);
    expect(Math.hypot(right[0] - corner[0], right[1] - corner[1])).toBeCloseTo(Math.max(width, height), 9);
    expect(Math.atan2(right[1] - corner[1], right[0] - corner[0])).toBeCloseTo(angle, 9);
  });
});
