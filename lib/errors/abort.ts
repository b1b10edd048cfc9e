import { abortError } from '../errors.js';

/** The work, or `ABORTED` as soon as the signal fires; the work itself then runs on unobserved. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(settle);
    if (signal.aborted) onAbort();
  });
}
