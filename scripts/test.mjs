// `npm test`: sets the checkout up, then runs every suite that needs nothing but Node, npm, g++, cmake and python3, and ends
// with one line that counts them all. `npm test -- PATTERN…` runs only the TypeScript tests whose file names match.
import { vitest } from './lib/vitest.mjs';
import { nativeTests } from './native-test.mjs';
import { setup } from './setup.mjs';

const patterns = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

/** One suite; where it cannot run at all that is one failure, and the next one runs all the same. */
async function suite(work) {
  try {
    const counts = await work();
    for (const key of Object.keys(total)) total[key] += counts[key];
    return true;
  } catch (error) {
    console.error(`\n${error.message}`);
    console.log(`failed: ${error.message.split('\n', 1)[0]}`);
    total.failed += 1;
    return false;
  }
}

const nothing = { passed: 0, failed: 0, skipped: 0 };
const ready = await suite(async () => {
  await setup({ quiet: true });
  return nothing;
});
if (ready) {
  if (patterns.length === 0) {
    console.log('Native unit tests');
    await suite(() => nativeTests());
  }
  await suite(() => vitest('vitest', patterns));
  if (total.passed === 0) total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
