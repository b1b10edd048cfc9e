import { LineamentError, wrapError } from '../errors.js';
import type { NativeAddon, NativeExecutor, NativeRuntime, PixelView } from '../native/addon.js';
import { findRuntimeLibraries, loadAddon, platformName, STATISTICS } from '../native/index.js';
import { cancellable } from './cancel.js';
import { Lifetime } from './lifetime.js';
import { Session } from './session.js';

/**
 * `latency`: one picture at a time is finished as early as possible; each network spreads over the threads.
 * `throughput`: many pictures at a time; each network keeps to one thread and the pictures spread over the threads.
 */
export type Mode = 'latency' | 'throughput';

export interface RuntimeOptions {
  /** Compute threads; the processors that the process may use when absent. */
  readonly threads?: number;
  readonly mode?: Mode;
  /** Execution providers in order of preference; `['cpu']` when absent. One that is not there is an error. */
  readonly providers?: readonly string[];
  /** Path of a libonnxruntime; found by itself when absent. */
  readonly library?: string;
}

/**
 * What the networks hold, in resident bytes as measured once for each alone (its card says so). Networks share what they
 * compute in, so the total is an upper bound.
 */
export interface MemoryUse {
  readonly total: number;
  readonly sessions: readonly { readonly name: string; readonly bytes: number }[];
}

/**
 * ONNX Runtime and a pool of compute threads. Several may exist in a process, each with its own threads; the library itself
 * is opened once. Usable from worker threads; not to be passed between them.
 */
export class Runtime implements AsyncDisposable {
  readonly addon: NativeAddon;
  readonly executor: NativeExecutor;
  readonly threads: number;
  readonly mode: Mode;
  readonly #native: NativeRuntime;
  readonly #providers: readonly string[];
  readonly #sessions = new Set<Session>();
  readonly #lifetime = new Lifetime('runtime');

  private constructor(
    addon: NativeAddon,
    executor: NativeExecutor,
    native: NativeRuntime,
    mode: Mode,
    providers: readonly string[],
  ) {
    this.addon = addon;
    this.executor = executor;
    this.threads = executor.threads;
    this.mode = mode;
    this.#native = native;
    this.#providers = providers;
  }

  /**
   * Loads the addon and the library. Rejects with `ADDON_NOT_FOUND`, `RUNTIME_NOT_FOUND`, `RUNTIME_INCOMPATIBLE` (too old,
   * for another machine, truncated), `PROVIDER_UNAVAILABLE`.
   */
  static async open(options: RuntimeOptions = {}): Promise<Runtime> {
    const addon = loadAddon();
    const executor = addon.createExecutor(options.threads ?? Math.max(1, addon.cpu().cores));
    try {
      const native = await openLibrary(addon, executor, options.library);
      const providers = options.providers ?? ['cpu'];
      checkProviders(native, providers);
      return new Runtime(addon, executor, native, options.mode ?? 'latency', providers);
    } catch (error) {
      await executor.close();
      throw wrapError(error);
    }
  }

  /** The library in use. */
  get library(): { readonly path: string; readonly version: string; readonly providers: readonly string[] } {
    const { path, version, providers } = this.#native;
    return { path, version, providers };
  }

  /**
   * Makes a network from the bytes of an ONNX file. `threads` overrides what the mode would give it; `consume` hands the
   * bytes over: their buffer is detached when the session is made. `bytes` is the memory that it is known to take.
   */
  createSession(
    name: string,
    model: Uint8Array,
    options: {
      readonly threads?: number;
      readonly consume?: boolean;
      readonly bytes?: number;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Session> {
    const bytes = options.bytes ?? model.byteLength;
    const threads = options.threads ?? (this.mode === 'throughput' ? 1 : this.threads);
    return this.#lifetime.use(async () => {
      const native = await cancellable(this.addon, options.signal, (token) =>
        this.#native.createSession(
          this.executor,
          model,
          { threads, providers: this.#providers, consume: options.consume ?? false },
          token,
        ),
      ).catch((error: unknown) => {
        const wrapped = wrapError(error);
        if (wrapped.code === 'PROVIDER_UNAVAILABLE') throw unavailable(this.#providers, wrapped.message, error);
        throw wrapped.code === 'MODEL_CORRUPT' || wrapped.code === 'INFERENCE_FAILED'
          ? new LineamentError(wrapped.code, `${name}: ${wrapped.message}`, { cause: error })
          : wrapped;
      });
      const session: Session = new Session(name, bytes, this.addon, native, () => this.#sessions.delete(session));
      this.#sessions.add(session);
      return session;
    });
  }

  /** Sharpness and exposure of boxes, rows of `STATISTICS.length` numbers. */
  statistics(source: PixelView, boxes: Float64Array, signal?: AbortSignal): Promise<Float64Array> {
    return this.#lifetime.use(() =>
      cancellable(this.addon, signal, (token) => this.addon.statistics(this.executor, source, boxes, token)),
    );
  }

  memory(): MemoryUse {
    const sessions = [...this.#sessions].map(({ name, bytes }) => ({ name, bytes }));
    return { total: sessions.reduce((sum, s) => sum + s.bytes, 0), sessions };
  }

  /** Closes the sessions, which wait for their runs, and then the threads. Idempotent. */
  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      await Promise.all([...this.#sessions].map((session) => session.close()));
      await this.executor.close();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Index of a statistic in a row of {@link Runtime.statistics}. */
export const statistic = (name: (typeof STATISTICS)[number]): number => STATISTICS.indexOf(name);

async function openLibrary(
  addon: NativeAddon,
  executor: NativeExecutor,
  named: string | undefined,
): Promise<NativeRuntime> {
  const libraries = await findRuntimeLibraries(named);
  const problems: string[] = [];
  let cause: unknown;
  for (const { path, origin } of libraries) {
    try {
      return await addon.openRuntime(executor, path);
    } catch (error) {
      cause = error;
      problems.push(`\n  ${path} (${origin}): ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new LineamentError('RUNTIME_INCOMPATIBLE', `${platformName}; tried${problems.join('')}\n`, {
    cause,
    fix: `Run 'npm install onnxruntime-node@1.30.0' or 'npm install @lineament/${platformName}', or set LINEAMENT_ONNXRUNTIME.`,
  });
}

/** Our names where the library's own differ. */
const ALIASES: Readonly<Record<string, string>> = { directml: 'dml' };

function checkProviders(native: NativeRuntime, wanted: readonly string[]): void {
  for (const name of wanted) {
    if (name === 'cpu' || native.providers.includes(ALIASES[name] ?? name)) continue;
    const has = native.providers.join(', ');
    throw unavailable([name], `'${name}' is not in ${native.path} (${native.version}), which has ${has}`);
  }
}

/** What each of them needs. */
const CUDA_FIX =
  "Install the NVIDIA driver, CUDA 12 and cuDNN 9, and on Linux run 'ONNXRUNTIME_NODE_INSTALL=cuda12 npm install onnxruntime-node@1.30.0'";
const PROVIDER_FIXES: Readonly<Record<string, string>> = {
  cuda: CUDA_FIX,
  tensorrt: `${CUDA_FIX}, and TensorRT 10`,
  coreml: 'Use it on macOS',
  directml: 'Use it on Windows 10 or newer',
};

/** None of the providers that were asked for is left out in silence: it is an error that says what to do. */
function unavailable(providers: readonly string[], detail: string, cause?: unknown): LineamentError {
  const named = providers.map((name) => PROVIDER_FIXES[name]).find((fix) => fix !== undefined);
  const point = 'point LINEAMENT_ONNXRUNTIME at a libonnxruntime with it';
  const fix = named === undefined ? `Name a provider that the library has, or ${point}.` : `${named}; or ${point}.`;
  return new LineamentError('PROVIDER_UNAVAILABLE', detail, { fix, ...(cause === undefined ? {} : { cause }) });
}
