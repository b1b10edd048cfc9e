/** Where values go that are too many. */
const OTHER = 'other';
const LONGEST = 120;

/**
 * The values of one label, bounded: whoever reads the metrics keeps each combination for ever, so a value that would be one too many is
 * counted as `other`. Also where names come from outside, such as those of models.
 */
export class LabelValues {
  readonly #most: number;
  readonly #known = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#most || value.length > LONGEST) return OTHER;
    this.#known.add(value);
    return value;
  }
}

/** Of a set that is known beforehand. */
export const among = (known: ReadonlySet<string>, value: string): string => (known.has(value) ? value : OTHER);
