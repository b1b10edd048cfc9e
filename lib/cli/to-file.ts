/** Output that is whole or not there. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';

/** Writes beside `file` and renames when all is written; nothing is left behind by a failure. Templates: only the owner may read. */
export async function toFile(file: string, write: (stream: WriteStream) => Promise<void>): Promise<void> {
  const temporary = `${file}.${process.pid}.part`;
  try {
    await write(createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
