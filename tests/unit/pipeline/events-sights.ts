/** Tracks and frames for the tests of the rules. */
import { EventIds } from '../../../lib/pipeline/events/ids.js';
import type { EventRulesOptions } from '../../../lib/pipeline/events/rule-options.js';
import { EventRules, type Sight } from '../../../lib/pipeline/events/rules.js';
import type { Identity, PipelineEvent, Track } from '../../../lib/pipeline/types.js';
import type { Box, Point } from '../../../lib/types.js';

export const T0 = 1_780_000_000_000;
const SIZE = { width: 1280, height: 720 };
export const rules = (options: EventRulesOptions = {}): EventRules =>
  new EventRules('door', { ids: new EventIds({ seed: 'test' }), ...options });

/** A track whose foot is at a point. */
export function track(id: number, time: number, foot: Point = [640, 600], more: Partial<Track> = {}): Track {
  const person: Box = [foot[0] - 50, foot[1] - 300, 100, 300];
  const face: Box = [foot[0] - 20, foot[1] - 290, 40, 50];
  const base = { id, camera: 'door', state: 'confirmed', face, person, seen: true, velocity: [0, 0] } as const;
  return { ...base, first: T0, last: time, hits: 3, ...more };
}

export const sight = (ms: number, tracks: readonly Track[], identities?: ReadonlyMap<number, Identity>): Sight => ({
  timestamp: T0 + ms,
  sequence: Math.round(ms / 100),
  ...SIZE,
  tracks,
  ...(identities && { identities }),
});
export const known = (id: string): Identity => ({ kind: 'known', id, name: id.toUpperCase(), looks: 3, weight: 2 });
export const stranger = (id: string): Identity => ({ kind: 'stranger', id, looks: 3, weight: 2 });
export const types = (events: readonly PipelineEvent[]): string[] => events.map(({ type }) => type);

/** Walks a track through feet, one every 100 ms, and gives what was told. */
export function walk(r: EventRules, feet: readonly Point[], id = 1): PipelineEvent[] {
  const events = feet.flatMap((foot, i) => r.update(sight(i * 100, [track(id, T0 + i * 100, foot)])));
  return [...events, ...r.end()];
}
