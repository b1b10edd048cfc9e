/** Rates are measured over so long, milliseconds. */
const WINDOW_MS = 3000;
/** Pictures that come closer together than this count as one arrival: streams hand over what they have gathered. */
const STEP_MS = 50;

/** Pictures a second, of the last seconds of one connection. */
export class Rate {
  #samples: { readonly at: number; readonly received: number }[] = [];

  /** So many pictures had come at a time, the first of a connection at least; times do not fall. */
  note(at: number, received: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (received <= last.received || at - last.at < STEP_MS)) {
      // What comes with the first one was gathered before it.
      if (this.#samples.length === 1 && received > last.received) this.#samples = [{ at: last.at, received }];
      return;
    }
    this.#samples.push({ at, received });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) > WINDOW_MS) this.#samples.shift();
  }

  /** A new connection begins: the time without one does not count. */
  reset(): void {
    this.#samples = [];
  }

  /** 0 before the second picture, and where none has come for long. */
  at(now: number): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at || now - last.at > WINDOW_MS) return 0;
    return ((last.received - first.received) * 1000) / (last.at - first.at);
  }
}
