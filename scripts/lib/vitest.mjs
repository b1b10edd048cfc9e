// Runs vitest and counts what it says.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { packageFile, root, run } from './run.mjs';

/**
 * Runs the TypeScript tests whose file names match, and prints the names of those that were skipped.
 * @param {string} name of the report in out/reports
 * @param {string[]} patterns
 * @param {Record<string, string>} [env]
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function vitest(name, patterns, env = {}) {
  const report = path.join(root, 'out', 'reports', `${name}.json`);
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const args = [packageFile('vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json'];
  args.push(`--outputFile.json=${report}`, ...patterns);
  const { code } = await run(process.execPath, args, { inherit: true, env });
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const skipped = result.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => ['skipped', 'pending', 'todo'].includes(test.status))
      .map((test) => `${path.relative(root, file.name)}: ${test.fullName}`),
  );
  for (const test of skipped) console.log(`skipped: ${test}`);
  const failedFiles = result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = result.numFailedTests + failedFiles;
  return {
    passed: result.numPassedTests,
    failed: failed + (code !== 0 && failed === 0 ? 1 : 0),
    skipped: skipped.length,
  };
}
