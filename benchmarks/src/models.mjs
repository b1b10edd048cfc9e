// Every imported network against its origin, both run now on crops of the sample photographs: largest absolute difference.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { RESULTS, ROOT } from './paths.mjs';

const tsx = path.join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
const args = [tsx, 'models/import/agreement.ts', '--peers', 'benchmarks', '--out', path.join(RESULTS, 'models.json')];
const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
process.exit(status ?? 1);
