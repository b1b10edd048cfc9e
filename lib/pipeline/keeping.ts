/** What a pipeline keeps: events and consents in step with the log, and everything only for as long as it may. */
import { wrapError } from '../errors.js';
import { type EventLog, galleryPersons, type RetentionPolicy } from './events/index.js';
import type { Strangers } from './identity/index.js';
import type { PipelineParts } from './pipeline.js';
import type { PrivacyPolicy } from './privacy/index.js';
import type { Identity, PipelineEvent } from './types.js';

/** Who speaks in events that belong to no camera. */
export const PIPELINE = 'pipeline';
const DAY_MS = 86_400_000;

/** Archives and deletes what is due, now and once a day, until the pipeline is closed. What goes wrong is told, and tried again. */
export function keepTidy({ log, gallery, stop, report }: PipelineParts, rule: true | RetentionPolicy): void {
  const { signal } = stop;
  const run = (): void => {
    const stores = gallery === undefined ? [] : [galleryPersons(gallery)];
    log?.runRetention(Date.now(), { stores, signal, by: PIPELINE, ...(rule !== true && { policy: rule }) }).then(
      ({ failed, files }) => {
        const kept = [
          ...failed.map(({ store, message }) => `${store}: ${message}`),
          ...files.problems.map(({ path, problem, message = problem }) => `${path}: ${message}`),
        ];
        if (kept.length > 0) report('retention', kept.length, `${kept.length} could not be deleted, as ${kept[0]}`);
      },
      (error: unknown) => {
        if (!signal.aborted) report('retention', 1, wrapError(error).message);
      },
    );
  };
  run();
  const timer = setInterval(run, DAY_MS).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** Writes events, and gives them as they are told: of a clip that an erasure overtook nothing is left to tell. */
export async function appendTo(log: EventLog, events: readonly PipelineEvent[]): Promise<readonly PipelineEvent[]> {
  await log.append(events);
  return Promise.all(
    events.map(async (event) =>
      event.type === 'clip' && event.path !== undefined
        ? ((await log.get(event.id).catch(() => undefined)) ?? event)
        : event,
    ),
  );
}

/** What others record of consents holds after this, milliseconds. */
const CONSENT_MS = 1000;

/** A policy by consent that names nobody to ask asks the log. While the log cannot be read nobody has agreed. */
export function withConsent(
  policy: PrivacyPolicy,
  log: EventLog | undefined,
  signal: AbortSignal,
  report: (message: string) => void,
): PrivacyPolicy {
  if (policy.mode !== 'blur-without-consent' || policy.consent !== undefined || log === undefined) return policy;
  let read = true;
  const refresh = async (): Promise<void> => {
    try {
      await log.refreshConsents();
      read = true;
    } catch (error) {
      if (read && !signal.aborted) report(`consents cannot be read, everybody is covered: ${wrapError(error).message}`);
      read = false;
    }
  };
  const timer = setInterval(() => void refresh(), CONSENT_MS).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  const consent = ({ id }: Identity): boolean =>
    read && id !== undefined && log.consentOf(id).recording.status === 'given';
  return { ...policy, consent };
}

/** The log shows people by the names that they have now. In the order in which it happened; gives what waits for the rest. */
export function followStrangers(
  log: EventLog,
  strangers: Strangers,
  report: (message: string) => void,
  by = PIPELINE,
): () => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const deafen = strangers.on((notice) => {
    last = last
      .then(() => log.reflect(notice, { by }))
      .catch((error: unknown) =>
        report(`the log does not know that one was ${notice.kind}: ${wrapError(error).message}`),
      );
  });
  return () => {
    deafen();
    return last;
  };
}
