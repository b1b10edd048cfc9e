/**
 * Measures what similarities mean: for each recognition plan of the presets, which share of pairs of different persons is
 * at least so similar. Writes models/calibration/<model>.json.
 *
 *   npx tsx models/calibration/make.ts        needs ../shared/faces and benchmarks/node_modules
 *
 * Pairs: those of the recognition protocol in benchmarks/, clean photographs and degraded ones, each half of the weight.
 */
import { writeFileSync } from 'node:fs';
import { match, samples, comparisons } from '../../benchmarks/src/protocol.mjs';
import { openEngine, PRESETS, similarity } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/index.js';
import { locateLandmarks } from '../../lib/landmarks/index.js';
import { detectFaces } from '../../lib/detection/index.js';
import { Networks, openPack } from '../../lib/models/index.js';
import { embedFaces, type RecognitionPlan } from '../../lib/recognition/index.js';
import type { Embedding } from '../../lib/types.js';

/** Rates of the table; the rarest is what a dozen of the clean pairs of different persons stand behind. */
const RATES = [0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001];
const DEFAULT_FMR = 0.01;

interface Sample {
  readonly face: object;
  readonly input: Buffer;
  readonly box: readonly number[];
}
interface Comparison {
  readonly score: number;
}

const plans = new Map<string, RecognitionPlan>();
for (const { recognition } of Object.values(PRESETS)) plans.set(recognition.model, recognition);

const engine = await openEngine();
const runtime = await Runtime.open();
const networks = new Networks(runtime, await openPack());
const { detection, landmarks: landmarkPlan } = PRESETS.balanced;

const scores = new Map<string, Record<'clean' | 'degraded', { genuine: number[]; impostor: number[] }>>();
for (const model of plans.keys()) scores.set(model, {} as never);

for (const condition of ['clean', 'degraded'] as const) {
  const items = new Map<string, { face: object; embedding?: Embedding }[]>([...plans.keys()].map((m) => [m, []]));
  let last: { input: Buffer; frame: Awaited<ReturnType<typeof engine.decode>> } | undefined;
  for await (const sample of samples(condition) as AsyncGenerator<Sample>) {
    if (last === undefined || !last.input.equals(sample.input)) {
      last = { input: sample.input, frame: await engine.decode(sample.input) };
    }
    const { frame } = last;
    const face = match((await detectFaces(networks, frame, detection)) as never, sample.box as never) as
      | { box: readonly [number, number, number, number] }
      | undefined;
    const points = face ? await locateLandmarks(networks, frame, [face.box], detection.faceScale, landmarkPlan) : [];
    for (const [model, plan] of plans) {
      const [embedding] = points.length > 0 ? await embedFaces(networks, frame, points, plan) : [];
      items.get(model)!.push({ face: sample.face, ...(embedding ? { embedding } : {}) });
    }
    process.stderr.write('.');
  }
  for (const [model, list] of items) {
    const { genuine, impostor } = comparisons(list as never, similarity as never) as {
      genuine: Comparison[];
      impostor: Comparison[];
    };
    const down = (c: readonly Comparison[]): number[] => c.map((x) => x.score).sort((a, b) => b - a);
    scores.get(model)![condition] = { genuine: down(genuine), impostor: down(impostor) };
  }
}
await engine.close();
await runtime.close();

/** Share of the descending list that is at least `t`. */
const shareFrom = (list: readonly number[], t: number): number => list.filter((s) => s >= t).length / list.length;

for (const [model, { clean, degraded }] of scores) {
  const fmr = (t: number): number => (shareFrom(clean.impostor, t) + shareFrom(degraded.impostor, t)) / 2;
  const candidates = [...clean.impostor, ...degraded.impostor].sort((a, b) => a - b);
  const points = RATES.map((rate) => {
    // The lowest similarity whose rate is no more than asked for.
    let [low, high] = [0, candidates.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (fmr(candidates[middle]!) <= rate) high = middle;
      else low = middle + 1;
    }
    const t = candidates[low]!;
    const percent = (v: number): number => Math.round(v * 1e4) / 1e4;
    return {
      similarity: Number(t.toFixed(6)),
      fmr: rate,
      missedClean: percent(1 - shareFrom(clean.genuine, t)),
      missedDegraded: percent(1 - shareFrom(degraded.genuine, t)),
    };
  });
  const calibration = {
    model,
    metric: 'cosine',
    impostors: clean.impostor.length + degraded.impostor.length,
    genuine: clean.genuine.length + degraded.genuine.length,
    defaultFmr: DEFAULT_FMR,
    source:
      'models/calibration/make.ts: labelled faces of ../shared/faces (benchmarks/labels/identities.json), clean and degraded pairs at equal weight; few persons, so take rates below 0.01 as estimates',
    points,
  };
  writeFileSync(new URL(`./${model}.json`, import.meta.url), `${JSON.stringify(calibration, null, 2)}\n`);
  console.log(model, points);
}
