import { faceColour } from './face.js';
import { formatNumber, joinMarkup, type Markup, markup } from './markup.js';
import { overlayMarkup } from './overlay.js';
import type { MatchMatrix, Report, ReportFace, ReportPhoto } from './report.js';

/** Largest matrix that shows its numbers, and largest that is shown at all. */
const NUMBERED_MATRIX = 32;
const LARGEST_MATRIX = 160;

export interface Entry {
  readonly face: ReportFace;
  readonly photo: ReportPhoto;
  /** Number of the face on its photograph, from 0. */
  readonly index: number;
}

/** All faces of all photographs, in order. */
export function entries(report: Report): Entry[] {
  return report.photos.flatMap((photo) => photo.faces.map((face, index) => ({ face, photo, index })));
}

const stem = (name: string): string => name.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, '');
const nameOf = (entry: Entry): string => entry.face.name ?? `${stem(entry.photo.name)} #${entry.index + 1}`;
const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
const uri = (image: string | undefined): string | undefined => (image?.startsWith('data:image/') ? image : undefined);

/** A similarity as it is shown: three decimals, as some recognisers keep theirs close together. */
const shown3 = (value: number): string => value.toFixed(3);

/** "1 in 1,000" for a false match rate of 0.001. */
export function describeRate(rate: number): string {
  if (!(rate > 0)) return 'below what was measured';
  if (rate >= 0.1) return `${formatNumber(rate * 100, 1)} %`;
  const times = 1 / rate;
  return `1 in ${Math.round(times).toLocaleString('en-US')}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Pairs of faces from different photographs at or above the threshold. */
function matchingPairs(matches: MatchMatrix, all: readonly Entry[]): number {
  let pairs = 0;
  for (let i = 0; i < matches.faces.length; i++) {
    for (let j = i + 1; j < matches.faces.length; j++) {
      const a = all[matches.faces[i] ?? -1];
      const b = all[matches.faces[j] ?? -1];
      if (a && b && a.photo !== b.photo && (matches.similarity[i]?.[j] ?? Number.NaN) >= matches.threshold) pairs++;
    }
  }
  return pairs;
}

export function summary(report: Report): Markup {
  const all = entries(report);
  const times = report.photos.flatMap((photo) => (photo.milliseconds === undefined ? [] : [photo.milliseconds]));
  const failed = report.photos.filter((photo) => photo.error).length;
  const stats: [string, string][] = [
    [String(report.photos.length), report.photos.length === 1 ? 'photograph' : 'photographs'],
    [String(all.length), all.length === 1 ? 'face' : 'faces'],
  ];
  if (report.matches) {
    const pairs = matchingPairs(report.matches, all);
    stats.push([String(pairs), pairs === 1 ? 'match across photographs' : 'matches across photographs']);
    if (report.matches.fmr !== undefined) stats.push([describeRate(report.matches.fmr), 'false match rate asked for']);
  }
  if (times.length > 0) stats.push([`${formatNumber(median(times), 0)} ms`, 'per photograph, median']);
  if (failed > 0) stats.push([String(failed), 'could not be read']);
  return markup`<section class="stats">${stats.map(([value, label]) => markup`<div class="stat"><b>${value}</b><span>${label}</span></div>`)}</section>`;
}

export function photoGallery(report: Report): Markup {
  if (report.photos.length === 0) return markup`<h2>Photographs</h2><p class="lead">None.</p>`;
  const all = report.photos.flatMap((photo) => photo.faces);
  const toggles: [string, string, boolean][] = [
    ['boxes', 'Boxes', true],
    ['points', '68 landmarks', all.some((face) => face.landmarks)],
    ['pose', 'Head pose', all.some((face) => face.pose)],
    ['labels', 'Numbers', true],
  ];
  return markup`<h2>Photographs</h2>
<div class="toolbar" role="group" aria-label="What to draw">${toggles
    .filter(([, , shown]) => shown)
    .map(([id, text]) => markup`<label><input type="checkbox" id="show-${id}" checked>${text}</label>`)}</div>
<section class="photos">${report.photos.map((photo) => figure(photo))}</section>`;
}

function figure(photo: ReportPhoto): Markup {
  if (photo.error) {
    return markup`<figure class="photo"><div class="problem"><b>${photo.error.code}</b><br>${photo.error.message}</div><figcaption><b title="${photo.name}">${photo.name}</b><span>not read</span></figcaption></figure>`;
  }
  const image = uri(photo.image);
  const facts = [`${photo.width} × ${photo.height}`, plural(photo.faces.length, 'face')];
  if (photo.milliseconds !== undefined) facts.push(`${formatNumber(photo.milliseconds, 0)} ms`);
  const wide = photo.width / photo.height > 1.9 || photo.faces.length > 12;
  return markup`<figure class="photo${wide && ' wide'}" style="--r:${formatNumber(photo.width / photo.height, 3)}"><div class="canvas"><div>${
    image &&
    markup`<img src="${image}" alt="${photo.name}" width="${photo.width}" height="${photo.height}" loading="lazy">`
  }${overlayMarkup(photo, photo.faces)}</div></div><figcaption><b title="${photo.name}">${photo.name}</b><span>${facts.join(' · ')}</span></figcaption></figure>`;
}

/** Picture and name of a face. */
export function faceCell(entry: Entry): Markup {
  const crop = uri(entry.face.crop);
  return markup`<span class="face" style="--face:${faceColour(entry.index)}">${
    crop && markup`<img src="${crop}" alt="" loading="lazy">`
  }<span class="who"><span>${nameOf(entry)}</span></span></span>`;
}

const ABSENT = markup`<td class="number absent">–</td>`;
const numberCell = (value: number | undefined, digits: number, unit = ''): Markup =>
  value === undefined || !Number.isFinite(value)
    ? ABSENT
    : markup`<td class="number">${value.toFixed(digits).replace(/^-(0(?:\.0*)?)$/, '$1')}${unit}</td>`;

interface Column {
  readonly title: string;
  readonly number?: boolean;
  readonly shown: (face: ReportFace) => boolean;
  readonly cell: (entry: Entry) => Markup;
}

const share = (value: number): Markup =>
  markup`<span class="bar"><i style="width:${formatNumber(Math.min(1, Math.max(0, value)) * 100, 0)}%"></i></span>`;

const COLUMNS: readonly Column[] = [
  { title: 'Score', number: true, shown: () => true, cell: ({ face }) => numberCell(face.score, 2) },
  {
    title: 'Size',
    number: true,
    shown: () => true,
    cell: ({ face }) => numberCell(face.size ?? Math.min(face.box[2], face.box[3]), 0, ' px'),
  },
  {
    title: 'Sharpness',
    number: true,
    shown: (f) => f.sharpness !== undefined,
    cell: ({ face }) => numberCell(face.sharpness, 0),
  },
  {
    title: 'Roll',
    number: true,
    shown: (f) => f.pose !== undefined,
    cell: ({ face }) => numberCell(face.pose?.roll, 0, '°'),
  },
  {
    title: 'Yaw',
    number: true,
    shown: (f) => f.pose !== undefined,
    cell: ({ face }) => numberCell(face.pose?.yaw, 0, '°'),
  },
  {
    title: 'Pitch',
    number: true,
    shown: (f) => f.pose !== undefined,
    cell: ({ face }) => numberCell(face.pose?.pitch, 0, '°'),
  },
  { title: 'Age', number: true, shown: (f) => f.age !== undefined, cell: ({ face }) => numberCell(face.age, 0) },
  {
    title: 'Gender',
    shown: (f) => f.gender !== undefined,
    cell: ({ face }) =>
      face.gender
        ? markup`<td>${share(face.gender.probability)}${face.gender.label} ${formatNumber(face.gender.probability * 100, 0)} %</td>`
        : ABSENT,
  },
  {
    title: 'Expression',
    shown: (f) => f.expression !== undefined,
    cell: ({ face }) =>
      face.expression
        ? markup`<td title="${expressionTitle(face)}">${share(face.expression.probability)}${face.expression.label} ${formatNumber(face.expression.probability * 100, 0)} %</td>`
        : ABSENT,
  },
];

function expressionTitle(face: ReportFace): string {
  return Object.entries(face.expression?.probabilities ?? {})
    .sort((a, b) => b[1] - a[1])
    .map(([label, probability]) => `${label} ${formatNumber(probability * 100, 1)} %`)
    .join(', ');
}

/** The most similar face on another photograph, by row of the matrix. */
function bestOther(
  matches: MatchMatrix,
  all: readonly Entry[],
  row: number,
): { entry: Entry; similarity: number } | undefined {
  const self = all[matches.faces[row] ?? -1];
  let best: { entry: Entry; similarity: number } | undefined;
  for (const [column, face] of matches.faces.entries()) {
    const entry = all[face];
    const similarity = matches.similarity[row]?.[column] ?? Number.NaN;
    if (!entry || !self || entry.photo === self.photo || !Number.isFinite(similarity)) continue;
    if (!best || similarity > best.similarity) best = { entry, similarity };
  }
  return best;
}

function bestCell(report: Report, all: readonly Entry[], index: number): Markup {
  const matches = report.matches;
  const row = matches?.faces.indexOf(index) ?? -1;
  const best = matches && row >= 0 ? bestOther(matches, all, row) : undefined;
  if (!matches || !best) return markup`<td class="absent">–</td>`;
  const match = best.similarity >= matches.threshold;
  return markup`<td><span class="pill${match && ' yes'}">${match ? 'match' : 'no match'}</span> ${nameOf(best.entry)} <small>${shown3(best.similarity)}</small></td>`;
}

export function facesTable(report: Report): Markup {
  const all = entries(report);
  if (all.length === 0) return markup``;
  const columns = COLUMNS.filter((column) => all.some((entry) => column.shown(entry.face)));
  const matched = report.matches !== undefined;
  return markup`<h2>Faces</h2>
<p class="lead">What was measured on each face. Age, gender and expression are what networks were taught to name, not facts about a person.</p>
<div class="scroll"><table><thead><tr><th>Face</th>${columns.map((column) => markup`<th${column.number && ATTR_NUMBER}>${column.title}</th>`)}${matched && markup`<th>Closest on another photograph</th>`}</tr></thead><tbody>${all.map(
    (entry, index) =>
      markup`<tr><td>${faceCell(entry)}</td>${columns.map((column) => column.cell(entry))}${matched && bestCell(report, all, index)}</tr>`,
  )}</tbody></table></div>`;
}

const ATTR_NUMBER = markup` class="number"`;

export function matrixSection(report: Report): Markup {
  const { matches } = report;
  if (!matches || matches.faces.length < 2) return markup``;
  const all = entries(report);
  const shown = Math.min(matches.faces.length, LARGEST_MATRIX);
  const compact = shown > NUMBERED_MATRIX;
  const rows = matches.faces.slice(0, shown).map((face) => all[face]);
  const head = rows.map((entry) => {
    const crop = uri(entry?.face.crop);
    return markup`<th title="${entry && nameOf(entry)}" style="--face:${faceColour(entry?.index ?? 0)}">${crop && markup`<img src="${crop}" alt="">`}<small>${entry && shortName(entry)}</small></th>`;
  });
  const lowest = lowestSimilarity(matches);
  const body = rows.map((entry, row) => {
    const cells = rows.map((other, column) => matrixCell(matches, lowest, row, column, entry, other));
    return markup`<tr><th>${entry && faceCell(entry)}</th>${cells}</tr>`;
  });
  const rate =
    matches.fmr === undefined ? '' : ` That threshold stands for a false match rate of ${describeRate(matches.fmr)}.`;
  const cut = shown < matches.faces.length ? ` The first ${shown} of ${matches.faces.length} faces are shown.` : '';
  return markup`<h2>Who is who</h2>
<p class="lead">Similarity of every face with every other; from ${shown3(matches.threshold)} on, two faces count as one person.${rate}${cut}</p>
<div class="scroll matrix${compact && ' compact'}"><table><thead><tr><th></th>${head}</tr></thead><tbody>${body}</tbody></table>
<div class="legend"><span><i style="background:rgb(var(--match)/.7)"></i>match (${shown3(matches.threshold)} and above)</span><span><i style="background:rgb(var(--other)/.35)"></i>different, the stronger the closer</span></div></div>`;
}

const shortName = (entry: Entry): string =>
  entry.face.name ??
  `${stem(entry.photo.name)
    .replace(/^.*?(\d+)$/, '$1')
    .slice(-8)}·${entry.index + 1}`;

/** The lowest similarity of two faces: where the scale of colours begins. */
function lowestSimilarity(matches: MatchMatrix): number {
  let lowest = matches.threshold;
  for (const row of matches.similarity) for (const value of row) if (value < lowest) lowest = value;
  return lowest;
}

function matrixCell(
  matches: MatchMatrix,
  lowest: number,
  row: number,
  column: number,
  a: Entry | undefined,
  b: Entry | undefined,
): Markup {
  if (row === column) return markup`<td class="self">–</td>`;
  const similarity = matches.similarity[row]?.[column] ?? Number.NaN;
  if (!Number.isFinite(similarity)) return markup`<td class="self"></td>`;
  const match = similarity >= matches.threshold;
  const strength = match
    ? 0.35 + 0.5 * ((similarity - matches.threshold) / Math.max(1e-6, 1 - matches.threshold))
    : 0.04 + 0.36 * Math.max(0, (similarity - lowest) / Math.max(1e-6, matches.threshold - lowest)) ** 2;
  const title = `${a ? nameOf(a) : ''} and ${b ? nameOf(b) : ''}: ${shown3(similarity)}${match ? ', match' : ''}`;
  return markup`<td${match && ATTR_MATCH} title="${title}" style="background:rgb(var(--${match ? 'match' : 'other'})/${formatNumber(Math.min(0.85, strength))})">${shown3(similarity)}</td>`;
}

const ATTR_MATCH = markup` class="match"`;

export function timingSection(report: Report): Markup {
  const timings = (report.timings ?? []).filter((timing) => Number.isFinite(timing.milliseconds));
  if (timings.length === 0) return markup``;
  const most = Math.max(...timings.map((timing) => timing.milliseconds), 1e-9);
  const text = (ms: number): string =>
    ms >= 10_000 ? `${formatNumber(ms / 1000, 1)} s` : `${formatNumber(ms, ms < 10 ? 1 : 0)} ms`;
  return markup`<h2>Time</h2><p class="lead">Measured in this run.</p><div class="scroll"><div class="times">${timings.map(
    ({ label, milliseconds }) =>
      markup`<div>${label}</div><div class="track"><i style="width:${formatNumber(Math.max(0.5, (milliseconds / most) * 100), 1)}%"></i></div><span>${text(milliseconds)}</span>`,
  )}</div></div>`;
}

export function modelCards(report: Report): Markup {
  const models = report.models ?? [];
  if (models.length === 0) return markup``;
  return markup`<h2>Networks</h2>
<p class="lead">The networks that took part, where their weights come from, and under which licence. A licence on weights says nothing about the photographs they were trained on.</p>
<section class="cards">${models.map((model) => {
    const rows: [string, MarkupText][] = [
      ['Licence', model.licence],
      ['Origin', model.origin],
    ];
    if (model.training) rows.push(['Training', model.training]);
    if (model.bytes !== undefined) rows.push(['Size', `${formatNumber(model.bytes / 1e6, 2)} MB`]);
    if (model.sha256)
      rows.push(['SHA-256', markup`<code title="${model.sha256}">${model.sha256.slice(0, 16)}…</code>`]);
    return markup`<article class="card"><h3>${model.id}</h3><p>${model.task}</p><dl>${rows.map(([label, value]) => markup`<dt>${label}</dt><dd>${value}</dd>`)}</dl></article>`;
  })}</section>`;
}

type MarkupText = Markup | string;

export function privacyNote(): Markup {
  return joinMarkup([
    markup`<section class="privacy"><h2>Privacy</h2>`,
    markup`<p>This page holds photographs of people and measurements of their faces. In many countries that is personal data, and some of it biometric: keep it only as long as it is needed, and share it only with those who may see it.</p>`,
    markup`<p>It loads nothing from elsewhere and sends nothing anywhere. The vectors that faces are recognised by are not in it.</p></section>`,
  ]);
}
