// The tables of the embedded storage, and what is asked of them in more than one place.

/** "LnTs": tells the file from galleries and from other applications'. */
export const APPLICATION_ID = 0x4c6e5473;
export const MIGRATIONS = [
  [
    `CREATE TABLE pin (one INTEGER PRIMARY KEY CHECK (one = 1), model TEXT NOT NULL, dims INTEGER NOT NULL, model_hash TEXT)`,
    `CREATE TABLE groups (
       group_id INTEGER PRIMARY KEY, collection TEXT NOT NULL, protection TEXT NOT NULL, UNIQUE (collection, protection))`,
    // AUTOINCREMENT: the key of a deleted template never comes back, in whatever order the index learns of it.
    `CREATE TABLE templates (
       key INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, id TEXT NOT NULL,
       group_id INTEGER NOT NULL REFERENCES groups (group_id), stored_at INTEGER NOT NULL, expires_at INTEGER,
       template BLOB NOT NULL, UNIQUE (collection, id))`,
    `CREATE INDEX templates_expires_at ON templates (expires_at) WHERE expires_at IS NOT NULL`,
    `CREATE TABLE requests (key TEXT PRIMARY KEY, digest TEXT NOT NULL, replaced INTEGER NOT NULL, at INTEGER NOT NULL)`,
    `CREATE INDEX requests_at ON requests (at)`,
    `CREATE TABLE writers (owner TEXT PRIMARY KEY, writes INTEGER NOT NULL)`,
  ],
];

/** What the index learns a template from. */
export const WHOLE = 'SELECT key, group_id, collection, id, template FROM templates';
/** Templates of a collection with these ids (JSON). */
export const NAMED = 'collection = ? AND id IN (SELECT value FROM json_each(?))';
/** How much all but this owner have written. */
export const FOREIGN = 'SELECT coalesce(sum(writes), 0) FROM writers WHERE owner <> ?';
