/** `/health`: the process lives. `/ready`: it can do its work. Neither waits in the queue, and both tell nothing that is a secret. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../../errors.js';
import type { RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type Static, Type } from '../vendor.js';
import { remembered } from './remembered.js';

/** Whoever asks more often gets the answer of before: asking costs a write to the disk. */
const FRESH_MS = 1000;
/** A disk that takes longer counts as one that cannot be written. */
const PATIENCE_MS = 2000;

const Health = Type.Object(
  { status: Type.Literal('ok'), uptime_seconds: Type.Number() },
  { title: 'Health', description: 'The process lives and answers' },
);

const Check = Type.Object({
  ok: Type.Boolean(),
  detail: Type.Optional(Type.String({ description: 'What is missing: a code, or a state' })),
});
type Check = Static<typeof Check>;

const Readiness = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('not_ready')]),
    checks: Type.Object({
      service: Check,
      models: Check,
      store: Check,
      index: Check,
    }),
  },
  { title: 'Readiness', description: 'Whether requests can be answered, and what is missing where they cannot' },
);

export const healthRoutes: RouteGroup = (app, parts) => {
  const store = remembered(FRESH_MS, () => inTime(writable(parts.config.data.folder)));
  const index = remembered(FRESH_MS, () => inTime(indexed(parts)));

  app.get(
    '/health',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'health',
        summary: 'Whether the process lives; it answers under any load',
        tags: ['service'],
        response: { 200: Health },
      },
    },
    async () => ({ status: 'ok' as const, uptime_seconds: Math.floor((Date.now() - parts.startedAt) / 1000) }),
  );

  app.get(
    '/ready',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'ready',
        summary: 'Whether models are loaded, the store can be written and the index is at its revision',
        tags: ['service'],
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_, reply) => {
      const [stored, searched] = await Promise.all([store(), index()]);
      const checks = { service: running(parts), models: loaded(parts), store: stored, index: searched };
      const ready = Object.values(checks).every(({ ok }) => ok);
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready', checks });
    },
  );
};

const running = ({ closing }: ServiceParts): Check =>
  closing.aborted ? { ok: false, detail: 'stopping' } : { ok: true };

/** The engine that serves where none is named is open. */
function loaded({ engines }: ServiceParts): Check {
  const current = engines.list().find((engine) => engine.current);
  if (current?.state === 'ready') return { ok: true };
  return { ok: false, detail: current?.error?.code ?? current?.state ?? 'absent' };
}

/** A few bytes, on the disk. */
async function writable(folder: string): Promise<Check> {
  const file = join(folder, `.ready-${process.pid}`);
  try {
    const handle = await open(file, 'w', 0o600);
    try {
      await handle.writeFile(`${Date.now()}\n`);
      await handle.sync();
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: (error as NodeJS.ErrnoException).code ?? 'unwritable' };
  }
}

/** An open gallery's index stands at the gallery's revision: opening brings it there, and every change to both is one step. */
async function indexed({ gallery }: ServiceParts): Promise<Check> {
  try {
    const { damaged } = await gallery.stats();
    return damaged === 0 ? { ok: true } : { ok: true, detail: `${damaged} samples cannot be read` };
  } catch (error) {
    return { ok: false, detail: wrapError(error).code };
  }
}

/** A check that takes too long has failed. */
async function inTime(check: Promise<Check>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: 'no answer' }), PATIENCE_MS);
  });
  try {
    return await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}
