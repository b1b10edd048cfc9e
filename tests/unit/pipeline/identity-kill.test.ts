import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { faceOf } from '../../durability/gallery-load.js';
import { killRepeatedly } from '../../durability/kill.js';
import { openIn } from './identity-worker.js';

it('no stranger, merge, name or erasure that was acknowledged is lost when the process is killed', {
  timeout: 300_000,
}, async () => {
  let checked = 0;
  const report = await killRepeatedly({
    kills: 6,
    within: 900,
    worker: fileURLToPath(new URL('./identity-worker.ts', import.meta.url)),
    async check(folder, lines) {
      const { gallery, strangers } = await openIn(folder);
      const ids = new Map<string, string>();
      const merged = new Map<string, string>();
      const open = new Set<string>();
      const erased = new Set<string>();
      const names = new Map<string, string>();
      for (const line of lines) {
        const [first, ...rest] = line.slice(1).split(' ') as [string, ...string[]];
        if (line.startsWith('+')) ids.set(first, rest[0]!);
        else if (line.startsWith('?')) open.add(first);
        else if (line.startsWith('=')) {
          merged.set(first, rest[0]!);
          open.delete(first);
        } else if (line.startsWith('-')) {
          erased.add(first);
          open.delete(first);
        } else names.set(first, rest.join(' '));
      }
      const root = (id: string): string => (merged.has(id) ? root(merged.get(id)!) : id);
      // What a killed merge or erasure had begun may be done or not, and so may what was merged with it.
      const unsure = new Set([...open].map(root));
      const problems: string[] = [];
      for (const [person, id] of ids) {
        const now = root(id);
        if (unsure.has(now) || [...open].some((one) => strangers.resolve(one) === strangers.resolve(id))) continue;
        const [found] = (await gallery.identify(faceOf(person), { threshold: 0.9 })).candidates;
        const there = found?.match === true ? found.person : undefined;
        checked++;
        if (erased.has(now)) {
          if (there !== undefined || (await strangers.get(id)) !== undefined) problems.push(`${id} is back`);
        } else if (there !== now || strangers.resolve(id) !== now || (await strangers.get(id))?.id !== now) {
          problems.push(`${person}: ${id} should be ${now}, is ${strangers.resolve(id)}, found as ${there}`);
        }
      }
      for (const [id, name] of names) {
        const now = root(id);
        if (erased.has(now) || unsure.has(now) || merged.has(id)) continue;
        if ((await strangers.get(id))?.name !== name) problems.push(`${id} lost its name`);
      }
      const { problems: damage } = await gallery.check();
      await strangers.close();
      await gallery.close();
      expect([...problems, ...damage]).toEqual([]);
    },
  });
  expect(report.early).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(20);
  expect(checked).toBeGreaterThan(20);
});
