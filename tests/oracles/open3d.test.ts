// Open3D behind the addon of its own. Runs wherever that has been built (node scripts/build-open3d.mjs).
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineamentError } from '../../lib/errors.js';
import { open3dAddon } from '../../lib/native/open3d.js';
import { type Mesh, type Open3d, openOpen3d, type PointCloud } from '../../lib/reconstruction/index.js';
import { havePack } from '../native/support.js';
import { lastJson, runChild } from '../support/child.js';

const RADIUS = 50;
const built = existsSync(open3dAddon());

/** Points on a sphere, evenly (a golden-angle spiral), with normals outwards; `keep` says which. */
function sphere(count: number, keep: (z: number) => boolean = () => true): PointCloud {
  const positions: number[] = [];
  const normals: number[] = [];
  for (let i = 0; i < count; i++) {
    const z = 1 - (2 * (i + 0.5)) / count;
    if (!keep(z)) continue;
    const angle = i * Math.PI * (3 - Math.sqrt(5));
    const normal = [Math.sqrt(1 - z * z) * Math.cos(angle), Math.sqrt(1 - z * z) * Math.sin(angle), z];
    normals.push(...normal);
    positions.push(...normal.map((n) => RADIUS * n));
  }
  return { positions: Float32Array.from(positions), normals: Float32Array.from(normals) };
}

const at = (mesh: Mesh, vertex: number): readonly [number, number, number] => {
  const [x, y, z] = mesh.positions.subarray(3 * vertex, 3 * vertex + 3);
  return [x!, y!, z!];
};

/** Root mean square distance from the sphere, of the vertices and of the triangles' centres. */
function rms(mesh: Mesh): { vertices: number; centres: number } {
  const mean = (values: number[]): number => Math.sqrt(values.reduce((a, b) => a + b * b, 0) / values.length);
  const vertices: number[] = [];
  for (let v = 0; v < mesh.positions.length / 3; v++) vertices.push(Math.hypot(...at(mesh, v)) - RADIUS);
  const centres: number[] = [];
  for (let t = 0; t < mesh.indices.length; t += 3) {
    const corners = [0, 1, 2].map((k) => at(mesh, mesh.indices[t + k]!));
    centres.push(
      Math.hypot(...[0, 1, 2].map((k) => (corners[0]![k]! + corners[1]![k]! + corners[2]![k]!) / 3)) - RADIUS,
    );
  }
  return { vertices: mean(vertices), centres: mean(centres) };
}

/** Above zero where triangles turn counterclockwise seen from outside. */
function volume(mesh: Mesh): number {
  let sum = 0;
  for (let t = 0; t < mesh.indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => at(mesh, mesh.indices[t + k]!));
    sum += a![0] * (b![1] * c![2] - b![2] * c![1]);
    sum += a![1] * (b![2] * c![0] - b![0] * c![2]);
    sum += a![2] * (b![0] * c![1] - b![1] * c![0]);
  }
  return sum / 6;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof LineamentError ? error.code : String(error)),
  );
}

const NAME = 'Open3D (needs lineament_open3d.node, which scripts/build-open3d.mjs builds)';
// Poisson takes many times as long on a machine that is busy with other work.
describe.skipIf(!built)(NAME, { timeout: 300_000 }, () => {
  let open3d: Open3d;
  const ball = sphere(4000);
  beforeAll(async () => {
    open3d = await openOpen3d({ threads: 2 });
  });
  afterAll(() => open3d?.close());

  it('rebuilds a sphere by Poisson: closed, outside in front, 0.05 mm from it', async () => {
    const mesh = await open3d.poisson(ball, { depth: 6 });
    expect(mesh.colours).toBeUndefined();
    const error = rms(mesh);
    expect(error.vertices).toBeLessThan(0.05); // 0.1 % of the radius; measured 0.022
    expect(error.centres).toBeLessThan(0.1);
    expect(volume(mesh)).toBeGreaterThan(0.995 * (4 / 3) * Math.PI * RADIUS ** 3);
    for (let v = 0; v < mesh.positions.length / 3; v++) {
      const normal = mesh.normals!.subarray(3 * v, 3 * v + 3);
      expect(Math.hypot(...normal)).toBeCloseTo(1, 4);
      expect(at(mesh, v).reduce((dot, x, k) => dot + x * normal[k]!, 0) / RADIUS).toBeGreaterThan(0.9);
    }
    expect(await open3d.topology(mesh)).toEqual({
      edgeManifold: true,
      closed: true,
      vertexManifold: true,
      orientable: true,
      selfIntersecting: false,
      watertight: true,
      euler: 2,
      components: 1,
    });
  });

  it('rebuilds a sphere by ball pivoting: between the points themselves', async () => {
    for (const options of [{}, { radii: [3, 6] }]) {
      const mesh = await open3d.ballPivoting(ball, options);
      expect(mesh.positions.length).toBe(ball.positions.length);
      const error = rms(mesh);
      expect(error.vertices).toBeLessThan(1e-5);
      expect(error.centres).toBeLessThan(0.05);
      expect(volume(mesh)).toBeGreaterThan(0.99 * (4 / 3) * Math.PI * RADIUS ** 3);
      expect(await open3d.topology(mesh)).toMatchObject({ edgeManifold: true, orientable: true, components: 1 });
    }
  });

  it('closes a sphere that lacks a cap by Poisson; the trim takes away what no points bear out', async () => {
    const open = sphere(4000, (z) => z > -0.9);
    const lowest = (mesh: Mesh): number =>
      mesh.positions.reduce((low, x, i) => (i % 3 === 2 ? Math.min(low, x) : low), 0);
    const whole = await open3d.poisson(open, { depth: 5, scale: 1.5 });
    const trimmed = await open3d.poisson(open, { depth: 5, scale: 1.5, densityTrim: 0.08 });
    expect((await open3d.topology(whole)).closed).toBe(true);
    expect((await open3d.topology(trimmed)).closed).toBe(false);
    expect(trimmed.positions.length).toBeLessThan(0.93 * whole.positions.length);
    expect(rms(trimmed).vertices).toBeLessThan(rms(whole).vertices);
    const pivoted = await open3d.ballPivoting(open, { radii: [3, 6] });
    expect(lowest(pivoted)).toBeGreaterThanOrEqual(-0.9 * RADIUS);
    expect((await open3d.topology(pivoted)).closed).toBe(false);
  });

  it('carries colours over', async () => {
    const colours = Uint8Array.from(ball.positions, (x, i) => (i % 3 === 0 ? (x > 0 ? 250 : 10) : 100));
    for (const mesh of [
      await open3d.poisson({ ...ball, colours }, { depth: 6 }),
      await open3d.ballPivoting({ ...ball, colours }),
    ]) {
      expect(mesh.colours).toHaveLength(mesh.positions.length);
      for (let v = 0; v < mesh.positions.length / 3; v++) {
        const [x] = at(mesh, v);
        const [red, green, blue] = mesh.colours!.subarray(3 * v, 3 * v + 3);
        if (Math.abs(x) > 5) expect(Math.abs(red! - (x > 0 ? 250 : 10))).toBeLessThan(30);
        expect(Math.abs(green! - 100) + Math.abs(blue! - 100)).toBeLessThan(8);
      }
    }
  });

  it('leaves out points that have no normal', async () => {
    const spoilt = {
      positions: Float32Array.from([...ball.positions, 500, 0, 0, 0, 500, 0]),
      normals: Float32Array.from([...ball.normals!, 0, 0, 0, 0, 0, 0]),
    };
    expect(await open3d.ballPivoting(spoilt)).toEqual(await open3d.ballPivoting(ball));
  });

  describe('bad input', () => {
    const { positions, normals } = ball;
    const one = Float32Array.from([1, 2, 3]);
    const cloud = (points: number[][]): PointCloud => ({
      positions: Float32Array.from(points.flat()),
      normals: Float32Array.from(points.flatMap(() => [0, 0, 1])),
    });
    const line = Array.from({ length: 100 }, (_, i) => [i, 0, 0]);
    it.each([
      ['no normals', { positions }, 'INVALID_ARGUMENT'],
      ['too few normals', { positions, normals: normals!.subarray(3) }, 'INVALID_ARGUMENT'],
      ['numbers for positions', { positions: [...positions], normals }, 'INVALID_ARGUMENT'],
      ['a number too many', { positions: new Float32Array(4), normals: new Float32Array(4) }, 'INVALID_ARGUMENT'],
      ['colours of another length', { ...ball, colours: new Uint8Array(3) }, 'INVALID_ARGUMENT'],
      ['NaN', { positions: positions.with(7, Number.NaN), normals }, 'INVALID_ARGUMENT'],
      ['an infinite normal', { positions, normals: normals!.with(7, Infinity) }, 'INVALID_ARGUMENT'],
      ['null', null, 'INVALID_ARGUMENT'],
      ['no points', { positions: new Float32Array(0), normals: new Float32Array(0) }, 'NO_SURFACE'],
      ['one point', { positions: one, normals: one }, 'NO_SURFACE'],
      [
        'two points',
        cloud([
          [0, 0, 1],
          [4, 0, 1],
        ]),
        'NO_SURFACE',
      ],
      ['all points in one place', cloud(line.map(() => [3, 3, 3])), 'NO_SURFACE'],
      ['normals of 0 0 0', { positions, normals: new Float32Array(positions.length) }, 'NO_SURFACE'],
    ])('%s', async (_name, given, code) => {
      expect(await codeOf(open3d.poisson(given as PointCloud, { depth: 4 }))).toBe(code);
      expect(await codeOf(open3d.ballPivoting(given as PointCloud))).toBe(code);
    });

    it('points on a line give a surface or none, in good order', async () => {
      expect(await codeOf(open3d.ballPivoting(cloud(line)))).toBe('NO_SURFACE');
      expect(['no error', 'NO_SURFACE']).toContain(await codeOf(open3d.poisson(cloud(line), { depth: 4 })));
    });

    it('options', async () => {
      const poisson = (options: unknown): Promise<string> => codeOf(open3d.poisson(ball, options as never));
      const wrong = [
        { depth: 1 },
        { depth: 13 },
        { depth: 2.5 },
        { scale: 0.5 },
        { densityTrim: 1 },
        { densityTrim: -1 },
      ];
      for (const options of [...wrong, { densityTrim: Number.NaN }, { linearFit: 1 }, { width: 3 }, { signal: 1 }]) {
        expect([options, await poisson(options)]).toEqual([options, 'INVALID_ARGUMENT']);
      }
      for (const radii of [[], [0], [-1], [Number.NaN], ['3'], 3, Array.from({ length: 17 }, () => 1)]) {
        expect([radii, await codeOf(open3d.ballPivoting(ball, { radii } as never))]).toEqual([
          radii,
          'INVALID_ARGUMENT',
        ]);
      }
    });

    it('meshes with indices that name no vertex', async () => {
      const mesh = { positions: new Float32Array(9), indices: Uint32Array.of(0, 1, 3) };
      expect(await codeOf(open3d.topology(mesh))).toBe('INVALID_ARGUMENT');
    });
  });

  it('works off the event loop, and rejects at once when it is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    let finished = false;
    const running = open3d.poisson(ball, { depth: 7, signal: controller.signal }).finally(() => {
      finished = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(finished).toBe(false);
    controller.abort(reason);
    const error = await running.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ABORTED', cause: reason });
    expect(await codeOf(open3d.poisson(ball, { signal: controller.signal }))).toBe('ABORTED');
    expect(await codeOf(open3d.ballPivoting(ball, { signal: controller.signal }))).toBe('ABORTED');
    // The next call waits for the one that was given up.
    expect((await open3d.poisson(ball, { depth: 5 })).indices.length).toBeGreaterThan(0);
  });

  it('lets calls finish that run when it is closed, and takes no more', async () => {
    const second = await openOpen3d({ threads: 1 });
    const running = second.ballPivoting(ball);
    const closing = second.close();
    expect((await running).indices.length).toBeGreaterThan(0);
    await closing;
    await second.close();
    expect(await codeOf(second.ballPivoting(ball))).toBe('CLOSED');
  });
});

const COMMON = `
  import { createRequire } from 'node:module';
  import { openOpen3d } from './lib/reconstruction/open3d.js';
  const require = createRequire(import.meta.url);
  const n = 1000, positions = new Float32Array(3 * n), normals = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    const z = 1 - (2 * i + 1) / n, a = i * 2.4, r = Math.sqrt(1 - z * z);
    [r * Math.cos(a), r * Math.sin(a), z].forEach((c, k) => { normals[3 * i + k] = c; positions[3 * i + k] = 50 * c; });
  }
  const rebuild = async (open3d) => (await open3d.ballPivoting({ positions, normals })).indices.length;
  const infer = async () => {
    const ort = require('onnxruntime-node');
    const session = await ort.InferenceSession.create('models/pack/faceapi_landmarks68.onnx');
    const data = new Float32Array(112 * 112 * 3).map((_, i) => Math.sin(i * 0.37));
    const name = session.inputNames[0];
    const shape = JSON.parse(process.env.SHAPE);
    const out = await session.run({ [name]: new ort.Tensor('float32', data, shape) });
    return Object.values(out)[0].data.reduce((a, b) => a + b, 0);
  };
`;

describe.skipIf(!(built && havePack))(
  'Open3D beside ONNX Runtime (needs lineament_open3d.node and the starter pack)',
  () => {
    const SHAPE = JSON.stringify([1, 3, 112, 112]);
    it('in both orders, with the same answers, to the end of the process', async () => {
      const orders = [
        'const sum = await infer(); const open3d = await openOpen3d(); const triangles = await rebuild(open3d);',
        'const open3d = await openOpen3d(); const triangles = await rebuild(open3d); const sum = await infer();',
      ];
      const answers: unknown[] = [];
      for (const order of orders) {
        const again =
          'const twice = [await infer(), await rebuild(open3d)]; console.log(JSON.stringify([sum, triangles, ...twice]));';
        const result = await runChild(`${COMMON}${order}${again}`, { SHAPE });
        expect({ code: result.code, signal: result.signal, stderr: result.stderr }).toEqual({
          code: 0,
          signal: null,
          stderr: '',
        });
        answers.push(lastJson(result));
      }
      const [first, second] = answers as [number[], number[]];
      expect(first).toEqual(second);
      expect(first.slice(0, 2)).toEqual(first.slice(2));
      expect(first[1]).toBeGreaterThan(3000);
    });

    it('in worker threads too', async () => {
      const result = await runChild(
        `${COMMON}
      import { Worker } from 'node:worker_threads';
      const inWorker = () => new Promise((resolve, reject) => {
        const worker = new Worker(process.env.SCRIPT, { eval: true, execArgv: [] });
        worker.once('message', resolve).once('error', reject);
      });
      const own = await openOpen3d();
      const all = await Promise.all([rebuild(own), inWorker(), inWorker()]);
      await own.close();
      console.log(JSON.stringify([all[0] > 0, ...all.slice(1)]));`,
        {
          SCRIPT: `
          const { parentPort } = require('node:worker_threads');
          const addon = require(${JSON.stringify(open3dAddon())});
          const executor = addon.createExecutor(1);
          const positions = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0), normals = Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1);
          addon.ballPivoting(executor, positions, normals, undefined, Float64Array.of(2))
            .then((mesh) => executor.close().then(() => parentPort.postMessage(mesh.indices.length)));`,
        },
      );
      expect(result.stderr).toBe('');
      expect(lastJson(result)).toEqual([true, 3, 3]);
      expect(result.code).toBe(0);
    });

    it('is not loaded by what does not ask for it', async () => {
      const result = await runChild(`
      await import('./lib/index.js');
      const { loadAddon } = await import('./lib/native/index.js');
      loadAddon();
      const shared = process.report.getReport().sharedObjects.filter((file) => /open3d|libvtk|libGL/i.test(file));
      console.log(JSON.stringify(shared));`);
      expect(lastJson(result)).toEqual([]);
    });
  },
);
