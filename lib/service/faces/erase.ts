/** Deletions for good, each under its receipt in the audit trail. */
import { setTimeout as wait } from 'node:timers/promises';
import { wrapError } from '../../errors.js';
import { type Deletion, type Erasure, receiptCovers } from '../../gallery/index.js';
import type { ServiceParts } from '../types.js';

/** How often, and after how many ms each time, a deletion is tried to be finished while readers hold the log. */
const TRIES = 10;
const PAUSE_MS = 100;

/** Deletes and sets it down. Rejects as `Gallery.delete`. */
export async function erase(parts: ServiceParts, actor: string, what: Deletion): Promise<Erasure> {
  const [kind, subject] = Object.entries(what)[0] as [string, string];
  const erasure = await eraseFrom(parts, what, subject);
  await parts.audit.append({ actor, action: `${kind}.erase`, subject, detail: { receipt: erasure.receipt.id } });
  return erasure;
}

/** What was deleted is gone from rows and index before the log is emptied: where a reader holds that up, only the receipt is missing yet. */
async function eraseFrom({ gallery }: ServiceParts, what: Deletion, subject: string): Promise<Erasure> {
  try {
    return await gallery.delete(what);
  } catch (error) {
    if (wrapError(error).code !== 'STORE_BUSY') throw error;
    for (let tries = 0; tries < TRIES; tries++) {
      await wait(PAUSE_MS);
      const receipts = await gallery.finishErasures().catch(() => []);
      const receipt = receipts.find((one) => receiptCovers(one, subject));
      if (receipt === undefined) continue;
      const { persons, samples } = receipt.erased;
      return { receipt, persons: persons.length, samples, sources: [] };
    }
    throw error;
  }
}
