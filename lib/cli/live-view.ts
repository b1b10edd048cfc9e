/** What `lineament watch` shows: blocks of text that are drawn again in their place, and events as lines. */
import type {
  ClosingReport,
  LatencySummary,
  PipelineEvent,
  PipelineStats,
  TracksSnapshot,
  WatchedCamera,
} from '../pipeline/index.js';
import { displayWidth, type Output, printable, type Style } from './terminal.js';

/** Events that are kept for each camera's block. */
const RECENT = 3;

/** What the view knows; filled by the command. */
export interface LiveState {
  stats: PipelineStats | undefined;
  readonly snapshots: Map<string, TracksSnapshot>;
  /** Newest last. */
  readonly recent: Map<string, PipelineEvent[]>;
}

export const newLiveState = (): LiveState => ({ stats: undefined, snapshots: new Map(), recent: new Map() });

/** Keeps an event for its camera's block. */
export function remember(state: LiveState, event: PipelineEvent): void {
  const list = state.recent.get(event.camera) ?? [];
  list.push(event);
  if (list.length > RECENT) list.shift();
  state.recent.set(event.camera, list);
}

const clock = (timestamp: number): string => new Date(timestamp).toISOString().slice(11, 19);
const who = (event: PipelineEvent): string => {
  const { identity, track } = event;
  const name = identity?.name ?? identity?.id;
  return printable(name ?? (track === undefined ? '' : `#${track}`));
};
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** What happened, in words, without the time and the camera. */
export function eventText(event: PipelineEvent): string {
  switch (event.type) {
    case 'appeared':
      return `appeared    ${who(event)}`;
    case 'left':
      return `left        ${who(event)} after ${seconds(event.stayedMs)}`;
    case 'recognised': {
      const { similarity } = event.identity ?? {};
      return `recognised  ${who(event)}${similarity === undefined ? '' : ` (${similarity.toFixed(3)})`}`;
    }
    case 'stranger':
      return `stranger    ${who(event)}${event.returning ? ', seen before' : ''}`;
    case 'expression':
      return `expression  ${who(event)} ${event.expression} ${Math.round(event.probability * 100)} %`;
    case 'gesture':
      return `gesture     ${who(event)} ${printable(event.gesture)}`;
    case 'liveness':
      return `liveness    ${who(event)} ${event.live ? 'live' : 'not live'} (${event.score.toFixed(2)})`;
    case 'zone':
      return `zone        ${who(event)} ${event.action} ${printable(event.zone)}`;
    case 'line':
      return `line        ${who(event)} crossed ${printable(event.line)} ${event.direction}`;
    case 'camera':
      return `camera      ${event.state}${event.message === undefined ? '' : `: ${printable(event.message)}`}`;
    case 'clip':
      return `clip        ${printable(event.path ?? event.message ?? event.code ?? '')}`;
    case 'gap':
      return `gap         ${event.count} in ${printable(event.stage)}: ${printable(event.message)}`;
  }
}

/** One line for one event. */
export const eventLine = (event: PipelineEvent, style: Style): string =>
  `${style.dim(clock(event.timestamp))}  ${style.cyan(printable(event.camera))}  ${eventText(event)}`;

/** Cuts text to a width, colours included; a cut text ends all colours. */
function shorten(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let shown = '';
  let width = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  for (const part of text.match(/\u001b\[[0-9;]*m|[^\u001b]/gu) ?? []) {
    const more = part.startsWith('\u001b') ? 0 : displayWidth(part);
    if (width + more > columns - 1) break;
    shown += part;
    width += more;
  }
  return `${shown}…${text.includes('\u001b[') ? '\u001b[0m' : ''}`;
}

const times = ({ count, p50, p95 }: LatencySummary): string =>
  count === 0 ? '–' : `${p50.toFixed(0)}/${p95.toFixed(0)} ms`;

function stateText({ state }: WatchedCamera, style: Style): string {
  if (state === 'running') return style.green(state);
  return state === 'failed' || state === 'lost' ? style.red(state) : style.yellow(state);
}

function tracksText(snapshot: TracksSnapshot | undefined, style: Style): string {
  const shown = (snapshot?.tracks ?? []).filter(({ state }) => state === 'confirmed');
  if (shown.length === 0) return style.dim('nobody');
  return shown
    .map(({ id, identity }) => {
      const name = printable(identity?.name ?? identity?.id ?? '…');
      const similarity = identity?.similarity === undefined ? '' : style.dim(` ${identity.similarity.toFixed(2)}`);
      const painted = identity?.kind === 'known' ? style.green(name) : name;
      return `${style.dim(`#${id}`)} ${painted}${similarity}`;
    })
    .join('   ');
}

/** The lines of the view, each at most `columns` wide: a block for each camera, then the whole. */
export function viewLines(state: LiveState, columns: number, style: Style): string[] {
  const { stats } = state;
  if (stats === undefined) return [];
  const lines: string[] = [];
  for (const one of stats.cameras) {
    const dropped = (one.source?.dropped ?? 0) + one.overtaken;
    const size = one.source === undefined ? '' : `  ${one.source.width}×${one.source.height}`;
    lines.push(
      `${style.bold(printable(one.camera))}  ${stateText(one, style)}${size}  ${(one.source?.fps ?? 0).toFixed(1)} fps  latency ${times(one.latency)}  ${one.detected} looked at  ${dropped} dropped`,
      `  ${tracksText(one.state === 'running' ? state.snapshots.get(one.camera) : undefined, style)}`,
      ...(state.recent.get(one.camera) ?? []).map(
        (event) => `  ${style.dim(clock(event.timestamp))}  ${eventText(event)}`,
      ),
    );
  }
  const { rss } = stats.memory;
  const lost = stats.events.lost + stats.listeners.lost;
  lines.push(
    style.dim(
      `detect ${times(stats.stages.detect)}  embed ${times(stats.stages.embed)}  event ${times(stats.stages.event)}  ${stats.events.told} events${lost > 0 ? `, ${lost} lost` : ''}  ${(rss / 2 ** 20).toFixed(0)} MiB   Ctrl-C ends`,
    ),
  );
  return lines.map((line) => shorten(line, columns));
}

/** What there is to say at the end. */
export function summaryText({ cameras, stages, events }: PipelineStats, report: ClosingReport): string {
  const sum = (of: (one: WatchedCamera) => number): number => cameras.reduce((all, one) => all + of(one), 0);
  const dropped = sum((one) => (one.source?.dropped ?? 0) + one.overtaken);
  const lost = report.events + report.untold + report.clips;
  const facts = [
    `${sum((one) => one.taken)} frames, ${sum((one) => one.detected)} looked at, ${dropped} dropped`,
    `${events.told} events${lost > 0 ? `, ${lost} lost` : ''}`,
  ];
  if (stages.event.count > 0) facts.push(`from frame to event ${times(stages.event)} (median/95 %)`);
  return facts.join('; ');
}

/** Draws lines where the last ones were. */
export class LiveScreen {
  readonly #out: Output;
  #drawn = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : '\u001b[?25l';
    // Each line is overwritten and what was longer is wiped; what was below goes.
    this.#out.write(`${up}${lines.map((line) => `\r${line}\u001b[K\n`).join('')}\u001b[J`);
    this.#drawn = lines.length;
  }

  /** Gives the cursor back; what was drawn last stays. */
  end(): void {
    if (this.#drawn > 0) this.#out.write('\u001b[?25h');
    this.#drawn = 0;
  }
}
