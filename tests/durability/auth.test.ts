import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openAuditTrail, openAuthority } from '../../lib/service/auth/index.js';
import { completeConfig } from '../../lib/service/config/index.js';
import { createLogger } from '../../lib/service/log.js';
import { killRepeatedly } from './kill.js';

it('keys that were made open, keys that were revoked do not, and the audit trail is whole after kill -9', {
  timeout: 300_000,
}, async () => {
  const log = createLogger({ level: 'silent', write: () => {} });
  const checked = new Set<string>();
  const report = await killRepeatedly({
    kills: 5,
    within: 1500,
    worker: fileURLToPath(new URL('./auth-worker.ts', import.meta.url)),
    async check(folder, acknowledged) {
      const authority = await openAuthority(completeConfig(), folder, log);
      const audit = await openAuditTrail(folder);
      try {
        const said = (what: string) =>
          acknowledged.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));
        const revoked = new Set(said('revoked'));
        const listed = new Map((await authority.listKeys()).map((key) => [key.id, key]));
        const keys = said('key');
        for (const key of keys) {
          const id = key.slice(4, 16);
          expect(listed.get(id), id).toBeDefined();
          if (revoked.has(key)) expect(listed.get(id)).toMatchObject({ revoked: true });
        }
        // A key whose revocation was under way may be either: only the last one of each lane can be.
        for (const key of keys.filter((one) => !checked.has(one)).slice(-6)) {
          checked.add(key);
          if (listed.get(key.slice(4, 16))?.revoked === true) {
            await expect(authority.authenticate(key, 'here')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
          } else {
            expect(await authority.authenticate(key, 'here')).toMatchObject({ kind: 'key' });
          }
        }
        // An administrator is left, or gets a key.
        if (keys.length > 0) expect(authority.firstKey).toBeUndefined();
        expect(await audit.check()).toMatchObject({ ok: true });
        const entries: { number: number; hash: string }[] = [];
        for (let before: number | undefined; before !== 1; before = entries.at(-1)?.number ?? 1) {
          entries.push(...((await audit.list({ limit: 1000, ...(before !== undefined && { before }) })) as never[]));
        }
        const hashes = new Set(entries.map(({ hash }) => hash));
        expect(said('audit').filter((hash) => !hashes.has(hash))).toEqual([]);
      } finally {
        await audit.close();
        await authority.close();
      }
    },
  });
  expect(report.early).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(20);
  expect(checked.size).toBeGreaterThan(3);
});
