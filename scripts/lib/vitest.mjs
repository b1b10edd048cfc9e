// Runs vitest and counts what it says.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { packageFile, root, run } from './run.mjs';

/** Where {@link vitest} leaves the report of that name. */
export const reportOf = (name) => path.join(root, 'out', 'reports', `${name}.json`);

/**
 * Runs the TypeScript tests whose file names match, and prints the names of those that were skipped, and
 * at the end those that failed with the beginning of what they said.
 * @param {string} name of the report in out/reports
 * @param {string[]} patterns
 * @param {Record<string, string>} [env]
 * @returns {Promise<{passed: number, failed: number, skipped: number, reasons: string[]}>}
 */
export async function vitest(name, patterns, env = {}) {
  const report = reportOf(name);
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
  const bad = result.testResults.flatMap((file) => {
    const tests = file.assertionResults.filter((test) => test.status === 'failed');
    const where = path.relative(root, file.name);
    if (tests.length === 0 && file.status === 'failed') return [`${where}: ${shorten(file.message)}`];
    return tests.map((test) => `${where}: ${test.fullName}: ${shorten(test.failureMessages.join(' '))}`);
  });
  for (const line of bad) console.log(`failed: ${line}`);
  const failedFiles = result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = result.numFailedTests + failedFiles;
  return {
    passed: result.numPassedTests,
    failed: failed + (code !== 0 && failed === 0 ? 1 : 0),
    skipped: skipped.length,
    reasons: bad,
  };
}

/** Control characters (colours) and line ends taken out, at most 600 characters. */
function shorten(text) {
  return (text ?? '')
    .replace(/\p{Cc}\[[0-9;]*m/gu, '')
    .replace(/\s+/g, ' ')
    .slice(0, 600);
}
