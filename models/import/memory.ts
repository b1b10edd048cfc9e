import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { cardsFolder, readCards } from './card.js';
import { type CheckedCard, openNetwork, runTensor } from './check/ours.js';
import { OnnxGraph } from './onnx.js';
import { modelsFolder } from './pack.js';

/**
 * Measures what one session of each network keeps resident: growth of a fresh process's resident set by opening the
 * network and running it three times, on top of a process that has run a trivial network. Writes `memoryMb` into the
 * cards with --update-cards.
 *
 *     tsx models/import/memory.ts [--update-cards]
 */
async function measure(id: string): Promise<number> {
  const card = (readCards(cardsFolder) as unknown as Map<string, CheckedCard>).get(id);
  if (!card) throw new Error(`models/cards/${id}.json is missing`);
  const trivial = new OnnxGraph('trivial');
  trivial.output('y', trivial.op('Relu', [trivial.input('x', [1])]), [1]);
  const warm = await InferenceSession.create(trivial.serialize(), { intraOpNumThreads: 1 });
  await warm.run({ x: new Tensor('float32', Float32Array.of(1), [1]) });
  const { width, height, colour } = card.input;
  const data = new Float32Array(width * height * (colour === 'GRAY' ? 1 : 3));
  const before = process.memoryUsage().rss;
  const session = await openNetwork(join(modelsFolder, 'pack'), card);
  for (let i = 0; i < 3; i++) await runTensor(session, card, data);
  const after = process.memoryUsage().rss;
  await session.release();
  return (after - before) / 1e6;
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
    console.log(`${id.padEnd(26)} ${median} MB`);
    if (!process.argv.includes('--update-cards')) continue;
    card.memoryMb = median;
    writeFileSync(join(cardsFolder, `${id}.json`), `${JSON.stringify(card, null, 2)}\n`);
  }
}
