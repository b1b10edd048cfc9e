import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KNOWN_PRESETS } from '../../../lib/engine/host/measured.js';
import { type Candidate, choose } from '../../../lib/engine/host/selection.js';
import { root } from '../../support/child.js';

const measured = KNOWN_PRESETS.flatMap(({ preset: { name }, milliseconds, accuracy, bytes }): Candidate[] =>
  milliseconds === undefined || accuracy === undefined || bytes === undefined
    ? []
    : [{ name, milliseconds, accuracy, bytes }],
);

const figure = (file: string, id: string): number => {
  const { figures } = JSON.parse(readFileSync(join(root, 'benchmarks', 'results', `${file}.json`), 'utf8')) as {
    figures: { id: string; value: number }[];
  };
  return figures.find((one) => one.id === id)!.value;
};

test('each requirement takes what is best for it', () => {
  expect(choose('speed', measured)?.name).toBe('fast');
  expect(choose('balanced', measured)?.name).toBe('balanced');
  expect(choose('accuracy', measured)?.name).toBe('accurate');
  expect(choose('minimal_memory', measured)?.name).toBe('fast');
  expect(choose('balanced', measured)?.reason).toContain('of 4 that fit');
});

test('among those that fit, and none where none does', () => {
  const some = measured.filter(({ name }) => name === 'crowd' || name === 'fast');
  expect(choose('accuracy', some)?.name).toBe('crowd');
  expect(choose('balanced', some)?.name).toBe('crowd');
  expect(choose('speed', [])).toBeUndefined();
});

test('of equals the quicker one', () => {
  const [one] = measured;
  const twin = { ...one!, name: 'twin', milliseconds: one!.milliseconds / 2 };
  for (const requirement of ['accuracy', 'minimal_memory', 'balanced', 'speed'] as const) {
    expect(choose(requirement, [one!, twin])?.name).toBe('twin');
  }
});

test('the figures are those of the benchmarks', () => {
  expect(measured.map(({ name }) => name).sort()).toEqual(['accurate', 'balanced', 'crowd', 'fast']);
  for (const { name, milliseconds, accuracy, bytes } of measured) {
    // Benchmarks are run again now and then: the same to a fifth.
    const near = (value: number, id: string, wanted: number): void => {
      expect(Math.abs(value / wanted - 1), `${id} of ${name}`).toBeLessThan(0.2);
    };
    near(milliseconds, 'milliseconds', figure('pipeline', `pipeline.640x480.${name}`));
    near(bytes, 'bytes', figure('startup', `startup.resident.${name}`) * 2 ** 20);
    const found = figure('detection', `detection.groups.found.${name}`) / 99;
    near(accuracy, 'accuracy', (found * figure('recognition', `recognition.degraded.tpr-at-fpr1.${name}`)) / 100);
  }
});
