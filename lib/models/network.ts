import { LineamentError } from '../errors.js';
import { packRegions, type Region } from '../image/geometry.js';
import type { MemoryUse, Runtime } from '../inference/runtime.js';
import type { Session } from '../inference/session.js';
import { SessionPool } from '../inference/session-pool.js';
import type { Decoder, NetworkJob, NetworkResult, PixelRegions, Sampling } from '../native/addon.js';
import type { Frame } from '../types.js';
import { type ModelCard, takesBatches, tensorSpec } from './card.js';
import type { ModelPack } from './pack.js';

export interface NetworkRun {
  /** Size of the tensor, where the card leaves it free. */
  readonly width?: number;
  readonly height?: number;
  readonly sampling?: Sampling;
  readonly mirror?: boolean;
  readonly decode?: Decoder;
  readonly outputs?: readonly string[];
  /** Most items in one run of a network that takes batches, 16 when absent; more are run in turns. */
  readonly maxBatch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Parts of a picture. */
export interface PictureRegions {
  readonly frame: Frame;
  readonly regions: readonly Region[];
}

/** So that a crowd does not cost memory without bound. */
const MAX_BATCH = 16;

/** A model with its card: regions of pictures in, numbers out, all in one native job. */
export class Network {
  readonly card: ModelCard;
  readonly session: Session;

  constructor(card: ModelCard, session: Session) {
    this.card = card;
    this.session = session;
  }

  run(frame: Frame, regions: readonly Region[], options: NetworkRun = {}): Promise<NetworkResult> {
    return this.#run([{ frame, regions }], options);
  }

  #run(pictures: readonly PictureRegions[], options: NetworkRun): Promise<NetworkResult> {
    const { width, height, sampling = { filter: 'area', border: 'zero' }, mirror = false, decode, outputs } = options;
    const { maxBatch = MAX_BATCH } = options;
    const [first, ...more] = pictures.map(
      ({ frame, regions }): PixelRegions => ({ source: frame, regions: packRegions(regions) }),
    );
    const job: NetworkJob = {
      input: {
        ...first!,
        ...(more.length === 0 ? {} : { more }),
        tensor: tensorSpec(this.card, width, height),
        sampling,
        mirror: mirror ? 'both' : 'none',
      },
      maxBatch: takesBatches(this.card) ? maxBatch : 1,
      ...(decode === undefined ? {} : { decode }),
      ...(outputs === undefined ? {} : { outputs }),
    };
    return this.session.run(job, options.signal);
  }

  /** One output of `run`, as floats. */
  async output(
    frame: Frame,
    regions: readonly Region[],
    name: string,
    options: NetworkRun = {},
  ): Promise<Float32Array> {
    const [values] = await this.outputs(frame, regions, [name], options);
    return values!;
  }

  /** Several outputs of `run`, as floats, in the order of `names`. */
  async outputs(
    frame: Frame,
    regions: readonly Region[],
    names: readonly string[],
    options: NetworkRun = {},
  ): Promise<Float32Array[]> {
    const result = await this.run(frame, regions, { ...options, outputs: names });
    return names.map((name) => this.#floats(result, name));
  }

  /** One output for regions of several pictures (at least one), which are items of the same batch: those of the first come first. */
  async outputOf(pictures: readonly PictureRegions[], name: string, options: NetworkRun = {}): Promise<Float32Array> {
    return this.#floats(await this.#run(pictures, { ...options, outputs: [name] }), name);
  }

  #floats(result: NetworkResult, name: string): Float32Array {
    const data = result.outputs?.find((o) => o.name === name)?.data;
    if (data instanceof Float32Array) return data;
    throw new LineamentError('MODEL_CORRUPT', `${this.card.id} has no output '${name}' of type float32`);
  }
}

const memoryOf = ({ memoryMb }: ModelCard): { bytes?: number } =>
  memoryMb === undefined ? {} : { bytes: Math.round(memoryMb * 2 ** 20) };

/**
 * The networks of a pack on a runtime: each is read, verified and made on first use, once, whoever asks. Those that are given one pool share
 * the sessions of files with the same bytes.
 */
export class Networks {
  readonly #runtime: Runtime;
  readonly #pack: ModelPack;
  readonly #sessions: SessionPool;
  readonly #known = new Map<string, Promise<Network>>();
  readonly #open = new Set<Network>();

  constructor(runtime: Runtime, pack: ModelPack, sessions = new SessionPool()) {
    this.#runtime = runtime;
    this.#pack = pack;
    this.#sessions = sessions;
  }

  /** Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_HASH_MISMATCH`; a later call tries again. */
  get(id: string): Promise<Network> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const making = this.#make(id);
    this.#known.set(id, making);
    making.catch(() => this.#known.delete(id));
    return making;
  }

  /** Of those that are made; what is shared is counted here as well. */
  memory(): MemoryUse {
    const sessions = [...this.#open].map(({ session: { name, bytes } }) => ({ name, bytes }));
    return { total: sessions.reduce((sum, { bytes }) => sum + bytes, 0), sessions };
  }

  /** Gives all back to the pool, also those that are being made. Nothing may be asked for afterwards. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#known.values());
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map(({ card }) => this.#sessions.giveBack(card.sha256)));
  }

  async #make(id: string): Promise<Network> {
    const card = await this.#pack.card(id);
    const session = await this.#sessions.take(card.sha256, async () =>
      this.#runtime.createSession(id, await this.#pack.read(id), { consume: true, ...memoryOf(card) }),
    );
    const network = new Network(card, session);
    this.#open.add(network);
    return network;
  }
}
