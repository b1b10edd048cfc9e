// Makes and revokes API keys without end, and says so in the audit trail; see kill.ts.
import { openAuditTrail, openAuthority } from '../../lib/service/auth/index.js';
import { completeConfig } from '../../lib/service/config/index.js';
import { createLogger } from '../../lib/service/log.js';
import type { KillWorker } from './kill.js';

const work: KillWorker = async (folder, acknowledge) => {
  const log = createLogger({ level: 'silent', write: () => {} });
  const authority = await openAuthority(completeConfig(), folder, log);
  const audit = await openAuditTrail(folder);
  if ((await authority.keepFirstKey()) !== undefined) acknowledge(`key ${authority.firstKey}`);
  const desk = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      const { id, key } = await authority.createKey({ name: `k${i}`, scopes: ['read'] });
      acknowledge(`key ${key}`);
      if (i % 2 === 0) continue;
      await authority.revokeKey(id);
      acknowledge(`revoked ${key}`);
    }
  };
  const clerk = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      await audit.append({ actor: 'clerk', action: 'test', detail: { i } });
      const [entry] = (await audit.list({ limit: 1 })) as { hash: string }[];
      acknowledge(`audit ${entry?.hash}`);
    }
  };
  await Promise.all([desk(), desk(), clerk()]);
};

export default work;
