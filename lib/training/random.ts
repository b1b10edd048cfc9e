/** Numbers that look random and are the same for the same seed on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;
  #spare: number | undefined;

  constructor(seed: string) {
    // FNV-1a over the seed, three times with different starts.
    const hash = (start: number): number => {
      let h = start;
      for (const c of seed) h = Math.imul(h ^ (c.codePointAt(0) ?? 0), 0x01000193);
      return h | 0;
    };
    [this.#a, this.#b, this.#c] = [hash(0x811c9dc5 | 0), hash(0x2545f491), hash(0x9e3779b9 | 0)];
    for (let i = 0; i < 16; i++) this.uniform();
  }

  /** 0 ≤ x < 1. C. Doty-Humphrey's "small fast counting" generator of PractRand, 32 bits. */
  uniform(): number {
    const t = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return (t >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Normal distribution by the polar method of Marsaglia; what lies beyond `most` deviations is drawn anew. */
  normal(deviation: number, most = 3): number {
    for (;;) {
      const value = this.#standard();
      if (Math.abs(value) <= most) return value * deviation;
    }
  }

  #standard(): number {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    for (;;) {
      const u = this.uniform() * 2 - 1;
      const v = this.uniform() * 2 - 1;
      const s = u * u + v * v;
      if (s === 0 || s >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spare = v * scale;
      return u * scale;
    }
  }
}
