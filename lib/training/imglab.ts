import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LineamentError } from '../errors.js';
import type { Box, Point } from '../types.js';
import type { AnnotatedFace, AnnotatedPicture, LandmarkDataset } from './dataset.js';
import { fault, quoted } from './fault.js';
import { decodeXml, escapeXml, parseXml, type XmlOpen } from './xml.js';

const LARGEST_FILE = 128 << 20;
const MOST_POINTS = 4096;
const SLICE_MS = 5;

/** Where elements of the format may stand. */
const PARENTS: Readonly<Record<string, string>> = { images: 'dataset', image: 'images', box: 'image', part: 'box' };

interface RawFace {
  readonly box: Box;
  readonly line: number;
  readonly parts: Map<string, Point>;
}

/**
 * Reads the XML of dlib's imglab: `<dataset><images><image file><box top left width height><part name x y/>`. Its pixel
 * centres lie at integers, so half a pixel is added to points; boxes need nothing, since their `left` and `top` number the
 * first pixel inside. Points are named by `part`s, in the order of their names (by value where all are numbers), as dlib does;
 * a face that lacks a name has `undefined` there. Boxes with `ignore`, or without a part, are left out and counted.
 * Paths of pictures are relative to the file.
 */
export async function readImglab(file: string): Promise<LandmarkDataset> {
  const text = decodeXml(await readAll(file), file);
  const pictures: { path: string; line: number; size?: { width: number; height: number }; faces: RawFace[] }[] = [];
  const names = new Set<string>();
  let ignored = 0;
  let face: RawFace | undefined;
  let skipping = false;
  const within: string[] = [];
  let until = performance.now() + SLICE_MS;
  let events = 0;
  for (const event of parseXml(text, file)) {
    if ((++events & 255) === 0 && performance.now() > until) {
      await nextTurn();
      until = performance.now() + SLICE_MS;
    }
    if (event.kind === 'close') {
      within.pop();
      if (event.name !== 'box') continue;
      if (face !== undefined && face.parts.size > 0 && !skipping) pictures.at(-1)?.faces.push(face);
      else ignored++;
      face = undefined;
      continue;
    }
    const parent = within.at(-1);
    within.push(event.name);
    if (parent === undefined && event.name !== 'dataset') {
      throw fault(file, event.line, `the root element is <${event.name}> where imglab writes <dataset>`);
    }
    const wanted = PARENTS[event.name];
    if (wanted === undefined) continue;
    if (wanted !== parent) throw fault(file, event.line, `<${event.name}> stands outside of <${wanted}>`);
    if (event.name === 'image') pictures.push({ ...readImage(event, file), faces: [] });
    else if (event.name === 'box') {
      face = { box: readBox(event, file), line: event.line, parts: new Map() };
      skipping = isTrue(event.attributes.get('ignore'));
    } else if (event.name === 'part' && face !== undefined) {
      const name = attribute(event, 'name', file);
      if (face.parts.has(name))
        throw fault(file, event.line, `the box of line ${face.line} has part ${quoted(name)} twice`);
      face.parts.set(name, [number(event, 'x', file) + 0.5, number(event, 'y', file) + 0.5]);
      if (!skipping) names.add(name);
      if (names.size > MOST_POINTS) throw fault(file, event.line, `more than ${MOST_POINTS} names of parts`);
    }
  }
  if (pictures.length === 0) throw fault(file, undefined, 'there is no <image> in it');
  if (names.size === 0) throw fault(file, undefined, 'no box has a <part>');
  const sorted = sortNames([...names]);
  const folder = path.dirname(file);
  return {
    names: sorted,
    ignored,
    pictures: pictures.map(
      ({ path: name, line, size, faces }): AnnotatedPicture => ({
        path: path.isAbsolute(name) ? name : path.join(folder, name),
        source: file,
        line,
        ...(size === undefined ? {} : { size }),
        faces: faces.map(
          (f): AnnotatedFace => ({
            box: f.box,
            line: f.line,
            points: sorted.map((part) => f.parts.get(part)),
          }),
        ),
      }),
    ),
  };
}

async function readAll(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE) throw fault(file, undefined, `it has ${size} bytes, the limit is ${LARGEST_FILE}`);
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof LineamentError) throw cause;
    throw new LineamentError('INVALID_ARGUMENT', `${file}: it cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function sortNames(names: string[]): string[] {
  if (names.every((name) => /^\d{1,9}$/.test(name)))
    return names.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const isTrue = (value: string | undefined): boolean => value === '1' || value === 'true';

function attribute(event: XmlOpen, name: string, file: string): string {
  const value = event.attributes.get(name);
  if (value === undefined || value === '') throw fault(file, event.line, `<${event.name}> has no '${name}'`);
  return value;
}

function number(event: XmlOpen, name: string, file: string): number {
  const text = attribute(event, name, file);
  const value = /^[+-]?\d{1,9}(?:\.\d{1,17})?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw fault(file, event.line, `'${name}' of <${event.name}> is no number but ${quoted(text)}`);
  }
  return value;
}

function readImage(
  event: XmlOpen,
  file: string,
): { path: string; line: number; size?: { width: number; height: number } } {
  const name = attribute(event, 'file', file);
  if (name.includes('\0')) throw fault(file, event.line, "'file' of <image> is no path");
  if (!event.attributes.has('width') || !event.attributes.has('height')) return { path: name, line: event.line };
  const size = { width: number(event, 'width', file), height: number(event, 'height', file) };
  return { path: name, line: event.line, size };
}

function readBox(event: XmlOpen, file: string): Box {
  const [x, y] = [number(event, 'left', file), number(event, 'top', file)];
  const [width, height] = [number(event, 'width', file), number(event, 'height', file)];
  if (!(width > 0 && height > 0)) throw fault(file, event.line, `the box is ${width} × ${height} pixels`);
  return [x, y, width, height];
}

/** How a data set is written. */
export interface WriteImglabOptions {
  /**
   * Digits after the point. 0 when absent: dlib reads whole numbers only, and rounding moves points by up to half a pixel.
   */
  readonly decimals?: number;
  readonly name?: string;
  readonly comment?: string;
}

/**
 * Writes a data set as dlib's tools and {@link readImglab} read it; paths of pictures become relative to the file. Atomic:
 * a temporary file is renamed.
 */
export async function writeImglab(
  file: string,
  dataset: LandmarkDataset,
  options: WriteImglabOptions = {},
): Promise<void> {
  const { decimals = 0, name, comment } = options;
  const folder = path.dirname(path.resolve(file));
  const n = (value: number): string => String(Number(value.toFixed(decimals)));
  const lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<dataset>'];
  if (name !== undefined) lines.push(`<name>${escapeXml(name)}</name>`);
  if (comment !== undefined) lines.push(`<comment>${escapeXml(comment)}</comment>`);
  lines.push('<images>');
  for (const picture of dataset.pictures) {
    const relative = path.relative(folder, path.resolve(picture.path)).split(path.sep).join('/');
    const size = picture.size && ` width='${picture.size.width}' height='${picture.size.height}'`;
    lines.push(`  <image file='${escapeXml(relative)}'${size ?? ''}>`);
    for (const { box, points } of picture.faces) {
      const [x, y, w, h] = box;
      const side = (value: number): string => (decimals === 0 ? String(Math.max(1, Math.round(value))) : n(value));
      lines.push(`    <box top='${n(y)}' left='${n(x)}' width='${side(w)}' height='${side(h)}'>`);
      points.forEach((point, i) => {
        if (point === undefined) return;
        const part = escapeXml(dataset.names[i] ?? String(i));
        lines.push(`      <part name='${part}' x='${n(point[0] - 0.5)}' y='${n(point[1] - 0.5)}'/>`);
      });
      lines.push('    </box>');
    }
    lines.push('  </image>');
  }
  lines.push('</images>', '</dataset>', '');
  const temporary = `${file}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeFile(temporary, lines.join('\n'));
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new LineamentError('INVALID_ARGUMENT', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
