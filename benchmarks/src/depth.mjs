// What the depth of a face costs: a sample photograph cut so that the face fills a picture of 640 × 480.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { haveProduct } from './ours.mjs';
import { PRODUCT, ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const RUNS = 60;
const SIZE = { width: 640, height: 480 };
/** Of @vladmandic/face-api; its second face is the largest of the six pictures. */
const PHOTOGRAPH = path.join(ROOT, 'node_modules/@vladmandic/face-api/demo/sample5.jpg');

const from = (file) => import(pathToFileURL(path.join(path.dirname(PRODUCT), file)).href);
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))];

async function main() {
  if (!haveProduct()) return console.log('depth: skipped, the product is not built');
  const [{ openEngine }, { decodeImage }, { Runtime }, { locateFaceMesh }, { Networks, openPack }, depth] =
    await Promise.all(
      ['index.js', 'image/index.js', 'inference/index.js', 'landmarks/index.js', 'models/index.js']
        .map(from)
        .concat(from('reconstruction/index.js')),
    );
  const { default: sharp } = await import('sharp');
  const engine = await openEngine();
  const runtime = await Runtime.open();
  const networks = new Networks(runtime, await openPack());

  // The largest face, 400 pixels high.
  const found = await engine.detect(PHOTOGRAPH, { landmarks: true });
  const [x, y, w, h] = found.map((face) => face.box).sort((a, b) => b[2] * b[3] - a[2] * a[3])[0];
  const height = Math.round((h * SIZE.height) / 400);
  const width = Math.round((height * SIZE.width) / SIZE.height);
  const left = Math.max(0, Math.round(x + w / 2 - width / 2));
  const top = Math.max(0, Math.round(y + h / 2 - height / 2));
  const cut = await sharp(PHOTOGRAPH).extract({ left, top, width, height }).resize(SIZE).png().toBuffer();
  const frame = await decodeImage(cut);
  const faces = await engine.detect(frame, { landmarks: true });
  const largest = faces.sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3])[0];
  const mesh = async () => (await locateFaceMesh(networks, frame, [largest.landmarks]))[0];
  const { points } = await mesh();
  const map = await depth.depthFromLandmarks(runtime, points, SIZE);
  const pixels = map.depth.filter((z) => !Number.isNaN(z)).length;
  const holed = {
    ...map,
    depth: map.depth.map((z, i) => (i % 97 < 3 && Math.floor(i / 640) % 31 < 3 ? Number.NaN : z)),
  };

  const work = {
    'mesh network': mesh,
    'depth, whole picture': () => depth.depthFromLandmarks(runtime, points, SIZE),
    'depth, face only': () => depth.depthFromLandmarks(runtime, points, SIZE, { region: 'face' }),
    'depth, flat triangles': () => depth.depthFromLandmarks(runtime, points, SIZE, { curved: false }),
    'filter, 7 × 7': () => depth.filterDepth(runtime, map, { radius: 3 }),
    'fill, 9 pixels each': () => depth.fillDepth(runtime, holed),
  };
  const times = Object.fromEntries(Object.keys(work).map((name) => [name, []]));
  for (let run = -5; run < RUNS; run++) {
    for (const [name, one] of Object.entries(work)) {
      const start = performance.now();
      await one();
      if (run >= 0) times[name].push(performance.now() - start);
    }
  }
  await engine.close();
  await runtime.close();
  printTable(
    ['stage', 'median ms', 'least ms'],
    Object.entries(times).map(([name, t]) => [name, quantile(t, 0.5).toFixed(2), Math.min(...t).toFixed(2)]),
  );
  const median = (name) => quantile(times[name], 0.5);
  const note = `640 × 480, a face of ${pixels} pixels, ${runtime.threads} threads, median of ${RUNS}`;
  finish('depth', [
    figure('depth.landmarks', median('depth, whole picture'), 'ms', { issue: 5, note }),
    figure('depth.landmarks.face', median('depth, face only'), 'ms', { issue: 5, note }),
    figure('depth.filter', median('filter, 7 × 7'), 'ms', { issue: 5, note: `7 × 7, ${note}` }),
    figure('depth.fill', median('fill, 9 pixels each'), 'ms', { issue: 5, note: `holes of 9 pixels, ${note}` }),
  ]);
}

await main();
