// Writes what benchmarks/results/*.json hold: the figures that have a goal into README.md, between two comments, and all of them
// with their notes into benchmarks/FIGURES.md.
//
//   node scripts/figures.mjs            rewrites both
//   node scripts/figures.mjs --check    exit 1 where one of them is not what the results say
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

const valueText = ({ value, unit }) =>
  value === null || value === undefined ? 'not measured' : `${number(value)} ${unit ?? ''}`;
const hasGoal = ({ goal }) => goal !== null && goal !== undefined;

/** A table of figures; `full` adds the note. */
function table(figures, full) {
  const rows = figures.map((one) => {
    const cells = [`\`${cell(one.id)}\``, cell(valueText(one)), goalText(one), verdict(one), cell(one.peer)];
    return `| ${[...cells, ...(full ? [cell(one.note)] : [])].join(' | ')} |`;
  });
  const head = ['figure', 'value', 'goal', 'met', 'peer', ...(full ? ['note'] : [])];
  const rule = ['---', '---:', '---:', ':---:', '---', ...(full ? ['---'] : [])];
  return [`| ${head.join(' | ')} |`, `|${rule.join('|')}|`, ...rows].join('\n');
}

/** When and where a result was measured. */
function circumstances({ date, machine = {} }) {
  const facts = [
    `measured ${String(date).slice(0, 10)}`,
    machine.cpu,
    machine.threads && `${machine.threads} threads`,
    machine.node && `Node ${machine.node}`,
    Array.isArray(machine.load) && `load ${machine.load[0]}`,
  ];
  return cell(facts.filter(Boolean).join(', '));
}

/** One result file as Markdown: every figure with its note. */
function section(result) {
  const { name, figures = [] } = result;
  const sorted = [...figures.filter(hasGoal), ...figures.filter((one) => !hasGoal(one))];
  return [`## ${cell(name)}`, '', `${circumstances(result)}.`, '', table(sorted, true), ''].join('\n');
}

const NOTHING = '_Not measured yet: `npm run bench` measures, `node scripts/figures.mjs` writes this table._\n';

/** The results in a folder, in the order of their names. */
function resultsIn(folder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  return files
    .sort()
    .map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')))
    .filter(({ figures }) => Array.isArray(figures));
}

/** The figures that have a goal, in one table. */
export function goalsText(folder) {
  const figures = resultsIn(folder).flatMap((result) => result.figures.filter(hasGoal));
  return figures.length === 0 ? NOTHING : `${table(figures, false)}\n`;
}

/** All figures. */
export function figuresText(folder) {
  const results = resultsIn(folder);
  const head =
    '# Figures\n\nWritten by `scripts/figures.mjs` from `benchmarks/results/`; `npm run bench -- NAME` measures again.\n';
  return `${head}\n${results.length === 0 ? NOTHING : results.map(section).join('\n')}`;
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
  const results = path.join(root, 'benchmarks', 'results');
  const readme = path.join(root, 'README.md');
  const wanted = [
    [readme, withFigures(readFileSync(readme, 'utf8'), goalsText(results))],
    [path.join(root, 'benchmarks', 'FIGURES.md'), figuresText(results)],
  ];
  for (const [file, after] of wanted) {
    const name = path.relative(root, file).replaceAll('\\', '/');
    const same = existsSync(file) && readFileSync(file, 'utf8') === after;
    if (same) console.log(`${name}: figures are up to date`);
    else if (process.argv.includes('--check')) {
      console.error(`The figures in ${name} are not those of benchmarks/results: run 'node scripts/figures.mjs'.`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, after);
      console.log(`${name}: figures written`);
    }
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(path.resolve(process.argv[1])).href) main();
