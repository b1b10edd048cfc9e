import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cardsFolder, readCards } from './card.js';
import { cases } from './check/cases.js';
import type { CheckedCard } from './check/ours.js';
import { Peers } from './check/peers.js';
import { CROPS, cropPixels } from './check/photographs.js';
import { type RecordedRun, type Recording, recordedFolder, recordOutputs } from './check/recording.js';

/**
 * Writes tests/models/recorded: what each network's origin gives for crops of the sample photographs.
 *
 *     tsx models/import/record.ts --peers FOLDER [--python INTERPRETER] [--only PATTERN]
 *
 * See check/peers.ts for what the folder and the interpreter must have.
 */
function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

const peers = new Peers(option('--peers') ?? 'benchmarks', option('--python'));
const only = new RegExp(option('--only') ?? '');
const cards = readCards(cardsFolder) as unknown as Map<string, CheckedCard>;
mkdirSync(recordedFolder, { recursive: true });
for (const item of cases.filter((c) => only.test(c.id))) {
  const card = cards.get(item.id);
  if (!card) throw new Error(`models/cards/${item.id}.json is missing`);
  const runs: RecordedRun[] = [];
  for (const crop of CROPS[item.crops]) {
    const pixels = await cropPixels(crop, card.input.width, card.input.height);
    const outputs = await peers.run(item, pixels, card.input);
    if (!outputs) break;
    runs.push({ pixels: pixels.sha256, outputs: recordOutputs(item.reference(outputs)) });
  }
  if (runs.length === 0) {
    console.log(`${item.id}: peer not installed, recording left as it is`);
    continue;
  }
  const recording: Recording = {
    id: item.id,
    peer: peers.label(item.peer),
    crops: item.crops,
    runs,
  };
  writeFileSync(join(recordedFolder, `${item.id}.json`), `${JSON.stringify(recording)}\n`);
  console.log(`${item.id}: ${runs.length} crops`);
}
