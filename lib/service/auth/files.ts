import { chmod, mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LineamentError } from '../../errors.js';
import { Database } from '../../gallery/database.js';

/** Opens a database of the service, for its owner alone; folder and file are made where they are missing, or refused (`STORE_NOT_FOUND`) without `create`. */
export async function openPrivate(
  folder: string,
  file: string,
  applicationId: number,
  migrations: readonly (readonly string[])[],
  create = true,
): Promise<Database> {
  const whole = resolve(folder);
  if (create) {
    await mkdir(whole, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EACCES' ? 'ACCESS_DENIED' : cause.code === 'ENOSPC' ? 'STORE_FULL' : 'STORE_FAILED';
      throw new LineamentError(code, `${whole} cannot be made`, { cause });
    });
  }
  const path = join(whole, file);
  try {
    // Before SQLite sees it: the files beside it are made as readable as it is.
    await (await open(path, create ? 'a' : 'r+', 0o600)).close();
    await chmod(path, 0o600);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) {
      throw new LineamentError('STORE_NOT_FOUND', `there is no ${path}`, {
        cause,
        fix: 'Name the data folder that the service was started with.',
      });
    }
    throw new LineamentError('ACCESS_DENIED', `${path} cannot be kept to its owner`, { cause });
  }
  return await Database.open({ path, applicationId, migrations, create });
}
