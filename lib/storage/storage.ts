import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { abortable } from '../errors/abort.js';
import { invalid } from '../errors/validate.js';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { Lifetime } from '../inference/lifetime.js';
import {
  decodeTemplate,
  encodeTemplate,
  type Template,
  type TemplateCipher,
  validateTemplate,
} from '../templates/index.js';
import {
  callOptions,
  checkModel,
  cursorOf,
  DEFAULT_COLLECTION,
  MAX_ITEMS,
  MAX_PROBES,
  templateId,
  templateIds,
  unit,
} from './check.js';
import { type NewRow, protectionName, type Row, type StorageDriver } from './driver.js';
import type {
  CollectionOptions,
  CountOptions,
  ListOptions,
  MatchOptions,
  Probe,
  StorageModel,
  StoredTemplate,
  StoreResult,
  StoreTemplateOptions,
  TemplateItem,
  TemplateMatch,
  TemplatePage,
  TemplateRef,
  TemplateStorage,
} from './types.js';

/** What a template is sealed for: moved to another place it cannot be opened. */
export const sealContext = ({ collection, id }: TemplateRef): string =>
  `lineament storage ${JSON.stringify([collection, id])}`;

/** The template in a row, opened where it is sealed. */
export async function templateOf(row: TemplateRef & Pick<Row, 'bytes'>, cipher?: TemplateCipher): Promise<Template> {
  return decodeTemplate(cipher === undefined ? row.bytes : await cipher.open(row.bytes, sealContext(row)));
}

/** Gives the event loop a turn after each few milliseconds of work. */
export function takeTurns(): () => Promise<void> {
  let until = performance.now() + SLICE_MS;
  return async () => {
    if (performance.now() < until) return;
    await nextTurn();
    until = performance.now() + SLICE_MS;
  };
}

const SLICE_MS = 4;

/** What all backends do alike: checks, sealing, expiry, lifetime. The rest is the driver's. */
export class Storage implements TemplateStorage {
  readonly #driver: StorageDriver;
  readonly #cipher: TemplateCipher | undefined;
  readonly #allowPlainVectors: boolean;
  readonly #lifetime = new Lifetime('storage');

  /** `allowPlainVectors`: templates may be sealed although the driver's engine reads their vectors. */
  constructor(driver: StorageDriver, cipher?: TemplateCipher, allowPlainVectors = true) {
    this.#driver = driver;
    this.#cipher = cipher;
    this.#allowPlainVectors = allowPlainVectors;
  }

  get model(): StorageModel {
    return this.#driver.model;
  }

  get matching(): 'exact' | 'approximate' {
    return this.#driver.matching;
  }

  storeTemplate(id: string, template: Template, options?: StoreTemplateOptions): Promise<StoreResult> {
    return this.storeTemplates([{ id, template }], options);
  }

  async storeTemplates(items: readonly TemplateItem[], options?: StoreTemplateOptions): Promise<StoreResult> {
    if (!Array.isArray(items) || items.length < 1 || items.length > MAX_ITEMS) {
      throw invalid('items', `array of 1 to ${MAX_ITEMS} items`, items);
    }
    const { collection = DEFAULT_COLLECTION, replace, idempotencyKey, signal } = callOptions('store', options);
    return this.#call(signal, async () => {
      const seen = new Set<string>();
      const now = Date.now();
      const digest = createHash('sha256').update(JSON.stringify([collection, replace]));
      const rows: NewRow[] = [];
      const turn = takeTurns();
      for (const [i, item] of items.entries()) {
        const row = this.#row(item, i, collection, now);
        if (seen.has(row.id)) throw new LineamentError('DUPLICATE_ID', `'${row.id}' is in the request twice`);
        seen.add(row.id);
        digest.update(JSON.stringify([row.id, row.bytes.length])).update(row.bytes);
        rows.push(await this.#sealed(row));
        await turn();
      }
      throwIfAborted(signal);
      const key = idempotencyKey === undefined ? {} : { key: { id: idempotencyKey, digest: digest.digest('hex') } };
      const result = await this.#driver.put(collection, rows, { replace, ...key }, signal);
      return { stored: items.length, ...result };
    });
  }

  async #sealed(row: NewRow): Promise<NewRow> {
    if (this.#cipher === undefined) return row;
    return { ...row, bytes: await this.#cipher.seal(row.bytes, sealContext(row)) };
  }

  #row(item: TemplateItem | undefined, i: number, collection: string, storedAt: number): NewRow {
    if (typeof item !== 'object' || item === null) throw invalid(`items[${i}]`, 'id and template', item);
    const id = templateId(item.id, `items[${i}].id`);
    const template = validateTemplate(item.template, { now: storedAt });
    checkModel(`items[${i}].template`, template, this.model, this.#driver.name);
    if (this.#cipher !== undefined && !this.#allowPlainVectors && template.protection === undefined) {
      throw new LineamentError(
        'INVALID_ARGUMENT',
        `'${id}' would be sealed, but ${this.#driver.name} reads its vector`,
        {
          fix: 'Give it protected templates (protectTemplate), or set allowPlainVectors.',
        },
      );
    }
    const { expiresAt } = template;
    return {
      id,
      collection,
      storedAt,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      protection: protectionName(template.protection),
      bytes: encodeTemplate(template),
      vector: unit(template.vector),
    };
  }

  async getTemplate(id: string, options?: CollectionOptions): Promise<StoredTemplate | undefined> {
    const { collection = DEFAULT_COLLECTION, signal } = callOptions('collection', options);
    const ref = { id: templateId(id), collection };
    return this.#call(signal, async () => {
      const row = await this.#driver.get(ref, signal);
      if (row === undefined) return undefined;
      if (row.expiresAt !== undefined && row.expiresAt <= Date.now()) {
        throw new LineamentError('TEMPLATE_EXPIRED', `'${id}' at ${new Date(row.expiresAt).toISOString()}`);
      }
      return { ...ref, template: await templateOf(row, this.#cipher), storedAt: row.storedAt };
    });
  }

  async deleteTemplate(id: string, options?: CollectionOptions): Promise<boolean> {
    return (await this.deleteTemplates([templateId(id)], options)) > 0;
  }

  async deleteTemplates(ids: readonly string[], options?: CollectionOptions): Promise<number> {
    const { collection = DEFAULT_COLLECTION, signal } = callOptions('collection', options);
    const checked = templateIds(ids);
    return this.#call(signal, () => this.#driver.remove(collection, checked, signal));
  }

  async deleteExpired(options?: CountOptions): Promise<number> {
    const { collection, signal } = callOptions('collection', options);
    return this.#call(signal, () => this.#driver.removeExpired(Date.now(), collection, signal));
  }

  async listTemplates(options?: ListOptions): Promise<TemplatePage> {
    const { collection, after, limit, signal } = callOptions('list', options);
    if (after !== undefined && collection !== undefined && after.collection !== collection) {
      throw invalid('options.after', `the page before's next, of '${collection}'`, options?.after);
    }
    return this.#call(signal, async () => {
      const { entries, more } = await this.#driver.list(collection, after, limit, signal);
      return { entries, ...(more ? { next: cursorOf(entries.at(-1)!) } : {}) };
    });
  }

  async count(options?: CountOptions): Promise<number> {
    const { collection, signal } = callOptions('collection', options);
    return this.#call(signal, () => this.#driver.count(collection, signal));
  }

  async findMatches(probe: Probe, options?: MatchOptions): Promise<TemplateMatch[]> {
    return (await this.findMatchesBatch([probe], options))[0]!;
  }

  async findMatchesBatch(probes: readonly Probe[], options?: MatchOptions): Promise<TemplateMatch[][]> {
    if (!Array.isArray(probes) || probes.length < 1 || probes.length > MAX_PROBES) {
      throw invalid('probes', `array of 1 to ${MAX_PROBES} probes`, probes);
    }
    const { collection, collections, k, threshold, signal } = callOptions('match', options);
    const checked = probes.map((value: unknown, i) => {
      const probe = checkModel(`probes[${i}]`, value, this.model, this.#driver.name);
      return {
        vector: unit(probe.vector),
        ...(probe.protection === undefined ? {} : { protection: probe.protection }),
      };
    });
    const where = collection === undefined ? collections : [collection];
    return this.#call(signal, () =>
      this.#driver.search(
        {
          probes: checked,
          k,
          now: Date.now(),
          ...(threshold === undefined ? {} : { threshold }),
          ...(where === undefined ? {} : { collections: where }),
        },
        signal,
      ),
    );
  }

  async #call<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    this.#lifetime.check();
    throwIfAborted(signal);
    try {
      return await abortable(this.#lifetime.use(work), signal);
    } catch (error) {
      throw wrapError(error, undefined, 'STORE_FAILED');
    }
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#driver.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
