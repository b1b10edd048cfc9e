// What the unified quality score is worth: are the faces that it calls bad those that the recogniser fails on? The degraded
// faces of PROTOCOL.md are compared with the photographs that they were made from; then those with the lowest score are
// left out (error versus discard: Grother and Tabassi, "Performance of biometric quality measures", TPAMI 2007). And are shut eyes
// seen (eyes.mjs)?
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { eyeFigures } from './eyes.mjs';
import { decode } from './frames.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos, ROOT } from './paths.mjs';
import { match, photo, samples } from './protocol.mjs';
import { figure, finish, printTable } from './report.mjs';

const DISCARD = [0, 0.1, 0.2, 0.3, 0.5];
/** Share of genuine comparisons that fail before any is left out. */
const FAILING = 0.1;

const product = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);

/** Spearman's rank correlation. */
function spearman(a, b) {
  const ranks = (values) => {
    const order = values.map((v, i) => [v, i]).sort((x, y) => x[0] - y[0]);
    const rank = new Float64Array(values.length);
    for (let i = 0; i < order.length; ) {
      let j = i;
      while (j < order.length && order[j][0] === order[i][0]) j++;
      for (let k = i; k < j; k++) rank[order[k][1]] = (i + j - 1) / 2;
      i = j;
    }
    return rank;
  };
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) ** 2;
    yy += (y[i] - mean) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

async function main() {
  if (!havePhotos()) return console.log('quality: skipped, the photographs outside the repository are absent');
  if (!haveProduct()) return console.log('quality: skipped, the product is not built');
  const ours = await openOurs();
  const all = { clean: [], degraded: [] };
  for (const condition of ['clean', 'degraded']) {
    for await (const sample of samples(condition)) {
      const raw = condition === 'clean' ? await photo(sample.face.photo) : await decode(sample.input);
      const frame = { ...raw, format: 'rgb' };
      const faces = await ours.engine.analyze(frame, { embedding: true, quality: condition !== 'clean' });
      const face = match(faces, sample.box);
      if (face?.embedding === undefined) continue;
      all[condition].push({ index: sample.index, embedding: face.embedding, quality: face.quality });
    }
  }
  // Each degraded face against the photograph that it was made from: what is lost is lost by the picture.
  const rows = [];
  for (const probe of all.degraded) {
    const source = all.clean.find((c) => c.index === probe.index);
    if (source === undefined || probe.quality === undefined) continue;
    rows.push({ score: ours.similarity(source.embedding, probe.embedding), quality: probe.quality });
  }
  const eyes = await eyeFigures(ours.engine, await product('analysis/index.js'));
  await ours.close();
  const byScore = rows.map((r) => r.score).sort((a, b) => a - b);
  const threshold = byScore[Math.floor(FAILING * rows.length)];
  const failing = (kept) => kept.filter((r) => r.score < threshold).length / kept.length;
  const byQuality = [...rows].sort((a, b) => a.quality.score - b.quality.score);
  const curve = DISCARD.map((d) => [d, failing(byQuality.slice(Math.round(d * rows.length)))]);
  const correlation = spearman(
    rows.map((r) => r.quality.score),
    rows.map((r) => r.score),
  );
  const names = [...new Set(rows.flatMap((r) => Object.keys(r.quality.components)))];
  const components = names.map((name) => {
    const have = rows.filter((r) => r.quality.components[name] !== undefined);
    const scores = have.map((r) => r.quality.components[name].score);
    return [
      name,
      spearman(
        scores,
        have.map((r) => r.score),
      ),
      Math.min(...scores),
      Math.max(...scores),
    ];
  });
  printTable(
    ['component', 'rank correlation', 'least', 'most'],
    components.map(([n, c, lo, hi]) => [n, Number.isFinite(c) ? c.toFixed(2) : '-', lo, hi]),
  );
  printTable(
    ['left out', 'share that fails'],
    curve.map(([d, f]) => [`${d * 100} %`, `${(f * 100).toFixed(1)} %`]),
  );
  const note = `${rows.length} degraded faces against their photographs, threshold at which ${FAILING * 100} % fail`;
  finish('quality', [
    { ...figure('quality.rank-correlation', correlation, 'Spearman', { better: 'higher', note }), issue: 3 },
    ...curve.slice(1).map(([d, f]) => ({
      ...figure(`quality.failing-after-${d * 100}%-left-out`, f * 100, '%', { note }),
      issue: 3,
    })),
    ...eyes,
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
