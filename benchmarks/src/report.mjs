// Result files and terminal tables.
import fs from 'node:fs';
import path from 'node:path';
import { machine } from './machine.mjs';
import { RESULTS } from './paths.mjs';

/**
 * One number that the issue asks for.
 * @typedef {{id: string, issue?: number, value: number|null, unit: string, goal: number|null, better: 'higher'|'lower',
 *   peer: string|null, note: string}} Figure
 */

/** @param {number|null} value @param {number|null} goal @param {'higher'|'lower'} better */
export function met(value, goal, better) {
  if (goal === null || value === null || !Number.isFinite(value)) return null;
  return better === 'higher' ? value >= goal : value <= goal;
}

const round = (v) => (v === null || !Number.isFinite(v) ? null : Number(v.toPrecision(6)));

/** Makes a figure; not finite becomes null (not measured). @returns {Figure} */
export function figure(id, value, unit, { issue = 2, goal = null, better = 'lower', peer = null, note = '' } = {}) {
  return { id, issue, value: round(value), unit, goal, better, peer, note };
}

/** Prints a table with columns fitted to their content. @param {string[]} head @param {(string|number)[][]} rows */
export function printTable(head, rows) {
  const text = [head, ...rows].map((r) => r.map((c) => String(c ?? '')));
  const width = head.map((_, i) => Math.max(...text.map((r) => (r[i] ?? '').length)));
  text.forEach((r, k) => {
    console.log(r.map((c, i) => (i === 0 ? c.padEnd(width[i]) : c.padStart(width[i]))).join('  '));
    if (k === 0) console.log(width.map((w) => '-'.repeat(w)).join('  '));
  });
}

/** Prints the figures with their goals and writes benchmarks/results/<name>.json. @param {string} name @param {Figure[]} figures */
export function finish(name, figures, extra = {}) {
  console.log();
  printTable(
    ['figure', 'value', 'unit', 'goal', 'met'],
    figures.map((f) => {
      const ok = met(f.value, f.goal, f.better);
      const goal = f.goal === null ? '' : `${f.better === 'higher' ? '>=' : '<='} ${f.goal}`;
      return [f.id, f.value ?? 'not measured', f.unit, goal, ok === null ? '' : ok ? 'yes' : 'NO'];
    }),
  );
  if (process.env.BENCH_SYSTEMS) return;
  fs.mkdirSync(RESULTS, { recursive: true });
  const file = path.join(RESULTS, `${name}.json`);
  const result = { name, date: new Date().toISOString(), machine: machine(), figures, ...extra };
  fs.writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  console.log(`\nwritten: benchmarks/results/${name}.json`);
}
