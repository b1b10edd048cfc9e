// The landmark trees of the starter pack, and the network that marked their faces, and dlib's model, on photographs that the
// trees did not learn from; and what making them costs. `models/train/compare.ts` says how.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { havePhotos, photoPath, ROOT } from './paths.mjs';
import { figure, finish } from './report.mjs';

const DLIB = process.env.DLIB_MODEL ?? '/usr/share/dlib/shape_predictor_68_face_landmarks.dat';

/** Runs a program of models/train; gives what it prints. */
function train(script, ...args) {
  const tsx = path.join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const options = { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' };
  const { status, stdout } = spawnSync(process.execPath, [tsx, `models/train/${script}`, ...args], options);
  if (status !== 0) throw new Error(`${script} ended with ${status}`);
  return stdout;
}

if (!havePhotos()) console.log('starter-trees: skipped, the photographs outside the repository are absent');
else {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-trees-'));
  const began = performance.now();
  train('landmarks68.ts', '--quick', '--output', path.join(folder, 'again.lmk'));
  const seconds = (performance.now() - began) / 1000;
  fs.rmSync(folder, { recursive: true });
  const known = fs.existsSync(DLIB) ? [DLIB] : [];
  const { bytes, measures } = JSON.parse(train('compare.ts', path.dirname(photoPath('photos/any')), ...known));
  const figures = [
    figure('landmarks.starter.size', bytes / 1e6, 'MB', { issue: 3, goal: 8, note: 'compact file' }),
    figure('landmarks.starter.making', seconds, 's', {
      issue: 3,
      note: 'labels, samples and training as in a build, photographs of the npm packages',
    }),
  ];
  for (const [name, { faces, mean, median, auc, failureRate }] of Object.entries(measures)) {
    const note = `${faces} faces of persons that the trees did not learn from, labelled by the mean of eighteen looks of the network`;
    const add = (what, value, unit, better) =>
      figures.push(
        figure(`landmarks.starter.${what}.${name}`, value, unit, { issue: 3, note, ...(better && { better }) }),
      );
    add('mean', 100 * mean, '% inter-ocular');
    add('median', 100 * median, '% inter-ocular');
    add('failures', 100 * failureRate, '% of faces above 8 %');
    add('auc', auc, 'to 8 %', 'higher');
  }
  finish('starter-trees', figures);
}
