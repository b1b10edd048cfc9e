import { describe, expect, it } from 'vitest';
import { Lifetime } from '../../lib/inference/lifetime.js';

describe('Lifetime', () => {
  it('frees only when the last use has ended, and once', async () => {
    const order: string[] = [];
    const life = new Lifetime('thing');
    let finish: () => void = () => undefined;
    const use = life.use(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push('used');
    });
    const dispose = async (): Promise<void> => {
      order.push('freed');
    };
    const closing = life.close(dispose);
    const again = life.close(dispose);
    expect(life.closed).toBe(true);
    await expect(life.use(async () => 1)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(order).toEqual([]);
    finish();
    await Promise.all([use, closing, again]);
    expect(order).toEqual(['used', 'freed']);
  });

  it('counts a use that fails', async () => {
    const life = new Lifetime('thing');
    await expect(life.use(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(life.uses).toBe(0);
    await life.close(async () => undefined);
  });
});
