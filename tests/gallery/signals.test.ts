import { queryObjects } from 'node:v8';
import { expect, it } from 'vitest';
import { Faces, gallery } from './support.js';

it('calls that are over keep none of the signals that they were given', async () => {
  const g = await gallery();
  const embedding = new Faces(1).face();
  await g.enrol('ada', { embedding });
  const search = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await g.identify(embedding, { threshold: 0.5, signal: new AbortController().signal });
    }
  };
  await search(20);
  const signals = (): number => Number(queryObjects(AbortSignal, { format: 'count' }));
  const before = signals();
  await search(300);
  expect(signals() - before).toBeLessThan(50);
});
