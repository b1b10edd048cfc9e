import { abortable } from '../../errors/abort.js';
import { callSite, LineamentError, throwIfAborted, wrapError } from '../../errors.js';
import { Lifetime } from '../../inference/lifetime.js';
import { Runtime } from '../../inference/runtime.js';
import { SessionPool } from '../../inference/session-pool.js';
import { type Calibration, openCalibration } from '../../models/calibration.js';
import type { ModelPack } from '../../models/pack.js';
import { gpuStatus } from '../../native/index.js';
import { embeddingDims } from '../../recognition/plan.js';
import { packOf } from '../downloads.js';
import { Engine } from '../engine.js';
import { firstGpu, gpuMemory, machineMemory } from './memory.js';
import { type CheckedHostOptions, checkHostOptions } from './options.js';
import { choose } from './selection.js';
import { Slot } from './slot.js';
import type {
  EngineHost,
  EngineHostOptions,
  HostedEngine,
  HostedPreset,
  HostMemory,
  Requirement,
  UseOptions,
} from './types.js';
import { total, WARM, type Weight, weightsOf } from './weights.js';

/** What is known of an engine under its name. */
interface Entry extends HostedPreset {
  readonly name: string;
  /** The opening that takes calls. */
  slot?: Slot;
  /** Openings that take no calls any more. */
  closing: number;
  /** Absent while its cards cannot be read. */
  weights?: readonly Weight[];
  error?: LineamentError;
  lastUsedAt?: number;
  /** Larger is later; clocks may be set back. */
  turn: number;
}

class Host implements EngineHost {
  readonly #runtime: Runtime;
  readonly #options: CheckedHostOptions;
  readonly #calibration: Calibration | undefined;
  /** All engines share the sessions of networks that they have in common, and the threads. */
  readonly #sessions = new SessionPool();
  readonly #packs = new Map<string | ModelPack | undefined, Promise<ModelPack>>();
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #lifetime = new Lifetime('engine host');
  readonly #closing = new AbortController();
  #current: string;
  #turn = 0;
  #switching: Promise<unknown> = Promise.resolve();
  #tidying: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, options: CheckedHostOptions, calibration: Calibration | undefined) {
    this.#runtime = runtime;
    this.#options = options;
    this.#calibration = calibration;
    this.#current = options.current;
    this.#entries = new Map(
      [...options.presets].map(([name, hosted]) => [name, { ...hosted, name, closing: 0, turn: 0 }]),
    );
  }

  get current(): string {
    return this.#current;
  }

  use<T>(work: (engine: Engine) => Promise<T>, options: UseOptions = {}): Promise<T> {
    return this.#lifetime.use(async () => {
      const { name = this.#current, signal } = options;
      const entry = this.#entry(name);
      throwIfAborted(signal);
      this.#touch(entry);
      try {
        return await this.#lease(entry, signal, work);
      } finally {
        this.#touch(entry);
        this.#tidy();
      }
    });
  }

  load(name: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<HostedEngine> {
    return this.#lifetime.use(async () => {
      const entry = this.#entry(name);
      throwIfAborted(signal);
      await this.#checkRoom(entry);
      this.#touch(entry);
      const opened = await this.#lease(entry, signal, async () => this.#describe(entry));
      this.#tidy();
      return opened;
    });
  }

  unload(name: string): Promise<void> {
    return this.#lifetime.use(async () => {
      const entry = this.#entry(name);
      if (name === this.#current) {
        const fix = 'Switch to another one first.';
        throw new LineamentError('INVALID_ARGUMENT', `'${name}' is the current engine`, { fix });
      }
      await this.#retire(entry);
    });
  }

  switchTo(name: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<HostedEngine> {
    return this.#lifetime.use(() => {
      const entry = this.#entry(name);
      throwIfAborted(signal);
      // One after another: the last one that was asked for is the one that stays.
      const before = this.#switching;
      const made = abortable(before, signal).then(() => this.#makeCurrent(entry, signal));
      this.#switching = Promise.allSettled([before, made]);
      return made;
    });
  }

  list(): readonly HostedEngine[] {
    return [...this.#entries.values()].map((entry) => this.#describe(entry));
  }

  select(requirement: Requirement): Promise<{ readonly name: string; readonly reason: string } | undefined> {
    return this.#lifetime.use(async () => {
      const free = await this.#free();
      await Promise.all([...this.#entries.values()].map((entry) => this.#weigh(entry)));
      const candidates = [...this.#entries.values()].flatMap((entry) => {
        const { name, milliseconds, accuracy, bytes } = entry;
        if (milliseconds === undefined || accuracy === undefined || bytes === undefined) return [];
        return this.#fits(entry, bytes, free) ? [{ name, milliseconds, accuracy, bytes }] : [];
      });
      const chosen = choose(requirement, candidates);
      if (chosen === undefined) return undefined;
      return { ...chosen, reason: `${chosen.reason}; ${Math.round(free / 2 ** 20)} MiB are free` };
    });
  }

  async memory(): Promise<HostMemory> {
    const { memoryBudget } = this.#options;
    const [machine, gpus] = await Promise.all([machineMemory(), gpuStatus()]);
    return {
      ...(memoryBudget === undefined ? {} : { budget: memoryBudget }),
      used: this.#sessions.memory().total,
      devices: [machine, ...gpuMemory(gpus)],
    };
  }

  close(): Promise<void> {
    this.#closing.abort(new LineamentError('CLOSED', 'the engine host is being closed'));
    return this.#lifetime.close(async () => {
      await this.#tidying;
      await Promise.all([...this.#entries.values()].map((entry) => this.#retire(entry)));
      await this.#runtime.close();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Reads the cards of all, as far as they are there. */
  async weighAll(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#weigh(entry)));
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new LineamentError('NOT_FOUND', `there is no engine '${name}'`, {
      fix: `Name one of ${[...this.#entries.keys()].map((one) => `'${one}'`).join(', ')}.`,
    });
  }

  #touch(entry: Entry): void {
    entry.lastUsedAt = Date.now();
    entry.turn = ++this.#turn;
  }

  /** Runs `work` with the engine, opened where it is not. From here on it is not closed before the work has ended. */
  #lease<T>(entry: Entry, signal: AbortSignal | undefined, work: (engine: Engine) => Promise<T>): Promise<T> {
    const slot = this.#slot(entry);
    return slot.lease(async () => work(await abortable(slot.opening, signal)));
  }

  /** The opening that takes calls; all who ask while it is being opened share it. */
  #slot(entry: Entry): Slot {
    if (entry.slot !== undefined) return entry.slot;
    const slot = new Slot(entry.name, () => this.#open(entry));
    entry.slot = slot;
    delete entry.error;
    slot.opening.catch((error: unknown) => {
      if (entry.slot !== slot) return;
      delete entry.slot;
      entry.error = wrapError(error);
    });
    return slot;
  }

  async #open(entry: Entry): Promise<Engine> {
    const pack = await this.#packOf(entry);
    await this.#weigh(entry);
    await this.#makeRoom(() => this.#missing(entry));
    const { calibration: _, ...options } = this.#options.engine;
    const own = this.#calibration?.model === entry.preset.recognition.model ? this.#calibration : undefined;
    const checked = { ...options, preset: entry.preset, ...(own === undefined ? {} : { calibration: own }) };
    const engine = new Engine(this.#runtime, pack, checked, this.#sessions);
    try {
      await engine.warm({ ...WARM, signal: this.#closing.signal });
      return engine;
    } catch (error) {
      await engine.close();
      throw this.#closing.signal.aborted ? this.#closing.signal.reason : error;
    }
  }

  async #makeCurrent(entry: Entry, signal: AbortSignal | undefined): Promise<HostedEngine> {
    for (;;) {
      throwIfAborted(signal);
      this.#touch(entry);
      // Leased until it is the current one, which nothing closes.
      const opened = await this.#lease(entry, signal, async (engine) => {
        // Unloaded by somebody while it was being opened: it ends with this lease.
        if (entry.slot?.engine !== engine) return undefined;
        this.#current = entry.name;
        return this.#describe(entry);
      });
      if (opened === undefined) continue;
      this.#tidy();
      return opened;
    }
  }

  /** Closes what takes calls under this name; new calls open another. */
  async #retire(entry: Entry): Promise<void> {
    const { slot } = entry;
    if (slot === undefined) return;
    delete entry.slot;
    entry.closing++;
    try {
      await slot.close();
    } finally {
      entry.closing--;
    }
  }

  #tidy(): void {
    if (this.#options.memoryBudget !== undefined) void this.#makeRoom(() => 0);
  }

  /**
   * Closes engines that nobody uses, the least recently used first, until `more` bytes fit into the budget or none is left. `more` is asked anew
   * each time: what an engine held may be needed again.
   */
  #makeRoom(more: () => number): Promise<void> {
    const { memoryBudget } = this.#options;
    if (memoryBudget === undefined) return Promise.resolve();
    const work = this.#tidying.then(async () => {
      while (this.#sessions.memory().total + more() > memoryBudget) {
        const [oldest] = [...this.#entries.values()]
          .filter(({ name, slot }) => name !== this.#current && slot?.engine !== undefined && slot.calls === 0)
          .sort((a, b) => a.turn - b.turn);
        if (oldest === undefined) return;
        await this.#retire(oldest);
      }
    });
    this.#tidying = work.catch(() => undefined);
    return work;
  }

  async #checkRoom(entry: Entry): Promise<void> {
    const { memoryBudget } = this.#options;
    if (memoryBudget === undefined || entry.name === this.#current) return;
    const current = this.#entry(this.#current);
    await Promise.all([this.#weigh(entry), this.#weigh(current)]);
    const both = new Map([...(entry.weights ?? []), ...(current.weights ?? [])].map((one) => [one.sha256, one]));
    const needed = total([...both.values()]);
    if (needed <= memoryBudget) return;
    const message = `'${entry.name}' and the current engine '${current.name}' hold ${needed} bytes, the budget is ${memoryBudget}`;
    throw new LineamentError('OUT_OF_MEMORY', message, { fix: 'Raise the memory budget, or switch to it.' });
  }

  /** Bytes of its networks that no engine holds. */
  #missing({ weights = [] }: Entry): number {
    return total(weights.filter(({ sha256 }) => !this.#sessions.has(sha256)));
  }

  #fits(entry: Entry, bytes: number, free: number): boolean {
    if (entry.slot?.engine !== undefined) return true;
    if (entry.weights === undefined || entry.error !== undefined) return false;
    const { memoryBudget = Infinity } = this.#options;
    const held = total(entry.weights) - this.#missing(entry);
    return bytes - held <= free && total(entry.weights) <= memoryBudget;
  }

  /** Memory that is free where networks go. */
  async #free(): Promise<number> {
    const { free } = await machineMemory();
    const [provider] = this.#options.engine.providers;
    if (provider !== 'cuda' && provider !== 'tensorrt') return free;
    return Math.min(free, firstGpu(await gpuStatus())?.free ?? Infinity);
  }

  async #weigh(entry: Entry): Promise<void> {
    if (entry.weights !== undefined) return;
    try {
      const pack = await this.#packOf(entry);
      entry.weights = await weightsOf(entry.preset, pack);
    } catch {
      // Opening it says what is wrong; until then it weighs what is known of it otherwise.
    }
  }

  #packOf({ models = this.#options.engine.models }: HostedPreset): Promise<ModelPack> {
    let pack = this.#packs.get(models);
    if (pack === undefined) {
      pack = packOf(models);
      this.#packs.set(models, pack);
      pack.catch(() => this.#packs.delete(models));
    }
    return pack;
  }

  #describe(entry: Entry): HostedEngine {
    const { name, preset, slot, weights, error, lastUsedAt } = entry;
    const idle = entry.closing > 0 ? 'closing' : error === undefined ? 'absent' : 'failed';
    return {
      name,
      state: slot === undefined ? idle : slot.engine === undefined ? 'loading' : 'ready',
      current: name === this.#current,
      bytes: slot?.engine?.memory().total ?? (weights === undefined ? (entry.bytes ?? 0) : total(weights)),
      running: slot?.calls ?? 0,
      ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
      model: preset.recognition.model,
      dims: embeddingDims(preset.recognition),
      ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    };
  }
}

/**
 * Opens a host of engines: loads the addon and ONNX Runtime, with one set of threads for all engines. Networks are read when an engine is
 * first used or loaded, and held once where several engines have them. Close it, or declare it with `await using`; closing lets calls end.
 *
 * Rejects as `openEngine`; with `INVALID_ARGUMENT` where `current` names no preset, with `EMBEDDING_MISMATCH` where the calibration is of
 * none of their recognisers.
 */
export async function openEngineHost(options: EngineHostOptions = {}): Promise<EngineHost> {
  const site = callSite(openEngineHost);
  let runtime: Runtime | undefined;
  try {
    const checked = checkHostOptions(options);
    const { calibration, mode, providers, threads, runtime: library } = checked.engine;
    const own = calibration === undefined ? undefined : await openCalibration(calibration);
    if (
      own !== undefined &&
      ![...checked.presets.values()].some(({ preset }) => preset.recognition.model === own.model)
    ) {
      throw new LineamentError('EMBEDDING_MISMATCH', `the calibration is of '${own.model}', which no preset makes`);
    }
    // Where there are no models at all, that is to be known now.
    await packOf(checked.presets.get(checked.current)?.models ?? checked.engine.models);
    runtime = await Runtime.open({
      mode,
      providers,
      ...(threads === undefined ? {} : { threads }),
      ...(library === undefined ? {} : { library }),
    });
    const host = new Host(runtime, checked, own);
    await host.weighAll();
    return host;
  } catch (error) {
    await runtime?.close();
    throw wrapError(error, site);
  }
}
