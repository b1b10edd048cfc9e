import type { MemoryUse } from './runtime.js';
import type { Session } from './session.js';

interface Held {
  readonly session: Promise<Session>;
  open?: Session;
  users: number;
}

/**
 * Sessions that several share, by a key that stands for their bytes. The first who asks has it made, the last who gives it back closes it.
 */
export class SessionPool {
  readonly #held = new Map<string, Held>();

  /** The session under `key`, made by `make` where there is none. To be given back once for each time that it was had; not where making it failed. */
  take(key: string, make: () => Promise<Session>): Promise<Session> {
    const known = this.#held.get(key);
    if (known !== undefined) {
      known.users++;
      return known.session;
    }
    const held: Held = { session: make(), users: 1 };
    this.#held.set(key, held);
    held.session.then(
      (session) => (held.open = session),
      // Only this one: after a failure another may have been made under the key.
      () => this.#held.get(key) === held && this.#held.delete(key),
    );
    return held.session;
  }

  /** Resolves when nobody has it any more and it is closed, or at once where others have it. */
  async giveBack(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined) return;
    held.users--;
    if (held.users > 0) return;
    this.#held.delete(key);
    await (await held.session).close();
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** Of all that are open, each counted once. */
  memory(): MemoryUse {
    const sessions = [...this.#held.values()].flatMap(({ open }) =>
      open === undefined ? [] : [{ name: open.name, bytes: open.bytes }],
    );
    return { total: sessions.reduce((sum, { bytes }) => sum + bytes, 0), sessions };
  }
}
