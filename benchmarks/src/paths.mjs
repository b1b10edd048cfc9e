// Where things lie. Photographs are outside the repository and may be absent.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const BENCH = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const ROOT = path.resolve(BENCH, '..');
export const SHARED = path.resolve(ROOT, '..', 'shared');
export const PHOTOS = path.join(SHARED, 'faces');
export const RESULTS = path.join(BENCH, 'results');
export const LABELS = path.join(BENCH, 'labels');
export const MODULES = path.join(BENCH, 'node_modules');
/** Where the product keeps what similarities mean. */
export const CALIBRATIONS = path.join(ROOT, 'models', 'calibration');
export const PACK = path.join(ROOT, 'models', 'pack');

/** The package entry of the product as built in this checkout. */
export const PRODUCT = path.join(ROOT, 'dist', 'index.js');

/** True when the photographs outside the repository are there. */
export const havePhotos = () => fs.existsSync(path.join(PHOTOS, 'groups.json'));

/**
 * Turns a photograph's name as the label files write it into a file path.
 * @param {string} name `photos/x.jpg`, `landmarks68/x.jpg` or `npm PACKAGE path/in/package.jpg`
 */
export function photoPath(name) {
  if (!name.startsWith('npm ')) return path.join(PHOTOS, name);
  const [, pkg = '', file = ''] = name.split(' ');
  return path.join(MODULES, pkg, file);
}

/** Reads a label file. @param {string} name */
export const labels = (name) => JSON.parse(fs.readFileSync(path.join(LABELS, name), 'utf8'));
