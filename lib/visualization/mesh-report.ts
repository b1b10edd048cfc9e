/** A page of rebuilt faces: photograph, renders from several sides, depth in colours, figures. */
import { abortSignal, invalid, plainObject, positiveInteger } from '../errors/validate.js';
import type { DepthMap, Mesh } from '../reconstruction/index.js';
import type { Box, Pose } from '../types.js';
import { depthPicture } from './depth-map.js';
import { type Markup, markup } from './markup.js';
import { dataUri, faceCrop, open, type Picture, thumbnail } from './picture.js';
import { checkMesh, renderMesh } from './render-mesh.js';
import { pageHead } from './report-head.js';
import { REPORT_STYLE } from './report-style.js';
import type { SurfaceMode } from './viewer.js';

/** A face on the page. */
export interface MeshReportFace {
  readonly name: string;
  /** In the camera frame, millimetres. */
  readonly mesh: Mesh;
  readonly photo?: Picture;
  /** Where the face is in the photograph, which is cut to it; default: all of it is shown. */
  readonly box?: Box;
  /** Where the head looks; views that are not from the front then show that angle of the head, from the side that the camera saw. */
  readonly pose?: Pick<Pose, 'yaw'>;
  readonly depth?: DepthMap;
  /** Label and value: stages and their times, levels and their errors. */
  readonly facts?: readonly (readonly [label: string, value: string])[];
}

/** A direction that every face is drawn from: `yaw` 0 as the camera saw it, else that far from the front. */
export interface MeshReportView {
  readonly name: string;
  readonly yaw: number;
  readonly pitch?: number;
  readonly surface?: SurfaceMode;
}

export interface MeshReportOptions {
  readonly title?: string;
  readonly created?: Date;
  readonly facts?: readonly (readonly [label: string, value: string])[];
  /** Default: front and 45° with texture, 45° and profile plain, which shows the shape alone. */
  readonly views?: readonly MeshReportView[];
  /** Side of a picture in pixels; default 360. */
  readonly side?: number;
  readonly signal?: AbortSignal;
}

const VIEWS: readonly MeshReportView[] = [
  { name: 'Front', yaw: 0 },
  { name: '45°', yaw: 45 },
  { name: '45°, shape alone', yaw: 45, surface: 'plain' },
  { name: 'Profile, shape alone', yaw: 90, surface: 'plain' },
];
const BEHIND = [15, 21, 38] as const;
const KNOWN = ['title', 'created', 'facts', 'views', 'side', 'signal'];

/**
 * A report on rebuilt faces as one self-contained HTML page without scripts; every text in it is escaped. Faces are taken one by
 * one and not kept, so that a long series needs the memory of one.
 *
 * @returns a complete HTML document
 * @throws LineamentError INVALID_ARGUMENT for options or meshes that are not as stated; NO_SURFACE for a mesh without a triangle or
 *   a depth map without depth; ABORTED; what decoding a photograph throws
 */
export async function meshReport(
  faces: Iterable<MeshReportFace> | AsyncIterable<MeshReportFace>,
  options: MeshReportOptions = {},
): Promise<string> {
  plainObject('options', options, KNOWN);
  const side = positiveInteger('side', options.side ?? 360, 4096);
  if (options.signal !== undefined) abortSignal('signal', options.signal);
  const views = options.views ?? VIEWS;
  if (!Array.isArray(views) || views.length === 0) throw invalid('views', 'at least one view', views);
  const cards: Markup[] = [];
  for await (const face of faces) cards.push(await card(face, views, side, options.signal));
  const title = options.title ?? 'Faces in 3D';
  const created = options.created?.toISOString().replace('T', ' ').slice(0, 16);
  return markup`${pageHead(title, STYLE)}
<body>
<header><div><h1>${title}</h1><p>${created !== undefined && `${created} UTC · `}${cards.length} ${cards.length === 1 ? 'face' : 'faces'}${(options.facts ?? []).map(([label, value]) => ` · ${label} ${value}`)}</p></div></header>
<main>
${cards}
<section class="privacy"><h2>How far to trust it</h2><p>A shape that comes from one photograph is an estimate: networks and mean heads say what a face most likely looks like from the side. Pictures and meshes of faces are personal data.</p></section>
</main>
<footer>Made by Lineament on this computer. No picture left it.</footer>
</body>
</html>
`.toString();
}

async function card(
  { name, mesh, photo, box, pose, depth, facts = [] }: MeshReportFace,
  views: readonly MeshReportView[],
  side: number,
  signal: AbortSignal | undefined,
): Promise<Markup> {
  checkMesh(`mesh of ${name}`, mesh);
  const figures: Markup[] = [];
  if (photo !== undefined) {
    const cut = box && (await faceCrop(photo, box, side));
    figures.push(figure('Photograph', dataUri(cut ?? (await thumbnail(photo, side * 2))), name));
  }
  const turned = pose?.yaw ?? 0;
  for (const { name: view, yaw, pitch = 0, surface } of views) {
    const drawn = await renderMesh(mesh, {
      ...{ yaw: yaw === 0 ? 0 : (turned < 0 ? -yaw : yaw) - turned, pitch },
      ...{ width: side, height: side, background: BEHIND },
      ...(surface !== undefined && { surface }),
      ...(signal !== undefined && { signal }),
    });
    const jpeg = await (await open(drawn)).removeAlpha().jpeg({ quality: 88 }).toBuffer();
    figures.push(figure(view, dataUri(jpeg), name));
  }
  if (depth !== undefined) {
    const png = await depthPicture(depth, { legend: true, ...(signal !== undefined && { signal }) });
    const small = await (await open(png)).resize({ height: side }).png().toBuffer();
    figures.push(figure('Depth', dataUri(small, 'image/png'), name));
  }
  const rows = [...ownFacts(mesh, depth), ...facts];
  return markup`<article class="card solid"><h3>${name}</h3><div class="sides">${figures}</div><dl>${rows.map(
    ([label, value]) => markup`<div><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl></article>`;
}

function figure(caption: string, source: string, name: string): Markup {
  return markup`<figure><img src="${source}" alt="${name}: ${caption}"><figcaption>${caption}</figcaption></figure>`;
}

function ownFacts(mesh: Mesh, depth: DepthMap | undefined): [string, string][] {
  const count = (value: number): string => value.toLocaleString('en-US');
  const size = [0, 1, 2].map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < mesh.positions.length; i += 3) {
      low = Math.min(low, mesh.positions[i]!);
      high = Math.max(high, mesh.positions[i]!);
    }
    return (high - low).toFixed(0);
  });
  const rows: [string, string][] = [
    ['Triangles', count(mesh.indices.length / 3)],
    ['Vertices', count(mesh.positions.length / 3)],
    ['Size', `${size.join(' × ')} mm`],
  ];
  if (mesh.texture !== undefined) rows.push(['Texture', `${mesh.texture.width} × ${mesh.texture.height}`]);
  if (depth !== undefined) rows.push(['Scale from', depth.scale.source]);
  return rows;
}

const STYLE = markup([
  `${REPORT_STYLE}
.solid{margin-top:22px}
.solid h3{font-size:17px;margin:0 0 12px}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,150px),1fr));gap:12px;margin-bottom:14px}
.sides figure{margin:0}
.sides img{display:block;width:100%;aspect-ratio:1;object-fit:contain;border-radius:12px;background:#0f1526}
.sides figcaption{padding:6px 2px 0;color:var(--soft);font-size:13px}
.solid dl{display:flex;flex-wrap:wrap;gap:4px 28px;font-variant-numeric:tabular-nums}
.solid dl div{display:flex;gap:8px}
@media print{.solid{break-inside:avoid}}
`,
] as unknown as TemplateStringsArray);
