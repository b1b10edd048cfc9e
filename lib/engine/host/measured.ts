import { CATALOGUE_PRESETS } from '../catalogue-presets.js';
import { PRESETS } from '../presets.js';
import type { HostedPreset } from './types.js';

/** Of the files of benchmarks/results, all of one machine with two cores. */
interface Figures {
  /** `pipeline.640x480.…` of pipeline.json: one face, found and described, ms. */
  readonly milliseconds: number;
  /** `detection.groups.found.…` of detection.json, of 99. */
  readonly found: number;
  /** `recognition.degraded.tpr-at-fpr1.…` of recognition.json, per cent. */
  readonly recognised: number;
  /** `startup.resident.…` of startup.json, MiB. */
  readonly resident: number;
}

const FIGURES: Readonly<Record<string, Figures>> = {
  fast: { milliseconds: 12.7, found: 77, recognised: 56.08, resident: 138.9 },
  balanced: { milliseconds: 42.4, found: 98, recognised: 68.25, resident: 229.1 },
  crowd: { milliseconds: 213.5, found: 99, recognised: 67.33, resident: 263.6 },
  accurate: { milliseconds: 227.9, found: 99, recognised: 70.77, resident: 263.6 },
};

const LABELLED_FACES = 99;

/** The presets of the starter pack and of the catalogue, with what was measured of them. */
export const KNOWN_PRESETS: readonly HostedPreset[] = Object.values({ ...PRESETS, ...CATALOGUE_PRESETS }).map(
  (preset) => {
    const figures = FIGURES[preset.name];
    if (figures === undefined) return { preset };
    const { milliseconds, found, recognised, resident } = figures;
    return {
      preset,
      milliseconds,
      accuracy: (found / LABELLED_FACES) * (recognised / 100),
      bytes: Math.round(resident * 2 ** 20),
    };
  },
);
