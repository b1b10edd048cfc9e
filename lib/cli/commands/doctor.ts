import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { machineMemory } from '../../engine/host/index.js';
import { wrapError } from '../../errors.js';
import { openEngine } from '../../index.js';
import { openPack } from '../../models/index.js';
import {
  addonPath,
  cudaStatus,
  findRuntimeLibraries,
  gpuStatus,
  loadAddon,
  packageFolder,
  packageRoot,
  platformName,
} from '../../native/index.js';
import type { CommandContext } from '../command.js';
import type { Style, Terminal } from '../terminal.js';

/** What came of a check. `warn` is worth knowing and no failure. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly fix?: string;
}

type Result = Omit<Check, 'name'>;
const ok = (detail: string): Result => ({ status: 'ok', detail });
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;

/** Runs a check; whatever it throws becomes its failure. */
async function check(name: string, work: () => Promise<Result> | Result): Promise<Check> {
  try {
    return { name, ...(await work()) };
  } catch (error) {
    const { message, fix } = wrapError(error);
    return {
      name,
      status: 'fail',
      detail: fix && message.endsWith(fix) ? message.slice(0, -fix.length).trim() : message,
      ...(fix && { fix }),
    };
  }
}

function checkNode(): Result {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = (major === 20 && minor >= 17) || (major === 22 && minor >= 12) || major >= 24;
  const detail = `${process.versions.node}, ${platformName}`;
  if (supported) return ok(detail);
  const fix = 'Use Node.js 20.17, 22.12, 24 or newer.';
  return { status: major < 20 || (major === 20 && minor < 17) ? 'fail' : 'warn', detail, fix };
}

async function checkAddon(): Promise<Result> {
  const { version } = loadAddon();
  const file = addonPath() ?? '';
  const detail = `${version}, ${file}`;
  // In a checkout an old prebuild is found before a newer build.
  const built = path.join(packageRoot, 'build', 'Release', 'lineament.node');
  const [used, newer] = await Promise.all([file, built].map((one) => stat(one).catch(() => undefined)));
  if (!file.includes('prebuilds') || !used || !newer || newer.mtimeMs <= used.mtimeMs) return ok(detail);
  const fix = `${built} is newer: run 'npm run prebuild' or delete ${path.dirname(file)}.`;
  return { status: 'warn', detail, fix };
}

function checkSimd(): Result {
  const { simd, detected, cores, arch } = loadAddon().cpu();
  const detail = `${simd} (${arch}, ${cores} ${cores === 1 ? 'core' : 'cores'})`;
  if (simd === detected) return ok(detail);
  const fix = `This processor has ${detected}: unset LINEAMENT_SIMD (now '${process.env['LINEAMENT_SIMD'] ?? ''}') to use it.`;
  return { status: 'warn', detail, fix };
}

/** The CUDA plugin is not needed: without it everything runs on the processor. One that is there and cannot be used is worth a word. */
async function checkCuda(): Promise<Result> {
  const { state, problem = state, fix, devices } = await cudaStatus();
  if (state === 'no library') return ok('no plugin: searches run on the processor');
  if (state === 'ready') return ok(devices.map(({ name, capability }) => `${name} (${capability})`).join(', '));
  return { status: 'warn', detail: `${state}: ${problem}`, ...(fix !== undefined && { fix }) };
}

/** Memory of GPUs, as their driver tells it. No driver is no fault: then there is no such GPU, or nobody wants to use it. */
async function checkGpus(): Promise<Result> {
  const { state, path: library, driver, problem = state, devices } = await gpuStatus();
  if (state === 'no library' || state === 'no device') return ok('none: there is no NVIDIA driver with a device');
  if (state !== 'ready') {
    const fix = state === 'unusable' ? `Reinstall the driver: ${library} is a part of it.` : 'Reinstall the driver.';
    return { status: 'warn', detail: problem, fix };
  }
  const lines = devices.map(({ index, name, total, free, problem: missing }) =>
    missing === undefined
      ? `${index}: ${name}, ${megabytes(free)} of ${megabytes(total)} free`
      : `${index}: ${name || 'a device'}, memory unknown (${missing})`,
  );
  return ok(`driver ${driver ?? 'of unknown version'}; ${lines.join('; ')}`);
}

async function checkRuntime(): Promise<Result> {
  const [library] = await findRuntimeLibraries();
  const addon = loadAddon();
  const executor = addon.createExecutor(1);
  try {
    const runtime = await addon.openRuntime(executor, library?.path ?? '');
    const providers = runtime.providers.map((name) => name.replace(/ExecutionProvider$/, '')).join(', ');
    return ok(`${runtime.version}, API ${runtime.api}, providers ${providers}, ${runtime.path} (${library?.origin})`);
  } finally {
    await executor.close();
  }
}

/** Every model that the pack lists, read and compared with its card. */
async function checkModels(): Promise<Check[]> {
  let pack: Awaited<ReturnType<typeof openPack>>;
  let ids: string[];
  try {
    pack = await openPack();
    ids = await modelIds(pack.folder);
  } catch (error) {
    const { message, fix } = wrapError(error);
    return [{ name: 'models', status: 'fail', detail: message, ...(fix && { fix }) }];
  }
  const checks: Check[] = [];
  let bytes = 0;
  for (const id of ids) {
    const one = await check(`model ${id}`, async () => {
      const data = await pack.read(id);
      bytes += data.byteLength;
      return ok(megabytes(data.byteLength));
    });
    if (one.status !== 'ok') checks.push(one);
  }
  const good = ids.length - checks.length;
  const status = ids.length === 0 ? 'fail' : checks.length > 0 ? 'warn' : 'ok';
  const fix = ids.length === 0 ? { fix: "In a checkout run 'npm run models'; otherwise reinstall the package." } : {};
  const detail = `${good} of ${ids.length} are what their cards say, ${megabytes(bytes)}, ${pack.folder}`;
  return [{ name: 'models', status, detail, ...fix }, ...checks];
}

/** The ids of the models: those that the pack lists; where it has no list, those of its files. */
async function modelIds(folder: string): Promise<string[]> {
  const list = await readFile(path.join(folder, 'pack.json'), 'utf8').catch(() => undefined);
  if (list !== undefined) return (JSON.parse(list) as { models: { id: string }[] }).models.map(({ id }) => id).sort();
  const files = await readdir(folder);
  return files
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => name.slice(0, -'.onnx'.length))
    .sort();
}

async function checkSharp(): Promise<Result> {
  const { default: sharp } = await import('sharp');
  return ok(`sharp ${sharp.versions['sharp'] ?? ''}, libvips ${sharp.versions['vips'] ?? ''}`);
}

const NEEDED_MEMORY = 512e6;

async function checkMemory(): Promise<Result> {
  // The limit of the container where there is one: the machine's memory says little then.
  const { total, free, source } = await machineMemory();
  const limited = source === 'cgroup' ? ' (a limit of the container)' : '';
  const detail = `${megabytes(total)} in all${limited}, ${megabytes(free)} available, ${megabytes(process.memoryUsage.rss())} in use here`;
  if (free >= NEEDED_MEMORY) return ok(detail);
  return { status: 'warn', detail, fix: `Give the process at least ${megabytes(NEEDED_MEMORY)}.` };
}

/** A photograph with a face: the one named, or the one that a checkout has for its tests. */
async function testPhoto(named: string | undefined): Promise<string | undefined> {
  if (named !== undefined) return named;
  const folder = packageFolder('@vladmandic/face-api');
  const file = folder && path.join(folder, 'demo', 'sample1.jpg');
  return file &&
    (await stat(file).then(
      (info) => info.isFile(),
      () => false,
    ))
    ? file
    : undefined;
}

async function selfTest(named: string | undefined, signal: AbortSignal): Promise<Result> {
  const begin = performance.now();
  await using engine = await openEngine({ preset: 'balanced' });
  const opened = performance.now();
  const photo = await testPhoto(named);
  const picture = photo ?? { data: new Uint8Array(320 * 240 * 3).fill(128), width: 320, height: 240, channels: 3 };
  const faces = await engine.analyze(picture, { landmarks: true, embedding: true, signal });
  const milliseconds = `opened in ${(opened - begin).toFixed(0)} ms, first result after ${(performance.now() - begin).toFixed(0)} ms`;
  if (photo === undefined) {
    const detail = `no photograph at hand; an empty picture gave ${faces.length} faces, ${milliseconds}`;
    const fix = "Name one: 'lineament doctor --photo portrait.jpg'.";
    return faces.length === 0 ? { status: 'ok', detail } : { status: 'fail', detail, fix };
  }
  const complete = faces.filter((face) => face.landmarks?.length === 68 && face.embedding).length;
  const detail = `${complete} of ${faces.length} faces complete in ${path.basename(photo)}, ${milliseconds}`;
  if (complete > 0 && complete === faces.length) return ok(detail);
  return {
    status: 'fail',
    detail,
    fix: named
      ? 'Name a photograph that shows a face clearly.'
      : "Rebuild with 'npm run setup', and report this if it stays.",
  };
}

/** `lineament doctor`: exit code 0 when nothing failed, otherwise 2. */
export async function doctor(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const json = options['json'] === true;
  const checks: Check[] = [];
  const add = (...found: Check[]): void => {
    checks.push(...found);
    if (!json) for (const one of found) printCheck(one, terminal);
  };
  const photo = typeof options['photo'] === 'string' ? options['photo'] : undefined;
  add(await check('package', packageFacts));
  add(await check('Node.js', checkNode));
  const addon = await check('addon', checkAddon);
  add(addon);
  if (addon.status === 'ok') {
    add(await check('instructions', checkSimd));
    add(await check('ONNX Runtime', checkRuntime));
    add(await check('GPU', checkGpus));
    add(await check('CUDA', checkCuda));
  }
  add(...(await checkModels()));
  add(await check('decoder', checkSharp));
  add(await check('memory', checkMemory));
  signal.throwIfAborted();
  if (addon.status === 'ok') add(await check('self-test', () => selfTest(photo, signal)));
  const healthy = checks.every(({ status }) => status !== 'fail');
  if (json) terminal.stdout.write(`${JSON.stringify({ healthy, checks })}\n`);
  else terminal.stdout.write(`\n${verdict(checks, terminal.style)}\n`);
  return healthy ? 0 : 2;
}

async function packageFacts(): Promise<Result> {
  const { version } = JSON.parse(await readFile(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return ok(`lineament ${version}, ${packageRoot}`);
}

function printCheck({ name, status, detail, fix }: Check, { stdout, style }: Terminal): void {
  const sign = { ok: style.green('✓'), warn: style.yellow('!'), fail: style.red('✗') }[status];
  stdout.write(`${sign} ${style.bold(name.padEnd(13))} ${detail.trimEnd().replaceAll('\n', '\n    ')}\n`);
  if (fix) stdout.write(`    ${style.cyan('→')} ${fix}\n`);
}

function verdict(checks: readonly Check[], style: Style): string {
  const count = (status: Check['status']): number => checks.filter((one) => one.status === status).length;
  const failed = count('fail');
  if (failed > 0) return style.red(`${failed} of ${checks.length} checks failed; the arrows say what to do.`);
  const warned = count('warn');
  return style.green(
    warned > 0 ? `It works; ${warned} ${warned === 1 ? 'thing is' : 'things are'} worth knowing.` : 'All is well.',
  );
}
