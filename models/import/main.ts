import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { updateCards } from './card.js';
import { ImportError } from './error.js';
import { networks } from './networks.js';
import { buildPack, describeSources, modelsFolder, type Progress, readSourceTable } from './pack.js';
import { importFolder } from './source.js';

const USAGE = `npm run models -- [options]
  --force            make every file anew
  --update-cards     write the new hashes and sizes into models/cards
  --update-sources   accept the installed packages' files as the ones to import from
  --out FOLDER       write the pack elsewhere (default models/pack)`;

interface Options {
  force: boolean;
  updateCards: boolean;
  updateSources: boolean;
  out: string;
}

function parse(args: readonly string[]): Options | undefined {
  const options: Options = { force: false, updateCards: false, updateSources: false, out: join(modelsFolder, 'pack') };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const next = args[i + 1];
    if (arg === '--force') options.force = true;
    else if (arg === '--update-cards') options.updateCards = true;
    else if (arg === '--update-sources') options.updateSources = true;
    else if (arg === '--help') return undefined;
    else if (arg === '--out' && next !== undefined) {
      options.out = next;
      i++;
    } else throw new ImportError('USAGE', `Unknown option ${arg}\n${USAGE}`);
  }
  return options;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function main(): void {
  const options = parse(process.argv.slice(2));
  if (!options) {
    console.log(USAGE);
    return;
  }
  if (options.updateSources) {
    const text = JSON.stringify(describeSources(networks), null, 2);
    writeFileSync(join(importFolder, 'sources.json'), `${text}\n`);
  }
  const start = performance.now();
  let made = 0;
  const print: Progress = (event) => {
    const head = `[${String(event.index).padStart(String(event.total).length)}/${event.total}] ${event.id}`;
    if (event.bytes === undefined) {
      if (process.stdout.isTTY) process.stdout.write(`${head} …\r`);
      return;
    }
    if (event.skipped) return;
    made++;
    console.log(`${head} … ${megabytes(event.bytes)} in ${(event.milliseconds ?? 0).toFixed(0)} ms`);
  };
  const pack = buildPack(networks, options.out, readSourceTable(), print, options.force);
  const files = [...pack.models, ...pack.meshes];
  const total = files.reduce((sum, entry) => sum + entry.bytes, 0);
  const state = made === 0 ? 'already up to date' : `${made} made`;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${files.length} files, ${megabytes(total)}, ${state}, ${seconds} s`);
  if (options.updateCards) console.log(`${updateCards(pack)} cards rewritten`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof ImportError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 2;
}
