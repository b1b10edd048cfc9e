// `npm run demo`: sets the checkout up, then finds, measures and matches the faces on the sample photographs that the
// face-api package carries, prints a table, and writes demo-report/index.html. Needs nothing installed beforehand.
//
//   node scripts/demo.mjs [--preset NAME] [PHOTOGRAPHS…]     other photographs instead of the samples
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = path.join(root, 'demo-report', 'index.html');

/** The library as it was built; only there after the set-up. */
const load = (file) => import(pathToFileURL(path.join(root, 'dist', file)).href);

function samplePhotos() {
  const folder = path.join(root, 'node_modules', '@vladmandic', 'face-api', 'demo');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^sample\d+\.jpg$/.test(name)) : [];
  if (names.length === 0) {
    throw new Error(
      `There are no sample photographs in ${folder}.\nRun 'npm ci' and try again, or name photographs of your own: npm run demo -- a.jpg b.jpg`,
    );
  }
  return names.sort().map((name) => path.join(folder, name));
}

function readArguments(argv) {
  const photos = [];
  let preset = 'balanced';
  for (let at = 0; at < argv.length; at++) {
    if (argv[at] === '--preset') preset = argv[++at] ?? '';
    else if (argv[at].startsWith('-'))
      throw new Error(`There is no option ${argv[at]}. Usage: npm run demo -- [--preset NAME] [PHOTOGRAPHS]`);
    else photos.push(path.resolve(argv[at]));
  }
  return { photos, preset };
}

/** Looks at all photographs, two or more at a time, and collects the report as they come. */
async function look(engine, photos, terminal, signal) {
  const [{ mapInOrder }, { look: lookAt, facesText }, { makeProgress }, { ReportBuilder }, { everything }] =
    await Promise.all([
      load('cli/batch.js'),
      load('cli/photos.js'),
      load('cli/progress.js'),
      load('cli/report.js'),
      load('cli/commands/analyze.js'),
    ]);
  const begin = performance.now();
  const progress = makeProgress(terminal, photos.length, false);
  const report = new ReportBuilder(photos.length);
  const results = [];
  const later = [];
  const work = (photo) => lookAt(engine, photo, everything(true), signal);
  for await (const outcome of mapInOrder(photos, engine.threads, signal, work)) {
    const name = path.basename(outcome.item);
    if ('error' in outcome) throw new Error(`${name}: ${outcome.error.message}`, { cause: outcome.error });
    // Thumbnails wait until the faces are found, so that the times are those of the faces; not with so many that memory counts.
    if (photos.length <= 32) later.push(outcome.value);
    else await report.add(outcome.value);
    const { faces, frame, decodeMs, facesMs } = outcome.value;
    results.push({ name, faces, width: frame.width, height: frame.height, ms: decodeMs + facesMs });
    progress.step(name, `${facesText(faces.length)} (${facesMs.toFixed(0)} ms)`);
  }
  progress.end();
  signal.throwIfAborted();
  const facesMs = performance.now() - begin;
  for (const result of later) await report.add(result);
  return { results, report, facesMs };
}

function printTable(results, matching, { table }, terminal) {
  const { style } = terminal;
  const label = ({ photo, face }) => `${results[photo].name.replace(/\.\w+$/, '')} #${face + 1}`;
  const rows = [];
  for (const [photo, { name, faces, ms }] of results.entries()) {
    if (faces.length === 0) rows.push([name, 'no face', '', '', '', '', '', `${ms.toFixed(0)} ms`]);
    for (const [face, one] of faces.entries()) {
      const closest = matching?.closest({ photo, face });
      const best = closest
        ? `${label(closest)}  ${closest.similarity.toFixed(3)}${closest.match ? '  match' : ''}`
        : '';
      rows.push([
        face === 0 ? style.bold(name) : '',
        `#${face + 1}`,
        one.size === undefined ? '' : `${one.size.toFixed(0)} px`,
        one.age?.toFixed(0) ?? '',
        one.gender?.label ?? '',
        one.expression?.label ?? '',
        closest?.match ? style.green(best) : best,
        face === 0 ? `${ms.toFixed(0)} ms` : '',
      ]);
    }
  }
  const columns = [
    { title: 'photograph' },
    { title: 'face' },
    { title: 'size', right: true },
    { title: 'age', right: true },
    { title: 'gender' },
    { title: 'expression' },
    { title: 'closest on another photograph' },
    { title: 'time', right: true },
  ];
  terminal.stdout.write(`\n${table(columns, rows, style)}\n`);
}

async function demo() {
  const { photos: named, preset } = readArguments(process.argv.slice(2));
  const { setup } = await import('./setup.mjs');
  await setup();
  const photos = named.length > 0 ? named : samplePhotos();
  const [{ openEngine }, terminals, { matchWherePossible }, { everything }] = await Promise.all([
    load('index.js'),
    load('cli/terminal.js'),
    load('cli/matching.js'),
    load('cli/commands/analyze.js'),
  ]);
  const terminal = terminals.makeTerminal(process.stdout, process.stderr, process.env, false);
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Error('interrupted')));

  const begin = performance.now();
  const engine = await openEngine({ preset, mode: 'throughput' });
  try {
    // Loaded and run once beforehand, so that the times of the photographs are theirs alone.
    await engine.warm({ ...everything(true), signal: controller.signal });
    const openMs = performance.now() - begin;
    const { results, report, facesMs } = await look(engine, photos, terminal, controller.signal);
    const matching = await matchWherePossible(
      engine,
      results.map(({ faces }) => faces),
      undefined,
      controller.signal,
    );
    const totalMs = openMs + facesMs;
    printTable(results, matching, terminals, terminal);
    mkdirSync(path.dirname(output), { recursive: true });
    writeFileSync(output, await report.render(engine, matching, openMs, totalMs));
    const faces = results.reduce((sum, one) => sum + one.faces.length, 0);
    const facts = [
      `${photos.length} photographs`,
      `${faces} faces`,
      `${(facesMs / 1000).toFixed(2)} s with ${engine.threads} threads, after ${(openMs / 1000).toFixed(2)} s for loading the networks`,
    ];
    if (matching)
      facts.push(
        `${matching.pairs.length} ${matching.pairs.length === 1 ? 'match' : 'matches'} from similarity ${matching.threshold.toFixed(3)}${matching.fmr ? ` (false match rate ${Number((matching.fmr * 100).toPrecision(2))} %)` : ''}`,
      );
    console.log(`\n${facts.join(', ')}`);
    console.log(
      `\nReport: ${terminal.style.cyan(path.relative(process.cwd(), output))}\n        ${pathToFileURL(output).href}`,
    );
  } finally {
    await engine.close();
  }
}

try {
  await demo();
} catch (error) {
  console.error(`\nThe demo stopped: ${error.message}`);
  if (process.env.LINEAMENT_DEBUG) console.error(error);
  else
    console.error("'node dist/cli/main.js doctor' checks the installation; LINEAMENT_DEBUG=1 shows where it stopped.");
  process.exitCode = 1;
}
