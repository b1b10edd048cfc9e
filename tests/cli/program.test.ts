import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineament, root, sample } from './run.js';

const NAMES = [
  ...['detect', 'landmarks', 'embed', 'verify', 'analyze', 'doctor'],
  ...['train-landmarks', 'evaluate-landmarks', 'convert-landmarks'],
];
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-program-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('lineament', () => {
  it('prints its version and its help', async () => {
    expect(await lineament(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await lineament(['--help']);
    expect(help.code).toBe(0);
    for (const name of NAMES) expect(help.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    const bare = await lineament([]);
    expect([bare.code, bare.stdout, bare.stderr]).toEqual([2, '', help.stdout]);
  });

  it.each(NAMES)('%s explains itself with options and examples', async (name) => {
    const [option, word] = await Promise.all([lineament([name, '--help']), lineament(['help', name])]);
    expect(option.code).toBe(0);
    expect(option.stdout).toBe(word.stdout);
    expect(option.stdout).toContain('Options\n');
    expect(option.stdout).toMatch(new RegExp(`Examples\n {2}# .+\n {2}lineament ${name}`));
    expect(option.stdout).not.toContain('\u001b');
  });

  it.each([
    ['an unknown command', ['detct', 'a.jpg'], "Did you mean 'lineament detect'?"],
    ['a command like no other', ['frobnicate'], "See 'lineament --help'."],
    ['an unknown option', ['detect', '--blah', 'a.jpg'], "Unknown option '--blah'"],
    ['no photograph', ['detect'], 'Expected at least 1 argument'],
    ['one photograph to verify', ['verify', 'a.jpg'], 'Expected 2 arguments for verify but received 1'],
    ['an unknown preset', ['detect', '--preset', 'best', 'a.jpg'], 'Expected one of balanced, fast, crowd, accurate'],
    [
      'threads that are no number',
      ['detect', '--threads', 'two', 'a.jpg'],
      'Expected integer from 1 to 1024 for --threads',
    ],
    ['half a thread', ['detect', '--threads', '1.5', 'a.jpg'], 'Expected integer'],
    ['a rate above 1', ['verify', '--fmr', '2', 'a.jpg', 'b.jpg'], 'Expected number from 0 to 1 for --fmr'],
    ['an empty value', ['analyze', '--report', '', 'a.jpg'], 'Expected a value for --report'],
  ])('refuses %s with 2, for people and as JSON', async (_name, args, text) => {
    const human = await lineament(args);
    expect([human.code, human.stdout]).toEqual([2, '']);
    expect(human.stderr).toContain(text);
    const json = await lineament([...args, '--json']);
    expect([json.code, json.stdout]).toEqual([2, '']);
    const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string; fix: string } };
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(text);
    expect(error.fix.length).toBeGreaterThan(0);
  });
});

interface Diagnosis {
  readonly healthy: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
    readonly fix?: string;
  }[];
}

describe('lineament doctor', () => {
  const doctor = async (
    env: NodeJS.ProcessEnv = {},
    ...args: string[]
  ): Promise<Diagnosis & { code: number | null }> => {
    const { code, stdout } = await lineament(['doctor', '--json', ...args], { env });
    return { code, ...(JSON.parse(stdout) as Diagnosis) };
  };

  it('finds this installation well and says what it found', async () => {
    const { code, healthy, checks } = await doctor();
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect([code, healthy]).toEqual([0, true]);
    const names = [
      'package',
      'Node.js',
      'addon',
      'instructions',
      'ONNX Runtime',
      'GPU',
      'CUDA',
      'models',
      'decoder',
      'memory',
      'self-test',
    ];
    expect(checks.map(({ name }) => name)).toEqual(names);
    const human = await lineament(['doctor']);
    expect(human.code).toBe(0);
    expect(human.stdout).toContain('✓ ');
  });

  it('fails a self-test on a photograph without a face', async () => {
    const { code, checks } = await doctor({}, '--photo', path.join(root, 'package.json'));
    expect(code).toBe(2);
    expect(checks.at(-1)).toMatchObject({ name: 'self-test', status: 'fail' });
  });

  it.each([
    ['addon', 'LINEAMENT_ADDON'],
    ['ONNX Runtime', 'LINEAMENT_ONNXRUNTIME'],
    ['models', 'LINEAMENT_MODELS'],
  ])('says what to do about a missing %s', async (name, variable) => {
    const { code, healthy, checks } = await doctor({ [variable]: path.join(folder, 'nowhere') });
    expect([code, healthy]).toEqual([2, false]);
    const check = checks.find((one) => one.name === name);
    expect(check?.status).toBe('fail');
    expect(check?.fix).toContain(variable);
  });

  it('names a model that is not what its card says', async () => {
    const pack = mkdtempSync(path.join(folder, 'pack-'));
    const own = path.join(root, 'models', 'pack');
    for (const name of readdirSync(own)) symlinkSync(path.join(own, name), path.join(pack, name));
    const file = path.join(pack, 'faceapi_landmarks68.onnx');
    rmSync(file);
    copyFileSync(path.join(own, 'faceapi_landmarks68.onnx'), file);
    const bytes = readFileSync(file);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const { code, checks } = await doctor({ LINEAMENT_MODELS: pack });
    expect(code).toBe(2);
    expect(checks.find(({ name }) => name === 'model faceapi_landmarks68')).toMatchObject({ status: 'fail' });
    expect(checks.find(({ name }) => name === 'model faceapi_landmarks68')?.detail).toContain('SHA-256');
    const detect = await lineament(['detect', '--json', sample(1)], { env: { LINEAMENT_MODELS: pack } });
    expect(detect.code).toBe(2);
    expect(detect.stdout).toContain('MODEL_HASH_MISMATCH');
  });

  it('says that a lowered instruction set is one', async () => {
    const { checks } = await doctor({ LINEAMENT_SIMD: 'scalar' });
    const check = checks.find(({ name }) => name === 'instructions');
    expect(check?.detail).toContain('scalar');
    if (check?.status === 'warn') expect(check.fix).toContain('LINEAMENT_SIMD');
    expect(checks.find(({ name }) => name === 'self-test')?.status).toBe('ok');
  });
});
