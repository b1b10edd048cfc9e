// Deletions while something else reads the store: they end, and are in the trail.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../lib/gallery/database.js';
import { APPLICATION_ID, MIGRATIONS } from '../../../lib/gallery/schema.js';
import { startService, type TestService } from '../../support/service.js';
import { photo, postJson } from './pictures.js';

/** Longer than the store waits for readers of its log. */
const HELD_MS = 5500;

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.close());

/** Reads the store's file, as a backup program might, while this runs; at most so long that emptying the log has failed once. */
async function whileReading<T>(work: () => Promise<T>): Promise<T> {
  await using reader = await Database.open({
    path: join(service.folder, 'gallery', 'gallery.db'),
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
  });
  const pages = reader.pages('SELECT key FROM samples', [], { pageSize: 1 })[Symbol.asyncIterator]();
  await pages.next();
  const working = work();
  await Promise.race([working, delay(HELD_MS)]);
  await pages.return?.();
  return working;
}

const audited = async (action: string): Promise<number> => {
  const { body } = await service.call('GET', `/api/v1/audit?action=${action}`);
  return (body as { entries: unknown[] }).entries.length;
};

describe('while somebody reads the store', () => {
  it('a person is erased, and what has expired is purged, with receipts and lines in the trail', async () => {
    const image = photo(1).toString('base64');
    const enrol = (person: string, more: object = {}) =>
      postJson(service, '/api/v1/enrol', { person, image, on_conflict: 'allow', ...more });
    for (const person of ['ada', 'grace']) expect((await enrol(person)).status).toBe(201);
    const expires = Date.now() + 2000;
    expect((await enrol('brief', { expires_at: expires })).status).toBe(201);
    const erased = await whileReading(() => service.call('DELETE', '/api/v1/persons/ada'));
    expect(erased).toMatchObject({ status: 200, body: { persons: 1, samples: 1, receipt: expect.any(Object) } });
    expect(await audited('person.erase')).toBe(1);
    await delay(Math.max(0, expires - Date.now() + 20));
    const purged = await whileReading(() => service.call('POST', '/api/v1/purge-expired'));
    expect(purged).toMatchObject({ status: 200, body: { persons: 1, samples: 1, receipt: expect.any(Object) } });
    expect(await audited('gallery.purge')).toBe(1);
  });
});
