import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './child.js';

const faceApi = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));

/** A photograph that the npm package `@vladmandic/face-api` carries, 1 to 6. */
export const sample = (i: number): string => join(faceApi, 'demo', `sample${i}.jpg`);

/** Faces in each sample, counted by eye. */
export const SAMPLE_FACES: Readonly<Record<number, number>> = { 1: 3, 2: 3, 3: 3, 4: 4, 5: 5, 6: 4 };

/** A file of `../shared`, which may be absent: tests that want it are skipped by name. */
export const shared = (path: string): string => join(root, '..', 'shared', path);
export const haveShared = (path: string): boolean => existsSync(shared(path));
