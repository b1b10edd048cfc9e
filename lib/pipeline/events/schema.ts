/** The event log's file. */
import { AUDIT_TABLES } from '../../gallery/audit-chain.js';
import type { PipelineEventType } from '../types.js';

/** "LEVT": tells an event log from any other SQLite file. */
export const APPLICATION_ID = 0x4c455654;

export const LOG_FILE = 'events.db';
export const CLIPS_FOLDER = 'clips';

/** Types as they are stored: the place in the list. Only ever added to, at the end. */
export const TYPES: readonly PipelineEventType[] = [
  'appeared',
  'left',
  'recognised',
  'stranger',
  'expression',
  'gesture',
  'liveness',
  'zone',
  'line',
  'camera',
  'clip',
  'gap',
];

/**
 * Version 1. `events.key` rises in the order of commits: who follows the log goes by it. Names and ids of persons stand in `persons` alone, so
 * that a rename, a merge and an erasure rewrite no event; `root` is whom somebody was merged into, in the end, and NULL for those who
 * were not. Paths of clips stand in `clips` alone. The audit trail can be added to only.
 */
const VERSION_1: readonly string[] = [
  ...AUDIT_TABLES,
  'CREATE TABLE cameras (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT',
  `CREATE TABLE persons (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT,
    named INTEGER NOT NULL DEFAULT 0,
    merged_into INTEGER REFERENCES persons (key),
    root INTEGER REFERENCES persons (key),
    added_at REAL NOT NULL,
    first_seen REAL,
    last_seen REAL,
    archived_at REAL
  ) STRICT`,
  'CREATE INDEX persons_root ON persons (root) WHERE root IS NOT NULL',
  `CREATE TABLE events (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    timestamp REAL NOT NULL,
    type INTEGER NOT NULL,
    camera INTEGER NOT NULL REFERENCES cameras (key),
    person INTEGER REFERENCES persons (key),
    previous INTEGER REFERENCES persons (key),
    place TEXT,
    track INTEGER,
    sequence INTEGER,
    detail TEXT NOT NULL
  ) STRICT`,
  'CREATE INDEX events_time ON events (timestamp)',
  'CREATE INDEX events_camera ON events (camera, timestamp)',
  'CREATE INDEX events_type ON events (type, timestamp)',
  'CREATE INDEX events_person ON events (person, timestamp) WHERE person IS NOT NULL',
  'CREATE INDEX events_previous ON events (previous) WHERE previous IS NOT NULL',
  'CREATE INDEX events_place ON events (place, timestamp) WHERE place IS NOT NULL',
  `CREATE TABLE clips (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB NOT NULL UNIQUE,
    cause BLOB,
    camera INTEGER NOT NULL REFERENCES cameras (key),
    begins REAL NOT NULL,
    ends REAL NOT NULL,
    path TEXT,
    thumbnail TEXT,
    sha256 TEXT,
    state TEXT NOT NULL,
    deleted_at REAL
  ) STRICT`,
  'CREATE INDEX clips_time ON clips (state, ends)',
  'CREATE INDEX clips_camera ON clips (camera, ends)',
  'CREATE INDEX clips_path ON clips (path) WHERE path IS NOT NULL',
  'CREATE INDEX clips_thumbnail ON clips (thumbnail) WHERE thumbnail IS NOT NULL',
  `CREATE TABLE consents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL REFERENCES persons (key),
    scope TEXT NOT NULL,
    status TEXT NOT NULL,
    since REAL NOT NULL,
    policy TEXT,
    recorded_at REAL NOT NULL
  ) STRICT`,
  'CREATE INDEX consents_person ON consents (person, scope)',
];

/**
 * Version 2. Where and when somebody was seen who is erased now, without who it was: a clip of that time that comes later is deleted. Kept for
 * longer than a clip can be.
 */
const VERSION_2: readonly string[] = [
  `CREATE TABLE erased_sights (
    key INTEGER PRIMARY KEY,
    camera INTEGER NOT NULL REFERENCES cameras (key),
    first REAL NOT NULL,
    last REAL NOT NULL,
    added_at REAL NOT NULL
  ) STRICT`,
  'CREATE INDEX erased_sights_camera ON erased_sights (camera, last)',
];

/** Statements that bring a file from version i to version i + 1. */
export const MIGRATIONS: readonly (readonly string[])[] = [VERSION_1, VERSION_2];
