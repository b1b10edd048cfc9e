import type { Face } from '../types.js';
import { type Markup, markup } from './markup.js';
import { type ActionUnitsView, type ExpressionView, PANEL_STYLE, type QualityView } from './panels.js';
import { pageHead } from './report-head.js';
import { panelsSection } from './report-panels.js';
import {
  facesTable,
  matrixSection,
  modelCards,
  photoGallery,
  privacyNote,
  summary,
  timingSection,
} from './report-sections.js';
import { REPORT_STYLE } from './report-style.js';

/** A face in the report: what was measured, and a picture of it. */
export interface ReportFace extends Omit<Face, 'embedding' | 'quality' | 'actionUnits' | 'expressionReading'> {
  /** Square picture of the face as a `data:` URI. */
  readonly crop?: string;
  /** A name to show instead of "photo, number". */
  readonly name?: string;
  /** Components, unified score and hints. */
  readonly quality?: QualityView;
  readonly actionUnits?: ActionUnitsView;
  /** Expression of both networks and the action units. */
  readonly expressionReading?: ExpressionView;
}

/** A photograph in the report. */
export interface ReportPhoto {
  /** Shown as the caption; a file name, most often. */
  readonly name: string;
  /** Size in pixels of the upright photograph that the faces refer to. */
  readonly width: number;
  readonly height: number;
  /** The photograph as a `data:` URI; its size in pixels is free, its shape is not. */
  readonly image?: string;
  readonly faces: readonly ReportFace[];
  /** Milliseconds from the file to its faces. */
  readonly milliseconds?: number;
  /** Set where the photograph could not be used. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Every face against every other. Rows and columns are the faces of all photographs in order. */
export interface MatchMatrix {
  /** Index into the report's faces (all photographs' faces, in order) for each row. */
  readonly faces: readonly number[];
  /** `similarity[i][j]` of row i and column j; NaN where it is not known. */
  readonly similarity: readonly (readonly number[])[];
  /** Similarity from which two faces count as one person. */
  readonly threshold: number;
  /** False match rate that the threshold stands for, 0–1. */
  readonly fmr?: number;
}

/** One line of the timing summary. */
export interface ReportTiming {
  readonly label: string;
  readonly milliseconds: number;
}

/** One network that took part. */
export interface ReportModel {
  readonly id: string;
  readonly task: string;
  readonly licence: string;
  /** Where the weights come from: package and version. */
  readonly origin: string;
  readonly training?: string;
  readonly sha256?: string;
  readonly bytes?: number;
}

/** Everything that a report shows; sections without data are left out. */
export interface Report {
  readonly title?: string;
  /** When the report was made. */
  readonly created: Date;
  /** Facts about the run, as label and value: preset, threads, processor, versions. */
  readonly facts?: readonly (readonly [label: string, value: string])[];
  readonly photos: readonly ReportPhoto[];
  readonly matches?: MatchMatrix;
  readonly timings?: readonly ReportTiming[];
  readonly models?: readonly ReportModel[];
}

const MARK = markup`<svg class="mark" viewBox="0 0 64 64" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M6 18V12a6 6 0 0 1 6-6h6M46 6h6a6 6 0 0 1 6 6v6M58 46v6a6 6 0 0 1-6 6h-6M18 58h-6a6 6 0 0 1-6-6v-6"/><path d="M17 25c0 14 5 24 15 24s15-10 15-24" opacity=".55"/><path d="M19 24c3-2 6-2 9 0M36 24c3-2 6-2 9 0M32 27v8l-3 2h6M26 42c4 2 8 2 12 0"/></svg>`;

/**
 * A report as one self-contained HTML page: photographs with overlays, a table of faces, panels for expression and quality, the match matrix, timings, the
 * networks with licence and provenance, and a note on privacy. The page loads nothing and runs no script (its
 * content-security policy forbids both); every text in it is escaped.
 *
 * @returns a complete HTML document
 */
export function renderReport(report: Report): string {
  return page(report).toString();
}

function page(report: Report): Markup {
  const title = report.title ?? 'Lineament report';
  const created = Number.isNaN(report.created.getTime())
    ? ''
    : report.created.toISOString().replace('T', ' ').slice(0, 16);
  return markup`${pageHead(title, STYLE)}
<body>
<header>${MARK}<div><h1>${title}</h1><p>${created && `${created} UTC`}${(report.facts ?? []).map(
    ([label, value]) => ` · ${label} ${value}`,
  )}</p></div></header>
<main>
${summary(report)}
${photoGallery(report)}
${facesTable(report)}
${panelsSection(report)}
${matrixSection(report)}
${timingSection(report)}
${modelCards(report)}
${privacyNote()}
</main>
<footer>Made by Lineament on this computer. No picture left it.</footer>
</body>
</html>
`;
}

const STYLE = markup([REPORT_STYLE + PANEL_STYLE] as unknown as TemplateStringsArray);
