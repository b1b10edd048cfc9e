import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LineamentError } from '../errors.js';
import type { FfmpegEnd } from './ffmpeg-errors.js';

/** Last lines of what it wrote that are kept. */
const LINES = 20;
const LINE_LENGTH = 500;
/** It is asked to end, and made to after so many milliseconds. */
const PATIENCE_MS = 1000;

/** What it says of pictures and packets that it could not read; it goes on after them. */
const DAMAGE = /corrupt decoded frame|Error while decoding stream|Error submitting packet to decoder|Decoding error/i;
/** What it says where a file ends too early, and then ends as if all were well. */
const CUT = /partial file|ended prematurely|moov atom/i;

/** Those that run; a process that ends takes them along. */
const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** An ffmpeg that writes pictures to a descriptor. */
export class FfmpegProcess {
  /** Settles when it has ended and everything that it wrote to standard error was read. Never rejects. */
  readonly ended: Promise<FfmpegEnd>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #damaged = 0;
  #cut = false;
  #problem: Error | undefined;

  /** `output`: descriptor that becomes its standard output. `mask` takes secrets out of what it says. */
  constructor(path: string, args: readonly string[], output: number, mask: (text: string) => string) {
    const child = spawn(path, args, { stdio: ['ignore', output, 'pipe'], windowsHide: true });
    this.#child = child;
    if (running.size === 0) process.on('exit', killAll);
    running.add(child);
    // Where it could not be started, for want of descriptors, there is no pipe.
    if (child.stderr) {
      createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', (line) => this.#note(mask(line)));
    }
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#problem = error;
        if (child.pid === undefined) resolve(this.#end(null, null));
      });
      child.once('close', (code, signal) => resolve(this.#end(code, signal)));
    });
  }

  /** Stretches that it could not read and went over. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Whether the file ended too early. */
  get cut(): boolean {
    return this.#cut;
  }

  /** Why it could not be started. */
  get problem(): LineamentError | undefined {
    // Without its cause, which holds the arguments and what is secret in them.
    const problem = this.#problem;
    return problem && new LineamentError('FFMPEG_FAILED', `it cannot be started: ${problem.message}`);
  }

  /** Ends it, by force where it does not hear. Idempotent. */
  async stop(): Promise<void> {
    if (running.has(this.#child)) {
      this.#child.kill('SIGTERM');
      const force = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
      await this.ended;
      clearTimeout(force);
    }
    await this.ended;
  }

  #note(line: string): void {
    if (line === '') return;
    if (DAMAGE.test(line)) this.#damaged++;
    if (CUT.test(line)) this.#cut = true;
    this.#lines.push(line.slice(0, LINE_LENGTH));
    if (this.#lines.length > LINES) this.#lines.shift();
  }

  #end(code: number | null, signal: NodeJS.Signals | null): FfmpegEnd {
    running.delete(this.#child);
    if (running.size === 0) process.off('exit', killAll);
    return { code, signal, lines: [...this.#lines] };
  }
}
