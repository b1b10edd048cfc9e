import { onAbort } from '../errors/abort.js';
import { abortError, throwIfAborted, wrapError } from '../errors.js';
import type { NativeAddon, NativeToken } from '../native/addon.js';

/**
 * Runs native work under an `AbortSignal`: the signal cancels a native token, which running kernels and networks poll. A
 * failure after the signal fired is `ABORTED` with the signal's reason as `cause`. Without a signal nothing is made.
 */
export async function cancellable<T>(
  addon: NativeAddon,
  signal: AbortSignal | undefined,
  work: (token: NativeToken | undefined) => Promise<T>,
): Promise<T> {
  if (signal === undefined) {
    try {
      return await work(undefined);
    } catch (error) {
      throw wrapError(error);
    }
  }
  throwIfAborted(signal);
  const token = addon.createToken();
  const done = onAbort(signal, () => token.cancel());
  try {
    return await work(token);
  } catch (error) {
    const wrapped = wrapError(error);
    throw wrapped.code === 'ABORTED' ? abortError(signal) : wrapped;
  } finally {
    done();
  }
}
