// `npm test`: sets the checkout up, then runs every suite that needs nothing but Node, npm, g++, cmake and python3, and ends
// with one line that counts them all. `npm test -- PATTERN…` runs only the TypeScript tests whose file names match.
import { vitest } from './lib/vitest.mjs';
import { nativeTests } from './native-test.mjs';
import { setup } from './setup.mjs';

const patterns = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}

try {
  await setup({ quiet: true });
  if (patterns.length === 0) {
    console.log('Native unit tests');
    add(await nativeTests());
  }
  add(await vitest('vitest', patterns));
  if (total.passed === 0) total.failed += 1;
} catch (error) {
  console.error(`\n${error.message}`);
  total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
