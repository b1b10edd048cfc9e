/** Progress on standard error: a bar with the time left on a terminal, plain lines elsewhere. */
import { displayWidth, printable, type Terminal } from './terminal.js';

export interface Progress {
  /** One more is done; `label` names it, `detail` says what came out. */
  step(label: string, detail: string): void;
  /** Takes the bar off the screen, so that something else can be written. */
  clear(): void;
  /** Takes the bar off the screen for good. */
  end(): void;
}

const SILENT: Progress = { step: () => {}, clear: () => {}, end: () => {} };

/** Seconds as people say them: "8 s", "2 min 05 s", "1 h 10 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** The bar: share done, count, rate, time left. At most `columns` wide. */
export function barText(done: number, total: number, seconds: number, label: string, columns: number): string {
  const share = total > 0 ? done / total : 1;
  const width = Math.max(8, Math.min(28, Math.floor(columns / 4)));
  const full = Math.round(share * width);
  const rate = seconds > 0 ? done / seconds : 0;
  const facts = [`${done}/${total}`, `${Math.floor(share * 100)} %`];
  if (done > 0 && rate > 0) facts.push(`${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s`);
  if (done > 0 && done < total && rate > 0) facts.push(`ETA ${duration((total - done) / rate)}`);
  const head = `${'━'.repeat(full)}${'─'.repeat(width - full)} ${facts.join('  ')}`;
  const room = columns - displayWidth(head) - 4;
  if (room < 8 || !label) return head;
  const shown = [...label].length > room ? `…${[...label].slice(-(room - 1)).join('')}` : label;
  return `${head}  ${shown}`;
}

/**
 * Makes the progress of `total` pieces of work. Nothing is shown for a single piece, or when `quiet`.
 *
 * @param now milliseconds, monotonic
 */
export function makeProgress(
  terminal: Terminal,
  total: number,
  quiet: boolean,
  now: () => number = () => performance.now(),
): Progress {
  if (quiet || total < 2) return SILENT;
  const { stderr, errorStyle } = terminal;
  const start = now();
  let done = 0;
  if (!stderr.isTTY) {
    return {
      step(label, detail) {
        done++;
        stderr.write(`[${String(done).padStart(String(total).length)}/${total}] ${printable(label)}: ${detail}\n`);
      },
      clear: () => {},
      end: () => {},
    };
  }
  let drawn = false;
  let last = Number.NEGATIVE_INFINITY;
  let name = '';
  const clear = (): void => {
    if (drawn) stderr.write('\r\u001b[2K');
    drawn = false;
  };
  const draw = (time: number): void => {
    last = time;
    const text = barText(done, total, (time - start) / 1000, name, stderr.columns ?? 80);
    stderr.write(`\r\u001b[2K${errorStyle.cyan(text)}`);
    drawn = true;
  };
  draw(start);
  return {
    step(label) {
      done++;
      name = printable(label);
      const time = now();
      if (time - last >= 50 || done === total) draw(time);
    },
    clear,
    end: clear,
  };
}
