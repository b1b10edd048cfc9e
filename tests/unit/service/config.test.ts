// The configuration of the service: sources, their order, and complaints that name the place.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LineamentError } from '../../../lib/errors.js';
import { readEnvironment } from '../../../lib/service/config/environment.js';
import { parseConfigText } from '../../../lib/service/config/file.js';
import { completeConfig, isLoopback, loadConfig, printConfig, warningsOf } from '../../../lib/service/config/index.js';
import { leaves } from '../../../lib/service/config/schema.js';
import { createLogger } from '../../../lib/service/log.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Code and message of what is thrown. */
async function refused(act: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await act();
  } catch (error) {
    const { code, message } = error as LineamentError;
    return { code, message };
  }
  throw new Error('nothing was refused');
}

describe('without any configuration', () => {
  it('listens on loopback, asks for keys, and has a value for everything that the type asks for', async () => {
    const config = await loadConfig({ env: { XDG_DATA_HOME: '/x/data', HOME: '/home/nobody' } });
    expect(config.server).toMatchObject({ host: '127.0.0.1', port: 8080, trustProxy: [], docs: true });
    expect(config.auth).toEqual({ enabled: true, anonymous: [] });
    expect(config.data).toEqual({
      folder: '/x/data/lineament/service',
      keepImages: false,
      consentRequired: false,
      collection: 'default',
    });
    expect(config.engine.batching).toEqual({ items: 1, waitMs: 5 });
    expect(config.cameras).toEqual([]);
    expect(warningsOf(config)).toEqual([]);
    expect(isLoopback(config.server.host)).toBe(true);
  });

  it('falls back to the home folder, as XDG says', async () => {
    const { data } = await loadConfig({ env: { HOME: '/home/nobody', XDG_DATA_HOME: 'relative' } });
    expect(data.folder).toBe('/home/nobody/.local/share/lineament/service');
  });

  it('describes every value', () => {
    for (const [name, node] of leaves()) expect(node.description, name.join('.')).toMatch(/\S/);
  });
});

describe('a file', () => {
  it('sets values, by name, and leaves the rest', () => {
    const text =
      'server:\n  port: 9000\n  trust_proxy: [10.0.0.0/8]\nlimits:\ncameras:\n  - id: door\n    source: rtsp://x/\n';
    expect(parseConfigText(text, 'c.yaml')).toEqual({
      server: { port: 9000, trust_proxy: ['10.0.0.0/8'] },
      cameras: [{ id: 'door', source: 'rtsp://x/' }],
    });
    expect(parseConfigText('', 'c.yaml')).toEqual({});
    expect(parseConfigText('# nothing\n', 'c.yaml')).toEqual({});
  });

  it.each([
    ['server:\n  prot: 80\n', "c.yaml:2:3: Unknown key 'prot' in server. Did you mean 'port'?"],
    ['sever:\n  port: 80\n', "c.yaml:1:1: Unknown key 'sever'. Did you mean 'server'?"],
    ['server:\n  trustProxy: []\n', "c.yaml:2:3: Unknown key 'trustProxy' in server. Did you mean 'trust_proxy'?"],
    [
      'server:\n  host: a\n  port: eighty\n',
      'c.yaml:3:9: Expected integer from 0 to 65535 for server.port but received "eighty" of type string',
    ],
    [
      'server:\n  port: 70000\n',
      'c.yaml:2:9: Expected integer from 0 to 65535 for server.port but received "70000" of type number',
    ],
    ['server: 5\n', 'c.yaml:1:9: Expected section with keys of its own for server but received "5" of type number'],
    [
      'auth:\n  enabled: "no"\n',
      'c.yaml:2:12: Expected true or false for auth.enabled but received "no" of type string',
    ],
    [
      'auth:\n  anonymous: [read, write]\n',
      'c.yaml:2:21: Expected one of read, enrol, admin for auth.anonymous[1] but received "write" of type string',
    ],
    ['cameras:\n  - id: a b\n    source: x\n', 'c.yaml:2:9: Expected text like'],
    ['cameras:\n  - id: a\n', "c.yaml:2:5: cameras[0] lacks 'source'"],
    [
      'cameras:\n  - id: a\n    source: x\n    sourc: y\n',
      "c.yaml:4:5: Unknown key 'sourc' in cameras[0]. Did you mean 'source'?",
    ],
    ['server:\n  port: 1\n  port: 2\n', 'c.yaml:3:3: Map keys must be unique'],
    ['server: [\n', 'c.yaml:2:1:'],
    ['- a\n', 'c.yaml:1:1: Expected section with keys of its own for the configuration but received a list'],
    ['zzzzzzzz: 1\n', "c.yaml:1:1: Unknown key 'zzzzzzzz'. Known keys: server, data,"],
    ['__proto__:\n  port: 1\n', "c.yaml:1:1: Unknown key '__proto__'."],
  ])('that is wrong is refused at its place: %j', async (text, said) => {
    const { code, message } = await refused(() => parseConfigText(text, 'c.yaml'));
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain(said);
  });

  it('tells of everything that is wrong at once', async () => {
    const { message } = await refused(() => parseConfigText('server:\n  prot: 1\nlog:\n  level: loud\n', 'c.yaml'));
    expect(message).toContain('c.yaml:2:3:');
    expect(message).toContain('c.yaml:4:10: Expected one of silent, error, warn, info, debug for log.level');
  });

  it('does not expand without end', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]`)
      .join('\n')}\n`;
    expect((await refused(() => parseConfigText(bomb, 'c.yaml'))).code).toBe('CONFIG_INVALID');
  });

  it('means paths from its own folder', async () => {
    const file = path.join(folder, 'paths.yaml');
    writeFileSync(
      file,
      'data:\n  folder: store\n  keys: env:KEYS\nserver:\n  tls: {cert: tls/c.pem, key: /etc/k.pem}\n',
    );
    const { data, server } = await loadConfig({ file });
    expect(data.folder).toBe(path.join(folder, 'store'));
    expect(data.keys).toBe('env:KEYS');
    expect(server.tls).toEqual({ cert: path.join(folder, 'tls/c.pem'), key: '/etc/k.pem' });
  });

  it('that is not there, or no text, is refused', async () => {
    const { code, message } = await refused(() => loadConfig({ file: path.join(folder, 'none.yaml') }));
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain('none.yaml cannot be read');
    const binary = path.join(folder, 'binary.yaml');
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00, 0xc3]));
    expect((await refused(() => loadConfig({ file: binary }))).code).toBe('CONFIG_INVALID');
  });
});

describe('environment variables', () => {
  it('set every value by its path in capitals', () => {
    const config = readEnvironment({
      LINEAMENT_SERVICE_SERVER_PORT: '81',
      LINEAMENT_SERVICE_SERVER_TRUST_PROXY: '10.0.0.1, 10.0.0.2',
      LINEAMENT_SERVICE_AUTH_ENABLED: 'false',
      LINEAMENT_SERVICE_CAMERAS: '[{"id": "door", "source": "/dev/video0"}]',
      LINEAMENT_SERVICE_DATA_FOLDER: '1234',
      LINEAMENT_SERVICE_LOG_LEVEL: '',
      OTHER: 'x',
    });
    expect(config).toEqual({
      server: { port: 81, trust_proxy: ['10.0.0.1', '10.0.0.2'] },
      auth: { enabled: false },
      cameras: [{ id: 'door', source: '/dev/video0' }],
      data: { folder: '1234' },
    });
  });

  it('reach sections within sections, and join what the file says of them', async () => {
    const file = path.join(folder, 'batching.yaml');
    writeFileSync(file, 'engine:\n  batching:\n    items: 4\n    wait_ms: 2\n');
    const env = { LINEAMENT_SERVICE_ENGINE_BATCHING_ITEMS: '32' };
    expect((await loadConfig({ file, env })).engine.batching).toEqual({ items: 32, waitMs: 2 });
    const settings = [{ path: 'engine.batching.wait_ms', text: '0', source: '--set' }];
    expect((await loadConfig({ file, settings })).engine.batching).toEqual({ items: 4, waitMs: 0 });
    const wrong = await refused(() => loadConfig({ env: { LINEAMENT_SERVICE_ENGINE_BATCHING_ITEMS: '0' } }));
    expect(wrong.message).toContain('Expected integer from 1 to 256 for engine.batching.items');
  });

  it('of Kubernetes are none of ours', () => {
    const env = {
      LINEAMENT_SERVICE_HOST: '10.1.2.3',
      LINEAMENT_SERVICE_PORT: '80',
      LINEAMENT_SERVICE_PORT_HTTP: '80',
    };
    expect(readEnvironment(env)).toEqual({});
  });

  it.each([
    ['LINEAMENT_SERVICE_SERVER_PROT', '1', 'Did you mean LINEAMENT_SERVICE_SERVER_PORT?'],
    ['LINEAMENT_SERVICE_SERVER_PORT', 'x', 'LINEAMENT_SERVICE_SERVER_PORT: Expected integer from 0 to 65535'],
    ['LINEAMENT_SERVICE_AUTH_ENABLED', 'maybe', 'LINEAMENT_SERVICE_AUTH_ENABLED: Expected true or false'],
  ])('that are wrong are named: %s=%s', async (name, value, said) => {
    const { code, message } = await refused(() => readEnvironment({ [name]: value }));
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain(said);
  });
});

describe('sources', () => {
  it('are weighed: command line over environment over file', async () => {
    const file = path.join(folder, 'order.yaml');
    writeFileSync(file, 'server: {port: 1, host: localhost, docs: false}\nengine: {preset: crowd}\n');
    const env = {
      LINEAMENT_SERVICE_CONFIG: file,
      LINEAMENT_SERVICE_SERVER_PORT: '2',
      LINEAMENT_SERVICE_SERVER_DOCS: 'true',
    };
    const settings = [{ path: 'server.port', text: '3', source: '--port' }];
    const { server, engine } = await loadConfig({ env, settings });
    expect(server).toMatchObject({ port: 3, host: 'localhost', docs: true });
    expect(engine.preset).toBe('crowd');
  });

  it('may share a section that must be whole in the end', async () => {
    const file = path.join(folder, 'jwt.yaml');
    writeFileSync(file, 'auth: {jwt: {issuer: i, audience: a}}\n');
    const { auth } = await loadConfig({ file, env: { LINEAMENT_SERVICE_AUTH_JWT_KEY: 'env:SECRET' } });
    expect(auth.jwt).toEqual({
      issuer: 'i',
      audience: 'a',
      key: 'env:SECRET',
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      scopeClaim: 'scope',
    });
    expect((await refused(() => loadConfig({ file }))).message).toContain("auth.jwt lacks 'key'");
  });

  it('name the option that is wrong', async () => {
    const setting = (name: string, text: string) => [{ path: name, text, source: `--set ${name}` }];
    expect((await refused(() => loadConfig({ settings: setting('server.prt', '1') }))).message).toContain(
      "Did you mean 'server.port'?",
    );
    expect((await refused(() => loadConfig({ settings: setting('limits.queue', '-1') }))).message).toContain(
      '--set limits.queue: Expected integer',
    );
  });
});

describe('what is dangerous', () => {
  it.each(['0.0.0.0', '192.168.1.4', '::', 'example.org', '127.0.0.1.example.org'])(
    'is refused at %s',
    async (host) => {
      const { code, message } = await refused(() => completeConfig({ server: { host }, auth: { enabled: false } }));
      expect(code).toBe('CONFIG_INVALID');
      expect(message).toContain('auth.enabled is false');
      expect(
        (await refused(() => completeConfig({ server: { host }, auth: { anonymous: ['read', 'enrol'] } }))).message,
      ).toContain('lets everybody enrol');
      expect(completeConfig({ server: { host }, auth: { anonymous: ['read'] } }).auth.anonymous).toEqual(['read']);
    },
  );

  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('is allowed at %s', (host) => {
    expect(completeConfig({ server: { host }, auth: { enabled: false } }).auth.enabled).toBe(false);
  });

  it('is told of where it is allowed: no TLS and no proxy', () => {
    const host = '0.0.0.0';
    expect(warningsOf(completeConfig({ server: { host } }))[0]).toMatch(
      /unencrypted.*server\.tls.*server\.trust_proxy/s,
    );
    expect(warningsOf(completeConfig({ server: { host, trustProxy: ['10.0.0.1'] } }))).toEqual([]);
    expect(warningsOf(completeConfig({ server: { host, tls: { cert: 'c', key: 'k' } } }))).toEqual([]);
  });

  it.each([
    [{ cors: { origins: ['https://a.example/path'] } }, 'cors.origins'],
    [{ cors: { origins: ['a.example'] } }, 'cors.origins'],
    [{ limits: { bodyBytes: 2048, imageBytes: 4096 } }, 'limits.image_bytes'],
    [
      {
        cameras: [
          { id: 'a', source: 'x' },
          { id: 'a', source: 'y' },
        ],
      },
      "cameras has 'a' twice",
    ],
    [{ server: { prot: 1 } }, "Did you mean 'port'?"],
  ])('or makes no sense is refused: %j', async (input, said) => {
    const { code, message } = await refused(() => completeConfig(input as object));
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain(said);
  });
});

describe('what is printed', () => {
  it('is a file that gives the same configuration, without passwords', async () => {
    const config = completeConfig({
      server: { port: 1234, trustProxy: ['10.0.0.1'] },
      cameras: [{ id: 'door', source: 'rtsp://user:secret@camera/1' }],
    });
    const text = printConfig(config);
    expect(text).toContain('# Port; 0 takes a free one');
    expect(text).not.toContain('secret');
    const file = path.join(folder, 'printed.yaml');
    writeFileSync(file, text);
    const again = await loadConfig({ file });
    expect(again).toEqual({ ...config, cameras: [{ id: 'door', source: 'rtsp://***@camera/1' }] });
  });
});

describe('the log', () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    json: true,
    write: (line) => void lines.push(line),
    now: () => new Date(0),
  });

  it('holds no secrets, whatever they are called with', () => {
    log.info(
      { authorization: 'Bearer abc', nested: { token: 't', url: 'rtsp://u:pw@h/' }, note: 'Bearer abcdefgh' },
      'said',
    );
    const said = lines.at(-1) ?? '';
    expect(JSON.parse(said)).toMatchObject({ time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'said' });
    for (const secret of ['abc', '"t"', 'pw']) expect(said).not.toContain(secret);
  });

  it('keeps to its level, and to one line', () => {
    const text: string[] = [];
    const plain = createLogger({ level: 'warn', write: (line) => void text.push(line) });
    plain.info({}, 'not this');
    plain.warn({ name: 'a\nb\u001b[31m' }, 'this');
    expect(text).toHaveLength(1);
    for (const control of ['\n', '\u001b']) expect(text[0]?.trimEnd()).not.toContain(control);
  });
});
