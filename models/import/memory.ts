import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { warmNetworks } from '../../lib/engine/warm.js';
import { Runtime } from '../../lib/inference/runtime.js';
import { Networks } from '../../lib/models/network.js';
import { openPack } from '../../lib/models/pack.js';
import { cardsFolder, readCards } from './card.js';
import { modelsFolder } from './pack.js';

/**
 * Measures what each network keeps resident, in MiB: growth of a fresh process's resident set by opening the network and
 * running it three times at its usual size, on top of a process that has run a small network. Writes `memoryMb` into the
 * cards with --update-cards.
 *
 *     tsx models/import/memory.ts [--update-cards]
 */
async function measure(id: string): Promise<number> {
  await using runtime = await Runtime.open();
  const networks = new Networks(runtime, await openPack(join(modelsFolder, 'pack')));
  await warmNetworks(networks, [
    id === 'faceapi_landmarks68_tiny' ? 'faceapi_landmarks68' : 'faceapi_landmarks68_tiny',
  ]);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 3; i++) await warmNetworks(networks, [id]);
  return (process.memoryUsage().rss - before) / 2 ** 20;
}

const child = process.argv.indexOf('--child');
if (child >= 0) {
  console.log(await measure(process.argv[child + 1] ?? ''));
} else {
  const cards = readCards(cardsFolder);
  for (const [id, card] of cards) {
    const once = (): number => {
      const args = [...process.execArgv, fileURLToPath(import.meta.url), '--child', id];
      return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim());
    };
    const runs = [once(), once(), once()].sort((a, b) => a - b);
    const median = Math.max(1, Math.round(runs[1] ?? 0));
    console.log(`${id.padEnd(26)} ${median} MiB`);
    if (!process.argv.includes('--update-cards')) continue;
    card.memoryMb = median;
    writeFileSync(join(cardsFolder, `${id}.json`), `${JSON.stringify(card, null, 2)}\n`);
  }
}
