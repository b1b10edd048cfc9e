import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cardsFolder, readCards } from './card.js';
import { cases } from './check/cases.js';
import { type Agreement, compare } from './check/compare.js';
import type { CheckedCard } from './check/ours.js';
import { Peers } from './check/peers.js';
import { modelsFolder } from './pack.js';

/** Where to look for the peers and what to do with the result; see check/peers.ts. */
export interface AgreementOptions {
  readonly peers: string;
  readonly python?: string;
  readonly only?: RegExp;
  readonly onResult?: (result: Agreement) => void;
  /** Called for a network whose peer is not installed. */
  readonly onMissing?: (id: string, peer: string) => void;
}

/** Compares every network of the pack with its origin, run now on the same photographs, over all output elements. */
export async function measureAgreement(options: AgreementOptions): Promise<Agreement[]> {
  const peers = new Peers(options.peers, options.python);
  const cards = readCards(cardsFolder) as unknown as Map<string, CheckedCard>;
  const results: Agreement[] = [];
  for (const item of cases.filter((c) => options.only?.test(c.id) ?? true)) {
    const card = cards.get(item.id);
    if (!card) throw new Error(`models/cards/${item.id}.json is missing`);
    const result = await compare(item, card, join(modelsFolder, 'pack'), peers);
    if (!result) {
      options.onMissing?.(item.id, peers.label(item.peer));
      continue;
    }
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

/** The result as a file of benchmarks/results: one figure per output. */
export function agreementReport(results: readonly Agreement[]): unknown {
  const figures = results.flatMap((result) =>
    result.outputs.map((o) => ({
      id: `models.${result.id}.${o.output}.maxAbsError`,
      issue: 2,
      value: o.maxAbsError,
      unit: 'abs',
      goal: o.accepted,
      better: 'lower',
      peer: result.peer,
      note: `magnitude ${o.magnitude.toPrecision(4)}, ${result.crops} crops of the sample photographs, all elements`,
    })),
  );
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? '',
    threads: cpus().length,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    node: process.version,
  };
  return { name: 'models', date: new Date().toISOString(), machine, figures };
}

/** Writes the measured agreement into the cards. */
function updateCards(results: readonly Agreement[]): void {
  const cards = readCards(cardsFolder);
  const short = (v: number): number => Number(v.toPrecision(3));
  for (const result of results) {
    const card = cards.get(result.id);
    if (!card) continue;
    card.agreement = {
      maxAbsError: short(Math.max(...result.outputs.map((o) => o.maxAbsError))),
      relativeError: short(result.relativeError),
      outputs: result.outputs.map(({ output, maxAbsError, magnitude }) => ({
        output,
        maxAbsError: short(maxAbsError),
        magnitude: short(magnitude),
      })),
      peer: result.peer,
      method: `same pixels into both runtimes, ${result.crops} crops of the sample photographs of @vladmandic/face-api, all elements`,
    };
    writeFileSync(join(cardsFolder, `${result.id}.json`), `${JSON.stringify(card, null, 2)}\n`);
  }
}

async function main(): Promise<void> {
  const option = (name: string): string | undefined => {
    const at = process.argv.indexOf(name);
    return at < 0 ? undefined : process.argv[at + 1];
  };
  const [python, only, out] = [option('--python'), option('--only'), option('--out')];
  const results = await measureAgreement({
    peers: option('--peers') ?? 'benchmarks',
    ...(python === undefined ? {} : { python }),
    ...(only === undefined ? {} : { only: new RegExp(only) }),
    onMissing: (id, peer) => console.log(`${id.padEnd(26)} not compared: ${peer} is not installed`),
    onResult: (result) => {
      for (const o of result.outputs) {
        const error = o.maxAbsError.toExponential(1);
        console.log(
          `${result.id.padEnd(26)} ${o.output.padEnd(14)} ${error}  of ${o.magnitude.toPrecision(4).padEnd(8)} ${result.peer}`,
        );
      }
    },
  });
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(agreementReport(results), null, 2)}\n`);
  if (process.argv.includes('--update-cards')) updateCards(results);
  const all = results.flatMap((r) => r.outputs.map((o) => ({ id: r.id, ...o })));
  const worse = all.filter((o) => !(o.maxAbsError <= o.accepted));
  for (const o of worse) console.error(`${o.id}.${o.output}: ${o.maxAbsError} exceeds ${o.accepted}`);
  if (worse.length > 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
