/** The gallery's file: tables, and what keeps them in step. */

/** "LGAL": tells a gallery's database from any other SQLite file. */
export const APPLICATION_ID = 0x4c47414c;

export const DATABASE_FILE = 'gallery.db';
export const LOCK_FILE = 'gallery.lock';
export const ERASED_FILE = 'gallery.erased';

/**
 * Version 1. Keys are never used again (AUTOINCREMENT): an index that is behind can then never take one sample for another.
 * Templates and thumbnails lie in tables of their own, so that lists do not read them. Triggers write the log of changes that the
 * derived index is brought up to date from, so that no statement can forget to.
 */
const VERSION_1: readonly string[] = [
  `CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    gallery TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    tombstones INTEGER NOT NULL,
    change_log INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    key_check BLOB,
    secret BLOB NOT NULL,
    signing_key BLOB NOT NULL,
    public_key BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE spaces (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    dims INTEGER NOT NULL,
    model_hash TEXT NOT NULL,
    UNIQUE (model, dims, model_hash)
  ) STRICT`,
  `CREATE TABLE collections (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    space INTEGER NOT NULL REFERENCES spaces (key),
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE persons (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL UNIQUE,
    name TEXT,
    metadata TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE samples (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    person INTEGER NOT NULL REFERENCES persons (key),
    collection INTEGER NOT NULL REFERENCES collections (key),
    space INTEGER NOT NULL REFERENCES spaces (key),
    quality REAL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    consent TEXT,
    source TEXT,
    image BLOB,
    print BLOB NOT NULL
  ) STRICT`,
  'CREATE INDEX samples_person ON samples (person)',
  'CREATE INDEX samples_collection ON samples (collection)',
  'CREATE INDEX samples_space ON samples (space)',
  'CREATE INDEX samples_expiry ON samples (expires_at) WHERE expires_at IS NOT NULL',
  `CREATE TABLE templates (
    sample INTEGER PRIMARY KEY REFERENCES samples (key),
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE thumbnails (
    sample INTEGER PRIMARY KEY REFERENCES samples (key),
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    space INTEGER NOT NULL,
    sample INTEGER NOT NULL
  ) STRICT`,
  `CREATE TRIGGER samples_added AFTER INSERT ON samples WHEN (SELECT change_log FROM state) = 1 BEGIN
    INSERT INTO changes (space, sample) VALUES (new.space, new.key);
  END`,
  `CREATE TRIGGER samples_removed AFTER DELETE ON samples WHEN (SELECT change_log FROM state) = 1 BEGIN
    INSERT INTO changes (space, sample) VALUES (old.space, old.key);
  END`,
  `CREATE TRIGGER samples_moved AFTER UPDATE OF collection ON samples WHEN (SELECT change_log FROM state) = 1 BEGIN
    INSERT INTO changes (space, sample) VALUES (new.space, new.key);
  END`,
  `CREATE TABLE snapshots (
    space INTEGER PRIMARY KEY REFERENCES spaces (key),
    file TEXT NOT NULL,
    change INTEGER NOT NULL,
    size INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE feedback (
    operation INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES persons (key),
    space INTEGER NOT NULL REFERENCES spaces (key),
    sample INTEGER,
    newest INTEGER NOT NULL,
    print BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    probe BLOB NOT NULL
  ) STRICT`,
  'CREATE INDEX feedback_person ON feedback (person)',
  `CREATE TABLE operations (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    detail TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
  ) STRICT`,
  `CREATE TABLE operation_persons (
    operation INTEGER NOT NULL,
    person INTEGER NOT NULL,
    PRIMARY KEY (person, operation)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX operation_persons_operation ON operation_persons (operation)',
  `CREATE TABLE receipts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    finished INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT`,
  `CREATE TABLE backups (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    destroyed_at INTEGER
  ) STRICT`,
  `CREATE TABLE cache (
    image BLOB NOT NULL,
    recipe TEXT NOT NULL,
    face INTEGER NOT NULL,
    used INTEGER NOT NULL,
    print BLOB,
    info TEXT,
    data BLOB,
    PRIMARY KEY (image, recipe, face)
  ) STRICT`,
  'CREATE INDEX cache_used ON cache (used)',
  'CREATE INDEX cache_print ON cache (print)',
];

/** Statements that bring a file from version i to version i + 1. */
export const MIGRATIONS: readonly (readonly string[])[] = [VERSION_1];
