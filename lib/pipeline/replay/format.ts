import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CameraNotice } from '../../capture/types.js';
import { LineamentError } from '../../errors.js';
import type { FrameFormat } from '../../types.js';

/**
 * What a recorded session is on disk: `session.json`; for each camera an index `N.jsonl`, one line for each picture and notice in the order in
 * which they came; and the pictures in `N-S.raw` (one after another) or `N-S.mkv` (FFV1 or lossless H.264), a new file where size or layout
 * change. Nothing else is needed to play it again to the bit.
 */
export const SESSION_FILE = 'session.json';
export const SESSION_VERSION = 1;
export const STORAGES = ['raw', 'ffv1', 'h264'] as const;

/** `raw`: pictures as they are. `ffv1`: lossless, about half of that. `h264`: lossless for 4:2:0, smaller and quicker where little moves. */
export type SessionStorage = (typeof STORAGES)[number];

const FORMATS: readonly FrameFormat[] = ['rgb', 'bgr', 'rgba', 'bgra', 'gray', 'yuyv', 'nv12', 'i420'];

/** One picture in an index. */
export interface PictureLine {
  readonly sequence: number;
  readonly timestamp: number;
  readonly position?: number;
  /** File, and which picture of it. */
  readonly segment: number;
  readonly index: number;
  /** SHA-256 of its bytes without padding, base64url. */
  readonly sha256: string;
}
export interface NoticeLine {
  readonly notice: CameraNotice;
}
export type SessionLine = PictureLine | NoticeLine;

export interface SegmentFacts {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly format: FrameFormat;
  readonly pictures: number;
}

export interface SessionCamera {
  readonly id: string;
  readonly index: string;
  readonly segments: readonly SegmentFacts[];
  readonly pictures: number;
  /** Numbers that are missing between the first and the last picture. */
  readonly dropped: number;
  readonly first?: number;
  readonly last?: number;
  /** SHA-256 (hex) of the index, which holds those of the pictures. */
  readonly sha256: string;
  /** Why its recording ended early. */
  readonly failure?: { readonly code: string; readonly message: string };
}

export interface SessionFacts {
  readonly version: number;
  readonly storage: SessionStorage;
  readonly cameras: readonly SessionCamera[];
}

export const digest = (data: Uint8Array | string, form: 'hex' | 'base64url'): string =>
  createHash('sha256').update(data).digest(form);

const corrupt = (what: string, cause?: unknown): LineamentError =>
  new LineamentError('VIDEO_CORRUPT', what, cause === undefined ? {} : { cause });

/** Reads and checks `session.json`. Rejects with `NOT_FOUND`, `VIDEO_CORRUPT`. */
export async function readSession(folder: string): Promise<SessionFacts> {
  const path = join(folder, SESSION_FILE);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LineamentError('NOT_FOUND', `there is no recorded session in ${folder}`, { cause });
  });
  let facts: SessionFacts;
  try {
    facts = JSON.parse(text) as SessionFacts;
  } catch (cause) {
    throw corrupt(`${path} is no JSON`, cause);
  }
  if (facts?.version !== SESSION_VERSION) throw corrupt(`${path}: version ${String(facts?.version)} is not known`);
  const whole =
    STORAGES.includes(facts.storage) &&
    isList(facts.cameras) &&
    facts.cameras.every(({ id, index, segments }) => typeof id === 'string' && isName(index) && isList(segments)) &&
    facts.cameras.flatMap(({ segments }) => segments).every(isSegment);
  if (!whole) throw corrupt(`${path} does not describe a session`);
  return facts;
}

const isList = (value: readonly unknown[]): boolean => Array.isArray(value);
const isSide = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_536;
const isSegment = ({ file, width, height, format }: SegmentFacts): boolean =>
  isName(file) && isSide(width) && isSide(height) && FORMATS.includes(format);

/** A file of the folder itself, never one elsewhere. */
const isName = (name: unknown): boolean => typeof name === 'string' && /^[\w-]+\.\w+$/.test(name);

/** Reads and checks an index. Rejects with `VIDEO_CORRUPT`. */
export async function readIndex(folder: string, camera: SessionCamera): Promise<SessionLine[]> {
  const path = join(folder, camera.index);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw corrupt(`${path} cannot be read`, cause);
  });
  if (digest(text, 'hex') !== camera.sha256) throw corrupt(`${path} was changed after it was written`);
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SessionLine);
  const good = lines.every((line) => 'notice' in line || (camera.segments[line.segment]?.pictures ?? 0) > line.index);
  if (!good) throw corrupt(`${path} names pictures that are not there`);
  return lines;
}
