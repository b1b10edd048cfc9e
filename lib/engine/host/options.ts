import { invalid, nonEmptyString, plainObject, positiveInteger } from '../../errors/validate.js';
import type { ModelPack } from '../../models/pack.js';
import { type CheckedEngineOptions, checkEngineOptions, modelsOf, SHARED_ENGINE_OPTIONS } from '../options.js';
import { KNOWN_PRESETS } from './measured.js';
import type { EngineHostOptions, HostedPreset } from './types.js';

export interface CheckedHostOptions {
  readonly current: string;
  readonly presets: ReadonlyMap<string, HostedPreset>;
  readonly memoryBudget: number | undefined;
  /** Of all engines; each has its own preset in place of this one. */
  readonly engine: CheckedEngineOptions;
}

const OWN = ['current', 'presets', 'memoryBudget'];

export function checkHostOptions(options: EngineHostOptions): CheckedHostOptions {
  plainObject('options', options, [...OWN, ...SHARED_ENGINE_OPTIONS]);
  const { current = 'balanced', presets = [], memoryBudget, ...engine } = options;
  if (!Array.isArray(presets)) throw invalid('presets', 'list of presets', presets);
  const known = new Map([...KNOWN_PRESETS, ...presets.map(hostedPreset)].map((one) => [one.preset.name, one]));
  if (!known.has(nonEmptyString('current', current))) {
    throw invalid('current', `one of ${[...known.keys()].map((name) => `'${name}'`).join(', ')}`, current);
  }
  return {
    current,
    presets: known,
    memoryBudget: memoryBudget === undefined ? undefined : positiveInteger('memoryBudget', memoryBudget),
    engine: checkEngineOptions(engine),
  };
}

function hostedPreset(given: unknown): HostedPreset {
  const { preset, models, milliseconds, accuracy, bytes } = plainObject('presets', given, [
    'preset',
    'models',
    'milliseconds',
    'accuracy',
    'bytes',
  ]) as unknown as HostedPreset;
  const { preset: checked } = checkEngineOptions({ preset });
  nonEmptyString('preset.name', checked.name);
  for (const [name, value] of Object.entries({ milliseconds, accuracy, bytes })) {
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) throw invalid(name, 'positive number', value);
  }
  const place: { models?: string | ModelPack } = models === undefined ? {} : { models: modelsOf(models) };
  return { ...(given as HostedPreset), preset: checked, ...place };
}
