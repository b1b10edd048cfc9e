import { Lifetime } from '../../inference/lifetime.js';
import type { Engine } from '../engine.js';

/** One opening of an engine. Calls lease it; once it is closed it takes no new ones, and the engine goes when the last has ended. */
export class Slot {
  readonly #opening: Promise<Engine>;
  readonly #lifetime: Lifetime;
  #engine: Engine | undefined;

  constructor(name: string, open: () => Promise<Engine>) {
    this.#lifetime = new Lifetime(`engine '${name}'`);
    this.#opening = open();
    this.#opening.then(
      (engine) => (this.#engine = engine),
      () => undefined,
    );
  }

  /** Rejects where it cannot be opened. */
  get opening(): Promise<Engine> {
    return this.#opening;
  }

  /** Absent while it is being opened. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  get calls(): number {
    return this.#lifetime.uses;
  }

  lease<T>(work: () => Promise<T>): Promise<T> {
    return this.#lifetime.use(work);
  }

  /** Resolves when the last call has ended and the engine is closed. */
  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      const engine = await this.#opening.catch(() => undefined);
      await engine?.close();
    });
  }
}
