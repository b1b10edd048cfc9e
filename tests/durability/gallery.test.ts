import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { inspect } from './gallery-load.js';
import { killRepeatedly } from './kill.js';

// The bench `durability` does the same 200 times.
it('a gallery loses nothing that it acknowledged when it is killed', { timeout: 300_000 }, async () => {
  const report = await killRepeatedly({
    kills: 8,
    worker: fileURLToPath(new URL('./gallery-worker.ts', import.meta.url)),
    async check(folder, acknowledged) {
      const { lost, back, problems } = await inspect(folder, acknowledged, true);
      expect({ lost, back, problems }).toEqual({ lost: [], back: [], problems: [] });
    },
  });
  expect(report.early).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(20);
});
