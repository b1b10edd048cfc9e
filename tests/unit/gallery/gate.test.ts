import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../lib/gallery/gate.js';

describe('the gate', () => {
  it('lets shared work run together, and other work alone, in the order of arrival', async () => {
    const gate = new Gate();
    const log: string[] = [];
    let inside = 0;
    let most = 0;
    const work = (name: string, alone: boolean) => async (): Promise<void> => {
      inside++;
      most = Math.max(most, inside);
      if (alone) expect(inside).toBe(1);
      log.push(`+${name}`);
      await wait(1);
      expect(alone ? inside : 1).toBe(1);
      log.push(`-${name}`);
      inside--;
    };
    await Promise.all([
      gate.shared(work('a', false)),
      gate.shared(work('b', false)),
      gate.alone(work('c', true)),
      gate.shared(work('d', false)),
      gate.shared(work('e', false)),
      gate.alone(work('f', true)),
    ]);
    expect(most).toBe(2);
    expect(log.slice(0, 2).sort()).toEqual(['+a', '+b']);
    expect(log.slice(4, 6)).toEqual(['+c', '-c']);
    expect(log.slice(6, 8).sort()).toEqual(['+d', '+e']);
    expect(log.slice(10)).toEqual(['+f', '-f']);
  });

  it('opens again after a failure', async () => {
    const gate = new Gate();
    const fails = (): Promise<never> => Promise.reject(new Error('no'));
    await expect(gate.alone(fails)).rejects.toThrow('no');
    await expect(gate.shared(fails)).rejects.toThrow('no');
    expect(await gate.alone(async () => 7)).toBe(7);
  });
});
