// Textures and measures of meshes: milliseconds for 1024² texels from one and several photographs, how far texels are from
// what they should be, seams, atlases, ways over the skin.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from './metrics.mjs';
import { haveProduct } from './ours.mjs';
import { ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const ISSUE = 5;
const ROUNDS = 21;
const SIZE = 1024;
const RADIUS = 80;
const AWAY = 500;
const CAMERA = { fx: 600, fy: 600, cx: 320, cy: 240 };

const product = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);
const fig = (id, value, unit, more) => figure(`texture.${id}`, value, unit, { issue: ISSUE, ...more });

/** Median milliseconds of each kind of work, in turns. */
async function timed(work) {
  const times = Object.fromEntries(Object.keys(work).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, once] of Object.entries(work)) {
      const start = performance.now();
      await once();
      if (round > 0) times[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

/** The half of a sphere that looks at the camera, longitude and latitude over the texture. */
function sphere(steps, reach = 80) {
  const n = steps + 1;
  const k = (reach * Math.PI) / 180;
  const mesh = {
    positions: new Float32Array(3 * n * n),
    uvs: new Float32Array(2 * n * n),
    indices: new Uint32Array(6 * steps * steps),
  };
  let at = 0;
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < n; c++) {
      const i = r * n + c;
      const [lon, lat] = [((2 * c) / steps - 1) * k, ((2 * r) / steps - 1) * k];
      const place = [Math.sin(lon) * Math.cos(lat), Math.sin(lat), -Math.cos(lon) * Math.cos(lat)];
      mesh.positions.set(
        place.map((v) => RADIUS * v),
        3 * i,
      );
      mesh.uvs.set([c / steps, r / steps], 2 * i);
      if (r === steps || c === steps) continue;
      mesh.indices.set([i, i + n, i + 1, i + 1, i + n, i + n + 1], at);
      at += 6;
    }
  }
  return mesh;
}

/** Looks at the middle of the sphere from `angle` radians to the side. */
const pose = (angle) => {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c, 0, s, 0, 0, 1, 0, 0, -s, 0, c, AWAY, 0, 0, 0, 1];
};

/** Colours of the sphere's places, smooth at the scale of a pixel. */
const colour = ([x, y, z]) => [
  128 + 100 * Math.sin(x / 6) * Math.cos(y / 7),
  128 + 100 * Math.cos(x / 8 + z / 9),
  128 + 90 * Math.sin(y / 5 + z / 11),
];

/** A photograph of the sphere, ray by ray. */
function photograph(angle) {
  const [width, height] = [640, 480];
  const data = new Uint8Array(3 * width * height);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const [x, y] = [(i + 0.5 - CAMERA.cx) / CAMERA.fx, (j + 0.5 - CAMERA.cy) / CAMERA.fy];
      const a = x * x + y * y + 1;
      const root = AWAY * AWAY - a * (AWAY * AWAY - RADIUS * RADIUS);
      if (root < 0) continue;
      const t = (AWAY - Math.sqrt(root)) / a;
      const [px, py, pz] = [t * x, t * y, t - AWAY];
      const seen = colour([c * px - s * pz, py, s * px + c * pz]);
      data.set(
        seen.map((v) => Math.round(v)),
        3 * (j * width + i),
      );
    }
  }
  return { frame: { data, width, height, channels: 3, format: 'rgb' }, camera: CAMERA, pose: pose(angle) };
}

/** RMS and largest difference of the texels from the sphere's colours, where the sphere turns its face to a camera. */
function errorOf({ texture, known }, steep) {
  let sum = 0;
  let count = 0;
  let worst = 0;
  const k = (80 * Math.PI) / 180;
  for (let j = 0; j < SIZE; j++) {
    for (let i = 0; i < SIZE; i++) {
      const [lon, lat] = [((2 * (i + 0.5)) / SIZE - 1) * k, ((2 * (j + 0.5)) / SIZE - 1) * k];
      if (known[j * SIZE + i] !== 1 || Math.cos(lat) * Math.cos(lon) < steep) continue;
      const place = [Math.sin(lon) * Math.cos(lat), Math.sin(lat), -Math.cos(lon) * Math.cos(lat)].map(
        (v) => RADIUS * v,
      );
      for (const [c, v] of colour(place).entries()) {
        const d = Math.abs(texture.data[3 * (j * SIZE + i) + c] - v);
        sum += d * d;
        count++;
        worst = Math.max(worst, d);
      }
    }
  }
  return { rms: Math.sqrt(sum / count), worst };
}

async function main() {
  if (!haveProduct()) return console.log('texture: skipped, the product is not built');
  const r = await product('reconstruction/index.js');
  const { Runtime } = await product('inference/index.js');
  const runtime = await Runtime.open();
  const face = await r.canonicalFace();
  const facing = (one) => ({ ...one, pose: pose(0) });
  const straight = photograph(0);
  const dense = sphere(280);
  const { uvs, ...bare } = dense;
  const bake = (mesh, photographs, more) => r.bakeTexture(runtime, mesh, photographs, { size: SIZE, ...more });
  const three = [-0.5, 0, 0.5].map((angle) => photograph(angle));
  const ms = await timed({
    face: () => bake(face, [facing(straight)]),
    dense: () => bake(dense, [straight]),
    three: () => bake(dense, three),
    unwrap: () => r.unwrapMesh(runtime, bare),
    measures: () => r.faceMeasures(runtime, face),
    geodesic: () => r.geodesicDistances(runtime, face, [4]),
  });
  const triangles = dense.indices.length / 3;
  printTable(
    ['work', 'ms'],
    Object.entries(ms).map(([name, v]) => [name, v.toFixed(1)]),
  );
  const figures = [
    fig('bake.face', ms.face, 'ms', { goal: 25, note: 'canonical face, 1024², one photograph of 640 × 480, filled' }),
    fig('bake.dense', ms.dense, 'ms', { goal: 25, note: `${triangles} triangles over all of 1024², one photograph` }),
    fig('bake.three', ms.three, 'ms', { note: 'the same from three photographs, made equally bright and blended' }),
    fig('unwrap', ms.unwrap, 'ms', { note: `${triangles} triangles` }),
    fig('measures', ms.measures, 'ms', { note: `${r.FACE_DISTANCES.length} distances, straight and over the skin` }),
    fig('geodesic.one', ms.geodesic, 'ms', { note: 'from one vertex of the canonical face to all others, exact' }),
  ];

  const one = errorOf(await bake(sphere(400), [straight]), 0.5);
  figures.push(
    fig('error.rms', one.rms, 'levels', {
      goal: 1,
      note: `sphere of smooth colours, within 60° of the camera; worst ${one.worst.toFixed(1)}`,
    }),
  );
  const flat = (gain, angle) => {
    const shot = photograph(angle);
    const data = shot.frame.data.map((v) => (v === 0 ? 0 : Math.round(gain * 200)));
    return { ...shot, frame: { ...shot.frame, data } };
  };
  const even = await bake(sphere(200), [flat(1, -0.4), flat(0.75, 0.4)]);
  let low = 255;
  let high = 0;
  for (let j = SIZE / 4; j < (3 * SIZE) / 4; j++) {
    for (let i = SIZE / 8; i < (7 * SIZE) / 8; i++) {
      if (even.known[j * SIZE + i] !== 1) continue;
      low = Math.min(low, even.texture.data[3 * (j * SIZE + i)]);
      high = Math.max(high, even.texture.data[3 * (j * SIZE + i)]);
    }
  }
  figures.push(
    fig('seam', high - low, 'levels', {
      goal: 3,
      note: 'two photographs of an even sphere, one a quarter darker: all texels, highest less lowest',
    }),
  );
  await runtime.close();
  finish('texture', figures, {});
}

await main();
