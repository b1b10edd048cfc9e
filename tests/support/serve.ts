/** `lineament serve` as people start it: a process of its own, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { root } from './child.js';

export interface ServeProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly address: string;
  /** The admin key, where the folder had none yet. */
  readonly key: string | undefined;
  /** What it wrote to standard error, so far. */
  readonly stderr: () => string;
  /** Ends it at once, as a failing machine does. */
  kill(): Promise<void>;
  /** Ends it in good order; gives its exit code. */
  stop(): Promise<number | null>;
}

/** Starts it with `--json --port 0` and these options besides, and waits until it says where it is. */
export async function serve(folder: string, options: readonly string[] = []): Promise<ServeProcess> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST') && !name.startsWith('LINEAMENT_SERVICE')),
  );
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'lib/cli/main.ts', 'serve', '--json', '--quiet', '--port', '0', '--data', folder, ...options],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const said = await new Promise<string>((resolve, reject) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const end = stdout.indexOf('\n');
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    void ended.then(([code]) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
    child.once('error', reject);
  });
  const { address, key } = JSON.parse(said) as { address: string; key?: string };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return (await ended)[0];
  };
  const kill = async (): Promise<void> => void (await end('SIGKILL'));
  return { child, address, key, stderr: () => stderr, kill, stop: () => end('SIGTERM'), [Symbol.asyncDispose]: kill };
}
