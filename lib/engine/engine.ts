import { createHash } from 'node:crypto';
import { abortable } from '../errors/abort.js';
import { type CallSite, callSite, LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { decodeImage } from '../image/decode.js';
import { readExif } from '../image/exif.js';
import type { ImageInput } from '../image/input.js';
import { releaseFrame } from '../image/release.js';
import { Lifetime } from '../inference/lifetime.js';
import { type MemoryUse, Runtime } from '../inference/runtime.js';
import type { SessionPool } from '../inference/session-pool.js';
import { type Calibration, fmrAt, openCalibration, readCalibration, similarityAt } from '../models/calibration.js';
import { Networks } from '../models/network.js';
import type { ModelPack } from '../models/pack.js';
import { ChipBatches } from '../recognition/chip-batches.js';
import { type Candidate, checkEmbedding, type Match, rank, similarity } from '../recognition/compare.js';
import { embeddingDims, RECOGNISERS } from '../recognition/plan.js';
import type { Embedding, Face, Frame } from '../types.js';
import type { AnalyzedFace } from './analysis.js';
import type { RecogniserIdentity, Verification } from './answers.js';
import { packOf } from './downloads.js';
import { findFaces, lookAgain, networksFor, type Stages } from './faces.js';
import {
  type AnalyzeFacesOptions,
  type AnalyzeOptions,
  type Ask,
  type CallOptions,
  type CheckedEngineOptions,
  checkAnalyzeFacesOptions,
  checkAnalyzeOptions,
  checkCallOptions,
  checkDetectOptions,
  checkEmbedOptions,
  checkEngineOptions,
  checkFaces,
  checkMatchOptions,
  checkReconstructOptions,
  type DetectOptions,
  type EmbedOptions,
  type EngineOptions,
  type IdentifyOptions,
  type MatchOptions,
  type ReconstructOptions,
} from './options.js';
import type { Preset } from './presets.js';
import type { ReconstructedFace } from './reconstruction.js';
import { warmNetworks } from './warm.js';

/**
 * Finds, measures and recognises faces. Made by {@link openEngine}. Calls may overlap; they share the engine's threads and
 * never hold the event loop. An engine stays usable after any error. Networks are read on first need: nothing that is not
 * asked for is loaded or computed. Every method rejects with a `LineamentError`: beside the codes that it names, `ABORTED`,
 * `CLOSED`, `INVALID_ARGUMENT`, those of reading the picture (`IMAGE_…`) and of the models (`MODEL_…`, `INFERENCE_FAILED`).
 * An engine belongs to the thread that opened it; worker threads open their own.
 */
export class Engine implements AsyncDisposable {
  readonly preset: Preset;
  readonly #runtime: Runtime;
  readonly #networks: Networks;
  readonly #ownsRuntime: boolean;
  readonly #pack: ModelPack;
  readonly #maxPixels: number | undefined;
  readonly #ownCalibration: string | Calibration | undefined;
  readonly #batches: ChipBatches | undefined;
  readonly #lifetime = new Lifetime('engine');
  #calibration: Promise<Calibration | undefined> | undefined;

  /** @internal Engines that are given one pool share networks on a runtime that is not theirs to close. */
  constructor(runtime: Runtime, pack: ModelPack, options: CheckedEngineOptions, shared?: SessionPool) {
    this.preset = options.preset;
    this.#runtime = runtime;
    this.#pack = pack;
    this.#networks = new Networks(runtime, pack, shared);
    const { preset, batching } = options;
    this.#batches = batching && new ChipBatches(this.#networks, preset.recognition, batching);
    this.#ownsRuntime = shared === undefined;
    this.#maxPixels = options.maxPixels;
    this.#ownCalibration = options.calibration;
  }

  /** Compute threads. */
  get threads(): number {
    return this.#runtime.threads;
  }

  /** The ONNX Runtime in use. */
  get runtime(): { readonly path: string; readonly version: string; readonly providers: readonly string[] } {
    return this.#runtime.library;
  }

  /** Folder of the models. */
  get models(): string {
    return this.#pack.folder;
  }

  /**
   * What makes the embeddings of this engine: their model and length, and the SHA-256 (hex) over the SHA-256 of its networks. Galleries
   * and templates are pinned to it.
   */
  recogniser(): Promise<RecogniserIdentity> {
    return this.#call(callSite(this.recogniser), async () => {
      const plan = this.preset.recognition;
      const hash = createHash('sha256');
      for (const { network } of plan.members) hash.update((await this.#pack.card(RECOGNISERS[network].card)).sha256);
      return { model: plan.model, dims: embeddingDims(plan), hash: hash.digest('hex') };
    });
  }

  /** Turns any input into 8-bit pixels. See `decodeImage` for what is read and how. */
  decode(input: ImageInput, options: CallOptions = {}): Promise<Frame> {
    return this.#call(callSite(this.decode), async () => {
      checkCallOptions(options);
      return this.#decode(input, options.signal);
    });
  }

  /** Boxes, scores and, where asked, 68 landmarks of the faces in a picture; best score first, empty where there is none. */
  detect(input: ImageInput, options: DetectOptions = {}): Promise<Face[]> {
    return this.#call(callSite(this.detect), () => this.#find(input, checkDetectOptions(options), options.signal));
  }

  /** Faces with everything that is asked for; best score first, empty where there is none. */
  analyze(input: ImageInput, options: AnalyzeOptions = {}): Promise<AnalyzedFace[]> {
    return this.#call(callSite(this.analyze), () => this.#find(input, checkAnalyzeOptions(options), options.signal));
  }

  /**
   * Looks again at faces that are known in a picture (boxes as `detect` gave them, or with landmarks): no detector runs. What is asked is
   * added to each face, in their order; landmarks that a face has are not looked for again.
   */
  analyzeFaces(input: ImageInput, faces: readonly Face[], options: AnalyzeFacesOptions = {}): Promise<AnalyzedFace[]> {
    return this.#call(callSite(this.analyzeFaces), async () => {
      const ask = checkAnalyzeFacesOptions(options);
      const known = checkFaces(faces);
      if (known.length === 0) return [];
      const { signal } = options;
      throwIfAborted(signal);
      const [, ...ids] = networksFor(this.preset, ask);
      return this.#inStages(ask, signal, async (stages) => {
        const [frame] = await Promise.all([this.#decode(input, signal), ...ids.map((id) => this.#networks.get(id))]);
        const seen = await lookAgain(stages, frame, known, ask);
        releaseFrame(frame);
        return seen;
      });
    });
  }

  /** Embeddings of all faces (`all: true`), best score first. */
  embed(input: ImageInput, options: EmbedOptions & { readonly all: true }): Promise<Embedding[]>;
  /** Embedding of the most prominent face (area times score); absent where there is no face. */
  embed(input: ImageInput, options?: EmbedOptions & { readonly all?: false }): Promise<Embedding | undefined>;
  embed(input: ImageInput, options: EmbedOptions = {}): Promise<Embedding[] | Embedding | undefined> {
    return this.#call(callSite(this.embed), async () => {
      const { all, ...ask } = checkEmbedOptions(options);
      if (!all) return this.#embedOne(input, ask, options.signal);
      const faces = await this.#find(input, ask, options.signal);
      return faces.map((face) => face.embedding).filter((e): e is Embedding => e !== undefined);
    });
  }

  /** Every face of a picture (`all: true`) as a textured surface, best score first; faces that cannot be rebuilt are left out. */
  reconstruct(input: ImageInput, options: ReconstructOptions & { readonly all: true }): Promise<ReconstructedFace[]>;
  /**
   * The most prominent face as a textured surface with levels of detail, millimetres in the camera's frame; absent where there is no
   * face, or none that can be rebuilt. The camera is the one that is given, that EXIF tells of, or an assumed one. The shape is a prior fitted to the picture, not a measurement. `lineament/reconstruction`
   * has the single steps, and writes what comes out.
   */
  reconstruct(
    input: ImageInput,
    options?: ReconstructOptions & { readonly all?: false },
  ): Promise<ReconstructedFace | undefined>;
  reconstruct(
    input: ImageInput,
    options: ReconstructOptions = {},
  ): Promise<ReconstructedFace[] | ReconstructedFace | undefined> {
    return this.#call(callSite(this.reconstruct), async () => {
      const { ask, all, face } = checkReconstructOptions(options);
      const { signal } = options;
      throwIfAborted(signal);
      // Loaded when it is asked for.
      const [frame, exif, { reconstructFaces }] = await Promise.all([
        this.#decode(input, signal),
        face.exif ?? readExif(input),
        import('./reconstruction.js'),
      ]);
      const known = exif === undefined ? face : { ...face, exif };
      const rebuilt = await this.#inStages(ask, signal, (stages) => reconstructFaces(stages, frame, ask, known));
      return all ? rebuilt : rebuilt[0];
    });
  }

  /** Cosine similarity of two embeddings, −1 to 1. Throws `EMBEDDING_MISMATCH` when they are of different recognisers. */
  compare(a: Embedding, b: Embedding): number {
    return similarity(a, b);
  }

  /**
   * Whether two pictures (their most prominent faces) or embeddings show the same person, at a false match rate or a
   * threshold; the calibration's own rate when neither is given. Rejects with `NO_FACE` when a picture shows none.
   */
  verify(a: ImageInput | Embedding, b: ImageInput | Embedding, options: MatchOptions = {}): Promise<Verification> {
    return this.#call(callSite(this.verify), async () => {
      checkMatchOptions(options);
      // The threshold first: a rate that was never measured is refused before any work.
      const model = [a, b].find(isEmbedding)?.model ?? this.preset.recognition.model;
      const threshold = await this.#threshold(model, options);
      const sides = await Promise.allSettled([
        this.#embedding('the first picture', a, options.signal),
        this.#embedding('the second picture', b, options.signal),
      ]);
      for (const side of sides) if (side.status === 'rejected') throw side.reason;
      const [first, second] = sides.map((s) => (s as PromiseFulfilledResult<Embedding>).value) as [
        Embedding,
        Embedding,
      ];
      const value = similarity(first, second);
      const calibration = await this.#calibrationOf(model);
      const fmr = options.fmr ?? (calibration === undefined ? undefined : fmrAt(calibration, threshold));
      return { similarity: value, threshold, ...(fmr === undefined ? {} : { fmr }), match: value >= threshold };
    });
  }

  /**
   * The most similar of many known embeddings, best first: those at or above the threshold (as for `verify`; the rate is
   * that of a single comparison). Exact. Rejects with `NO_FACE`, `EMBEDDING_MISMATCH`.
   */
  identify(
    probe: ImageInput | Embedding,
    candidates: Iterable<Candidate>,
    options: IdentifyOptions = {},
  ): Promise<Match[]> {
    return this.#call(callSite(this.identify), async () => {
      checkMatchOptions(options, ['limit']);
      const { limit = 5, signal } = options;
      const threshold = await this.#threshold(
        isEmbedding(probe) ? probe.model : this.preset.recognition.model,
        options,
      );
      const embedding = await this.#embedding('the picture', probe, signal);
      return rank(embedding, candidates, limit, threshold, signal);
    });
  }

  /** Reads the networks that calls with these options will need, and runs each once, so that the first call is as fast as the next. */
  warm(options: AnalyzeOptions = {}): Promise<void> {
    return this.#call(callSite(this.warm), async () => {
      const ids = networksFor(this.preset, checkAnalyzeOptions(options));
      await warmNetworks(this.#networks, ids, options.signal);
    });
  }

  /** Memory of the networks that are open now, an upper bound. */
  memory(): MemoryUse {
    return this.#ownsRuntime ? this.#runtime.memory() : this.#networks.memory();
  }

  /**
   * Frees everything. Calls that run are stopped at their next stage and reject with `CLOSED`, as later ones do; resolves
   * when the last has ended. Idempotent.
   */
  close(): Promise<void> {
    this.#batches?.close();
    return this.#lifetime.close(() => (this.#ownsRuntime ? this.#runtime.close() : this.#networks.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call<T>(site: CallSite, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#lifetime.use(work);
    } catch (error) {
      throw wrapError(error, site);
    }
  }

  #decode(input: ImageInput, signal: AbortSignal | undefined): Promise<Frame> {
    return decodeImage(input, {
      ...(this.#maxPixels === undefined ? {} : { maxPixels: this.#maxPixels }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #find(input: ImageInput, ask: Ask, signal: AbortSignal | undefined): Promise<AnalyzedFace[]> {
    throwIfAborted(signal);
    // Networks and picture are read side by side; where the picture fails, that is the error.
    const ready = Promise.all(networksFor(this.preset, ask).map((id) => this.#networks.get(id)));
    ready.catch(() => undefined);
    return this.#inStages(ask, signal, async (stages) => {
      const frame = await this.#decode(input, signal);
      await abortable(ready, signal);
      const faces = await findFaces(stages, frame, ask);
      // Only here: where a stage has failed another one may still be reading.
      releaseFrame(frame);
      return faces;
    });
  }

  /** From here on chips of other calls wait for those of this one, where it is to have embeddings. */
  async #inStages<T>(ask: Ask, signal: AbortSignal | undefined, work: (stages: Stages) => Promise<T>): Promise<T> {
    const chips = ask.embedding ? this.#batches?.expect() : undefined;
    const check = (): void => {
      this.#lifetime.check();
      throwIfAborted(signal);
    };
    const { folder: models } = this.#pack;
    try {
      return await work({
        runtime: this.#runtime,
        networks: this.#networks,
        preset: this.preset,
        models,
        check,
        signal,
        chips,
      });
    } finally {
      chips?.leave();
    }
  }

  async #embedOne(input: ImageInput, ask: Ask, signal: AbortSignal | undefined): Promise<Embedding | undefined> {
    const [face] = await this.#find(input, { ...ask, maxFaces: 1 }, signal);
    return face?.embedding;
  }

  async #embedding(name: string, input: ImageInput | Embedding, signal: AbortSignal | undefined): Promise<Embedding> {
    if (isEmbedding(input)) return checkEmbedding(name, input);
    const found = await this.#embedOne(input, checkEmbedOptions({}), signal);
    if (found === undefined) throw new LineamentError('NO_FACE', name);
    return found;
  }

  /** The caller's own calibration where it is of this recogniser, the starter pack's otherwise; read once. */
  async #calibrationOf(model: string): Promise<Calibration | undefined> {
    this.#calibration ??= this.#readCalibration();
    const calibration = await this.#calibration;
    return calibration?.model === model ? calibration : readCalibration(model);
  }

  async #readCalibration(): Promise<Calibration | undefined> {
    const { model } = this.preset.recognition;
    if (this.#ownCalibration === undefined) return readCalibration(model);
    const calibration = await openCalibration(this.#ownCalibration);
    if (calibration.model === model) return calibration;
    throw new LineamentError(
      'EMBEDDING_MISMATCH',
      `the calibration is of '${calibration.model}', the preset makes '${model}'`,
      {
        fix: 'Calibrate again with this preset, or open the engine with the other one.',
      },
    );
  }

  async #threshold(model: string, { fmr, threshold }: MatchOptions): Promise<number> {
    if (threshold !== undefined) return threshold;
    const calibration = await this.#calibrationOf(model);
    if (calibration === undefined) {
      throw new LineamentError('MODEL_NOT_FOUND', `there is no calibration for '${model}'`, {
        fix: "Measure one on your own faces with 'lineament calibrate' and open the engine with it ('calibration'), or give a 'threshold' instead of an 'fmr'.",
      });
    }
    return similarityAt(calibration, fmr ?? calibration.defaultFmr);
  }
}

function isEmbedding(value: unknown): value is Embedding {
  return typeof value === 'object' && value !== null && 'vector' in value && 'model' in value;
}

/**
 * Opens an engine: loads the native addon and ONNX Runtime and finds the models; networks are read on first need. Several
 * may be open in a process, also in worker threads. Close it, or declare it with `await using`.
 *
 * Rejects with `INVALID_ARGUMENT`, `ADDON_NOT_FOUND`, `RUNTIME_NOT_FOUND`, `RUNTIME_INCOMPATIBLE`, `PROVIDER_UNAVAILABLE`,
 * `MODEL_NOT_FOUND`.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const site = callSite(openEngine);
  let runtime: Runtime | undefined;
  try {
    const checked = checkEngineOptions(options);
    const pack = packOf(checked.models);
    pack.catch(() => undefined);
    runtime = await Runtime.open({
      mode: checked.mode,
      providers: checked.providers,
      ...(checked.threads === undefined ? {} : { threads: checked.threads }),
      ...(checked.runtime === undefined ? {} : { library: checked.runtime }),
    });
    return new Engine(runtime, await pack, checked);
  } catch (error) {
    await runtime?.close();
    throw wrapError(error, site);
  }
}
