import { stat } from 'node:fs/promises';
import { LineamentError } from '../errors.js';
import type { Box, Point } from '../types.js';
import { fault } from './fault.js';
import { readImglab } from './imglab.js';
import { readPtsFolder } from './pts.js';

/** A face that somebody has marked, in the pixel frame of the library (centre of pixel (i, j) = (i + 0.5, j + 0.5)). */
export interface AnnotatedFace {
  /** As the file has it; in 300-W, which has no boxes, the bounds of the points. */
  readonly box: Box;
  /** In the order of `LandmarkDataset.names`; `undefined` where a point is not annotated. */
  readonly points: readonly (Point | undefined)[];
  /** Line of the annotation file on which the face begins. */
  readonly line: number;
}

export interface AnnotatedPicture {
  /** Path of the picture. */
  readonly path: string;
  /** Annotation file, and the line of it, that names the picture. */
  readonly source: string;
  readonly line: number;
  /** Size that the annotation file states; a picture of another size is refused. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly faces: readonly AnnotatedFace[];
}

/** Pictures with marked faces. */
export interface LandmarkDataset {
  /** One name for each point; the numbers '00', '01', … where a format has no names. */
  readonly names: readonly string[];
  readonly pictures: readonly AnnotatedPicture[];
  /** Boxes that are left out because the file says `ignore`, or because they have no points. */
  readonly ignored: number;
}

/**
 * Reads marked faces; formats are told apart by what is there. An imglab file (`.xml`; the XML of dlib's tools: pixel centres
 * at integers, boxes as left, top, width, height) or a folder in the style of 300-W (`.pts` beside each picture, 1-based pixel
 * coordinates; C. Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV workshops 2013), searched to its bottom. Several
 * sources are joined and must have equally many points. Pictures are not opened.
 *
 * Rejects with `INVALID_ARGUMENT` (malformed, truncated, nothing in it, different numbers of points; the message names file
 * and line) and `IMAGE_NOT_FOUND` (a `.pts` without a picture).
 */
export async function readDataset(sources: string | readonly string[]): Promise<LandmarkDataset> {
  const list = typeof sources === 'string' ? [sources] : sources;
  const parts = [];
  for (const source of list) parts.push({ source, ...(await readOne(source)) });
  const [first, ...others] = parts;
  if (first === undefined) throw new LineamentError('INVALID_ARGUMENT', 'no data set is named');
  for (const { source, names } of others) {
    if (names.length === first.names.length) continue;
    throw fault(source, undefined, `faces of ${names.length} points, where ${first.source} has ${first.names.length}`);
  }
  return {
    names: first.names,
    pictures: parts.flatMap(({ pictures }) => pictures),
    ignored: parts.reduce((sum, { ignored }) => sum + ignored, 0),
  };
}

async function readOne(source: string): Promise<LandmarkDataset> {
  const info = await stat(source).catch((cause: unknown) => {
    throw new LineamentError('INVALID_ARGUMENT', `${source}: there is no such file or folder`, { cause });
  });
  return info.isDirectory() ? readPtsFolder(source) : readImglab(source);
}

/** Number of marked faces. */
export function countFaces({ pictures }: LandmarkDataset): number {
  return pictures.reduce((sum, { faces }) => sum + faces.length, 0);
}
