// `npm run pack:platform`: makes what would be published, as tarballs in out/packages, from a staging folder (out/stage):
//   @lineament/<platform>-<arch>   the addon and the one libonnxruntime beside it, for one kind of machine
//   @lineament/starter-pack        the ONNX files of the starter pack
//   lineament                      compiled TypeScript, cards, documents; depends on the two above, has no install script
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readJson, root, runOrThrow, step } from './lib/run.mjs';
import { prebuild } from './prebuild.mjs';
import { setup } from './setup.mjs';

const stage = path.join(root, 'out', 'stage');
const packages = path.join(root, 'out', 'packages');
const platform = `${process.platform}-${process.arch}`;

function write(folder, name, content) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, name),
    typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`,
  );
}

function common(own) {
  return { version: own.version, license: own.license, type: 'module', engines: own.engines };
}

/** The file of onnxruntime-node that holds the runtime, as that package lays it out. */
function runtimeLibrary() {
  const folder = path.join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch);
  const name = readdirSync(folder).find((one) =>
    /^(libonnxruntime\.so\.1|libonnxruntime\.1\.dylib|onnxruntime\.dll)$/.test(one),
  );
  if (!name) throw new Error(`onnxruntime-node carries no libonnxruntime for ${platform}`);
  return path.join(folder, name);
}

async function stagePlatform(own) {
  const folder = path.join(stage, platform);
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(root, await prebuild()), path.join(folder, 'lineament.node'));
  const library = runtimeLibrary();
  cpSync(library, path.join(folder, path.basename(library)));
  const runtime = readJson('node_modules/onnxruntime-node/package.json');
  write(
    folder,
    'NOTICE',
    `${path.basename(library)} is ONNX Runtime ${runtime.version} (MIT), as onnxruntime-node carries it.\nlineament.node contains SQLite (public domain).\n`,
  );
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  const description = `Native addon and ONNX Runtime ${runtime.version} of lineament for ${platform}`;
  const files = ['lineament.node', path.basename(library), 'NOTICE', 'LICENSE'];
  const libc = process.platform === 'linux' ? { libc: ['glibc'] } : {};
  write(folder, 'package.json', {
    name: `@lineament/${platform}`,
    description,
    ...common(own),
    os: [process.platform],
    cpu: [process.arch],
    ...libc,
    files,
  });
  return folder;
}

function stageModels(own) {
  const folder = path.join(stage, 'starter-pack');
  const inside = path.join(folder, 'models');
  mkdirSync(inside, { recursive: true });
  const pack = readJson('models/pack/pack.json');
  const cards = readdirSync(path.join(root, 'models', 'cards')).map((name) => readJson(`models/cards/${name}`));
  const published = cards.filter((card) => card.published !== false).map((card) => card.id);
  const models = pack.models.filter((model) => published.includes(model.id));
  for (const model of [...models, ...pack.meshes]) {
    cpSync(path.join(root, 'models', 'pack', model.file), path.join(inside, model.file));
  }
  write(inside, 'pack.json', { ...pack, models });
  cpSync(path.join(root, 'models', 'pack', 'landmarks68.lmk'), path.join(inside, 'landmarks68.lmk'));
  cpSync(path.join(root, 'models', 'README.md'), path.join(folder, 'README.md'));
  cpSync(path.join(root, 'NOTICE'), path.join(folder, 'NOTICE'));
  const name = '@lineament/starter-pack';
  const files = ['models', 'README.md', 'NOTICE'];
  write(folder, 'package.json', {
    name,
    description: 'ONNX models of lineament: the starter pack',
    ...common(own),
    files,
  });
  return folder;
}

function stageMain(own) {
  const folder = path.join(stage, 'lineament');
  mkdirSync(folder, { recursive: true });
  // Source maps hold the sources once more: they are for checkouts.
  const filter = (name) => !name.endsWith('.map') && path.basename(name) !== '.stamp';
  for (const name of own.files) cpSync(path.join(root, name), path.join(folder, name), { recursive: true, filter });
  const { scripts, devDependencies, allowScripts, packageManager, gypfile, ...kept } = own;
  write(folder, 'package.json', {
    ...kept,
    dependencies: { ...own.dependencies, '@lineament/starter-pack': own.version },
    optionalDependencies: Object.fromEntries(
      ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'].map((one) => [`@lineament/${one}`, own.version]),
    ),
  });
  return folder;
}

/** Makes the three tarballs; gives their paths and sizes in bytes. */
export async function packPlatform() {
  const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  rmSync(stage, { recursive: true, force: true });
  rmSync(packages, { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  const made = [];
  for (const folder of [await stagePlatform(own), stageModels(own), stageMain(own)]) {
    const output = await runOrThrow('npm pack', 'npm', [
      'pack',
      folder,
      '--json',
      '--pack-destination',
      packages,
      '--loglevel=error',
    ]);
    const [info] = JSON.parse(output.slice(output.indexOf('[')));
    const file = path.join(packages, info.filename.replace('@', '').replace('/', '-'));
    made.push({ name: info.name, file, packed: statSync(file).size, unpacked: info.unpackedSize });
  }
  return made;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await setup({ quiet: true });
    let made = [];
    await step('packing', async () => {
      made = await packPlatform();
    });
    for (const one of made) {
      const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
      console.log(`${path.relative(root, one.file)}  ${mb(one.packed)} packed, ${mb(one.unpacked)} installed`);
    }
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
