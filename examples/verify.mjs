// Whether two photographs show the same person. The threshold is asked for as a false match rate, not as a number.
//
//   node examples/verify.mjs a.jpg b.jpg [false match rate]
import { LineamentError, openEngine } from 'lineament';

const [a, b, rate = '0.01'] = process.argv.slice(2);
if (!a || !b) throw new Error('Usage: node examples/verify.mjs A B [RATE]');

const engine = await openEngine({ preset: 'accurate' });
try {
  const { match, similarity, threshold, fmr } = await engine.verify(a, b, { fmr: Number(rate) });
  console.log(
    `${match ? 'same person' : 'different people'}: similarity ${similarity.toFixed(3)}, threshold ${threshold.toFixed(3)} at FMR ${fmr}`,
  );
} catch (error) {
  // A photograph without a face cannot be verified; every error has a stable code.
  if (!(error instanceof LineamentError) || error.code !== 'NO_FACE') throw error;
  console.log(error.message);
} finally {
  await engine.close();
}
