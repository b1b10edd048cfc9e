import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DATABASE_FILE } from './schema.js';
import type { Store } from './store.js';
import type { GalleryStats } from './types.js';

export async function galleryStats(store: Store): Promise<GalleryStats> {
  const row = await store.row(
    `SELECT (SELECT count(*) FROM persons), (SELECT count(*) FROM samples),
      (SELECT count(*) FROM samples WHERE expires_at <= ?), (SELECT count(*) FROM collections),
      (SELECT count(*) FROM feedback), (SELECT count(*) FROM cache WHERE face >= 0)`,
    [store.now()],
  );
  const [persons, samples, expired, collections, feedback, cached] = (row ?? []).map(Number);
  const size = async (file: string): Promise<number> =>
    (await stat(join(store.folder, file)).catch(() => undefined))?.size ?? 0;
  return {
    gallery: store.state.gallery,
    revision: store.state.revision,
    persons: persons ?? 0,
    samples: samples ?? 0,
    expired: expired ?? 0,
    collections: collections ?? 0,
    feedback: feedback ?? 0,
    cached: cached ?? 0,
    sealed: store.sealer.cipher !== undefined,
    damaged: store.spaces.damaged.size,
    bytes: {
      database: await size(DATABASE_FILE),
      log: await size(`${DATABASE_FILE}-wal`),
      snapshots: await store.spaces.snapshotBytes(),
      index: store.spaces.all.reduce((sum, { index }) => sum + index.bytes, 0),
    },
  };
}
