import { LineamentError } from '../errors.js';
import type { NativeDatabase, NativeExecutor } from '../native/addon.js';
import type { DatabaseOptions } from './database.js';

/** Checks whose file it is and of which version, and brings it to the newest one. */
export async function prepareUpgrade(
  native: NativeDatabase,
  executor: NativeExecutor,
  path: string,
  options: DatabaseOptions,
): Promise<void> {
  const migrations = options.migrations ?? [];
  const state = await stateOf(native, executor);
  const wanted = options.applicationId ?? 0;
  if (!state.empty && state.applicationId !== wanted) {
    throw new LineamentError('STORE_CORRUPT', `${path} is a database of another application`, {
      fix: 'Name the right file; this one was left as it is.',
    });
  }
  if (state.version > migrations.length) {
    throw new LineamentError(
      'STORE_VERSION',
      `${path} is of version ${state.version}, and this release knows versions up to ${migrations.length}`,
      { fix: 'Update lineament, or restore a backup made with this release.' },
    );
  }
  if (options.readOnly === true) {
    if (state.version === migrations.length) return;
    throw new LineamentError(
      'STORE_VERSION',
      `${path} is of version ${state.version}, and this release reads version ${migrations.length}`,
      { fix: 'Open it once for writing: that brings it to the newest version.' },
    );
  }
  for (let version = state.version; version < migrations.length; version++) {
    await upgrade(native, executor, wanted, version, migrations[version] ?? []);
  }
}

/** One version, in one transaction. Another process may have done it meanwhile: then nothing happens. */
async function upgrade(
  native: NativeDatabase,
  executor: NativeExecutor,
  applicationId: number,
  version: number,
  statements: readonly string[],
): Promise<void> {
  try {
    await native.run(
      executor,
      [
        // The transaction fails unless the version is still the one that was read before it began.
        { sql: 'CREATE TEMP TABLE lineament_upgrade (version INTEGER NOT NULL CHECK (version = 0))' },
        { sql: 'INSERT INTO lineament_upgrade SELECT user_version - ? FROM pragma_user_version', params: [version] },
        { sql: 'DROP TABLE temp.lineament_upgrade' },
        ...statements.map((sql) => ({ sql })),
        { sql: `PRAGMA application_id = ${applicationId}` },
        { sql: `PRAGMA user_version = ${version + 1}` },
      ],
      { write: true },
    );
  } catch (error) {
    const now = await stateOf(native, executor);
    if (now.version <= version) throw error;
  }
}

interface State {
  readonly applicationId: number;
  readonly version: number;
  readonly empty: boolean;
}

async function stateOf(native: NativeDatabase, executor: NativeExecutor): Promise<State> {
  const [application, version, tables] = await native.run(
    executor,
    [{ sql: 'PRAGMA application_id' }, { sql: 'PRAGMA user_version' }, { sql: 'SELECT count(*) FROM sqlite_schema' }],
    { write: false },
  );
  const number = (result: typeof application): number => Number(result?.rows[0]?.[0] ?? 0);
  return { applicationId: number(application), version: number(version), empty: number(tables) === 0 };
}
