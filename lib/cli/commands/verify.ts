import { openEngine } from '../../index.js';
import type { CommandContext } from '../command.js';
import { engineOptions } from '../photos.js';
import { printable } from '../terminal.js';

/** `lineament verify A B`: exit code 0 for the same person, 1 for different people. */
export async function verify(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const [a = '', b = ''] = context.arguments;
  await using engine = await openEngine(engineOptions(options, 1));
  const threshold = options['threshold'];
  const fmr = options['fmr'];
  const result = await engine.verify(a, b, {
    ...(typeof threshold === 'number' && { threshold }),
    ...(typeof fmr === 'number' && { fmr }),
    signal,
  });
  if (options['json'] === true) {
    const { similarity, match } = result;
    // A rate that was read off a curve has no more than a few digits that mean something.
    const rate = result.fmr === undefined ? null : Number(result.fmr.toPrecision(6));
    terminal.stdout.write(`${JSON.stringify({ similarity, threshold: result.threshold, fmr: rate, match })}\n`);
  } else {
    const { style } = terminal;
    const verdict = result.match ? style.green('match') : style.yellow('no match');
    const rate = result.fmr === undefined ? '' : `, false match rate ${rateText(result.fmr)}`;
    terminal.stdout.write(
      `${style.bold(verdict)}  ${printable(a)} and ${printable(b)}\n  similarity ${result.similarity.toFixed(3)}, threshold ${result.threshold.toFixed(3)}${rate}\n`,
    );
  }
  return result.match ? 0 : 1;
}

/** "0.1 %" for 0.001; small rates in as many digits as they need. */
export function rateText(rate: number): string {
  return `${Number((rate * 100).toPrecision(2))} %`;
}
