// Point clouds beside Open3D (Debian's libopen3d-dev 0.16.1, with OpenMP), over the same million points, both with
// two threads:
// native/bench/cloud_bench.cpp. Both sides take turns, round by round; a figure is the median over rounds of a ratio
// within one
// round. Then the result sets are compared: voxel means within 1e-4 mm, kept points index by index, normals up to
// their sign.
//   BENCH_ROUNDS (3), BENCH_CLOUD_POINTS (1000000)
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { median } from './metrics.mjs';
import { benchProgram, buildBench } from './native.mjs';
import { figure, finish, printTable } from './report.mjs';

const ISSUE = 5;
const THREADS = 2;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const POINTS = Number(process.env.BENCH_CLOUD_POINTS ?? 1_000_000);
const PEER = 'Open3D 0.16.1 (Debian)';
const WORK = {
  voxels: { command: 'voxels 1.5', what: 'voxel grid of 1.5 mm' },
  statistical: { command: 'statistical 20 2', what: 'statistical outliers, 20 neighbours' },
  radius: { command: 'radius 16 2', what: 'radius outliers, 16 within 2 mm' },
  normals: { command: 'normals 30', what: 'normals of 30 neighbours' },
};
const KINDS = { scan: 'row by row, as a depth camera gives them', shuffled: 'in random order' };

/** A program that answers each line with a line of JSON. */
function open(kind) {
  // Threads of OpenMP that wait must not take the processors from ours.
  const env = { ...process.env, OMP_NUM_THREADS: String(THREADS), OMP_WAIT_POLICY: 'passive' };
  const child = spawn(benchProgram('cloud_bench'), [kind, String(POINTS), String(THREADS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('cloud_bench ended');
    return JSON.parse(value);
  };
  return {
    answer,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    end: () =>
      new Promise((resolve) => {
        child.on('close', resolve);
        child.stdin.end();
      }),
  };
}

const ms = (value) => `${value.toPrecision(3)} ms`;
const more = { issue: ISSUE, better: 'higher' };

/** Whether the result sets are the same: a share, and words for it. */
function agreement(name, found) {
  if (name === 'normals') return [found.share, `within 0.1 degrees; the worst differs by ${found.worst} degrees`];
  if (name === 'voxels')
    return [found.share, `means within 1e-4 mm; ${found.points} of ours, ${found.peer} of the peer's`];
  return [1 - found.differing / POINTS, `${found.differing} points are judged differently, ${found.points} stay`];
}

async function measure(kind) {
  const program = open(kind);
  const { open3d } = await program.answer();
  const seen = Object.fromEntries(Object.keys(WORK).map((name) => [name, []]));
  const alone = { poisson: [], icp: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { command }] of Object.entries(WORK)) {
      const ours = [(await program.ask(`ours ${command}`)).ms];
      const peer = open3d ? (await program.ask(`open3d ${command}`)).ms : Number.NaN;
      ours.push((await program.ask(`ours ${command}`)).ms);
      seen[name].push({ ours: (ours[0] + ours[1]) / 2, peer });
    }
    alone.poisson.push(await program.ask('ours poisson 1.5'));
    alone.icp.push(await program.ask('icp'));
  }
  const figures = [];
  for (const [name, { command, what }] of Object.entries(WORK)) {
    const rounds = seen[name];
    const note = `${what} of ${POINTS} points ${KINDS[kind]}: ours ${ms(median(rounds.map((r) => r.ours)))}`;
    const peer = median(rounds.map((r) => r.peer));
    figures.push(
      figure(`cloud.${kind}.${name}`, median(rounds.map((r) => r.peer / r.ours)), 'x', {
        ...more,
        goal: 3,
        peer: PEER,
        note: open3d ? `${note}, Open3D ${ms(peer)}` : `${note}; libopen3d-dev is not installed`,
      }),
    );
    if (!open3d) continue;
    const [share, words] = agreement(name, await program.ask(`compare ${command}`));
    figures.push(
      figure(`cloud.${kind}.${name}.same`, share, 'of results', {
        ...more,
        goal: name === 'normals' ? 0.999 : 1,
        peer: PEER,
        note: words,
      }),
    );
  }
  await program.end();
  figures.push(
    figure(`cloud.${kind}.poisson`, median(alone.poisson.map((r) => r.ms)), 'ms', {
      issue: ISSUE,
      note: `Poisson disks of 1.5 mm: ${alone.poisson[0].points} of ${POINTS} points stay`,
    }),
    figure(`cloud.${kind}.icp`, median(alone.icp.map((r) => r.ms)), 'ms', {
      issue: ISSUE,
      note: `${alone.icp[0].points} points onto ${POINTS} from 15 degrees and 20 mm: ${alone.icp[0].iterations} iterations, then ${alone.icp[0].error.toFixed(3)} mm off`,
    }),
  );
  return figures;
}

buildBench('cloud_bench');
const figures = [];
for (const kind of Object.keys(KINDS)) figures.push(...(await measure(kind)));
printTable(
  ['work', 'what was measured'],
  figures.map((f) => [f.id, f.note]),
);
finish('cloud', figures, { rounds: ROUNDS, points: POINTS });
