import { invalid, nonEmptyString } from '../../errors/validate.js';
import { Gauge, type Registry } from '../vendor.js';

/** A reading that takes longer is left out, so that a store that hangs does not take the metrics with it. */
const PATIENCE = 1000;

type Read = () => number | Promise<number>;
type Labels = Readonly<Record<string, string>>;

interface Reading {
  readonly labels: Labels;
  readonly read: Read;
}

/** Numbers that are asked for when the metrics are read. One that fails, hangs or is not finite is left out of that reading. */
export class Readings {
  readonly #registry: Registry;
  readonly #known = new Map<string, { readonly names: string; readonly readings: Map<string, Reading> }>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The same name and labels again replace what was there; one name has the same label names always. */
  add(name: string, help: string, read: Read, labels: Labels = {}): void {
    nonEmptyString('name', name);
    const labelNames = Object.keys(labels).sort();
    const names = labelNames.join();
    let known = this.#known.get(name);
    if (known === undefined) {
      const readings = new Map<string, Reading>();
      known = { names, readings };
      this.#known.set(name, known);
      new Gauge({
        name,
        help,
        labelNames,
        registers: [this.#registry],
        async collect() {
          const values = await Promise.all([...readings.values()].map(async (one) => [one, await take(one)] as const));
          this.reset();
          for (const [{ labels }, value] of values) {
            // Reset makes a gauge without labels 0, which would be a lie where there is no value.
            if (value === undefined) this.remove({ ...labels });
            else this.set({ ...labels }, value);
          }
        },
      });
    }
    if (known.names !== names) throw invalid('labels', `the labels ${known.names || '(none)'} of '${name}'`, labels);
    known.readings.set(JSON.stringify(labelNames.map((label) => labels[label])), { labels, read });
  }
}

async function take({ read }: Reading): Promise<number | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const value = read();
    const number =
      typeof value === 'number'
        ? value
        : await Promise.race([
            value,
            new Promise<undefined>((resolve) => {
              timer = setTimeout(() => resolve(undefined), PATIENCE);
            }),
          ]);
    return number !== undefined && Number.isFinite(number) ? number : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
