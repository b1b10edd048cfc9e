import { convertLandmarks as convert } from '../../training/index.js';
import type { CommandContext } from '../command.js';
import { printable } from '../terminal.js';
import { megabytes, percent, textOf } from '../training.js';

/** `lineament convert-landmarks IN OUT`: dlib's format to the compact one, or back. */
export async function convertLandmarks(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const [input = '', output = ''] = context.arguments;
  const format = textOf(options['format']);
  const result = await convert(input, output, {
    signal,
    ...(format !== undefined && { format: format as 'compact' | 'dlib' }),
  });
  if (options['json'] === true) {
    terminal.stdout.write(`${JSON.stringify({ input, output, ...result })}\n`);
    return 0;
  }
  const { from, to, sourceBytes, bytes, points, cascades, trees, depth, leafError } = result;
  const rounding = leafError > 0 ? `; rounding moves a point by at most ${percent(leafError, 4)} of the box` : '';
  terminal.stdout.write(
    `${terminal.style.bold(printable(output))}  ${from} → ${to}, ${megabytes(sourceBytes)} → ${megabytes(bytes)}, ` +
      `${points} points, ${cascades} cascades of ${trees} trees of depth ${depth}${rounding}\n`,
  );
  return 0;
}
