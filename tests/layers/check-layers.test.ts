import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = path.join(root, 'scripts', 'check-layers.mjs');

/** Runs the checker on a directory, as `npm run lint` does. */
function check(directory: string): { status: number | null; stderr: string; stdout: string } {
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, directory], { encoding: 'utf8' });
  return { status, stderr, stdout };
}

describe('import layers', () => {
  let tree = '';
  const put = (file: string, text: string): void => {
    const target = path.join(tree, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  };

  beforeEach(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'lineament-layers-'));
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  it('finds this repository clean', () => {
    const { status, stderr } = check(root);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('accepts imports that go down', () => {
    put('lib/errors.ts', 'export class E {}');
    put('lib/image/frame.ts', "import { E } from '../errors.js';\nimport { x } from '../native/addon.js';");
    put('lib/detection/index.ts', "export { E } from '../errors.js';\nimport sharp from 'sharp';");
    put('lib/cli/main.ts', "const { a } = await import('../detection/index.js');");
    expect(check(tree).status).toBe(0);
  });

  it('catches an import that goes up, with file, line and rule', () => {
    put('lib/image/frame.ts', "// a comment: import '../cli/x.js'\n\nimport { run } from '../cli/main.js';");
    const { status, stderr } = check(tree);
    expect(status).toBe(1);
    expect(stderr).toContain('lib/image/frame.ts:3 ');
    expect(stderr).toContain('image must not import cli');
    expect(stderr).toContain('1 layer violation');
  });

  it.each([
    ['a static import', "import { a } from '../recognition/index.js';"],
    ['a type import', "import type { A } from '../recognition/index.js';"],
    ['a re-export', "export * from '../recognition/index.js';"],
    ['a multi-line import', "import {\n  a,\n  b,\n} from '../recognition/index.js';"],
    ['a bare import', "import '../recognition/index.js';"],
    ['a dynamic import', "const m = await import('../recognition/index.js');"],
    ['a worker file', "new Worker(new URL('../recognition/worker.js', import.meta.url));"],
  ])('catches %s between model families', (_name, line) => {
    put('lib/detection/ssd.ts', line);
    const { status, stderr } = check(tree);
    expect(status).toBe(1);
    expect(stderr).toContain('model families never know each other');
  });

  it('catches a leaf that imports anything', () => {
    put('lib/errors.ts', "import type { Face } from './types.js';");
    const { status, stderr } = check(tree);
    expect(status).toBe(1);
    expect(stderr).toContain('it may import: nothing');
  });

  it('catches a folder that the table does not name', () => {
    put('lib/helpers/misc.ts', 'export const x = 1;');
    const { status, stderr } = check(tree);
    expect(status).toBe(1);
    expect(stderr).toContain('lib/helpers has no place in the layer table');
  });

  it('catches an import of the package by its own name', () => {
    put('lib/cli/main.ts', "import { openEngine } from 'lineament';");
    expect(check(tree).stderr).toContain('names the package itself');
  });

  it('catches Node headers outside bindings and includes that go up', () => {
    put('native/core/executor.cc', '#include "core/executor.h"\n#include <napi.h>\n#include "image/resize.h"\n');
    put('native/core/executor.h', '#pragma once\n');
    put('native/image/resize.h', '#include "core/executor.h"\n// #include <node_api.h>\n#include "bindings/x.h"\n');
    put('native/bindings/x.h', '#include <napi.h>\n#include "image/resize.h"\n');
    put('native/inference/session.cc', '#include "../core/executor.h"\n#include "../tests/util.h"\n');
    put('native/tests/util.h', '#include "inference/session.h"\n');
    const { status, stderr } = check(tree);
    expect(status).toBe(1);
    expect(stderr).toContain(
      "native/core/executor.cc:2  #include <napi.h>: only native/bindings and native/open3d may see Node's headers",
    );
    expect(stderr).toContain('native/core/executor.cc:3  #include "image/resize.h": core must not include image');
    expect(stderr).toContain('native/image/resize.h:3  #include "bindings/x.h": image must not include bindings');
    expect(stderr).toContain('native/inference/session.cc:2 ');
    expect(stderr).toContain('4 layer violations');
  });

  it('lets the addon for Open3D see Node and the bindings, and nobody see that addon', () => {
    put('native/mesh/triangle_mesh.h', '#include "open3d/rebuild.h"\n');
    put('native/bindings/launch.h', '#include <napi.h>\n#include "open3d/rebuild.h"\n');
    put('native/open3d/rebuild.h', '#include "mesh/triangle_mesh.h"\n#include <open3d/geometry/PointCloud.h>\n');
    put('native/open3d/addon.cpp', '#include <napi.h>\n#include "bindings/launch.h"\n#include "tests/util.h"\n');
    put('native/tests/util.h', '#pragma once\n');
    const { status, stderr } = check(tree);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'native/mesh/triangle_mesh.h:1  #include "open3d/rebuild.h": mesh must not include open3d',
    );
    expect(stderr).toContain(
      'native/bindings/launch.h:2  #include "open3d/rebuild.h": bindings must not include open3d',
    );
    expect(stderr).toContain('native/open3d/addon.cpp:3  #include "tests/util.h": open3d must not include tests');
    expect(stderr).toContain('3 layer violations');
  });
});
