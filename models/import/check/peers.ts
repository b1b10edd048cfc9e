import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ImportError } from '../error.js';
import { tfliteBytes } from '../mediapipe.js';
import { importFolder, packageRoot, SourceReader } from '../source.js';
import type { Case } from './cases.js';
import { type InputFacts, type Pixels, toTensor } from './photographs.js';

interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface GraphModel {
  execute(inputs: Tensor, outputs: readonly string[]): Tensor | Tensor[];
}

interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array | Int32Array, shape: readonly number[], dtype: string): Tensor;
  loadGraphModel(handler: { load(): Promise<unknown> }): Promise<GraphModel>;
}

interface FaceApiNet {
  loadFromDisk(folder: string): Promise<void>;
  forwardInput(input: unknown, size?: number): unknown;
  runNet(input: unknown): unknown;
}

interface FaceApi {
  readonly tf: Tf;
  readonly nets: Readonly<Record<string, FaceApiNet>>;
  readonly NetInput: new (inputs: readonly Tensor[]) => unknown;
}

interface TfliteTensor {
  readonly name: string;
  data(): Float32Array;
}

interface TfliteList {
  size(): number;
  get(i: number): TfliteTensor;
}

interface TfliteRunner {
  GetInputs(): TfliteList;
  GetOutputs(): TfliteList;
  Infer(): boolean;
  delete(): void;
}

interface TfliteModule {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(at: number, size: number, options: unknown): { ok(): boolean; value(): TfliteRunner };
  };
}

/**
 * The runtimes that the networks come from. `folder` has a node_modules with @vladmandic/face-api 1.7.15,
 * @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm 4.22.0 and @tensorflow/tfjs-tflite 0.0.1-alpha.10; `python` is an
 * interpreter with mediapipe 0.10.21, needed for mediapipe_face_mesh only.
 */
export class Peers {
  private readonly require: NodeJS.Require;
  private readonly reader = new SourceReader(undefined);
  private faceApi: Promise<FaceApi> | undefined;
  private tflite: Promise<TfliteModule> | undefined;
  private readonly models = new Map<string, Promise<GraphModel>>();

  constructor(
    folder: string,
    private readonly python: string | undefined,
  ) {
    this.require = createRequire(resolve(folder, 'package.json'));
  }

  /** Name and version of what runs a case. */
  label(peer: Case['peer']): string {
    switch (peer.kind) {
      case 'face-api':
        return '@vladmandic/face-api 1.7.15, tfjs-wasm 4.22.0';
      case 'tfjs':
        return 'tfjs-wasm 4.22.0';
      case 'tflite':
        return 'tfjs-tflite 0.0.1-alpha.10 (TensorFlow Lite, wasm)';
      case 'mediapipe':
        return 'mediapipe 0.10.21 (Python, CPU)';
    }
  }

  /** Runs a case on pixels; the outputs in the case's order, or undefined where the peer is not installed. */
  async run(item: Case, pixels: Pixels, input: InputFacts): Promise<Float32Array[] | undefined> {
    try {
      return await this.dispatch(item, pixels, input);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'MODULE_NOT_FOUND') return undefined;
      throw error;
    }
  }

  private async dispatch(item: Case, pixels: Pixels, input: InputFacts): Promise<Float32Array[] | undefined> {
    switch (item.peer.kind) {
      case 'face-api':
        return this.runFaceApi(item.peer, pixels);
      case 'tfjs':
        return this.runGraph(item.peer, pixels, input);
      case 'tflite':
        return this.runTflite(item.id, item.peer.outputs, toTensor(pixels, input, 'NHWC'));
      case 'mediapipe':
        return this.python === undefined ? undefined : this.runMediapipe(this.python, item.id, pixels);
    }
  }

  private loadFaceApi(): Promise<FaceApi> {
    this.faceApi ??= (async () => {
      const wasm = this.require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
      wasm.setWasmPaths(`${dirname(this.require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
      const faceApi = this.require('@vladmandic/face-api/dist/face-api.node-wasm.js') as FaceApi;
      await faceApi.tf.setBackend('wasm');
      await faceApi.tf.ready();
      return faceApi;
    })();
    return this.faceApi;
  }

  private async runFaceApi(peer: Extract<Case['peer'], { kind: 'face-api' }>, pixels: Pixels): Promise<Float32Array[]> {
    const api = await this.loadFaceApi();
    const net = api.nets[peer.net];
    if (!net) throw new ImportError('USAGE', `face-api has no network ${peer.net}`);
    await net.loadFromDisk(join(packageRoot('@vladmandic/face-api'), 'model'));
    const tensor = api.tf.tensor(Int32Array.from(pixels.data), [pixels.height, pixels.width, 3], 'int32');
    const result = net[peer.call](new api.NetInput([tensor]), peer.size);
    const list = isTensor(result) ? [result] : Object.values(result as Record<string, Tensor | Tensor[]>).flat();
    return Promise.all(list.map((t) => t.data()));
  }

  private async runGraph(
    peer: Extract<Case['peer'], { kind: 'tfjs' }>,
    pixels: Pixels,
    input: InputFacts,
  ): Promise<Float32Array[]> {
    const { tf } = await this.loadFaceApi();
    const json = this.reader.json({ package: '@vladmandic/human', path: `models/${peer.stem}.json` }) as {
      weightsManifest: readonly { readonly weights: readonly unknown[] }[];
    };
    const bytes = new Uint8Array(this.reader.read({ package: '@vladmandic/human', path: `models/${peer.stem}.bin` }));
    const specs = json.weightsManifest.flatMap((group) => group.weights);
    const artifacts = { ...json, weightSpecs: specs, weightData: bytes.buffer };
    const model = this.models.get(peer.stem) ?? tf.loadGraphModel({ load: () => Promise.resolve(artifacts) });
    this.models.set(peer.stem, model);
    const shape = [1, pixels.height, pixels.width, input.colour === 'GRAY' ? 1 : 3];
    const tensor = peer.integers
      ? tf.tensor(Int32Array.from(pixels.data), shape, 'int32')
      : tf.tensor(toTensor(pixels, input, 'NHWC'), shape, 'float32');
    const result = (await model).execute(tensor, peer.outputs);
    return Promise.all((Array.isArray(result) ? result : [result]).map((t) => t.data()));
  }

  private async runTflite(id: string, outputs: readonly string[], tensor: Float32Array): Promise<Float32Array[]> {
    this.tflite ??= (() => {
      const folder = dirname(this.require.resolve('@tensorflow/tfjs-tflite/package.json'));
      const file = join(folder, 'wasm', 'tflite_web_api_cc_simd');
      const factory = this.require(`${file}.js`) as (options: unknown) => Promise<TfliteModule>;
      return factory({ wasmBinary: readFileSync(`${file}.wasm`) });
    })();
    const module = await this.tflite;
    const model = tfliteBytes(this.reader, id);
    const at = module._malloc(model.byteLength);
    module.HEAPU8.set(model, at);
    const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 1024 };
    const made = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(at, model.byteLength, options);
    if (!made.ok()) throw new ImportError('USAGE', `tfjs-tflite cannot run ${id}`);
    const runner = made.value();
    runner.GetInputs().get(0).data().set(tensor);
    if (!runner.Infer()) throw new ImportError('USAGE', `tfjs-tflite failed on ${id}`);
    const list = runner.GetOutputs();
    const byName = new Map<string, Float32Array>();
    for (let i = 0; i < list.size(); i++) byName.set(list.get(i).name, Float32Array.from(list.get(i).data()));
    runner.delete();
    return outputs.map((name) => byName.get(name) ?? new Float32Array());
  }

  private runMediapipe(python: string, id: string, pixels: Pixels): Float32Array[] {
    const folder = mkdtempSync(join(tmpdir(), 'lineament-'));
    try {
      const [model, image] = [join(folder, 'model.tflite'), join(folder, 'pixels.rgb')];
      writeFileSync(model, tfliteBytes(this.reader, id));
      writeFileSync(image, pixels.data);
      const script = join(importFolder, 'check', 'attention_peer.py');
      const text = execFileSync(python, [script, model, image, String(pixels.width)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const result = JSON.parse(text.toString('utf8')) as { landmarks: number[]; flag: number[] };
      return [Float32Array.from(result.landmarks), Float32Array.from(result.flag)];
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

function isTensor(value: unknown): value is Tensor {
  return typeof (value as Tensor | null)?.dispose === 'function';
}
