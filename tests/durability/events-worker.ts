// Appends events without end; see kill.ts.
import { EventIds, EventLog } from '../../lib/pipeline/events/index.js';
import type { PipelineEvent } from '../../lib/pipeline/types.js';
import type { KillWorker } from './kill.js';

export const T0 = 1_780_000_000_000;

const work: KillWorker = async (folder, acknowledge, round) => {
  const log = await EventLog.open({ folder });
  const ids = new EventIds();
  const camera = async (lane: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const timestamp = T0 + round * 1_000_000 + i;
      const base = { camera: `cam${lane}`, timestamp, track: i, identity: person(`p${i % 7}`) };
      // Two events that belong together: a torn call would leave one of them.
      const pair: readonly PipelineEvent[] = [
        { ...base, id: ids.next(timestamp), type: 'appeared' },
        { ...base, id: ids.next(timestamp), type: 'left', stayedMs: i },
      ];
      await log.append(pair);
      for (const { id } of pair) acknowledge(id);
    }
  };
  const desk = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      await log.setConsent(`p${i % 7}`, {
        scope: 'recording',
        status: i % 2 === 0 ? 'given' : 'withdrawn',
        by: 'desk',
      });
      acknowledge(`audit ${(await log.audit({ limit: 1 }))[0]!.hash}`);
    }
  };
  await Promise.all([camera(0), camera(1), camera(2), desk()]);
};

const person = (id: string) => ({ kind: 'known', id, looks: 1, weight: 1 }) as const;

export default work;
