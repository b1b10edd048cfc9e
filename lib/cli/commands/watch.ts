import type { CameraOptions } from '../../capture/types.js';
import { LineamentError } from '../../errors.js';
import type { Gallery } from '../../gallery/index.js';
import type { Line, Pipeline, PipelineEvent, PipelineOptions, PrivacyMode, Zone } from '../../pipeline/index.js';
import { openPipeline, openReplay } from '../../pipeline/index.js';
import type { CommandContext } from '../command.js';
import { openNamedGallery } from '../galleries.js';
import { eventLine, LiveScreen, newLiveState, remember, summaryText, viewLines } from '../live-view.js';
import { engineOptions } from '../photos.js';

/** How often the view is drawn, milliseconds. */
const DRAW_MS = 200;
const INTERRUPTED = 130;
/** Longest that a timer waits, milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

const text = ({ options }: CommandContext, name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};
const number = ({ options }: CommandContext, name: string): number | undefined => {
  const value = options[name];
  return typeof value === 'number' ? value : undefined;
};

/** `name=x,y,x,y,…`, or for one camera `name@camera=…`; shares of width and height. */
function placeOf(kind: 'zone' | 'line', given: string): { name: string; camera?: string; points: [number, number][] } {
  const equals = given.indexOf('=');
  const [name = '', camera] = given.slice(0, Math.max(0, equals)).split('@');
  const numbers = given
    .slice(equals + 1)
    .split(',')
    .map((one) => (one.trim() === '' ? Number.NaN : Number(one)));
  const enough = kind === 'line' ? numbers.length === 4 : numbers.length >= 6 && numbers.length % 2 === 0;
  if (name === '' || !enough || !numbers.every((one) => one >= 0 && one <= 1)) {
    const form = kind === 'line' ? 'NAME=x,y,x,y' : 'NAME=x,y,x,y,x,y,… with at least three corners';
    throw new LineamentError('INVALID_ARGUMENT', `Expected ${form} for --${kind} but received '${given}'`, {
      fix: 'Coordinates are shares of the width and height, 0 to 1.',
    });
  }
  const points = Array.from({ length: numbers.length / 2 }, (_, i): [number, number] => [
    numbers[2 * i]!,
    numbers[2 * i + 1]!,
  ]);
  return { name, ...(camera !== undefined && { camera }), points };
}

function zoneOf(given: string): Zone {
  const { points, ...rest } = placeOf('zone', given);
  return { ...rest, corners: points };
}

function lineOf(given: string): Line {
  const { points, ...rest } = placeOf('line', given);
  return { ...rest, from: points[0]!, to: points[1]! };
}

/** A camera of the command line: the source alone, or `name=source`. */
function cameraOf(given: string, context: CommandContext): CameraOptions {
  const named = /^([\p{L}\p{N}_-]+)=(.+)$/u.exec(given);
  const [width, height, fps] = ['width', 'height', 'fps'].map((name) => number(context, name));
  const ffmpeg = text(context, 'ffmpeg');
  return {
    source: named?.[2] ?? given,
    ...(named?.[1] !== undefined && { id: named[1] }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(fps !== undefined && { fps }),
    ...(ffmpeg !== undefined && { ffmpeg }),
  };
}

/** What the command line says, without the cameras. */
function pipelineOptions(context: CommandContext, cameras: number): Omit<PipelineOptions, 'cameras'> {
  const { options, lists } = context;
  const data = text(context, 'data') ?? (process.env['LINEAMENT_DATA'] || undefined);
  const every = number(context, 'every');
  const minFaceSize = number(context, 'min-size');
  const record = text(context, 'record');
  const mode = text(context, 'privacy');
  const wanted = options['expressions'] === true;
  return {
    engine: { ...engineOptions(options, cameras), preset: (text(context, 'preset') ?? 'fast') as 'fast' },
    zones: (lists['zone'] ?? []).map(zoneOf),
    lines: (lists['line'] ?? []).map(lineOf),
    clips: options['clips'] === true,
    ...(data !== undefined && { data }),
    ...(every !== undefined && { detectEvery: every }),
    ...(minFaceSize !== undefined && { minFaceSize }),
    ...(record !== undefined && { record }),
    ...(mode !== undefined && { privacy: { mode: mode as PrivacyMode } }),
    ...(wanted && { analyze: { attributes: ['expression'] as const } }),
  };
}

/** The gallery that is named; none is needed. */
async function galleryOf(context: CommandContext): Promise<Gallery | undefined> {
  const named = text(context, 'gallery') ?? process.env['LINEAMENT_GALLERY'];
  return named === undefined || named === '' ? undefined : openNamedGallery(context);
}

/** `lineament watch SOURCES`: until they end, the time is over, or Ctrl-C. */
export async function watch(context: CommandContext): Promise<number> {
  const { signal } = context;
  const replay = text(context, 'replay');
  if ((replay === undefined) === (context.arguments.length === 0)) {
    throw new LineamentError('INVALID_ARGUMENT', 'give cameras, or a recorded session with --replay, and not both', {
      fix: "See 'lineament watch --help'.",
    });
  }
  const cameras = context.arguments.map((one) => cameraOf(one, context));
  const options = pipelineOptions(context, cameras.length);
  await using gallery = await galleryOf(context);
  await using session = replay === undefined ? undefined : await openReplay(replay);
  const pipeline = await openPipeline({
    ...options,
    cameras: session === undefined ? cameras : session.cameras,
    ...(session !== undefined && { inOrder: true, seed: 'replay' }),
    ...(gallery !== undefined && { gallery }),
    signal,
  });
  try {
    return await follow(pipeline, context);
  } finally {
    await pipeline.close();
  }
}

/** Shows what happens until the end. */
async function follow(pipeline: Pipeline, context: CommandContext): Promise<number> {
  const { terminal, options, signal } = context;
  const { stdout, stderr, style } = terminal;
  const json = options['json'] === true;
  const live = !json && stdout.isTTY === true && options['quiet'] !== true;
  const state = newLiveState();
  const screen = new LiveScreen(stdout);
  const draw = (): void => {
    state.stats = pipeline.stats();
    screen.draw(viewLines(state, terminal.columns, style));
  };
  const seconds = number(context, 'seconds');
  const timers: NodeJS.Timeout[] = [];
  const over = seconds === undefined ? undefined : after(seconds * 1000, () => void pipeline.close());
  if (live) timers.push(setInterval(draw, DRAW_MS));
  const watching = live
    ? (async () => {
        for await (const snapshot of pipeline.tracks()) state.snapshots.set(snapshot.camera, snapshot);
      })()
    : undefined;
  const states = new Map<string, string>();
  try {
    for await (const event of pipeline.events({ capacity: 10_000 })) {
      if (event.type === 'camera') states.set(event.camera, event.state);
      tell(event);
    }
    await watching;
    if (live) draw();
  } finally {
    over?.();
    for (const timer of timers) clearTimeout(timer);
    screen.end();
  }
  const stats = pipeline.stats();
  const report = await pipeline.close();
  if (json) stdout.write(`${JSON.stringify({ type: 'summary', ...report, stats })}\n`);
  else if (options['quiet'] !== true) stderr.write(`${summaryText(stats, report)}\n`);
  if (signal.aborted) return INTERRUPTED;
  return states.size > 0 && [...states.values()].every((one) => one === 'failed') ? 2 : 0;

  function tell(event: PipelineEvent): void {
    if (json) stdout.write(`${JSON.stringify(event)}\n`);
    else if (live) remember(state, event);
    else stdout.write(`${eventLine(event, style)}\n`);
  }
}

/** Calls back after a while that may be longer than the 24.8 days of a timer; gives a function that takes it back. */
function after(milliseconds: number, call: () => void): () => void {
  const due = performance.now() + milliseconds;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = due - performance.now();
    timer = left > LONGEST_MS ? setTimeout(wait, LONGEST_MS) : setTimeout(call, Math.max(0, left));
  };
  wait();
  return () => clearTimeout(timer);
}
