// Writes rows without end; see kill.ts.
import { join } from 'node:path';
import { Database } from '../../lib/gallery/database.js';
import type { KillWorker } from './kill.js';

export const schema = ['CREATE TABLE face (id INTEGER PRIMARY KEY, copy INTEGER NOT NULL, vector BLOB NOT NULL)'];

const work: KillWorker = async (folder, acknowledge, round) => {
  const database = await Database.open({ path: join(folder, 'faces.db'), applicationId: 4711, migrations: [schema] });
  const first = (round + 1) * 1_000_000;
  const writer = async (lane: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const id = first + lane * 100_000 + i;
      const vector = new Uint8Array(2048).fill(id % 251);
      // Two rows that belong together: a torn transaction would leave one of them.
      const rows = [
        [id, id, vector],
        [-id, id, vector],
      ];
      await database.write([{ sql: 'INSERT INTO face (id, copy, vector) VALUES (?, ?, ?)', rows }]);
      acknowledge(String(id));
      if (i % 50 === 49) await database.checkpoint(lane === 0 ? 'truncate' : 'passive');
    }
  };
  await Promise.all([writer(0), writer(1), writer(2), writer(3)]);
};

export default work;
