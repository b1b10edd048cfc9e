import { wrapError } from '../errors.js';
import type { NativeAddon, NativeSession, NetworkJob, NetworkResult, TensorInfo } from '../native/addon.js';
import { cancellable } from './cancel.js';
import { Lifetime } from './lifetime.js';

/** A network that is ready to run. Runs may overlap; they queue on the runtime's threads. */
export class Session implements AsyncDisposable {
  readonly name: string;
  /** Resident bytes that the network is known to take; the size of its file where nothing is known. */
  readonly bytes: number;
  readonly #addon: NativeAddon;
  readonly #native: NativeSession;
  readonly #lifetime: Lifetime;
  readonly #onClose: () => void;

  /** Made by `Runtime.createSession`. */
  constructor(name: string, bytes: number, addon: NativeAddon, native: NativeSession, onClose: () => void) {
    this.name = name;
    this.bytes = bytes;
    this.#addon = addon;
    this.#native = native;
    this.#lifetime = new Lifetime(`session of ${name}`);
    this.#onClose = onClose;
  }

  get inputs(): readonly TensorInfo[] {
    return this.#native.inputs;
  }

  get outputs(): readonly TensorInfo[] {
    return this.#native.outputs;
  }

  /** One native job: pixels to tensor, network, decoding. Rejects with `ABORTED`, `CLOSED`, `INFERENCE_FAILED`. */
  run(job: NetworkJob, signal?: AbortSignal): Promise<NetworkResult> {
    return this.#lifetime.use(() => cancellable(this.#addon, signal, (token) => this.#native.run(job, token)));
  }

  /** Waits for its runs, then frees the network. Idempotent. */
  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      this.#onClose();
      await this.#native.close().catch((error: unknown) => {
        throw wrapError(error);
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
