// Surfaces with known distances through every stage: depth → cloud → fusion and marching cubes → smoothing, and cloud → Poisson.
// Then what fusing, extracting, rebuilding and inspecting take for a face.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median, random } from './metrics.mjs';
import { haveProduct } from './ours.mjs';
import { ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const ISSUE = 5;
const ROUNDS = 9;
/** Millimetres: standard deviation of depth, at 300 mm. */
const NOISE = 0.5;
const product = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);
const fig = (id, value, unit, more) => figure(`surfaces.${id}`, value, unit, { issue: ISSUE, ...more });

const sphere = (x, y, z) => Math.hypot(x, y, z) - 50;
const torus = (x, y, z) => Math.hypot(Math.hypot(x, y) - 50, z) - 20;
/** Across the line of sight of the first camera. */
const plane = (_x, _y, z) => -z;

/** Camera from world: 300 mm away, turned about y and x by degrees, towards the origin. */
function lookAtOrigin(turn, raise) {
  const [c, s] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const [d, e] = [Math.cos((raise * Math.PI) / 180), Math.sin((raise * Math.PI) / 180)];
  return Float64Array.of(c, 0, s, 0, s * e, d, -c * e, 0, -s * d, e, c * d, 300, 0, 0, 0, 1);
}

/** Depth by sphere tracing, with noise along the optical axis. */
function depthOf(distance, pose, width, height, focal, noise, rand) {
  const depth = new Float32Array(width * height).fill(Number.NaN);
  for (let i = 0; i < depth.length; i++) {
    const rx = ((i % width) + 0.5 - width / 2) / focal;
    const ry = (Math.floor(i / width) + 0.5 - height / 2) / focal;
    const length = Math.hypot(rx, ry, 1);
    let z = 50;
    for (let step = 0; step < 150 && z < 1000; step++) {
      const [x, y, w] = [rx * z - pose[3], ry * z - pose[7], z - pose[11]];
      const away = distance(
        pose[0] * x + pose[4] * y + pose[8] * w,
        pose[1] * x + pose[5] * y + pose[9] * w,
        pose[2] * x + pose[6] * y + pose[10] * w,
      );
      if (Math.abs(away) < 1e-4) {
        const gauss = Math.sqrt(-2 * Math.log(1 - rand())) * Math.cos(2 * Math.PI * rand());
        depth[i] = z + noise * gauss;
        break;
      }
      z += Math.abs(away) / length;
    }
  }
  const camera = { fx: focal, fy: focal, cx: width / 2, cy: height / 2 };
  const confidence = depth.map((z) => (Number.isNaN(z) ? 0 : 1));
  return { width, height, depth, confidence, camera, scale: { source: 'sensor' } };
}

function rms(positions, distance) {
  let sum = 0;
  for (let i = 0; i < positions.length; i += 3) sum += distance(positions[i], positions[i + 1], positions[i + 2]) ** 2;
  return Math.sqrt((3 * sum) / positions.length);
}

/** Points of a camera in the world's frame. */
function inWorld({ positions, normals }, pose) {
  const turn = (from, shift) => {
    const out = new Float32Array(from.length);
    for (let i = 0; i < from.length; i += 3) {
      const p = [0, 1, 2].map((k) => from[i + k] - (shift ? pose[4 * k + 3] : 0));
      for (let k = 0; k < 3; k++) out[i + k] = pose[k] * p[0] + pose[4 + k] * p[1] + pose[8 + k] * p[2];
    }
    return out;
  };
  return { positions: turn(positions, true), normals: turn(normals, false) };
}

const join = (arrays) => {
  const out = new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const a of arrays) {
    out.set(a, at);
    at += a.length;
  }
  return out;
};

/** Milliseconds, the median of rounds after two that warm up. */
async function timed(work) {
  const times = [];
  for (let round = 0; round < ROUNDS + 2; round++) {
    const start = performance.now();
    await work();
    if (round > 1) times.push(performance.now() - start);
  }
  return median(times);
}

async function accuracy(lib, runtime, name, distance, poses, rows) {
  const rand = random(1);
  const frames = poses.map((pose) => ({ pose, depth: depthOf(distance, pose, 160, 160, 240, NOISE, rand) }));
  const clouds = [];
  for (const { depth, pose } of frames) {
    clouds.push(inWorld(await lib.projectDepth(runtime, depth, { normals: true }), pose));
  }
  const cloud = { positions: join(clouds.map((c) => c.positions)), normals: join(clouds.map((c) => c.normals)) };
  const half = name === 'plane' ? 60 : 90;
  const bounds = { low: [-half, -half, -half], high: [half, half, half] };
  const fused = (await lib.fuseFrames(runtime, frames, { bounds, voxelSize: 2 })).mesh;
  const smooth = await lib.smoothMesh(runtime, fused);
  const poisson = (await lib.rebuildSurface(runtime, cloud, name === 'plane' ? {} : { trim: 0 })).mesh;
  const shape = await lib.inspectMesh(runtime, fused);
  const closed = await lib.inspectMesh(runtime, poisson);
  const stages = {
    cloud: rms(cloud.positions, distance),
    fused: rms(fused.positions, distance),
    smoothed: rms(smooth.positions, distance),
    poisson: rms(poisson.positions, distance),
  };
  rows.push([
    name,
    poses.length,
    ...Object.values(stages).map((v) => v.toFixed(3)),
    shape.watertight,
    closed.watertight,
  ]);
  // A fused surface is to be nearer than the points that it is made of.
  const goals = { cloud: null, fused: stages.cloud, smoothed: stages.cloud, poisson: stages.cloud };
  return Object.entries(stages).map(([stage, value]) =>
    fig(`${name}.rms.${stage}`, value, 'mm', {
      goal: goals[stage],
      note: `${poses.length} views of 160 × 160 pixels at 300 mm with ${NOISE} mm of noise, voxels of 2 mm; fused surface ${shape.watertight ? 'watertight' : 'open'}, Euler characteristic ${shape.eulerCharacteristic}`,
    }),
  );
}

async function times(lib, runtime) {
  const rand = random(2);
  const pose = lookAtOrigin(0, 0);
  // As large in the picture as a face of a photograph of 640 × 480.
  const head = (x, y, z) => Math.hypot(x, y / 1.25, z) - 75;
  const depth = depthOf(head, pose, 640, 480, 800, 0.2, rand);
  const frame = { data: new Uint8Array(640 * 480 * 3).fill(90), width: 640, height: 480, channels: 3, format: 'rgb' };
  const figures = [];
  for (const voxelSize of [2, 1]) {
    const bounds = { low: [-110, -130, -110], high: [110, 130, 110] };
    const volume = await lib.createVolume(runtime, { bounds, voxelSize });
    const integrate = await timed(() => volume.integrate(depth, { pose, frame }));
    const extract = await timed(() => volume.extract());
    const mesh = await volume.extract();
    const note = `a head of 640 × 480, voxels of ${voxelSize} mm, ${Math.round(volume.bytes / 2 ** 20)} MiB, ${mesh.indices.length / 3} triangles`;
    figures.push(fig(`integrate.${voxelSize}mm`, integrate, 'ms', { note }));
    figures.push(fig(`extract.${voxelSize}mm`, extract, 'ms', { note }));
    await volume.close();
  }
  const whole = await lib.projectDepth(runtime, depth, { normals: true });
  const every = Math.max(1, Math.floor(whole.positions.length / 3 / 50_000));
  const pick = (from) => from.filter((_, i) => Math.floor(i / 3) % every === 0).subarray(0, 150_000);
  const cloud = { positions: pick(whole.positions), normals: pick(whole.normals) };
  const rebuilt = await lib.rebuildSurface(runtime, cloud, { trim: 0 });
  figures.push(
    fig('poisson.50k', await timed(() => lib.rebuildSurface(runtime, cloud, { trim: 0 })), 'ms', {
      goal: 1000,
      note: `${cloud.positions.length / 3} points, ${rebuilt.resolution} cells along the longest side, ${rebuilt.mesh.indices.length / 3} triangles`,
    }),
  );
  const volume = await lib.createVolume(runtime, {
    bounds: { low: [-110, -130, -110], high: [110, 130, 110] },
    voxelSize: 0.45,
    truncation: 2,
    colour: false,
  });
  for (let turn = 0; turn < 360; turn += 60) {
    const around = lookAtOrigin(turn, 0);
    await volume.integrate(depthOf(head, around, 640, 480, 800, 0, rand), { pose: around });
  }
  const large = await volume.extract();
  await volume.close();
  const million = `${large.indices.length / 3} triangles`;
  figures.push(fig('inspect', await timed(() => lib.inspectMesh(runtime, large)), 'ms', { note: million }));
  figures.push(
    fig('smooth', await timed(() => lib.smoothMesh(runtime, large)), 'ms', { note: `${million}, 10 rounds` }),
  );
  return figures;
}

async function main() {
  if (!haveProduct()) return console.log('surfaces: skipped, the product is not built');
  const lib = await product('reconstruction/index.js');
  const { Runtime } = await product('inference/index.js');
  const runtime = await Runtime.open({ threads: 2 });
  const around = [-50, 0, 50].flatMap((raise) => Array.from({ length: 8 }, (_, i) => lookAtOrigin(45 * i, raise)));
  const all = [...around, lookAtOrigin(0, 90), lookAtOrigin(0, -90)];
  const rows = [];
  const figures = [
    ...(await accuracy(lib, runtime, 'sphere', sphere, all, rows)),
    ...(await accuracy(lib, runtime, 'torus', torus, all, rows)),
    ...(await accuracy(lib, runtime, 'plane', plane, Array(8).fill(lookAtOrigin(0, 0)), rows)),
  ];
  printTable(['surface', 'views', 'cloud', 'fused', 'smoothed', 'poisson', 'fused closed', 'poisson closed'], rows);
  figures.push(...(await times(lib, runtime)));
  await runtime.close();
  finish('surfaces', figures, {});
}

await main();
