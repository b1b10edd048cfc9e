// Files of meshes: a million vertices and two million triangles as PLY, written and read, beside Open3D, trimesh and meshio from
// PyPI (LINEAMENT_MESH_PYTHON, or out/oracles/meshes as scripts/install-oracles.sh makes it); a face with four levels of detail and a
// texture as GLB. Files lie in a folder in memory where the system has one; both sides take turns.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median, random } from './metrics.mjs';
import { haveProduct } from './ours.mjs';
import { ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const ISSUE = 5;
const ROUNDS = 5;
const product = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);
const fig = (id, value, unit, more) => figure(`mesh-files.${id}`, value, unit, { issue: ISSUE, ...more });
const python = process.env.LINEAMENT_MESH_PYTHON ?? path.join(ROOT, 'out', 'oracles', 'meshes', 'bin', 'python');

/** A bulging sheet of `side` × `side` vertices with normals and colours; with texture coordinates where it has a texture. */
function sheet(side, texture) {
  const n = side * side;
  const mesh = {
    positions: new Float32Array(3 * n),
    normals: new Float32Array(3 * n),
    ...(texture ? { uvs: new Float32Array(2 * n), texture } : { colours: new Uint8Array(3 * n) }),
    indices: new Uint32Array(6 * (side - 1) * (side - 1)),
  };
  const rand = random(5);
  let at = 0;
  for (let i = 0; i < n; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    const [a, b] = [(2 * x) / (side - 1) - 1, (2 * y) / (side - 1) - 1];
    mesh.positions.set([90 * a, 110 * b, 500 + 40 * (a * a + b * b) + 0.1 * rand()], 3 * i);
    const length = Math.hypot(a, b, 1);
    mesh.normals.set([a / length, b / length, -1 / length], 3 * i);
    mesh.uvs?.set([x / (side - 1), y / (side - 1)], 2 * i);
    mesh.colours?.set([(255 * x) / side, (255 * y) / side, 128], 3 * i);
    if (x + 1 === side || y + 1 === side) continue;
    mesh.indices.set([i, i + side, i + 1, i + 1, i + side, i + side + 1], at);
    at += 6;
  }
  return mesh;
}

/** A photograph's worth of detail: waves and noise. */
function picture(side) {
  const rand = random(9);
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    data[i] = 128 + 60 * Math.sin(x / 31 + (i % 3)) * Math.cos(y / 47) + 12 * rand();
  }
  return { data, width: side, height: side };
}

/** Reads and writes with every library that is there; prints milliseconds of reading and writing by library. */
const PEERS = `
import json, sys, time
file, out, ascii = sys.argv[1], sys.argv[2], sys.argv[3] == 'ascii'
peers = {}
def timed(name, read, write):
    start = time.perf_counter(); mesh = read(); middle = time.perf_counter(); write(mesh); end = time.perf_counter()
    peers[name] = [1000 * (middle - start), 1000 * (end - middle)]
try:
    import open3d
    timed('Open3D ' + open3d.__version__, lambda: open3d.io.read_triangle_mesh(file),
          lambda mesh: open3d.io.write_triangle_mesh(out, mesh, write_ascii=ascii))
except ImportError: pass
try:
    if ascii: raise ImportError  # takes minutes
    import trimesh
    timed('trimesh ' + trimesh.__version__, lambda: trimesh.load(file, process=False),
          lambda mesh: mesh.export(out, encoding='ascii' if ascii else 'binary'))
except ImportError: pass
try:
    import meshio
    timed('meshio ' + meshio.__version__, lambda: meshio.read(file), lambda mesh: mesh.write(out, binary=not ascii))
except ImportError: pass
print(json.dumps(peers))
`;

function peersOf(file, out, encoding) {
  if (!fs.existsSync(python)) return {};
  try {
    return JSON.parse(
      execFileSync(python, ['-c', PEERS, file, out, encoding], { encoding: 'utf8', timeout: 240_000 })
        .split('\n')
        .at(-2),
    );
  } catch (error) {
    console.log(`  the peers failed: ${String(error.message).split('\n')[0]}`);
    return {};
  }
}

const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

async function ply(runtime, { writeMesh, readMesh, encodePly }, folder) {
  const mesh = sheet(1000);
  const figures = [];
  const rows = [];
  for (const encoding of ['binary', 'ascii']) {
    const file = path.join(folder, `${encoding}.ply`);
    const ours = { encode: [], write: [], read: [] };
    const peers = {};
    for (let round = 0; round < ROUNDS; round++) {
      ours.encode.push(await timed(() => encodePly(runtime, mesh, { encoding })));
      ours.write.push(await timed(() => writeMesh(runtime, file, mesh, { encoding })));
      ours.read.push(await timed(() => readMesh(runtime, file)));
      if (round >= (encoding === 'ascii' ? 1 : 2)) continue;
      for (const [name, [read, write]] of Object.entries(peersOf(file, path.join(folder, 'peer.ply'), encoding))) {
        peers[name] ??= { read: [], write: [] };
        peers[name].read.push(read);
        peers[name].write.push(write);
      }
    }
    const megabytes = fs.statSync(file).size / 1e6;
    const rate = (list) => megabytes / (median(list) / 1000);
    const shown = (list) => `${Math.round(median(list))} ms, ${Math.round(rate(list))} MB/s`;
    rows.push([`ours, ${encoding}, ${Math.round(megabytes)} MB`, shown(ours.read), shown(ours.write)]);
    for (const [name, one] of Object.entries(peers))
      rows.push([`${name}, ${encoding}`, shown(one.read), shown(one.write)]);
    const best = (what) =>
      Object.entries(peers)
        .map(([name, one]) => [name, median(one[what])])
        .sort((a, b) => a[1] - b[1])[0];
    for (const what of ['read', 'write']) {
      const [name, ms] = best(what) ?? [null, Number.NaN];
      const note = `1 M vertices with normals and colours, 2 M triangles, ${Math.round(megabytes)} MB; ${Math.round(median(ours[what]))} ms`;
      figures.push(fig(`ply.${encoding}.${what}`, rate(ours[what]), 'MB/s', { better: 'higher', note }));
      figures.push(
        fig(`ply.${encoding}.${what}.speedup`, ms / median(ours[what]), 'x', {
          better: 'higher',
          peer: name,
          note: name ? `the fastest peer, ${name}, takes ${Math.round(ms)} ms` : 'no peer is installed',
        }),
      );
    }
    figures.push(
      fig(`ply.${encoding}.encode`, rate(ours.encode), 'MB/s', { better: 'higher', note: 'without the disk' }),
    );
  }
  printTable(['PLY', 'read', 'write'], rows);
  return figures;
}

async function glb({ encodeGlb }) {
  const texture = picture(1024);
  const levels = [160, 80, 40, 20].map((side) => sheet(side, texture));
  const times = { with: [], without: [] };
  let size = 0;
  for (let round = 0; round < 15; round++) {
    times.with.push(
      await timed(async () => {
        size = (await encodeGlb(levels)).length;
      }),
    );
    times.without.push(await timed(() => encodeGlb(levels.map(({ texture: _, ...rest }) => rest))));
  }
  const [all, geometry] = [median(times.with), median(times.without)];
  const note = `50 562 + 12 482 + 3 042 + 722 triangles, 1024² JPEG, ${Math.round(size / 1000)} kB`;
  return [
    fig('glb.lods', all, 'ms', { note: `${note}; the texture is compressed on other threads` }),
    fig('glb.lods.geometry', geometry, 'ms', { note: 'the same without the texture' }),
  ];
}

if (!haveProduct()) {
  console.log('build the product first: npm run build, npm run build:native');
  process.exit(1);
}
const { Runtime } = await product('inference/index.js');
const reconstruction = await product('reconstruction/index.js');
const memory = '/dev/shm';
const folder = fs.mkdtempSync(path.join(fs.existsSync(memory) ? memory : os.tmpdir(), 'lineament-mesh-bench-'));
const runtime = await Runtime.open();
try {
  const figures = [...(await ply(runtime, reconstruction, folder)), ...(await glb(reconstruction))];
  finish('mesh-files', figures, { rounds: ROUNDS });
} finally {
  await runtime.close();
  fs.rmSync(folder, { recursive: true, force: true });
}
