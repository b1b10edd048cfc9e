import { describe, expect, it } from 'vitest';
import { measureActionUnits, readExpression } from '../../lib/analysis/expression/index.js';
import { EXPRESSIONS, type ExpressionLabel } from '../../lib/types.js';
import {
  expressionPanel,
  PANEL_STYLE,
  type QualityView,
  qualityPanel,
  renderReport,
} from '../../lib/visualization/index.js';
import { project } from '../support/head.js';
import { handMadeFace, openElements } from './faces.js';

const quality: QualityView = {
  score: 62,
  components: {
    sharpness: { score: 91, value: 1.2345, unit: 'px' },
    interEyeDistance: { score: 35, value: 44.25, unit: 'px' },
    exposure: { score: 55 },
    absent: undefined,
  },
  guidance: [{ text: 'Come closer <b>now</b>.' }, { text: 'Too dark.' }],
};
const happy = Object.fromEntries(EXPRESSIONS.map((l) => [l, l === 'happy' ? 0.94 : 0.01])) as Record<
  ExpressionLabel,
  number
>;
const units = measureActionUnits(project({ roll: 0, yaw: 0, pitch: 0 }, 10, [200, 200]))!;

describe('qualityPanel', () => {
  it('shows the unified score, hints, and a bar for each component, the worst first', () => {
    const html = qualityPanel(quality);
    expect(openElements(html)).toEqual([]);
    expect(html).toContain('<b>62<small>');
    const order = [...html.matchAll(/>(Inter eye distance|Exposure|Sharpness)</g)].map(([, name]) => name);
    expect(order).toEqual(['Inter eye distance', 'Exposure', 'Sharpness']);
    const widths = [...html.matchAll(/<i( class="\w+")? style="width:(\d+)%">/g)].map(([, grade, width]) => [
      grade,
      width,
    ]);
    expect(widths).toEqual([
      [' class="poor"', '35'],
      [' class="fair"', '55'],
      [undefined, '91'],
    ]);
    expect(html).toContain('title="44.3 px"');
    expect(html).toContain('title="1.23 px"');
    expect(html).toContain('<li>Come closer &lt;b&gt;now&lt;/b&gt;.</li>');
    expect(html).not.toContain('absent');
  });

  it('leaves out what is not there and escapes every name', () => {
    const html = qualityPanel({
      score: Number.NaN,
      components: { '"><script>': { score: 140, value: 1, unit: '<i>' }, broken: { score: Number.NaN } },
      guidance: [],
    });
    expect(openElements(html)).toEqual([]);
    expect(html).not.toMatch(/<script|NaN|<ul|broken/);
    expect(html).toContain('width:100%');
  });
});

describe('expressionPanel', () => {
  it('shows probabilities, the strongest first, and what follows from them', () => {
    const reading = readExpression({ faceapi: happy, human: happy, units });
    const html = expressionPanel(reading, {
      ...units,
      intensity: { ...units.intensity, AU12: 3.21, AU4: 0.4, AU1: 1 },
    });
    expect(openElements(html)).toEqual([]);
    expect(html).toMatch(/<b>happy<\/b>/);
    expect(html).toContain('94 %');
    expect(html.indexOf('94 %')).toBeLessThan(html.indexOf('1 %'));
    expect(html).toContain(`valence +${reading.valence.toFixed(2)}`);
    expect(html).toMatch(/agreement \d+ %/);
    expect(html).toContain('Lip corner puller');
    expect(html).toContain('3.2');
    expect(html.indexOf('Lip corner puller')).toBeLessThan(html.indexOf('Inner brow raiser'));
    expect(html).not.toContain('Brow lowerer');
    expect(html).toContain('an average neutral face');
    expect(html).toContain('not what the person feels');
  });

  it('shows one network alone, or units alone', () => {
    const alone = expressionPanel({ label: '<happy>', probability: 1, probabilities: { '<happy>': 1 } });
    expect(alone).toContain('&lt;happy&gt;');
    expect(alone).not.toMatch(/valence|Action units|undefined/);
    const still = expressionPanel(undefined, { intensity: { AU12: 0 }, baseline: 'person' });
    expect(still).toContain('None.');
    expect(still).toContain('this person’s neutral face');
    expect(openElements(still)).toEqual([]);
  });
});

describe('report with panels', () => {
  const photo = (faces: readonly object[]) => ({
    created: new Date(0),
    photos: [
      { name: 'a.jpg', width: 400, height: 300, faces: faces.map((more) => handMadeFace([10, 10, 80, 90], more)) },
    ],
  });

  it('has one card for each face with something to show, and its style', () => {
    const html = renderReport(photo([{ quality }, { actionUnits: units }, {}]));
    expect(html).toContain('Expression and quality');
    expect(html.match(/class="panel quality"/g)).toHaveLength(1);
    expect(html.match(/class="panel expression"/g)).toHaveLength(1);
    expect(html.match(/<article>/g)).toHaveLength(2);
    expect(html).toContain(PANEL_STYLE.trim().split('\n')[0]);
    expect(openElements(html)).toEqual([]);
  });

  it('has no such section where nothing was measured', () => {
    expect(renderReport(photo([{}]))).not.toContain('Expression and quality');
  });
});
