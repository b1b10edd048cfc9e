import type { ModelPack } from '../../models/pack.js';
import type { Engine } from '../engine.js';
import type { EngineOptions } from '../options.js';
import type { Preset } from '../presets.js';

/** What somebody needs of a model. */
export type Requirement = 'speed' | 'accuracy' | 'balanced' | 'minimal_memory';

/** An engine that is open, being opened, or known to be possible. */
export interface HostedEngine {
  readonly name: string;
  readonly state: 'absent' | 'loading' | 'ready' | 'closing' | 'failed';
  /** What it is chosen by where nothing is named. */
  readonly current: boolean;
  /** Upper bound of what its networks hold, bytes; of its cards where it is not loaded. */
  readonly bytes: number;
  readonly running: number;
  /** ms since the epoch; absent where it was never used. */
  readonly lastUsedAt?: number;
  /** `Embedding.model`. */
  readonly model: string;
  readonly dims: number;
  /** Why it could not be opened, the last time it was tried. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface DeviceMemory {
  /** `cpu`, or the driver's name of a GPU with its index. */
  readonly device: string;
  readonly total: number;
  /** Really free now: of the machine or container, or as the driver says. */
  readonly free: number;
  readonly source: 'cgroup' | 'system' | 'nvml';
}

export interface HostMemory {
  readonly budget?: number;
  readonly used: number;
  readonly devices: readonly DeviceMemory[];
}

export interface UseOptions {
  /** Which engine; the current one when absent. It is loaded where it is not. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

/**
 * Engines by name: loaded on demand, switched without a dropped call, unloaded when memory is short. Safe for overlapping calls.
 */
export interface EngineHost extends AsyncDisposable {
  /** Name of the engine that serves where none is named. */
  readonly current: string;
  /**
   * Runs `work` with an engine, which stays open until it has ended and is the host's to close. Rejects with `NOT_FOUND` (no such name), the
   * codes of opening (`MODEL_…`), as `work` does, `ABORTED`, `CLOSED`.
   */
  use<T>(work: (engine: Engine) => Promise<T>, options?: UseOptions): Promise<T>;
  /** Opens and warms an engine, unless it is. Rejects as `use`, and with `OUT_OF_MEMORY` where the budget has no room for it beside the current one. */
  load(name: string, options?: { readonly signal?: AbortSignal }): Promise<HostedEngine>;
  /** Closes an engine once its calls have ended. `INVALID_ARGUMENT` for the current one. */
  unload(name: string): Promise<void>;
  /**
   * Makes another engine the current one: it is opened and warmed first, calls that run keep theirs. Where it cannot be opened the old one goes on serving, and
   * this rejects with the reason.
   */
  switchTo(name: string, options?: { readonly signal?: AbortSignal }): Promise<HostedEngine>;
  list(): readonly HostedEngine[];
  /** The best name for a requirement that fits the memory that is free now; absent where none fits. */
  select(requirement: Requirement): Promise<{ readonly name: string; readonly reason: string } | undefined>;
  memory(): Promise<HostMemory>;
  close(): Promise<void>;
}

/**
 * A preset under its name, where its models lie, and what speaks for it. Figures are measured on one machine with all that have them, for
 * choosing among them; what has none is never selected by a requirement.
 */
export interface HostedPreset {
  readonly preset: Preset;
  /** Where the models are: a folder, or a pack such as `ModelCatalogue.pack` gives; those of the host when absent. */
  readonly models?: string | ModelPack;
  /** Of one picture with one face, warm. Lower is better. */
  readonly milliseconds?: number;
  /** Share of faces that are found and known again, 0 to 1. Higher is better. */
  readonly accuracy?: number;
  /** Resident bytes of a process with it alone: no less than what opening it adds. */
  readonly bytes?: number;
}

/** What holds for every engine of a host is as for `openEngine`. A calibration serves the presets whose recogniser it is of. */
export interface EngineHostOptions extends Omit<EngineOptions, 'preset'> {
  /** Serves where none is named; `balanced` when absent. Loaded on first need, as all are. */
  readonly current?: string;
  /**
   * By their names, besides the four of the starter pack and those of the catalogue (which can be opened where `models` has their networks);
   * one of the same name takes its place.
   */
  readonly presets?: readonly HostedPreset[];
  /**
   * Bytes that the networks of all engines may hold. Above it, engines are closed that no call uses, the least recently used first, but
   * never the current one; a call by name may go above it for as long as it runs. No limit when absent.
   */
  readonly memoryBudget?: number;
}
