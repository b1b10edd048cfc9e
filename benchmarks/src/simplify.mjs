// A face-like depth map of 300 × 400 pixels to triangles, fewer triangles and levels of detail: times, distances measured on
// samples against what is claimed, and meshoptimizer (Debian's libmeshoptimizer-dev) with the same target and at the same error.
import { buildBench, runBench } from './native.mjs';
import { figure, finish, printTable } from './report.mjs';

const ISSUE = 5;
const ROUNDS = '9';
const fig = (id, value, unit, more) => figure(`simplify.${id}`, value, unit, { issue: ISSUE, ...more });
const round = (x, digits = 3) => Number(x.toFixed(digits));

buildBench('simplify_bench');
const figures = [];
for (const [name, noise] of [
  ['smooth', '0'],
  ['noisy', '0.2'],
]) {
  const found = runBench('simplify_bench', ['300', '400', noise, ROUNDS]);
  const rows = [];
  for (const run of found.runs) {
    const { lineament: ours, meshoptimizer: peer, equalError: equal } = run;
    const each = [ours, equal, peer].map((o) =>
      o ? [o.triangles, round(o.ms, 1), round(o.hausdorff), round(o.rms, 4)] : ['-', '-', '-', '-'],
    );
    rows.push([run.share, ...each.flat()]);
    const id = `${name}.${run.share}`;
    figures.push(
      fig(`${id}.claim`, round(ours.hausdorff / Math.max(ours.claimed, 1e-9)), '×', {
        goal: 1.1,
        note: `measured Hausdorff over the claimed error; claimed ${round(ours.claimed)} mm, RMS ${round(ours.rms, 4)} mm`,
      }),
    );
    if (!peer) continue;
    figures.push(
      fig(`${id}.equal-error`, round(peer.ms / equal.ms, 2), '×', {
        goal: 1,
        better: 'higher',
        peer: `meshoptimizer ${round(peer.ms, 1)} ms for ${peer.triangles} triangles`,
        note: `speed at its RMS of ${round(peer.rms, 4)} mm: ${round(equal.ms, 1)} ms for ${equal.triangles} triangles, measuring its error included; one thread each`,
      }),
      fig(`${id}.rms`, round(ours.rms / peer.rms), '×', {
        goal: 1,
        peer: `meshoptimizer ${round(peer.rms, 4)} mm`,
        note: 'RMS distance for the same number of triangles',
      }),
    );
  }
  printTable(
    [
      'share',
      'ours',
      'ms',
      'Hausdorff',
      'RMS',
      'equal error',
      'ms',
      'Hausdorff',
      'RMS',
      'meshopt',
      'ms',
      'Hausdorff',
      'RMS',
    ],
    rows,
  );
  const last = found.levels.at(-1);
  figures.push(
    fig(`${name}.grid`, round(found.gridMs, 2), 'ms', {
      goal: 3,
      note: `${found.triangles} triangles with normals, one thread; two: ${round(found.gridMsTwoThreads, 2)} ms`,
    }),
    fig(`${name}.levels`, round(found.levelsMsTwoThreads, 1), 'ms', {
      goal: 57,
      note: `4 levels down to ${last.level.triangles} triangles with errors and cache order, two threads; one: ${round(found.levelsMs, 1)} ms`,
    }),
    fig(`${name}.acmr`, found.levels[0].acmr, 'vertices/triangle', {
      goal: round(found.acmrBefore),
      note: `of the first level, cache of 16; the grid had ${found.acmrBefore}`,
    }),
  );
}
finish('simplify', figures, {});
