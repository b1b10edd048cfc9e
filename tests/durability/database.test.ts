import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Database } from '../../lib/gallery/database.js';
import { schema } from './database-worker.js';
import { killRepeatedly } from './kill.js';

it('loses no acknowledged write when it is killed', { timeout: 300_000 }, async () => {
  const report = await killRepeatedly({
    kills: 8,
    worker: fileURLToPath(new URL('./database-worker.ts', import.meta.url)),
    async check(folder, acknowledged) {
      await using database = await Database.open({
        path: join(folder, 'faces.db'),
        applicationId: 4711,
        migrations: [schema],
      });
      expect(await database.check()).toEqual([]);
      const there = new Set<number>();
      for await (const page of database.pages('SELECT id, copy, vector FROM face')) {
        for (const [id, copy, vector] of page) {
          expect(Math.abs(Number(id))).toBe(copy);
          expect(new Set(vector as Uint8Array)).toEqual(new Set([Number(copy) % 251]));
          there.add(Number(id));
        }
      }
      const lost = acknowledged.map(Number).filter((id) => !there.has(id) || !there.has(-id));
      expect(lost).toEqual([]);
      for (const id of there) expect(there.has(-id), `half of ${id}`).toBe(true);
    },
  });
  expect(report.early).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(8);
});
