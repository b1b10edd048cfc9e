// From a photograph of 640 × 480 to a textured GLB with four levels of detail: what comes on top of the networks, stage by stage.
// Faces of the sample photographs are cut out so that the face is as large as somebody's in front of a kiosk.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { sharp } from './frames.mjs';
import { median } from './metrics.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { ROOT } from './paths.mjs';
import { figure, finish } from './report.mjs';

const ISSUE = 5;
const [WIDTH, HEIGHT] = [640, 480];
/** Of the face's box, over the height of the picture. */
const SHARE = 0.62;
const ROUNDS = 15;
const product = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);
const sample = (i) => path.join(ROOT, 'node_modules', '@vladmandic', 'face-api', 'demo', `sample${i}.jpg`);

/** A picture of 640 × 480 with the largest face of a photograph in its middle. */
async function portrait(engine, file) {
  const [face] = await engine.analyze(file, { landmarks: true, pose: true, maxFaces: 1 });
  if (face === undefined || Math.abs(face.pose.yaw) > 25 || face.box[3] < 100) return undefined;
  const [x, y, w, h] = face.box;
  const height = h / SHARE;
  const width = (height * WIDTH) / HEIGHT;
  const area = [x + w / 2 - width / 2, y + h / 2 - height / 2, width, height].map(Math.round);
  const margin = Math.ceil(Math.max(width, height));
  const padded = await sharp(file)
    .rotate()
    .extend({ top: margin, bottom: margin, left: margin, right: margin, extendWith: 'copy' })
    .toBuffer();
  return sharp(padded)
    .extract({ left: area[0] + margin, top: area[1] + margin, width: area[2], height: area[3] })
    .resize(WIDTH, HEIGHT, { fit: 'fill' })
    .jpeg({ quality: 92 })
    .toBuffer();
}

if (!haveProduct()) {
  console.log('skipped: the product is not built (npm run setup)');
  process.exit(0);
}
const { encodeGlb, reconstructFace } = await product('reconstruction/index.js');
const { locateFaceMesh } = await product('landmarks/index.js');
const { Runtime } = await product('inference/index.js');
const { Networks, openPack } = await product('models/index.js');
const { engine, close } = await openOurs({ threads: 2 });
const runtime = await Runtime.open({ threads: 2 });
const networks = new Networks(runtime, await openPack());

const times = { depth: [], surface: [], levels: [], texture: [], glb: [], total: [], network: [] };
const sizes = { triangles: [], coarse: [], bytes: [], error: [] };
let faces = 0;
for (const i of [1, 2, 3, 4, 5, 6]) {
  const photo = await portrait(engine, sample(i));
  if (photo === undefined) continue;
  faces++;
  const frame = await engine.decode(photo);
  const [face] = await engine.detect(frame, { landmarks: true, maxFaces: 1 });
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const [mesh] = await locateFaceMesh(networks, frame, [face.landmarks]);
    const located = performance.now();
    const rebuilt = await reconstructFace(runtime, frame, mesh, { levels: 4 });
    const made = performance.now();
    const glb = await encodeGlb(rebuilt.levels, { scale: rebuilt.depth.scale });
    const end = performance.now();
    if (round < 3) continue;
    for (const [stage, ms] of Object.entries(rebuilt.stages)) times[stage].push(ms);
    times.glb.push(end - made);
    times.total.push(end - located);
    times.network.push(located - start);
    if (round === 3) {
      sizes.triangles.push(rebuilt.levels[0].mesh.indices.length / 3);
      sizes.coarse.push(rebuilt.levels.at(-1).mesh.indices.length / 3);
      sizes.error.push(rebuilt.levels.at(-1).error);
      sizes.bytes.push(glb.byteLength);
    }
  }
}
await runtime.close();
await close();

const fig = (id, value, unit, more) =>
  figure(`reconstruction.${id}`, value, unit, { issue: ISSUE, better: 'lower', ...more });
const note = `median over ${faces} faces of ${WIDTH} × ${HEIGHT}, warm, 2 threads`;
const figures = [
  fig('total', median(times.total), 'ms', {
    goal: 150,
    note: `${note}; from the points of the face mesh to the bytes of a GLB with 4 levels and its texture`,
  }),
  ...['depth', 'surface', 'levels', 'texture', 'glb'].map((stage) =>
    fig(`stage.${stage}`, median(times[stage]), 'ms', { note }),
  ),
  fig('network', median(times.network), 'ms', { note: `${note}; the face mesh network, not in the total` }),
  fig('triangles', median(sizes.triangles), 'triangles', { note: `finest level; coarsest ${median(sizes.coarse)}` }),
  fig('coarsest-error', median(sizes.error), 'mm', {
    note: 'greatest distance of the coarsest level from the grid of pixels',
  }),
  fig('bytes', median(sizes.bytes), 'B', { note: 'of the GLB, its JPEG texture included' }),
];
finish('reconstruction', figures);
