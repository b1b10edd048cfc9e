import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  NativeAddon,
  NativeExecutor,
  NativeRuntime,
  NativeSession,
  SessionOptions,
} from '../../lib/native/addon.js';
import { findRuntimeLibraries, loadAddon } from '../../lib/native/index.js';
import { root } from '../support/child.js';

export { codeOf } from '../support/code.js';

export const pack = join(root, 'models', 'pack');

/** Bytes of a network of the starter pack. */
export function network(id: string): Uint8Array {
  return readFileSync(join(pack, `${id}.onnx`));
}

export const havePack = existsSync(join(pack, 'faceapi_landmarks68.onnx'));

/** Path of the libonnxruntime that tests use. */
export async function libraryPath(): Promise<string> {
  const [library] = await findRuntimeLibraries();
  if (library === undefined) throw new Error('no libonnxruntime');
  return library.path;
}

export interface Bench extends AsyncDisposable {
  readonly addon: NativeAddon;
  readonly executor: NativeExecutor;
  readonly runtime: NativeRuntime;
  session(id: string, options?: Partial<SessionOptions>): Promise<NativeSession>;
}

/** The addon, an executor and a runtime; sessions made through it are closed with it. */
export async function openBench(threads = 2): Promise<Bench> {
  const addon = loadAddon();
  const executor = addon.createExecutor(threads);
  const runtime = await addon.openRuntime(executor, await libraryPath());
  const sessions: NativeSession[] = [];
  return {
    addon,
    executor,
    runtime,
    async session(id, options = {}) {
      const made = await runtime.createSession(executor, network(id), { threads: 1, providers: ['cpu'], ...options });
      sessions.push(made);
      return made;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map((s) => s.close()));
      await executor.close();
    },
  };
}

/** The same numbers every time, uniform in [low, high). */
export function noise(count: number, low = 0, high = 1, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

/** A photograph-like picture: smooth colours with some texture. */
export function picture(width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  const grain = noise(data.length, -20, 20, 7);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const i = (y * width + x) * 3 + c;
        data[i] = 128 + 90 * Math.sin(x / (17 + c * 5) + y / (23 - c * 3)) + (grain[i] ?? 0);
      }
    }
  }
  return data;
}
