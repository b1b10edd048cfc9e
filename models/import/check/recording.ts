import { join } from 'node:path';
import { importFolder } from '../source.js';
import type { Outputs } from './outputs.js';

/** Values of one output at some places; `values` is base64 of little-endian float32. */
export interface RecordedOutput {
  readonly length: number;
  readonly indices: readonly number[];
  readonly values: string;
}

/** What the origin gave for one crop. */
export interface RecordedRun {
  /** SHA-256 of the input pixels. */
  readonly pixels: string;
  readonly outputs: Readonly<Record<string, RecordedOutput>>;
}

/** File of tests/models/recorded: one network. */
export interface Recording {
  readonly id: string;
  readonly peer: string;
  readonly crops: string;
  readonly runs: readonly RecordedRun[];
}

/** Folder of the recordings. */
export const recordedFolder = join(importFolder, '../../tests/models/recorded');

const EVEN = 48;
const LARGEST = 16;

/** Some of an output's places: evenly spread, and those of the largest magnitude, where detectors have their peaks. */
export function sampleIndices(values: Float32Array): number[] {
  const chosen = new Set<number>();
  const count = Math.min(EVEN, values.length);
  for (let i = 0; i < count; i++) chosen.add(Math.floor((i * values.length) / count));
  const order = Array.from(values.keys()).sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0) || a - b);
  for (const i of order.slice(0, LARGEST)) chosen.add(i);
  return [...chosen].sort((a, b) => a - b);
}

/** The form in which outputs are kept. */
export function recordOutputs(outputs: Outputs): Record<string, RecordedOutput> {
  const entries = Object.entries(outputs).map(([name, values]): [string, RecordedOutput] => {
    const indices = sampleIndices(values);
    const picked = Float32Array.from(indices, (i) => values[i] ?? 0);
    return [name, { length: values.length, indices, values: Buffer.from(picked.buffer).toString('base64') }];
  });
  return Object.fromEntries(entries);
}

/** The recorded numbers. */
export function recordedValues(output: RecordedOutput): Float32Array {
  const bytes = Buffer.from(output.values, 'base64');
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}
