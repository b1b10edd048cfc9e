// Enrols, merges, deletes and saves without end; see kill.ts and gallery-load.ts.
import type { Gallery } from '../../lib/gallery/index.js';
import { faceOf, openIn } from './gallery-load.js';
import type { KillWorker } from './kill.js';

const work: KillWorker = async (folder, acknowledge, round) => {
  const gallery = await openIn(folder);
  const mine: string[] = [];
  const name = (lane: string, i: number): string => `${round}-${lane}-${i}`;

  const oneByOne = async (lane: string): Promise<void> => {
    for (let i = 0; ; i++) {
      const person = name(lane, i);
      await gallery.enrol(person, { embedding: faceOf(person), quality: 80 });
      acknowledge(`+${person}`);
      mine.push(person);
    }
  };
  const manyAtOnce = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      const persons = Array.from({ length: 20 }, (_, j) => name(`bulk${i}`, j));
      await gallery.enrolMany(persons.map((person) => ({ person, samples: { embedding: faceOf(person) } })));
      for (const person of persons) acknowledge(`+${person}`);
    }
  };
  await Promise.all([oneByOne('a'), oneByOne('b'), manyAtOnce(), change(gallery, mine, acknowledge)]);
};

/** Deletes and merges what has been enrolled, and saves the index now and then. */
async function change(gallery: Gallery, mine: string[], acknowledge: (line: string) => void): Promise<void> {
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (i % 5 === 4) await gallery.save();
    const [from] = mine.splice(Math.floor(mine.length / 2), 1);
    if (from === undefined) continue;
    const into = mine[0];
    acknowledge(`?${from}`);
    if (i % 3 === 2 && into !== undefined) await gallery.merge(into, from);
    else await gallery.delete({ person: from });
    acknowledge(`-${from}`);
  }
}

export default work;
