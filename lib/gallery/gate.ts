/**
 * Lets calls that only add run side by side, and those that must see nothing move run alone. First come, first served: a
 * crowd of the former does not keep the latter out.
 */
export class Gate {
  #shared = 0;
  #alone = false;
  readonly #waiting: { readonly alone: boolean; readonly go: () => void }[] = [];

  async shared<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter(false);
    try {
      return await work();
    } finally {
      this.#shared--;
      this.#next();
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter(true);
    try {
      return await work();
    } finally {
      this.#alone = false;
      this.#next();
    }
  }

  #enter(alone: boolean): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ alone, go });
      this.#next();
    });
  }

  #next(): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#alone || (first.alone && this.#shared > 0)) return;
      this.#waiting.shift();
      if (first.alone) this.#alone = true;
      else this.#shared++;
      first.go();
    }
  }
}
