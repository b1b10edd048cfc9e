/** What the service says of cameras, tracks and events: snake_case, and no paths of this machine. */
import type { PipelineEvent, TracksSnapshot, WatchedCamera, WatchedTrack } from '../../pipeline/index.js';

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Plain data with the names of its fields in snake_case. */
function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [snake(name), renamed(child)]));
}

/** An event; a clip without the places of its files, which are no business of a client. */
export function eventJson(event: PipelineEvent): Record<string, unknown> {
  const { path, thumbnail, ...rest } = event as PipelineEvent & { path?: string; thumbnail?: string };
  return {
    ...(renamed(rest) as Record<string, unknown>),
    ...(event.type === 'clip' && { recorded: path !== undefined, thumbnail: thumbnail !== undefined }),
  };
}

/** A track without what the detector and the recogniser made of it. */
function trackJson({ id, state, face, person, seen, velocity, first, last, hits, identity }: WatchedTrack) {
  return {
    id,
    state,
    ...(face !== undefined && { face }),
    ...(person !== undefined && { person }),
    seen,
    velocity,
    first,
    last,
    hits,
    ...(identity !== undefined && { identity: renamed(identity) }),
  };
}

export function tracksJson({ tracks, ...snapshot }: TracksSnapshot): Record<string, unknown> {
  return { ...snapshot, tracks: tracks.map(trackJson) };
}

export function cameraJson({ camera, source, ...rest }: WatchedCamera): Record<string, unknown> {
  return { id: camera, ...(renamed(rest) as object), ...(source !== undefined && { source: renamed(source) }) };
}
