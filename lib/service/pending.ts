/** Stands in for parts that are being built; goes when they are there. */

import type { EngineHost, HostedEngine } from '../engine/host/types.js';
import { type Engine, openEngine, type PresetName } from '../engine/index.js';
import { LineamentError } from '../errors.js';
import type { ModelCatalogue } from '../models/catalogue/types.js';
import type { ServiceConfig } from './types.js';

export async function openEngineHost(config: ServiceConfig): Promise<EngineHost> {
  const engine: Engine = await openEngine({ preset: config.engine.preset as PresetName, mode: config.engine.mode });
  const name = config.engine.preset;
  const { model, dims } = await engine.recogniser();
  const one: HostedEngine = { name, state: 'ready', current: true, bytes: 0, running: 0, model, dims };
  const only = (asked: string): void => {
    if (asked !== name) throw new LineamentError('NOT_FOUND', asked);
  };
  return {
    current: name,
    use: async (work, options) => {
      only(options?.name ?? name);
      return work(engine);
    },
    load: async (asked) => {
      only(asked);
      return one;
    },
    unload: async (asked) => only(asked),
    switchTo: async (asked) => {
      only(asked);
      return one;
    },
    list: () => [one],
    select: async () => ({ name, reason: 'the only one' }),
    memory: async () => ({ used: 0, devices: [] }),
    close: () => engine.close(),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

export async function openCatalogue(folder: string): Promise<ModelCatalogue> {
  const none = async (): Promise<never> => {
    throw new LineamentError('NOT_FOUND', 'there is no catalogue');
  };
  return {
    folder,
    list: async () => [],
    get: none,
    card: none,
    accept: none,
    download: none,
    remove: none,
    pack: none,
  };
}
