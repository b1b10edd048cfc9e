// Founds, names, merges and erases strangers without end; see tests/durability/kill.ts.
import { join } from 'node:path';
import { openGallery } from '../../../lib/gallery/index.js';
import { Identities, Strangers } from '../../../lib/pipeline/identity/index.js';
import { faceOf } from '../../durability/gallery-load.js';
import type { KillWorker } from '../../durability/kill.js';

export async function openIn(
  folder: string,
): Promise<{ gallery: Awaited<ReturnType<typeof openGallery>>; strangers: Strangers }> {
  const gallery = await openGallery({ folder: join(folder, 'gallery'), threads: 1 });
  const path = join(folder, 'strangers.db');
  return { gallery, strangers: await Strangers.open({ gallery, path, match: { threshold: 0.9 } }) };
}

const work: KillWorker = async (folder, acknowledge, round) => {
  const { gallery, strangers } = await openIn(folder);
  const identities = new Identities({ gallery, strangers, match: { threshold: 0.9 } });
  const ids: string[] = [];
  const lane = async (name: string, first: number): Promise<void> => {
    for (let i = first; ; i++) {
      const person = `${round}-${name}-${i}`;
      const embedding = faceOf(person);
      const track = identities.track(i, name);
      for (const n of [0, 1]) await track.add({ embedding, weight: 0.8, timestamp: 1_700_000_000_000 + i * 1000 + n });
      const id = track.identity.id!;
      acknowledge(`+${person} ${id}`);
      await track.close();
      ids.push(id);
      if (i % 4 === 3) {
        const [into, from] = ids.splice(0, 2) as [string, string];
        acknowledge(`?${from}`);
        await strangers.merge(into, from);
        acknowledge(`=${from} ${into}`);
      } else if (i % 7 === 6) {
        const gone = ids.shift()!;
        acknowledge(`?${gone}`);
        await strangers.erase(gone);
        acknowledge(`-${gone}`);
      } else if (i % 5 === 4) {
        await strangers.rename(id, `name of ${person}`);
        acknowledge(`n${id} name of ${person}`);
      }
    }
  };
  await Promise.all([lane('a', 0), lane('b', 1_000_000)]);
};

export default work;
