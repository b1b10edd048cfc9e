import { invalid, plainObject } from '../errors/validate.js';
import { LineamentError, wrapError } from '../errors.js';
import type { SqlStatement } from '../native/index.js';
import type { Template } from '../templates/index.js';
import type { Embedding } from '../types.js';
import type { Place } from './sealer.js';
import { checkId, type Store } from './store.js';
import { dot, unitEmbedding } from './vectors.js';

/** What is not that person: a probe, or an enrolled sample of somebody else. */
export interface NotThisPerson {
  readonly probe?: Embedding;
  readonly sample?: string;
  readonly person: string;
}

interface Rejected {
  readonly operation: number;
  readonly space: number;
  readonly vector: Float32Array;
  /** Key of the last sample that was enrolled before: what came later knew better. */
  readonly newest: number;
}

/** The sample of a person that is most similar to a probe; of several that are as similar, the newest. */
export interface Nearest {
  readonly key: number;
  readonly similarity: number;
}

/** Scores that differ by less are the same: those of the index are rounded. */
const SAME = 1e-5;

/** `nearest`, or `next` where that is nearer, or as near and newer. */
export function nearer(nearest: Nearest | undefined, next: Nearest): Nearest {
  if (nearest === undefined || next.similarity > nearest.similarity + SAME) return next;
  if (next.similarity < nearest.similarity - SAME || next.key < nearest.key) return nearest;
  return { key: next.key, similarity: Math.max(nearest.similarity, next.similarity) };
}

/** A person whom a rejected probe rules out. */
export interface Ruling {
  readonly feedback: number;
  readonly nearness: number;
}

const place = (operation: number, person: number): Place => ({
  kind: 'probe',
  row: operation,
  person,
  collection: 0,
});

/**
 * "Not this person." A probe P that was rejected for a person speaks for later probes Q that are nearer to P than to every sample of
 * that person, and near enough to P to be taken for the same face (at or above the decision's threshold): that person is then set aside
 * for Q. Where Q is as near to P as to a sample (the very picture that was enrolled, say), what was said last counts. Nothing else is
 * touched: other persons keep their scores, and a probe nearer to the person's own samples matches as ever. Undoing the feedback takes it back wholly.
 */
export class Feedback {
  readonly #byPerson = new Map<number, Rejected[]>();

  /** Reads what the store has. What cannot be read has no effect, and is counted. */
  async load(store: Store): Promise<number> {
    this.#byPerson.clear();
    let unreadable = 0;
    for (const [operation, person, space, data, newest] of await store.rows(
      'SELECT operation, person, space, probe, newest FROM feedback ORDER BY operation',
    )) {
      const own = { operation: Number(operation), person: Number(person) };
      try {
        const what = `the probe of feedback ${own.operation}`;
        const template = await store.sealer.openTemplate(data, place(own.operation, own.person), what);
        this.#add(own.person, {
          operation: own.operation,
          space: Number(space),
          vector: template.vector,
          newest: Number(newest),
        });
      } catch (error) {
        if (!['STORE_CORRUPT', 'KEY_MISMATCH', 'KEY_NOT_FOUND'].includes(wrapError(error).code)) throw error;
        unreadable++;
      }
    }
    return unreadable;
  }

  #add(person: number, rejected: Rejected): void {
    const own = this.#byPerson.get(person) ?? [];
    own.push(rejected);
    this.#byPerson.set(person, own);
  }

  /** The feedback that rules the person out for a probe; absent where none does. `nearest`: the person's most similar sample. */
  rule(person: number, space: number, probe: Float32Array, nearest: Nearest, threshold: number): Ruling | undefined {
    let ruling: Ruling | undefined;
    for (const { operation, space: own, vector, newest } of this.#byPerson.get(person) ?? []) {
      if (own !== space) continue;
      const nearness = dot(probe, vector);
      const margin = nearness - nearest.similarity;
      if (nearness < threshold || (nearest.key > newest ? margin <= SAME : margin < -SAME)) continue;
      if (ruling === undefined || nearness > ruling.nearness) ruling = { feedback: operation, nearness };
    }
    return ruling;
  }

  /** Writes the feedback and lets it count. Call alone. Gives the id of the operation. */
  async add(store: Store, given: NotThisPerson): Promise<number> {
    plainObject('feedback', given, ['probe', 'sample', 'person']);
    if ((given.probe === undefined) === (given.sample === undefined)) {
      throw invalid('feedback', 'either probe or sample', given);
    }
    const person = await store.personKey(given.person);
    const { template, sample, space } =
      given.sample === undefined
        ? fromProbe(store, given.probe)
        : await fromSample(store, checkId('sample', given.sample), person, given.person);
    const operation = store.takeOperationKey();
    const now = store.now();
    const newest = store.state.nextSample - 1;
    const probe = await store.sealer.sealTemplate(template, place(operation, person));
    await store.write([
      ...recordOperation(operation, 'feedback', now, { person: given.person }, [person]),
      {
        sql: `INSERT INTO feedback (operation, person, space, sample, newest, print, created_at, probe)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        params: [operation, person, space, sample, newest, store.sealer.print(template.vector), now, probe],
      },
    ]);
    this.#add(person, { operation, space, vector: template.vector, newest });
    return operation;
  }

  /** Feedback on one person becomes another's: rows sealed for the new owner. */
  async move(store: Store, operations: readonly number[], to: number): Promise<readonly SqlStatement[]> {
    const rows: (readonly [number, Uint8Array, number])[] = [];
    for (const operation of operations) {
      const row = await store.row('SELECT person, probe FROM feedback WHERE operation = ?', [operation]);
      if (row === undefined) continue;
      const what = `the probe of feedback ${operation}`;
      const bytes = await store.sealer.open(row[1], place(operation, Number(row[0])), what);
      rows.push([to, await store.sealer.seal(bytes, place(operation, to)), operation]);
    }
    return rows.length === 0 ? [] : [{ sql: 'UPDATE feedback SET person = ?, probe = ? WHERE operation = ?', rows }];
  }
}

function fromProbe(store: Store, value: unknown): { template: Template; sample: null; space: number } {
  const { model, dims, vector } = unitEmbedding('feedback.probe', value);
  const space = store.spaces.all.find((one) => one.model === model && one.dims === dims);
  if (space === undefined) {
    throw new LineamentError('EMBEDDING_MISMATCH', `no collection holds vectors of '${model}' (${dims})`);
  }
  const template = { model, dims, vector: Float32Array.from(vector), samples: 1, createdAt: store.now() };
  return { template, sample: null, space: space.key };
}

async function fromSample(
  store: Store,
  id: string,
  person: number,
  name: string,
): Promise<{ template: Template; sample: number; space: number }> {
  const row = await store.row(
    `SELECT s.key, s.person, s.collection, s.space, t.data FROM samples s
     LEFT JOIN templates t ON t.sample = s.key WHERE s.id = ?`,
    [id],
  );
  if (row === undefined) throw new LineamentError('NOT_FOUND', `there is no sample '${id}'`);
  const [key, owner, collection, space] = row.slice(0, 4).map(Number) as [number, number, number, number];
  if (owner === person) {
    throw new LineamentError('INVALID_ARGUMENT', `sample '${id}' is enrolled as '${name}'`, {
      fix: 'Split it from that person instead.',
    });
  }
  const at = { kind: 'template', row: key, person: owner, collection } as const;
  return { template: await store.sealer.openTemplate(row[4], at, `sample ${id}`), sample: key, space };
}

/** Statements that set an operation down. */
export function recordOperation(
  key: number,
  kind: string,
  now: number,
  detail: object,
  persons: readonly number[],
): readonly SqlStatement[] {
  return [
    {
      sql: 'INSERT INTO operations (key, kind, created_at, detail) VALUES (?, ?, ?, ?)',
      params: [key, kind, now, JSON.stringify(detail)],
    },
    {
      sql: 'INSERT INTO operation_persons (operation, person) VALUES (?, ?)',
      rows: [...new Set(persons)].map((person) => [key, person]),
    },
  ];
}
