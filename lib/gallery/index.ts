/** Galleries: who is known, kept on the disk, searched one against many, and deleted for good. */
export { type BackupInfo, type RestoreOptions, restoreGallery } from './backup.js';
export type { BulkItem, BulkOptions, BulkSummary } from './bulk.js';
export type { CachedFace, CacheKey, EmbeddingCache } from './cache.js';
export type { CheckOptions, CheckReport } from './check.js';
export type { NewCollection } from './collections.js';
export type { Deletion, Erasure } from './erase.js';
export type { NotThisPerson } from './feedback.js';
export { Gallery, openGallery } from './gallery.js';
export type { GalleryOptions } from './open.js';
export type { PersonChanges } from './operations.js';
export type { ListPersonsOptions, PersonPage } from './persons.js';
export { type BackupNotice, type Receipt, receiptCovers, verifyReceipt } from './receipt.js';
export type { RotateOptions } from './rotate.js';
export type { ExportOptions, ImportOptions, ImportSummary } from './transfer.js';
export type * from './types.js';
