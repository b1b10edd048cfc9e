// `npm test`: sets the checkout up, then runs every suite that needs nothing but Node, npm, g++, cmake and python3, and ends
// with one line that counts them all. `npm test -- PATTERN…` runs only the TypeScript tests whose file names match.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { packageFile, root, run } from './lib/run.mjs';
import { nativeTests } from './native-test.mjs';
import { setup } from './setup.mjs';

const patterns = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}

async function typescriptTests() {
  const report = path.join(root, 'out', 'reports', 'vitest.json');
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const args = [packageFile('vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json'];
  args.push(`--outputFile.json=${report}`, ...patterns);
  const { code } = await run(process.execPath, args, { inherit: true });
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const skippedNames = result.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => ['skipped', 'pending', 'todo'].includes(test.status))
      .map((test) => `${path.relative(root, file.name)}: ${test.fullName}`),
  );
  for (const name of skippedNames) console.log(`skipped: ${name}`);
  const failedFiles = result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = result.numFailedTests + failedFiles;
  return {
    passed: result.numPassedTests,
    failed: failed + (code !== 0 && failed === 0 ? 1 : 0),
    skipped: skippedNames.length,
  };
}

try {
  await setup({ quiet: true });
  if (patterns.length === 0) {
    console.log('Native unit tests');
    add(await nativeTests());
  }
  add(await typescriptTests());
  if (total.passed === 0) total.failed += 1;
} catch (error) {
  console.error(`\n${error.message}`);
  total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
