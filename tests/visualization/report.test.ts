import { describe, expect, it } from 'vitest';
import { dataUri, type Report, type ReportFace, renderReport, thumbnail } from '../../lib/visualization/index.js';
import { handMadeFace, openElements, sample } from './faces.js';

const EVIL = `<img src=x onerror="alert(1)">'&`;

async function report(more: Partial<Report> = {}): Promise<Report> {
  const image = dataUri(await thumbnail(sample(1), 200));
  const face: ReportFace = handMadeFace([300, 250, 200, 260], {
    age: 31.4,
    sharpness: 210.6,
    gender: { label: 'female', probability: 0.93 },
    expression: {
      label: 'happy',
      probability: 0.81,
      probabilities: {
        neutral: 0.1,
        happy: 0.81,
        sad: 0.01,
        angry: 0.02,
        fearful: 0.02,
        disgusted: 0.02,
        surprised: 0.02,
      },
    },
  });
  return {
    created: new Date('2026-11-21T10:00:00Z'),
    facts: [['preset', 'balanced']],
    photos: [
      { name: 'one.jpg', width: 1920, height: 1280, image, faces: [face, { ...face, name: EVIL }], milliseconds: 41 },
      { name: `${EVIL}.jpg`, width: 1920, height: 1280, image, faces: [face], milliseconds: 43 },
      { name: 'broken.jpg', width: 0, height: 0, faces: [], error: { code: 'IMAGE_CORRUPT', message: EVIL } },
    ],
    matches: {
      faces: [0, 1, 2],
      similarity: [
        [1, 0.12, 0.88],
        [0.12, 1, Number.NaN],
        [0.88, Number.NaN, 1],
      ],
      threshold: 0.5,
      fmr: 0.001,
    },
    timings: [{ label: 'Faces', milliseconds: 84 }],
    models: [
      { id: EVIL, task: 'face-detection', licence: 'MIT', origin: 'a package', sha256: 'a'.repeat(64), bytes: 1e6 },
    ],
    ...more,
  };
}

describe('renderReport', () => {
  it('is a balanced document with every section', async () => {
    const html = renderReport(await report());
    expect(html.startsWith('<!doctype html>')).toBe(true);
    expect(openElements(html)).toEqual([]);
    for (const heading of ['Photographs', 'Faces', 'Who is who', 'Time', 'Networks', 'Privacy']) {
      expect(html).toContain(`<h2>${heading}</h2>`);
    }
    expect(html.match(/<figure/g)).toHaveLength(3);
    expect(html.match(/viewBox="0 0 1920 1280"/g)).toHaveLength(2);
  });

  it('loads nothing: no script, no link, only data URIs, and a policy that forbids the rest', async () => {
    const html = renderReport(await report());
    expect(html).not.toMatch(/<script|<link|<iframe|@import|url\(/i);
    expect(html).toContain(`default-src 'none'; img-src data:; style-src 'unsafe-inline'`);
    for (const [, source] of html.matchAll(/src="([^"]*)"/g)) expect(source).toMatch(/^data:image\//);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
  });

  it('escapes every name, label and message', async () => {
    const html = renderReport(await report({ title: EVIL, facts: [[EVIL, EVIL]] }));
    expect(html).not.toContain('<img src=x');
    expect(html).not.toContain('onerror="');
    expect(html.split('&lt;img src=x').length).toBeGreaterThan(6);
    expect(openElements(html)).toEqual([]);
  });

  it('shows an image only where it is a data URI', async () => {
    const base = await report();
    const photos = base.photos.map((photo) => ({ ...photo, image: 'https://example.org/x.jpg' }));
    expect(renderReport({ ...base, photos })).not.toContain('example.org');
  });

  it('shows what was measured and leaves out what was not', async () => {
    const html = renderReport(await report());
    expect(html).toContain('female 93 %');
    expect(html).toContain('happy 81 %');
    expect(html).toContain('211</td>');
    const bare = renderReport({
      created: new Date(0),
      photos: [{ name: 'a.jpg', width: 10, height: 10, faces: [{ box: [1, 1, 5, 5], score: 0.5 }] }],
    });
    for (const title of ['Age', 'Gender', 'Expression', 'Roll', 'Sharpness', 'Who is who', 'Networks', 'Time']) {
      expect(bare).not.toContain(`>${title}<`);
    }
    expect(openElements(bare)).toEqual([]);
  });

  it('states the closest face on another photograph and the rate that the threshold stands for', async () => {
    const html = renderReport(await report());
    expect(html).toMatch(/<span class="pill yes">match<\/span> one #1 <small>0\.880/);
    expect(html).toContain('1 in 1,000');
    expect(html).toMatch(/<b>1<\/b><span>match across photographs/);
    expect(html.match(/<td class="match"/g)).toHaveLength(2);
  });

  it('holds no embedding, even where the faces carry one', async () => {
    const base = await report();
    const photos = base.photos.map((photo) => ({
      ...photo,
      faces: photo.faces.map((face) => ({
        ...face,
        embedding: { model: 'm', dims: 2, vector: Float32Array.of(0.123456, 0.98765) },
      })),
    }));
    expect(renderReport({ ...base, photos })).not.toContain('0.123456');
  });

  it('cuts a matrix that is too large and says so', async () => {
    const faces = Array.from({ length: 200 }, () => handMadeFace([1, 1, 5, 5]));
    const html = renderReport({
      created: new Date(0),
      photos: [{ name: 'a.jpg', width: 10, height: 10, faces }],
      matches: { faces: faces.map((_, i) => i), similarity: faces.map(() => faces.map(() => 0.2)), threshold: 0.5 },
    });
    expect(html).toContain('The first 160 of 200 faces are shown.');
    expect(html).toContain('matrix compact');
  });

  it('is a page for no photographs too', () => {
    const html = renderReport({ created: new Date(Number.NaN), photos: [] });
    expect(openElements(html)).toEqual([]);
    expect(html).toContain('<b>0</b>');
  });
});
