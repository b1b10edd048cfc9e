import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import {
  createKeyringFile,
  encodeTemplate,
  type KeyService,
  openKeyring,
  removeFromKeyringFile,
  rotateKeyringFile,
  sealedKeyId,
  TemplateCipher,
} from '../../../lib/templates/index.js';
import { FULL, failure } from './support.js';

const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const OTHER = Buffer.alloc(32, 7);
const TEXT = encodeTemplate(FULL);
const posix = process.platform !== 'win32';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-keys-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  delete process.env['LINEAMENT_TEST_KEYS'];
});
const file = (name: string): string => path.join(folder, name);

/** A cipher on keys given as in an environment variable. */
async function withKeys(list: Record<string, Buffer>, options = {}): Promise<TemplateCipher> {
  process.env['LINEAMENT_TEST_KEYS'] = Object.entries(list)
    .map(([id, key]) => `${id}:${key.toString('base64')}`)
    .join(' ');
  return TemplateCipher.open({ env: 'LINEAMENT_TEST_KEYS' }, options);
}

describe('TemplateCipher', () => {
  it('gives back what was sealed, never twice the same bytes', async () => {
    const cipher = await withKeys({ k: KEY });
    const [a, b] = [await cipher.seal(TEXT, 'gallery/ann'), await cipher.seal(TEXT, 'gallery/ann')];
    expect(Buffer.from(await cipher.open(a, 'gallery/ann')).equals(TEXT)).toBe(true);
    expect(Buffer.from(await cipher.open(b, 'gallery/ann')).equals(TEXT)).toBe(true);
    expect(a.length).toBe(TEXT.length + 96 + 1);
    expect(Buffer.from(a).equals(b)).toBe(false);
    expect(Buffer.from(a).includes(Buffer.from('consent/42'))).toBe(false);
    for (const size of [0, 1, 100_000]) {
      const bytes = randomBytes(size);
      expect(Buffer.from(await cipher.open(await cipher.seal(bytes, ''), '')).equals(bytes)).toBe(true);
    }
    const around = Buffer.concat([Buffer.alloc(3), a]).subarray(3);
    expect(Buffer.from(await cipher.open(around, 'gallery/ann')).equals(TEXT)).toBe(true);
  });

  it('writes the bytes that FORMAT.md describes: read here without the library', async () => {
    const cipher = await withKeys({ 'key-1': KEY });
    const sealed = Buffer.from(await cipher.seal(TEXT, 'ännchen'));
    expect(sealed.subarray(0, 13).toString('hex')).toBe(`4c4d545301053c00${Buffer.from('key-1').toString('hex')}`);
    const open = (key: Uint8Array, nonce: Buffer, data: Buffer, aad: string): Buffer => {
      const d = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad)).setAuthTag(data.subarray(-16));
      return Buffer.concat([d.update(data.subarray(0, -16)), d.final()]);
    };
    const wrapping = Buffer.from(hkdfSync('sha256', KEY, '', 'lineament template data key wrapping v1', 32));
    const wrapped = sealed.subarray(13, 73);
    const dataKey = open(wrapping, wrapped.subarray(0, 12), wrapped.subarray(12), 'lineament data key v1\0key-1');
    const content = open(
      dataKey,
      sealed.subarray(73, 85),
      sealed.subarray(85),
      'lineament sealed template v1\0ännchen',
    );
    expect(content.equals(TEXT)).toBe(true);
  });

  it('opens bytes that were sealed once and for all', async () => {
    // Nonces of ones and twos, data key of sevens. If this fails, stored records cannot be read any more.
    const written =
      '4c4d5453 01 01 3c00 6b' +
      '010101010101010101010101 cc5db0eae164907266af8124b7ba0ff3148e68ed9090c675deb3d8a69492a682' +
      '381cc6ed9cce448f91f2a71227ab8dc5' +
      '020202020202020202020202 72d1856b34 7b662129ab2a9bcbf3d7f31730cd1b15';
    const bytes = Buffer.from(written.replaceAll(' ', ''), 'hex');
    const cipher = await withKeys({ k: KEY });
    expect(Buffer.from(await cipher.open(bytes, 'c')).toString()).toBe('hello');
  });

  it('refuses another key, another context, and every changed bit', async () => {
    const cipher = await withKeys({ k: KEY });
    const sealed = await cipher.seal(TEXT.subarray(0, 40), 'gallery/ann');
    expect((await failure(() => cipher.open(sealed, 'gallery/bob'))).code).toBe('KEY_MISMATCH');
    const wrong = await withKeys({ k: OTHER });
    expect(await failure(() => wrong.open(sealed, 'gallery/ann'))).toMatchObject({ code: 'KEY_MISMATCH', status: 403 });
    const missing = await failure(async () => (await withKeys({ x: KEY })).open(sealed, 'gallery/ann'));
    expect(missing.code).toBe('KEY_NOT_FOUND');
    expect(missing.message).toContain("'k' is not in the keyring (x)");
    expect(missing.fix).toContain('Add the key');
    const codes = new Map<string, number>();
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const changed = Uint8Array.from(sealed);
        changed[at]! ^= bit;
        const { code } = await failure(() => cipher.open(changed, 'gallery/ann'));
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      expect(['TEMPLATE_INVALID', 'KEY_MISMATCH']).toContain(
        (await failure(() => cipher.open(sealed.subarray(0, at), 'gallery/ann'))).code,
      );
    }
    expect([...codes.keys()].sort()).toEqual(['KEY_MISMATCH', 'KEY_NOT_FOUND', 'TEMPLATE_INVALID']);
    // Parts of two records do not make a third.
    const second = await cipher.seal(TEXT.subarray(0, 40), 'gallery/ann');
    const mixed = Uint8Array.from([...sealed.subarray(0, 69), ...second.subarray(69)]);
    expect((await failure(() => cipher.open(mixed, 'gallery/ann'))).code).toBe('KEY_MISMATCH');
  });

  it('never fails but with a typed error, whatever the bytes', async () => {
    const cipher = await withKeys({ k: KEY });
    const sealed = await cipher.seal(TEXT.subarray(0, 64), 'c');
    for (let round = 0; round < 3000; round++) {
      const bytes = round % 2 ? randomBytes(round % 200) : Buffer.from(sealed);
      if (round % 2 === 0) for (let n = 0; n < 3; n++) bytes[randomBytes(1)[0]! % 12] = randomBytes(1)[0]!;
      else if (bytes.length > 5) bytes.set([0x4c, 0x4d, 0x54, 0x53, 1]);
      await cipher.open(bytes, 'c').catch((error: unknown) => {
        expect(error).toBeInstanceOf(LineamentError);
        expect((error as LineamentError).code).not.toBe('INTERNAL');
      });
    }
    for (const wrong of [undefined, 'x', [1]])
      expect((await failure(() => cipher.open(wrong as never, 'c'))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(() => cipher.seal(TEXT, 5 as never))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(() => cipher.seal('x' as never, 'c'))).code).toBe('INVALID_ARGUMENT');
  });

  it('renews only the wrapped data key when the key is rotated', async () => {
    const before = await withKeys({ old: KEY });
    const sealed = await before.seal(TEXT, 'c');
    const both = await withKeys({ new: OTHER, old: KEY });
    expect(Buffer.from(await both.open(sealed, 'c')).equals(TEXT)).toBe(true);
    const rewrapped = await both.rewrap(sealed);
    expect([sealedKeyId(sealed), sealedKeyId(rewrapped)]).toEqual(['old', 'new']);
    const content = TEXT.length + 12 + 16;
    expect(Buffer.from(rewrapped.slice(-content)).equals(sealed.slice(-content))).toBe(true);
    const after = await withKeys({ new: OTHER });
    expect(Buffer.from(await after.open(rewrapped, 'c')).equals(TEXT)).toBe(true);
    expect((await failure(() => after.open(sealed, 'c'))).code).toBe('KEY_NOT_FOUND');
    const again = await both.rewrap(rewrapped);
    expect(again).toEqual(rewrapped);
    expect(again).not.toBe(rewrapped);
  });

  it('shares a data key among as many records as it is told', async () => {
    const cipher = await withKeys({ k: KEY }, { templatesPerKey: 3 });
    const sealed = await Promise.all(Array.from({ length: 7 }, () => cipher.seal(TEXT, 'c')));
    const keys = sealed.map((s) => Buffer.from(s.subarray(9, 69)).toString('hex'));
    expect([new Set(keys).size, keys[0] === keys[2], keys[2] === keys[3]]).toEqual([3, true, false]);
    const nonces = sealed.map((s) => Buffer.from(s.subarray(69, 81)).toString('hex'));
    expect(new Set(nonces).size).toBe(7);
    for (const s of sealed) expect(Buffer.from(await cipher.open(s, 'c')).equals(TEXT)).toBe(true);
  });

  it('never uses a nonce twice', async () => {
    const cipher = await withKeys({ k: KEY }, { templatesPerKey: 1000 });
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const sealed = Buffer.from(await cipher.seal(new Uint8Array(1), 'c'));
      seen.add(sealed.subarray(69, 81).toString('hex'));
    }
    expect(seen.size).toBe(1000);
  });

  it('is closed for good', async () => {
    const cipher = await withKeys({ k: KEY });
    const sealed = await cipher.seal(TEXT, 'c');
    cipher.close();
    cipher.close();
    for (const call of [() => cipher.seal(TEXT, 'c'), () => cipher.open(sealed, 'c'), () => cipher.rewrap(sealed)])
      expect((await failure(call)).code).toBe('CLOSED');
  });
});

describe('keyring files', () => {
  it('are made for their owner alone, rotated while others use them, and cleaned', async () => {
    const name = file('ring');
    const first = await createKeyringFile(name);
    if (posix) expect(statSync(name).mode & 0o777).toBe(0o600);
    expect((await failure(() => createKeyringFile(name))).code).toBe('DUPLICATE_ID');
    const [a, b] = [await TemplateCipher.open({ file: name }), await TemplateCipher.open({ file: name })];
    const sealed = await a.seal(TEXT, 'c');
    const second = await rotateKeyringFile(name, { keyId: '2026' });
    if (posix) expect(statSync(name).mode & 0o777).toBe(0o600);
    expect([a.activeKeyId, second]).toEqual([first, '2026']);
    await a.keyring.reload();
    expect(a.activeKeyId).toBe('2026');
    const newer = await a.seal(TEXT, 'c');
    // b knows nothing of the rotation, and reads the file anew when it meets the new id.
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect(Buffer.from(await b.open(newer, 'c')).equals(TEXT)).toBe(true);
    expect(Buffer.from(await b.open(sealed, 'c')).equals(TEXT)).toBe(true);
    expect((await failure(() => removeFromKeyringFile(name, '2026'))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(() => removeFromKeyringFile(name, 'nobody'))).code).toBe('KEY_NOT_FOUND');
    expect((await failure(() => rotateKeyringFile(name, { keyId: '2026' }))).code).toBe('DUPLICATE_ID');
    await removeFromKeyringFile(name, first);
    await b.keyring.reload();
    expect((await failure(() => b.open(sealed, 'c'))).code).toBe('KEY_NOT_FOUND');
    expect(existsSync(`${name}.new`)).toBe(false);
  });

  it('are changed by one writer at a time, and no change is lost', async () => {
    const name = file('busy');
    await createKeyringFile(name, { keyId: 'k' });
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => rotateKeyringFile(name, { keyId: `k${i}` })),
    );
    const done = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
    for (const r of results) if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'STORE_BUSY' });
    const { keys } = JSON.parse(readFileSync(name, 'utf8')) as { keys: Record<string, string> };
    expect(done.length).toBeGreaterThan(0);
    expect(Object.keys(keys).sort()).toEqual(['k', ...done].sort());
  });

  it.skipIf(!posix)('that others can read are refused, with the command that mends it', async () => {
    const name = file('open');
    await createKeyringFile(name);
    for (const mode of [0o640, 0o604, 0o666]) {
      chmodSync(name, mode);
      const error = await failure(() => openKeyring({ file: name }));
      expect(error).toMatchObject({ code: 'ACCESS_DENIED', fix: `Run: chmod 600 ${name}` });
    }
    chmodSync(name, 0o400);
    expect((await openKeyring({ file: name })).activeKeyId).toHaveLength(17);
  });

  it('that are none are refused without showing what they hold', async () => {
    const secret = KEY.toString('base64');
    const good = { format: 'lineament-keyring', version: 1, active: 'k', keys: { k: secret } };
    const wrong: Record<string, string> = {
      'cut short': JSON.stringify(good).slice(0, -2),
      'not JSON': `${secret}`,
      'another format': JSON.stringify({ ...good, format: 'x' }),
      'newer version': JSON.stringify({ ...good, version: 2 }),
      'no active key': JSON.stringify({ ...good, active: 'x' }),
      'active key of the prototype': JSON.stringify({ ...good, active: 'toString' }),
      'short key': JSON.stringify({ ...good, keys: { k: secret.slice(4) } }),
      'not base64': JSON.stringify({ ...good, keys: { k: `!${secret.slice(1)}` } }),
      'id with a space': JSON.stringify({ ...good, active: 'a b', keys: { 'a b': secret } }),
      'no keys': JSON.stringify({ ...good, keys: [] }),
      null: 'null',
    };
    for (const [what, text] of Object.entries(wrong)) {
      const name = file('wrong');
      writeFileSync(name, text, { mode: 0o600 });
      const error = await failure(() => openKeyring({ file: name }));
      expect(error.code, what).toBe('KEY_NOT_FOUND');
      expect(`${error.message}${String(error.cause)}`).not.toContain(secret.slice(8, 16));
    }
    expect((await failure(() => openKeyring({ file: file('nowhere') }))).code).toBe('KEY_NOT_FOUND');
    expect((await failure(() => openKeyring({ file: folder }))).code).toBe('KEY_NOT_FOUND');
    for (const source of [null, {}, { file: '' }, { env: 5 }, { service: {} }])
      expect((await failure(() => openKeyring(source as never))).code).toBe('INVALID_ARGUMENT');
  });
});

describe('keys in the environment', () => {
  it('are a list, the first one active', async () => {
    const cipher = await withKeys({ 'arn:aws:kms:x:key/1': KEY, b: OTHER });
    expect(cipher.activeKeyId).toBe('arn:aws:kms:x:key/1');
    expect(sealedKeyId(await cipher.seal(TEXT, 'c'))).toBe('arn:aws:kms:x:key/1');
  });

  it('that cannot be understood are refused without showing them', async () => {
    const secret = KEY.toString('base64');
    for (const value of ['', secret, `k:${secret.slice(4)}`, `k:${secret} k:${secret}`, `:${secret}`, 'k:']) {
      process.env['LINEAMENT_TEST_KEYS'] = value;
      const error = await failure(() => openKeyring({ env: 'LINEAMENT_TEST_KEYS' }));
      expect(error.code).toBe('KEY_NOT_FOUND');
      expect(error.message).not.toContain(secret.slice(8, 16));
    }
    expect((await failure(() => openKeyring({ env: 'LINEAMENT_TEST_NO_SUCH_KEYS' }))).code).toBe('KEY_NOT_FOUND');
  });
});

/** A key service in this process: AES-GCM under its own keys, with what a network does to it. */
class Service implements KeyService {
  activeKeyId = 'kms/1';
  calls: string[] = [];
  failures = 0;
  hang = false;
  readonly keys: Record<string, Buffer> = { 'kms/1': KEY, 'kms/2': OTHER };

  async wrap(keyId: string, dataKey: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    await this.#network('wrap', signal);
    const nonce = randomBytes(12);
    const c = createCipheriv('aes-256-gcm', this.keys[keyId]!, nonce);
    return Buffer.concat([nonce, c.update(dataKey), c.final(), c.getAuthTag()]);
  }

  async unwrap(keyId: string, wrapped: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    await this.#network('unwrap', signal);
    const key = this.keys[keyId];
    if (key === undefined) throw new LineamentError('KEY_NOT_FOUND', keyId);
    const d = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, 12)).setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([d.update(wrapped.subarray(12, -16)), d.final()]);
  }

  async #network(call: string, signal: AbortSignal): Promise<void> {
    this.calls.push(call);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (this.hang) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    if (this.failures > 0) {
      this.failures--;
      throw new Error('connection reset');
    }
  }
}

describe('keys of a key service', () => {
  it('are asked for once for many records, in sealing and in opening', async () => {
    const service = new Service();
    const cipher = await TemplateCipher.open({ service });
    const sealed = await Promise.all(Array.from({ length: 50 }, (_, i) => cipher.seal(TEXT, `${i}`)));
    expect(service.calls).toEqual(['wrap']);
    const opened = await Promise.all(sealed.map((s, i) => cipher.open(s, `${i}`)));
    expect(opened.every((o) => Buffer.from(o).equals(TEXT))).toBe(true);
    await cipher.open(sealed[0]!, '0');
    expect(service.calls).toEqual(['wrap', 'unwrap']);
    const other = await TemplateCipher.open({ service });
    expect(Buffer.from(await other.open(sealed[7]!, '7')).equals(TEXT)).toBe(true);
  });

  it('are asked for again when they have been kept long enough, or not at all', async () => {
    const service = new Service();
    const cipher = await TemplateCipher.open({ service }, { keyLifetimeMs: 20 });
    const sealed = await cipher.seal(TEXT, 'c');
    await cipher.open(sealed, 'c');
    await new Promise((resolve) => setTimeout(resolve, 40));
    await cipher.open(sealed, 'c');
    await cipher.open(await cipher.seal(TEXT, 'c'), 'c');
    expect(service.calls).toEqual(['wrap', 'unwrap', 'unwrap', 'wrap', 'unwrap']);
    const never = await TemplateCipher.open({ service }, { keyLifetimeMs: 0 });
    service.calls = [];
    await never.open(sealed, 'c');
    await never.open(sealed, 'c');
    expect(service.calls).toEqual(['unwrap', 'unwrap']);
    const few = await TemplateCipher.open({ service }, { keysKept: 1, templatesPerKey: 1 });
    const many = await Promise.all([few.seal(TEXT, 'c'), few.seal(TEXT, 'c'), few.seal(TEXT, 'c')]);
    for (let round = 0; round < 3; round++) {
      const opened = await Promise.all(many.map((s) => few.open(s, 'c')));
      expect(opened.every((o) => Buffer.from(o).equals(TEXT))).toBe(true);
    }
  });

  it('are asked for again when the network fails, but not for ever', async () => {
    const service = new Service();
    const cipher = await TemplateCipher.open({ service, retries: 2 });
    service.failures = 2;
    const sealed = await cipher.seal(TEXT, 'c');
    expect(service.calls).toEqual(['wrap', 'wrap', 'wrap']);
    service.failures = 3;
    const fresh = await TemplateCipher.open({ service, retries: 2 });
    const error = await failure(() => fresh.open(sealed, 'c'));
    expect(error.code).toBe('STORE_UNAVAILABLE');
    expect(error.message).toContain('failed to unwrap 3 times: connection reset');
    // Nothing of the failure is kept.
    expect(Buffer.from(await fresh.open(sealed, 'c')).equals(TEXT)).toBe(true);
    service.failures = 3;
    const sealing = await TemplateCipher.open({ service, retries: 2 });
    expect((await failure(() => sealing.seal(TEXT, 'c'))).code).toBe('STORE_UNAVAILABLE');
    expect(Buffer.from(await fresh.open(await sealing.seal(TEXT, 'c'), 'c')).equals(TEXT)).toBe(true);
  });

  it('that do not answer are given up', async () => {
    const service = new Service();
    service.hang = true;
    const cipher = await TemplateCipher.open({ service, retries: 1, timeoutMs: 20 });
    expect((await failure(() => cipher.seal(TEXT, 'c'))).code).toBe('STORE_UNAVAILABLE');
    expect(service.calls).toEqual(['wrap', 'wrap']);
    const closing = await TemplateCipher.open({ service });
    const sealing = failure(() => closing.seal(TEXT, 'c'));
    closing.close();
    expect((await sealing).code).toBe('CLOSED');
  });

  it('that are missing or wrong are not asked for again', async () => {
    const service = new Service();
    const cipher = await TemplateCipher.open({ service });
    const sealed = await cipher.seal(TEXT, 'c');
    delete service.keys['kms/1'];
    service.activeKeyId = 'kms/2';
    expect((await failure(() => cipher.open(sealed, 'c'))).code).toBe('KEY_NOT_FOUND');
    expect(service.calls).toEqual(['wrap', 'unwrap']);
    // After the rotation at the service new records are under the new key at once.
    expect(sealedKeyId(await cipher.seal(TEXT, 'c'))).toBe('kms/2');
    service.unwrap = () => Promise.resolve(Buffer.alloc(16));
    const short = await TemplateCipher.open({ service });
    expect((await failure(() => short.open(sealed, 'c'))).code).toBe('KEY_MISMATCH');
  });

  it('rewraps from one to another', async () => {
    const service = new Service();
    const cipher = await TemplateCipher.open({ service });
    const sealed = await cipher.seal(TEXT, 'c');
    service.activeKeyId = 'kms/2';
    const rewrapped = await cipher.rewrap(sealed);
    expect(sealedKeyId(rewrapped)).toBe('kms/2');
    delete service.keys['kms/1'];
    const after = await TemplateCipher.open({ service });
    expect(Buffer.from(await after.open(rewrapped, 'c')).equals(TEXT)).toBe(true);
  });

  it('cannot be derived from', async () => {
    const ring = await openKeyring({ service: new Service() });
    expect((await failure(() => ring.derive('x'))).code).toBe('KEY_NOT_FOUND');
  });
});
