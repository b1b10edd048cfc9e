// Writes what benchmarks/results/*.json hold into README.md, between two comments.
//
//   node scripts/figures.mjs            rewrites the section
//   node scripts/figures.mjs --check    exit 1 where the section is not what the results say
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const BEGIN = '<!-- figures: begin (written by scripts/figures.mjs) -->';
const END = '<!-- figures: end -->';

/** Text inside a table cell of Markdown. */
const cell = (text) =>
  String(text ?? '')
    .replaceAll('|', '\\|')
    .replace(/\s+/g, ' ')
    .trim();

/** A number with the digits that matter. */
function number(value) {
  if (value === null || value === undefined) return 'not measured';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}

function verdict({ value, goal, better }) {
  if (goal === null || goal === undefined) return '';
  if (value === null || value === undefined) return 'not measured';
  return (better === 'higher' ? value >= goal : value <= goal) ? 'yes' : '**no**';
}

const goalText = ({ goal, better }) =>
  goal === null || goal === undefined ? '' : `${better === 'higher' ? '≥' : '≤'} ${number(goal)}`;

function table(figures) {
  const rows = figures.map((one) => {
    const value =
      one.value === null || one.value === undefined ? 'not measured' : `${number(one.value)} ${one.unit ?? ''}`;
    return `| \`${cell(one.id)}\` | ${cell(value)} | ${goalText(one)} | ${verdict(one)} | ${cell(one.peer)} | ${cell(one.note)} |`;
  });
  return ['| figure | value | goal | met | peer | note |', '|---|---:|---:|:---:|---|---|', ...rows].join('\n');
}

/** One result file as Markdown: the figures with a goal in the open, the others folded away. */
function section({ name, date, machine = {}, figures = [] }) {
  const facts = [
    `measured ${String(date).slice(0, 10)}`,
    machine.cpu,
    machine.threads && `${machine.threads} threads`,
    machine.node && `Node ${machine.node}`,
    Array.isArray(machine.load) && `load ${machine.load[0]}`,
  ].filter(Boolean);
  const aimed = figures.filter(({ goal }) => goal !== null && goal !== undefined);
  const others = figures.filter(({ goal }) => goal === null || goal === undefined);
  const parts = [`### ${cell(name)}`, '', `${cell(facts.join(', '))}.`, ''];
  if (aimed.length > 0) parts.push(table(aimed), '');
  if (others.length > 0)
    parts.push(
      `<details><summary>${others.length} ${others.length === 1 ? 'figure' : 'figures'} without a goal</summary>`,
      '',
      table(others),
      '',
      '</details>',
      '',
    );
  return parts.join('\n');
}

/** The whole section for the results in a folder. */
export function figuresText(folder) {
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()
    : [];
  const results = files
    .map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')))
    .filter(({ figures }) => Array.isArray(figures));
  if (results.length === 0)
    return '_Not measured yet: `npm run bench` measures, `node scripts/figures.mjs` writes this table._\n';
  return results.map(section).join('\n');
}

/** Puts text between the two comments of a document. */
export function withFigures(document, text) {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md has lost its comments ${BEGIN} and ${END}`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${text}\n${document.slice(to)}`;
}

function main() {
  const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
  const file = path.join(root, 'README.md');
  const before = readFileSync(file, 'utf8');
  const after = withFigures(before, figuresText(path.join(root, 'benchmarks', 'results')));
  if (process.argv.includes('--check')) {
    if (before === after) return;
    console.error("The figures in README.md are not those of benchmarks/results: run 'node scripts/figures.mjs'.");
    process.exitCode = 1;
    return;
  }
  if (before !== after) writeFileSync(file, after);
  console.log(before === after ? 'README.md: figures are up to date' : 'README.md: figures written');
}

if (process.argv[1] && import.meta.url === pathToFileURL(path.resolve(process.argv[1])).href) main();
