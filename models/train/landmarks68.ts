/**
 * The recipe for the package's own 68-point model, for anybody's photographs: label the faces with the starter pack's networks,
 * change them in many ways, train, and measure on photographs (and persons) that were held out.
 *
 *   npx tsx models/train/landmarks68.ts [PHOTOGRAPHS] [options]     see --help
 */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../lib/native/package.js';
import { writeImglab } from '../../lib/training/imglab.js';
import type { ShapeOptions } from '../../lib/training/index.js';
import { defaultPhotographs } from './photographs.js';
import { asDataset, type LabelSettings, type LearnSettings, labelAll, learn, measure, secondsSince } from './steps.js';

const USAGE = `npx tsx models/train/landmarks68.ts [PHOTOGRAPHS] [options]
  PHOTOGRAPHS        files and folders (default: those of the npm packages of @vladmandic, and of ../shared/faces/photos)
  -o, --output FILE  the model (default models/pack/landmarks68.lmk)
  --quick            for the build: photographs of the npm packages only, quicker labels, nothing held out
  --variants N       samples made of each face (default 20)
  --hold-out SHARE   share of the faces that is measured on and not learned from (default 0.25; 0 with --quick)
  --seed TEXT        default '1'
  --labels FILE      write the labels as an imglab data set
  --cascades, --trees, --depth, --nu, --oversampling, --features, --lambda, --splits, --padding   N, of the trees
  --threads N`;

/**
 * 10 × 280 trees of 8 leaves with 68 points in 16 bits: 6.3 MB. Chosen on held-out faces: at this size shallow trees in number
 * beat deeper ones, more random splits help, and pixels beyond the shape do harm.
 */
const SHAPE: ShapeOptions = {
  cascadeDepth: 10,
  treesPerCascade: 280,
  treeDepth: 3,
  nu: 0.15,
  oversampling: 6,
  featurePoolSize: 500,
  testSplits: 40,
};

interface Settings extends LabelSettings, LearnSettings {
  /** File that the labels are written to. */
  readonly labels?: string;
}

const number = { type: 'string' } as const;

function settings(): Settings | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o', default: path.join(packageRoot, 'models', 'pack', 'landmarks68.lmk') },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      seed: { type: 'string', default: '1' },
      labels: { type: 'string' },
      ...{ variants: number, 'hold-out': number, threads: number, cascades: number, trees: number, depth: number },
      ...{ nu: number, oversampling: number, features: number, lambda: number, splits: number, padding: number },
    },
  });
  if (values.help) return undefined;
  const read = (name: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new Error(`Expected a number for --${name} but received '${text}'`);
    return value;
  };
  const given: Record<keyof ShapeOptions & string, number | undefined> = {
    cascadeDepth: read('cascades', values.cascades),
    treesPerCascade: read('trees', values.trees),
    treeDepth: read('depth', values.depth),
    nu: read('nu', values.nu),
    oversampling: read('oversampling', values.oversampling),
    featurePoolSize: read('features', values.features),
    lambda: read('lambda', values.lambda),
    testSplits: read('splits', values.splits),
    featurePoolRegionPadding: read('padding', values.padding),
  } as Record<string, number | undefined>;
  const shape = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    ...(positionals.length > 0 ? { photographs: positionals, montages: [] } : defaultPhotographs(values.quick)),
    output: values.output,
    variants: read('variants', values.variants) ?? 20,
    holdOut: read('hold-out', values['hold-out']) ?? (values.quick ? 0 : 0.25),
    quick: values.quick,
    seed: values.seed,
    shape: { ...SHAPE, ...shape },
    threads: read('threads', values.threads) ?? availableParallelism(),
    ...(values.labels === undefined ? {} : { labels: values.labels }),
  };
}

async function main(): Promise<void> {
  const chosen = settings();
  if (chosen === undefined) {
    console.log(USAGE);
    return;
  }
  const begin = performance.now();
  const { train, test } = await labelAll(chosen);
  if (train.length === 0) throw new Error('There is no face on these photographs.');
  if (chosen.labels !== undefined) {
    await writeImglab(chosen.labels, asDataset([...train, ...test]), {
      decimals: 2,
      name: 'Labels of the starter pack',
    });
  }
  await learn(train, chosen);
  if (test.length > 0) await measure(chosen.output, asDataset(test), chosen.threads);
  console.log(`${secondsSince(begin)} in all`);
}

await main();
