/** From the addresses of a card to a verified file in the cache. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { abortError, LineamentError } from '../../errors.js';
import { AddressError, type Patience, shownAddress } from './address.js';
import { type Digest, makeFolder, settle, storageError } from './files.js';
import { tryLock, waitForLock } from './lock.js';
import { discard, progressOf, type Transferred, transferFile } from './transfer.js';
import type { CatalogueCard, DownloadProgress } from './types.js';
import { extractEntry, findEntry, listZip, type ZipEntry, ZipError } from './zip.js';

/** What nobody published a size of may be this large. */
const MAX_BYTES = 2 * 2 ** 30;
/** Left on the disk beside what is written. */
const SPARE = 16 * 2 ** 20;

/** What a file must be, as far as anybody knows. */
export type Expected = Partial<Digest>;

/** A model that is wanted, or that comes with one. */
export interface Wanted {
  readonly card: CatalogueCard;
  readonly expected: Expected;
}

export interface Download extends Wanted {
  readonly folder: string;
  readonly mirrors: readonly string[];
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Whether somebody else has brought the file meanwhile. */
  readonly isPresent: () => Promise<boolean>;
  /** Other models that are not here, whose licence is accepted: kept where they come in the same archive. */
  readonly others: () => Promise<readonly Wanted[]>;
  /** A file is about to get its name; gives the SHA-256 that is trusted: somebody else may have seen another file first. */
  readonly onFile: (card: CatalogueCard, digest: Digest, source: string) => Promise<string>;
}

/** One place to try. */
interface Address {
  readonly url: URL;
  readonly member?: string;
  /** SHA-256 of what the address gives. */
  readonly sha256?: string;
}

/** The file is another one than it must be. */
class MismatchError extends AddressError {
  constructor(what: string, got: string, wanted: string) {
    super(`${what} has SHA-256 ${got}, not ${wanted}`, { retry: false });
  }
}

/** Last part of an address; empty where it has none. */
function nameOf(url: URL): string {
  const name = basename(url.pathname);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The file of a mirror: its address as a folder. A query, a signature perhaps, stays. */
function onMirror(mirror: string, name: string): URL {
  const url = new URL(mirror);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${encodeURIComponent(name)}`;
  return url;
}

/** Mirrors in their order, each first for the file itself and then for the archives that hold it; the card's own addresses after them. */
export function addressesOf(card: CatalogueCard, mirrors: readonly string[]): Address[] {
  const own = card.sources.map(({ url, ...rest }): Address => ({ url: new URL(url), ...rest }));
  const mirrored = mirrors.flatMap((mirror) => [
    { url: onMirror(mirror, card.file) },
    ...own
      .filter(({ url }) => nameOf(url) !== '')
      .map(({ url, ...rest }) => ({ url: onMirror(mirror, nameOf(url)), ...rest })),
  ]);
  const seen = new Set<string>();
  return [...mirrored, ...own].filter(({ url, member }) => {
    const key = `${url.href}\n${member ?? ''}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Partial files and locks of downloads. */
const workFolder = (folder: string): string => join(folder, 'downloads');

/** What is being unpacked of an archive for a card. */
const unpackedPath = (archive: string, card: CatalogueCard): string => `${archive}.${card.file}`;

const keyOf = (url: URL): string => createHash('sha256').update(url.href).digest('hex').slice(0, 24);

/** Deletes what downloads of a card that stopped have left; what is under way is left alone. */
export async function discardParts(folder: string, card: CatalogueCard, mirrors: readonly string[]): Promise<void> {
  for (const { url } of addressesOf(card, mirrors)) {
    const path = join(workFolder(folder), keyOf(url));
    const part = `${path}.part`;
    const unpacked = unpackedPath(part, card);
    const found = await Promise.all([part, unpacked].map(progressOf));
    if (found.every((one) => one === undefined)) continue;
    const lock = tryLock(`${path}.lock`);
    if (lock === undefined) continue;
    try {
      await discard(part);
      await discard(unpacked);
    } finally {
      lock.release();
    }
  }
}

/**
 * Tries the addresses of a card in turn. What fails for this machine's own reasons (no room, no right to write, `ABORTED`) ends it at
 * once. Rejects with `MODEL_HASH_MISMATCH` where an address gave another file and none the right one, else with `DOWNLOAD_FAILED`.
 */
export async function download(job: Download): Promise<void> {
  const { card, folder, mirrors, signal } = job;
  await makeFolder(workFolder(folder));
  const said: string[] = [];
  let mismatch = false;
  for (const address of addressesOf(card, mirrors)) {
    try {
      await fromAddress(job, address);
      return;
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (!(error instanceof AddressError)) throw error;
      mismatch ||= error instanceof MismatchError;
      said.push(`${shownAddress(address.url)} ${error.message}`);
    }
  }
  if (said.length === 0) {
    throw new LineamentError('DOWNLOAD_FAILED', `nobody publishes ${card.id} as a file that could be fetched`, {
      fix: `${card.obtain ?? ''} Put ${card.file} into ${folder}.`.trim(),
    });
  }
  throw new LineamentError(mismatch ? 'MODEL_HASH_MISMATCH' : 'DOWNLOAD_FAILED', `${card.id}: ${said.join('; ')}`, {
    fix: mismatch
      ? 'Nothing was kept. Do not use such a file if you do not know who changed it.'
      : `Try again later: what came is kept. Or put ${card.file} into ${folder} yourself.`,
  });
}

async function fromAddress(job: Download, address: Address): Promise<void> {
  const { card, folder, signal } = job;
  const part = join(workFolder(folder), `${keyOf(address.url)}.part`);
  const source = shownAddress(address.url);
  const report = (received: number, total: number | undefined, resumed: number): void =>
    job.onProgress({ id: card.id, received, resumed, source, ...(total === undefined ? {} : { total }) });
  const lock = await waitForLock(`${part.slice(0, -5)}.lock`, signal, async () => {
    const found = await progressOf(part);
    if (found !== undefined) report(found.received, found.total, 0);
  });
  try {
    // Whoever held the lock may have been after the same file, or after another one of the same archive.
    if (await job.isPresent()) return;
    await fetchAndKeep(job, address, part, source, report);
  } catch (error) {
    // A full disk is not left full.
    if (error instanceof LineamentError && error.code === 'STORE_FULL') await discard(part);
    throw error;
  } finally {
    lock.release();
  }
}

async function fetchAndKeep(
  job: Download,
  address: Address,
  part: string,
  source: string,
  report: (received: number, total: number | undefined, resumed: number) => void,
): Promise<void> {
  const { expected, patience, signal } = job;
  const plain = address.member === undefined;
  const wanted = plain ? (expected.sha256 ?? address.sha256) : address.sha256;
  const extra = plain ? 0 : (expected.bytes ?? 0);
  const transfer = {
    url: address.url,
    part,
    verifiable: (wanted ?? expected.sha256) !== undefined,
    bytes: plain ? expected.bytes : undefined,
    maxBytes: MAX_BYTES,
    patience,
    signal,
    onProgress: report,
    onSize: (missing: number) => needRoom(dirname(part), missing + extra),
  };
  for (;;) {
    const got = await transferFile(transfer);
    try {
      if (wanted !== undefined && got.sha256 !== wanted) throw new MismatchError('what it gives', got.sha256, wanted);
      await (plain ? keepFile(job, part, got, source) : keepMembers(job, address, part, source));
      await discard(part);
      return;
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      await discard(part);
      // The beginning, which an earlier process left, may be to blame.
      if (got.resumed === 0) throw error;
    }
  }
}

async function needRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.MAX_SAFE_INTEGER, bsize: 1 }));
  const free = bavail * bsize;
  if (bytes > 0 && free < bytes + Math.min(SPARE, bytes)) {
    throw new LineamentError('STORE_FULL', `${folder} has ${free} bytes free, and ${bytes} are needed`, {
      fix: 'Free space on that disk, or name another folder (LINEAMENT_MODEL_CACHE).',
    });
  }
}

async function keepFile(job: Download, part: string, got: Transferred, source: string): Promise<void> {
  const what = 'what it gives';
  checkDigest(job, got, what);
  await checkTrust(job, job.card, got, what, source);
  await settle(part, join(job.folder, job.card.file));
}

function checkDigest({ expected }: Wanted, got: Digest, what: string): void {
  if (got.bytes === 0) throw new AddressError(`${what} is empty`, { retry: false });
  if (expected.sha256 !== undefined && got.sha256 !== expected.sha256) {
    throw new MismatchError(what, got.sha256, expected.sha256);
  }
  if (expected.bytes !== undefined && got.bytes !== expected.bytes) {
    throw new AddressError(`${what} has ${got.bytes} bytes, not ${expected.bytes}`, { retry: false });
  }
}

async function checkTrust(
  job: Download,
  card: CatalogueCard,
  got: Digest,
  what: string,
  source: string,
): Promise<void> {
  const trusted = await job.onFile(card, got, source);
  if (got.sha256 !== trusted) throw new MismatchError(what, got.sha256, trusted);
}

/** Takes the wanted file out of an archive, and then what else of it has a card: it would have to be fetched again otherwise. */
async function keepMembers(job: Download, address: Address, archive: string, source: string): Promise<void> {
  const entries = await asArchive(listMembers(archive));
  await keepMember(job, job, entries, address.member!, archive, source);
  const name = nameOf(address.url);
  for (const other of await job.others()) {
    const member = other.card.sources.find(
      ({ url, member: inside }) => inside && nameOf(new URL(url)) === name,
    )?.member;
    // Of a file that nobody published a hash of, only the one that was asked for is taken on trust.
    if (member === undefined || other.expected.sha256 === undefined) continue;
    await keepMember(job, other, entries, member, archive, source).catch((error: unknown) => {
      if (job.signal.aborted) throw abortError(job.signal);
      // It was not asked for: whoever asks for it will hear what is wrong.
      if (!(error instanceof AddressError || error instanceof LineamentError)) throw error;
    });
  }
}

async function listMembers(archive: string): Promise<ZipEntry[]> {
  const file = await open(archive, 'r');
  try {
    return await listZip(file);
  } finally {
    await file.close();
  }
}

const asArchive = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (error instanceof ZipError) throw new AddressError(`gives an archive that ${error.message}`, { retry: false });
    throw error;
  });

async function keepMember(
  job: Download,
  wanted: Wanted,
  entries: readonly ZipEntry[],
  member: string,
  archive: string,
  source: string,
): Promise<void> {
  const { card, expected } = wanted;
  const made = unpackedPath(archive, card);
  const what = `'${member}' in it`;
  try {
    const digest = await asArchive(unpack(job, entries, member, archive, made, expected));
    checkDigest(wanted, digest, what);
    await checkTrust(job, card, digest, what, source);
    await settle(made, join(job.folder, card.file));
  } catch (error) {
    await rm(made, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function unpack(
  job: Download,
  entries: readonly ZipEntry[],
  member: string,
  archive: string,
  made: string,
  expected: Expected,
): Promise<Digest> {
  const entry = findEntry(entries, member);
  if (expected.bytes !== undefined && entry.size !== expected.bytes) {
    throw new ZipError(`has '${member}' of ${entry.size} bytes, not ${expected.bytes}`);
  }
  await needRoom(dirname(made), entry.size <= MAX_BYTES ? entry.size : 0);
  const hash = createHash('sha256');
  let file: FileHandle | undefined;
  try {
    file = await open(made, 'w');
    const out = file;
    await extractEntry(
      archive,
      entry,
      MAX_BYTES,
      async (chunk) => {
        hash.update(chunk);
        await out.writeFile(chunk);
      },
      job.signal,
    );
    await out.sync();
  } catch (cause) {
    throw cause instanceof ZipError ? cause : storageError(cause, made);
  } finally {
    await file?.close();
  }
  return { sha256: hash.digest('hex'), bytes: entry.size };
}
