/** Deletions for good, each under its receipt in the audit trail. */
import { setTimeout as wait } from 'node:timers/promises';
import { wrapError } from '../../errors.js';
import { type Deletion, type Erasure, type Receipt, receiptCovers } from '../../gallery/index.js';
import type { ServiceParts } from '../types.js';

/** How often, and after how many ms each time, a deletion is tried to be finished while readers hold the log. */
const TRIES = 10;
const PAUSE_MS = 100;

/** Deletes and sets it down. Rejects as `Gallery.delete`. */
export async function erase(parts: ServiceParts, actor: string, what: Deletion): Promise<Erasure> {
  const [kind, subject] = Object.entries(what)[0] as [string, string];
  // Also pictures that were only compared may show who is erased, and nothing tells which: all go. They cost time, not knowledge.
  await parts.gallery.cache.prune(0);
  const erasure = await finished(parts, parts.gallery.delete(what), (receipt) => receiptCovers(receipt, subject));
  await parts.audit.append({ actor, action: `${kind}.erase`, subject, detail: { receipt: erasure.receipt.id } });
  return erasure;
}

/** The same for samples whose time is over, and persons who have none left; absent where nothing has expired. */
export async function purge(parts: ServiceParts, actor: string): Promise<Erasure | undefined> {
  const purged = parts.gallery.purgeExpired();
  const erasure = await finished(parts, purged, ({ subject }) => subject.kind === 'expired');
  if (erasure === undefined) return undefined;
  await parts.audit.append({ actor, action: 'gallery.purge', detail: { receipt: erasure.receipt.id } });
  return erasure;
}

/** What was deleted is gone from rows and index before the log is emptied: where a reader holds that up, only the receipt is missing yet. */
async function finished<E extends Erasure | undefined>(
  { gallery }: ServiceParts,
  deletion: Promise<E>,
  isIts: (receipt: Receipt) => boolean,
): Promise<E | Erasure> {
  try {
    return await deletion;
  } catch (error) {
    if (wrapError(error).code !== 'STORE_BUSY') throw error;
    for (let tries = 0; tries < TRIES; tries++) {
      await wait(PAUSE_MS);
      const receipts = await gallery.finishErasures().catch(() => []);
      const receipt = receipts.find(isIts);
      if (receipt === undefined) continue;
      const { persons, samples } = receipt.erased;
      return { receipt, persons: persons.length, samples, sources: [] };
    }
    throw error;
  }
}
