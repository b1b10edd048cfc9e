/** The report's section on expression and quality: one card with panels for each face. */
import { type Markup, markup } from './markup.js';
import { expressionMarkup, qualityMarkup } from './panels.js';
import type { Report } from './report.js';
import { entries, faceCell } from './report-sections.js';

/** Faces with quality, action units or a reading of their expression; left out where there are none. */
export function panelsSection(report: Report): Markup {
  const all = entries(report).filter(({ face }) => face.quality || face.actionUnits || face.expressionReading);
  if (all.length === 0) return markup``;
  return markup`<h2>Expression and quality</h2>
<p class="lead">Scores of quality run from 0 to 100, the worst first; point at a name for the measured value. The names are those of ISO/IEC 29794-5; no conformance is claimed.</p>
<section class="panels">${all.map((entry) => {
    const { quality, actionUnits, expressionReading: reading, expression } = entry.face;
    return markup`<article>${faceCell(entry)}<div>${
      (reading || actionUnits) && expressionMarkup(reading ?? expression, actionUnits)
    }${quality && qualityMarkup(quality)}</div></article>`;
  })}</section>`;
}
