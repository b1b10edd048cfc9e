/**
 * One file out of a zip archive (PKWARE APPNOTE 6.3.10): stored or deflated, not encrypted, below 4 GiB. Nothing that the archive says is
 * believed: every number is held against the file's size, the output against what was declared, its CRC against what was written.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { throwIfAborted } from '../../errors.js';

/** The archive cannot be read, or has no such file. */
export class ZipError extends Error {}

export interface ZipEntry {
  readonly name: string;
  readonly method: 0 | 8;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Of its local header. */
  readonly offset: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;
/** Of the list of files: far more than any archive of models has. */
const MAX_DIRECTORY = 16 * 2 ** 20;
/** Where a field overflows into one of ZIP64. */
const BEYOND = 0xffffffff;

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(buffer, at, length - at, offset + at);
    if (bytesRead === 0) throw new ZipError('ends early');
    at += bytesRead;
  }
  return buffer;
}

/** Offset and size of the list of files. */
async function findDirectory(
  file: FileHandle,
  bytes: number,
): Promise<{ offset: number; size: number; count: number }> {
  const length = Math.min(bytes, END_SIZE + MAX_COMMENT);
  const tail = await readAt(file, bytes - length, length);
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END || at + END_SIZE + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const count = tail.readUInt16LE(at + 10);
    const size = tail.readUInt32LE(at + 12);
    const offset = tail.readUInt32LE(at + 16);
    if (tail.readUInt32LE(at + 4) !== 0 || tail.readUInt16LE(at + 8) !== count) throw new ZipError('has several parts');
    if (offset === BEYOND || size === BEYOND || count === 0xffff)
      throw new ZipError('is larger than this reader knows');
    if (size > MAX_DIRECTORY || offset + size > bytes - tail.length + at)
      throw new ZipError('has a wrong list of files');
    return { offset, size, count };
  }
  throw new ZipError('is no zip archive');
}

function entryAt(directory: Buffer, at: number): { entry: ZipEntry | undefined; next: number } {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL)
    throw new ZipError('has a damaged list of files');
  const nameLength = directory.readUInt16LE(at + 28);
  const next = at + 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  if (next > directory.length) throw new ZipError('has a damaged list of files');
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  const entry = {
    name: directory.toString('utf8', at + 46, at + 46 + nameLength),
    crc: directory.readUInt32LE(at + 16),
    packed: directory.readUInt32LE(at + 20),
    size: directory.readUInt32LE(at + 24),
    offset: directory.readUInt32LE(at + 42),
  };
  const beyond = [entry.packed, entry.size, entry.offset].includes(BEYOND);
  // Encrypted ones, other methods and those beyond 4 GiB are no files that could be taken out.
  if ((flags & 1) !== 0 || (method !== 0 && method !== 8) || beyond) return { entry: undefined, next };
  return { entry: { ...entry, method }, next };
}

/** The files of an archive, folders left out. */
export async function listZip(file: FileHandle): Promise<ZipEntry[]> {
  const { size: bytes } = await file.stat();
  if (bytes < END_SIZE) throw new ZipError('is no zip archive');
  const { offset, size, count } = await findDirectory(file, bytes);
  const directory = await readAt(file, offset, size);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = entryAt(directory, at);
    at = next;
    if (entry === undefined || entry.name.endsWith('/')) continue;
    if (entry.offset + 30 + entry.packed > offset)
      throw new ZipError(`has a damaged entry '${entry.name.slice(0, 100)}'`);
    entries.push(entry);
  }
  return entries;
}

/** The file of this path or, where there is none, the only one of this name in any folder. Names are compared, never used as paths. */
export function findEntry(entries: readonly ZipEntry[], member: string): ZipEntry {
  const whole = entries.filter(({ name }) => name === member);
  const base = member.slice(member.lastIndexOf('/') + 1);
  const found = whole.length > 0 ? whole : entries.filter(({ name }) => name.slice(name.lastIndexOf('/') + 1) === base);
  if (found.length > 1) throw new ZipError(`has several files '${member}'`);
  if (found[0] === undefined) throw new ZipError(`has no file '${member}'`);
  return found[0];
}

/**
 * Unpacks one file of an archive, chunk by chunk, into `write`. Throws {@link ZipError} where it is damaged or larger than `maxBytes`,
 * `ABORTED`, and what `write` throws.
 */
export async function extractEntry(
  path: string,
  entry: ZipEntry,
  maxBytes: number,
  write: (chunk: Buffer) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const { name, method, packed, size, offset } = entry;
  if (size > maxBytes) throw new ZipError(`'${name}' has ${size} bytes, more than ${maxBytes}`);
  if (method === 0 && packed !== size) throw new ZipError(`'${name}' is damaged`);
  const file = await open(path, 'r');
  let start: number;
  try {
    const header = await readAt(file, offset, 30);
    if (header.readUInt32LE(0) !== LOCAL) throw new ZipError(`'${name}' is damaged`);
    start = offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (start + packed > (await file.stat()).size) throw new ZipError(`'${name}' is damaged`);
  } finally {
    await file.close();
  }
  let written = 0;
  let crc = 0;
  if (packed > 0) {
    const source = createReadStream(path, { start, end: start + packed - 1, highWaterMark: 1 << 18 });
    const inflate = method === 8 ? createInflateRaw({ chunkSize: 1 << 18 }) : undefined;
    if (inflate !== undefined) source.on('error', (error) => inflate.destroy(error)).pipe(inflate);
    try {
      for await (const chunk of (inflate ?? source) as AsyncIterable<Buffer>) {
        throwIfAborted(signal);
        written += chunk.length;
        // Held against what was declared while it grows: a bomb goes off here, not on the disk.
        if (written > size) throw new ZipError(`'${name}' unpacks to more than its ${size} bytes`);
        crc = crc32(chunk, crc);
        await write(chunk);
      }
    } catch (error) {
      const inflating = inflate !== undefined && String((error as NodeJS.ErrnoException).code).startsWith('Z_');
      throw inflating ? new ZipError(`'${name}' is damaged`, { cause: error }) : error;
    } finally {
      source.destroy();
      inflate?.destroy();
    }
  }
  if (written !== size || crc !== entry.crc) throw new ZipError(`'${name}' is damaged`);
}
