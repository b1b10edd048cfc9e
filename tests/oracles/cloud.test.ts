// Point clouds against Open3D (libopen3d-dev): the same floats, the same points kept, the same means, the same normals.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../lib/inference/index.js';
import { estimateNormals } from '../../lib/reconstruction/cloud.js';
import {
  downsampleVoxels,
  removeRadiusOutliers,
  removeStatisticalOutliers,
} from '../../lib/reconstruction/cloud-filters.js';
import { noise } from '../native/support.js';
import { root } from '../support/child.js';
import { command, wanted } from './support.js';

const COUNT = 30_000;
const here = wanted && existsSync('/usr/include/open3d/geometry/PointCloud.h');

/** Reads floats, writes what Open3D makes of them. */
const PROGRAM = `
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include "bench/open3d_peer.h"
template <typename T> void put(const std::string& path, const std::vector<T>& v) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(T));
}
int main(int, char** argv) {
  const std::string folder = argv[1];
  std::vector<float> points(3 * std::atoi(argv[2]));
  std::ifstream(folder + "/points", std::ios::binary).read(reinterpret_cast<char*>(points.data()), points.size() * 4);
  void* cloud = open3d_peer_make(points.data(), points.size() / 3);
  put(folder + "/voxels", open3d_peer_voxels(cloud, 3));
  put(folder + "/statistical", open3d_peer_statistical(cloud, 20, 2));
  put(folder + "/radius", open3d_peer_radius(cloud, 16, 5));
  put(folder + "/normals", open3d_peer_normals(cloud, 30));
  open3d_peer_free(cloud);
}
`;

/** A curved sheet with noise, 1 % strays, and points that lie on top of each other. */
function points(): Float32Array {
  const random = noise(3 * COUNT, -1, 1, 11);
  const out = new Float32Array(3 * COUNT);
  for (let i = 0; i < COUNT; i++) {
    const [a, b, c] = [random[3 * i]!, random[3 * i + 1]!, random[3 * i + 2]!];
    if (i % 100 === 0) out.set([150 * a, 150 * b, 500 + 150 * c], 3 * i);
    else if (i % 50 === 1) out.set(out.subarray(3 * i - 6, 3 * i - 3), 3 * i);
    else out.set([90 * a, 120 * b, 500 + (90 * a) ** 2 / 180 + 0.3 * c], 3 * i);
  }
  return out;
}

describe.skipIf(!here)('clouds beside Open3D', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-open3d-'));
  const positions = points();
  const numbers = (name: string): Float64Array =>
    new Float64Array(Uint8Array.from(readFileSync(path.join(folder, name))).buffer);
  const kept = (name: string): Uint32Array =>
    new Uint32Array(Uint8Array.from(readFileSync(path.join(folder, name))).buffer);
  let runtime: Runtime;

  beforeAll(async () => {
    runtime = await Runtime.open({ threads: 2 });
    const source = path.join(folder, 'peer.cpp');
    const program = path.join(folder, 'peer');
    writeFileSync(source, PROGRAM);
    writeFileSync(path.join(folder, 'points'), positions);
    const native = path.join(root, 'native');
    const flags = ['-std=c++17', '-O2', '-w', '-I', native, '-I', '/usr/include/eigen3'];
    const sources = [source, path.join(native, 'bench', 'open3d_peer.cpp')];
    await command('g++', [...flags, ...sources, '-o', program, '-lOpen3D', '-lfmt']);
    await command(program, [folder, String(COUNT)]);
  }, 300_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await runtime.close();
  });

  it('keeps the same points', async () => {
    const statistical = await removeStatisticalOutliers(runtime, { positions });
    expect(statistical.kept).toEqual(kept('statistical'));
    expect(statistical.kept.length).toBeLessThan(COUNT);
    const radius = await removeRadiusOutliers(runtime, { positions }, { radius: 5 });
    expect(radius.kept).toEqual(kept('radius'));
    expect(radius.kept.length).toBeLessThan(COUNT);
  });

  it('gives the same means', async () => {
    const rows = (list: ArrayLike<number>): string[] =>
      Array.from({ length: list.length / 3 }, (_, i) =>
        [0, 1, 2].map((c) => list[3 * i + c]!.toFixed(2)).join(),
      ).sort();
    const ours = rows((await downsampleVoxels(runtime, { positions }, 3)).positions);
    const theirs = numbers('voxels');
    expect(ours.length).toBe(theirs.length / 3);
    // Two decimals as text: a mean on the edge between two of them may fall to either side.
    const known = new Set(rows(theirs));
    expect(ours.filter((row) => !known.has(row)).length).toBeLessThan(ours.length / 100);
  });

  it('gives the same normals', async () => {
    const { normals } = await estimateNormals(runtime, { positions });
    const theirs = numbers('normals');
    let same = 0;
    for (let i = 0; i < COUNT; i++) {
      const dot = [0, 1, 2].reduce((sum, c) => sum + normals[3 * i + c]! * theirs[3 * i + c]!, 0);
      if (Math.abs(dot) >= Math.cos((0.1 * Math.PI) / 180)) same++;
    }
    expect(same / COUNT).toBeGreaterThan(0.999);
  });
});
