// What the gallery is killed under, and what must hold afterwards. Lines of the child:
//   +person   enrolled (acknowledged)      ?person   about to be changed      -person   deleted or merged away (acknowledged)
import { join } from 'node:path';
import { type Gallery, openGallery } from '../../lib/gallery/index.js';
import type { Embedding } from '../../lib/types.js';

const DIMS = 64;

export const openIn = (folder: string): Promise<Gallery> => openGallery({ folder: join(folder, 'gallery') });

/** The same face for the same person. */
export function faceOf(person: string): Embedding {
  let state = 2166136261;
  for (const one of person) state = Math.imul(state ^ one.charCodeAt(0), 16777619) >>> 0;
  const vector = new Float32Array(DIMS);
  let sum = 0;
  for (let i = 0; i < DIMS; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    vector[i] = state / 2 ** 31 - 1;
    sum += vector[i]! ** 2;
  }
  return { model: 'test@1', dims: DIMS, vector: vector.map((v) => v / Math.sqrt(sum)) };
}

/** What the lines leave: who must be there, who must not; of others either may be true. */
export function expected(lines: readonly string[]): { readonly there: Set<string>; readonly gone: Set<string> } {
  const there = new Set<string>();
  const gone = new Set<string>();
  for (const line of lines) {
    const person = line.slice(1);
    if (line.startsWith('+')) there.add(person);
    else there.delete(person);
    if (line.startsWith('-')) gone.add(person);
  }
  return { there, gone };
}

export interface Found {
  /** Acknowledged and not there, or not found by their face. */
  readonly lost: readonly string[];
  /** Deleted and still there, or still found. */
  readonly back: readonly string[];
  readonly problems: readonly string[];
  readonly samples: number;
  /** Where opening took the index from, and what it put right. */
  readonly index: Gallery['opened']['index'];
  readonly repaired: readonly string[];
}

/**
 * Opens what the child left and looks for everybody. `whole` also reads and compares everything; without it a part of those
 * who were enrolled long ago is looked for.
 */
export async function inspect(folder: string, lines: readonly string[], whole: boolean): Promise<Found> {
  const { there, gone } = expected(lines);
  await using gallery = await openIn(folder);
  const recent = <T>(all: readonly T[]): readonly T[] =>
    whole ? all : [...all.slice(-400), ...all.slice(0, -400).filter((_, i) => i % 17 === lines.length % 17)];
  const lost: string[] = [];
  const back: string[] = [];
  const look = async (persons: readonly string[], wanted: boolean): Promise<void> => {
    for (let i = 0; i < persons.length; i += 64) {
      const part = persons.slice(i, i + 64);
      const found = await gallery.identifyMany(part.map(faceOf), { threshold: 0.9, k: 1 });
      for (const [j, person] of part.entries()) {
        const [best] = found[j]?.candidates ?? [];
        const matched = best?.match === true && best.person === person;
        const listed = (await gallery.get(person)) !== undefined;
        if (wanted && !(matched && listed)) lost.push(person);
        if (!wanted && (matched || listed)) back.push(person);
      }
    }
  };
  await look(recent([...there]), true);
  await look(recent([...gone]), false);
  const report = whole ? await gallery.check() : undefined;
  const { samples } = await gallery.stats();
  const { index, repaired } = gallery.opened;
  return { lost, back, problems: report?.problems ?? [], samples, index, repaired };
}
