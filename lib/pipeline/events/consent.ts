import { nonEmptyString, numberIn, oneOf, plainObject } from '../../errors/validate.js';
import type { SqlStatement } from '../../native/index.js';
import type { LogStore } from './store.js';

/** What consent is about. */
export const CONSENT_SCOPES = ['recognition', 'recording'] as const;
export type ConsentScope = (typeof CONSENT_SCOPES)[number];

const STATUSES = ['given', 'withdrawn', 'unknown'] as const;
export type ConsentStatus = (typeof STATUSES)[number];

/** What somebody said about one scope. */
export interface Consent {
  readonly status: ConsentStatus;
  /** Milliseconds since the Unix epoch; absent where nothing was ever said. */
  readonly since?: number;
  /** Version of the policy that was consented to. */
  readonly policy?: string;
}

export type PersonConsent = Readonly<Record<ConsentScope, Consent>>;

export interface ConsentChange {
  readonly scope: ConsentScope;
  readonly status: ConsentStatus;
  readonly policy?: string;
  /** Since when; now when absent. */
  readonly since?: number;
  /** Who records it. */
  readonly by: string;
}

const UNKNOWN: Consent = Object.freeze({ status: 'unknown' });
const NOTHING: PersonConsent = Object.freeze({ recognition: UNKNOWN, recording: UNKNOWN });

/** The newest word of each person on each scope, in memory: the privacy policy asks for every frame. */
export class Consents {
  readonly #store: LogStore;
  #all: ReadonlyMap<string, PersonConsent> = new Map();
  /** Withdrawals that are being written: they hold already. */
  readonly #withdrawn = new Map<string, Consent>();
  /** Number of the last reading that was begun, and of the one that counts. */
  #begun = 0;
  #counts = 0;

  constructor(store: LogStore) {
    this.#store = store;
  }

  /** Those who were merged share what any of them said last; where they spoke at once, a withdrawal holds. */
  async load(): Promise<void> {
    const turn = ++this.#begun;
    const rows = await this.#store.rows(
      `SELECT p.id, n.scope, n.status, n.since, n.policy FROM persons p
       JOIN persons g ON coalesce(g.root, g.key) = coalesce(p.root, p.key) JOIN consents n ON n.person = g.key
       ORDER BY n.since, n.status = 'withdrawn', n.number`,
    );
    const all = new Map<string, Record<ConsentScope, Consent>>();
    for (const [id, scope, status, since, policy] of rows) {
      const known = all.get(String(id)) ?? { ...NOTHING };
      known[String(scope) as ConsentScope] = {
        status: String(status) as ConsentStatus,
        since: Number(since),
        ...(policy !== null && { policy: String(policy) }),
      };
      all.set(String(id), known);
    }
    // Readings may overtake each other: what was read before does not replace what was read later.
    if (turn < this.#counts) return;
    this.#counts = turn;
    this.#all = all;
  }

  of(person: string): PersonConsent {
    const known = this.#all.get(person) ?? NOTHING;
    if (this.#withdrawn.size === 0) return known;
    const now = { ...known };
    for (const scope of CONSENT_SCOPES) now[scope] = this.#withdrawn.get(`${scope}\0${person}`) ?? now[scope];
    return now;
  }

  /** On the disk when it resolves; a withdrawal holds at once, also where writing fails. */
  async set(person: string, change: ConsentChange): Promise<void> {
    nonEmptyString('person', person);
    plainObject('change', change, ['scope', 'status', 'policy', 'since', 'by']);
    const scope = oneOf('scope', change.scope, CONSENT_SCOPES);
    const status = oneOf('status', change.status, STATUSES);
    const by = nonEmptyString('by', change.by);
    const now = this.#store.now();
    const since = numberIn('since', change.since ?? now, 0, 2 ** 48 - 1);
    const policy = change.policy === undefined ? undefined : nonEmptyString('policy', change.policy);
    const said: Consent = { status, since, ...(policy !== undefined && { policy }) };
    const key = `${scope}\0${person}`;
    const before = this.#withdrawn.get(key);
    if (status === 'withdrawn') this.#withdrawn.set(key, said);
    await this.#store.audited(
      [
        ensurePerson(person, now),
        {
          sql: `INSERT INTO consents (person, scope, status, since, policy, recorded_at)
            VALUES ((SELECT key FROM persons WHERE id = ?), ?, ?, ?, ?, ?)`,
          params: [person, scope, status, since, policy ?? null, now],
          expect: 1,
        },
      ],
      {
        actor: by,
        action: 'consent',
        subject: this.#store.digest(person),
        detail: { scope, status, since, policy: policy ?? null },
      },
    );
    await this.load();
    // A withdrawal that came while this was written holds on.
    const holds = this.#withdrawn.get(key);
    if (holds === said || (status === 'given' && holds === before)) this.#withdrawn.delete(key);
  }
}

/** A row for somebody whom no event has named yet. */
export function ensurePerson(id: string, now: number): SqlStatement {
  return {
    sql: "INSERT INTO persons (id, kind, added_at) VALUES (?, 'known', ?) ON CONFLICT (id) DO NOTHING",
    params: [id, now],
  };
}
