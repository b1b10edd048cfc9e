import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ServiceConfigInput } from '../../../lib/service/config/index.js';
import type { Principal } from '../../../lib/service/types.js';
import { jose } from '../../../lib/service/vendor.js';
import { authorityWith, temporaryFolder } from './auth-support.js';

const HERE = '192.0.2.7';
const ISSUER = 'https://id.example.org';
const AUDIENCE = 'lineament';
const SECRET = 'a secret of at least thirty-two bytes!';

type Claims = jose.JWTPayload & { readonly scope?: unknown };
const claims = (more: Claims = {}): Claims => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'ada',
  exp: Math.floor(Date.now() / 1000) + 600,
  scope: 'read',
  ...more,
});
const sign = (key: KeyObject | Uint8Array, alg: string, payload = claims(), header: object = {}): Promise<string> =>
  new jose.SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(key);
const secret = (text = SECRET): Uint8Array => new TextEncoder().encode(text);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Configuration with tokens; the secret is in the environment while the test runs. */
function tokens(key: string, algorithms: readonly string[], more: object = {}): ServiceConfigInput {
  vi.stubEnv('LINEAMENT_TEST_JWT', SECRET);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, key, algorithms, ...more } } };
}
const withSecret = (more: object = {}) => authorityWith(tokens('env:LINEAMENT_TEST_JWT', ['HS256'], more));

async function pemOf(key: KeyObject, type: 'spki' | 'pkcs8' = 'spki'): Promise<string> {
  const file = join(await temporaryFolder(), 'key.pem');
  await writeFile(file, key.export({ type, format: 'pem' }));
  return file;
}

const held = ({ scopes }: Principal): string[] => [...scopes];

describe('tokens signed with a secret', () => {
  it('say who somebody is and what they may do', async () => {
    const { authority } = await withSecret();
    const given = claims({ scope: 'openid enrol profile' });
    const principal = await authority.authenticate(await sign(secret(), 'HS256', given), HERE);
    expect(principal).toMatchObject({ id: 'token:ada', kind: 'token', expiresAt: Number(given.exp) * 1000 });
    expect(held(principal)).toEqual(['read', 'enrol']);
    expect(authority.stands(principal)).toBe(true);
  });

  it('may list scopes, under another claim, or have none', async () => {
    const { authority } = await withSecret({ scopeClaim: 'roles' });
    const held2 = async (roles: unknown) =>
      held(await authority.authenticate(await sign(secret(), 'HS256', claims({ roles })), HERE));
    expect(await held2(['admin', 7, null])).toEqual(['read', 'enrol', 'admin']);
    for (const none of [undefined, '', 'Admin', 'root', [], {}, 7, null]) expect(await held2(none)).toEqual([]);
  });

  it.each<[string, Claims, RegExp]>([
    ['has expired', { exp: Math.floor(Date.now() / 1000) - 60 }, /expired/],
    ['never ends', { exp: undefined as never }, /'exp'/],
    ['is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 600 }, /'nbf'/],
    ['is of another issuer', { iss: 'https://evil.example' }, /'iss'/],
    ['has no issuer', { iss: undefined as never }, /'iss'/],
    ['is for another service', { aud: 'other' }, /'aud'/],
    ['is for nobody', { aud: [] }, /'aud'/],
    ['names nobody', { sub: undefined as never }, /'sub'/],
    ['has an empty subject', { sub: '' }, /subject/],
    ['has a subject over lines', { sub: 'ada\nroot' }, /subject/],
    ['has a subject without end', { sub: 'a'.repeat(257) }, /subject/],
    ['has a subject that is no text', { sub: { id: 1 } as never }, /./],
  ])('are refused when one %s', async (_, more, said) => {
    const { authority } = await withSecret();
    const refused = await authority
      .authenticate(await sign(secret(), 'HS256', claims(more)), HERE)
      .catch((e: unknown) => e);
    expect(refused).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(said) });
  });

  it('are refused with another secret, another algorithm, or changed', async () => {
    const { authority } = await withSecret();
    const good = await sign(secret(), 'HS256');
    const [head, body, signature] = good.split('.') as [string, string, string];
    const admin = part(claims({ scope: 'admin' }));
    const bad = [
      await sign(secret(`${SECRET}!`), 'HS256'),
      await sign(secret(), 'HS512'),
      `${head}.${admin}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}.${signature.slice(0, -4)}`,
      await sign(secret(), 'HS256', claims(), { crit: ['b64'], b64: false }).catch(() => 'a.b.c'),
      'a.b.c',
      `${head}.${body}`,
    ];
    for (const token of bad) {
      await expect(authority.authenticate(token, HERE), token).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await authority.authenticate(good, HERE)).toMatchObject({ id: 'token:ada' });
  });

  it.each(['none', 'None', 'NONE', ''])('are refused without a signature (alg: "%s")', async (alg) => {
    const { authority } = await withSecret();
    for (const signature of ['', 'AAAA']) {
      const token = `${part({ alg, typ: 'JWT' })}.${part(claims({ scope: 'admin' }))}.${signature}`;
      await expect(authority.authenticate(token, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('that are wrong are limited; right ones are not', async () => {
    const { authority } = await authorityWith({
      ...tokens('env:LINEAMENT_TEST_JWT', ['HS256']),
      rate: { failures: 2 },
    });
    const wrong = await sign(secret(), 'HS512');
    for (let i = 0; i < 2; i++) {
      await expect(authority.authenticate(wrong, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    await expect(authority.authenticate(wrong, HERE)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(await authority.authenticate(await sign(secret(), 'HS256'), HERE)).toMatchObject({ id: 'token:ada' });
  });

  it('end with their time: whoever was let in may not stay', async () => {
    const { authority, clock } = await withSecret();
    const given = claims();
    const principal = await authority.authenticate(await sign(secret(), 'HS256', given), HERE);
    const { ticket } = authority.createTicket(principal);
    clock.now = Number(given.exp) * 1000;
    expect(authority.stands(principal)).toBe(false);
    expect(() => authority.redeemTicket(ticket, HERE)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  it('are nothing where tokens are not taken', async () => {
    const { authority } = await authorityWith();
    const token = await sign(secret(), 'HS256');
    await expect(authority.authenticate(token, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('tokens signed with a private key', () => {
  const pairs = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    PS384: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  };

  it.each(Object.entries(pairs))('are read with the public one: %s', async (alg, make) => {
    const { publicKey, privateKey } = make();
    const { authority } = await authorityWith(tokens(await pemOf(publicKey), ['HS256', 'ES512', alg]));
    expect(await authority.authenticate(await sign(privateKey, alg), HERE)).toMatchObject({
      id: 'token:ada',
      kind: 'token',
    });
    const other = await sign(make().privateKey, alg);
    await expect(authority.authenticate(other, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    // The public key is no secret: as one it must not open anything.
    const bytes = secret(publicKey.export({ type: 'spki', format: 'pem' }).toString());
    const confused = await sign(bytes, 'HS256', claims({ scope: 'admin' }));
    await expect(authority.authenticate(confused, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('are taken with the algorithms that were named, and no other of the same key', async () => {
    const { publicKey, privateKey } = pairs.RS256();
    const { authority } = await authorityWith(tokens(await pemOf(publicKey), ['RS256']));
    const other = await sign(privateKey, 'RS512');
    await expect(authority.authenticate(other, HERE)).rejects.toThrow(/algorithm/);
  });
});

describe('keys of tokens that cannot be used', () => {
  const refused = async (input: ServiceConfigInput): Promise<Error> => {
    const error = await authorityWith(input).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return error as Error;
  };

  it('are told when the service opens', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rsaFile = await pemOf(rsa.publicKey);
    const text = join(await temporaryFolder(), 'no.pem');
    await writeFile(text, 'no key');
    expect((await refused(tokens('env:LINEAMENT_NOT_THERE', ['HS256']))).message).toMatch(/nothing in the environment/);
    vi.stubEnv('LINEAMENT_SHORT', 'short');
    expect((await refused(tokens('env:LINEAMENT_SHORT', ['HS256']))).message).toMatch(/only 5 bytes/);
    expect((await refused(tokens('/not/there.pem', ['RS256']))).message).toMatch(/cannot be read/);
    expect((await refused(tokens(text, ['RS256']))).message).toMatch(/no public key/);
    expect((await refused(tokens(await pemOf(rsa.privateKey, 'pkcs8'), ['RS256']))).message).toMatch(/private key/);
    expect((await refused(tokens(rsaFile, ['HS256', 'ES256']))).message).toMatch(/none that goes with/);
    expect((await refused(tokens(rsaFile, ['RS256', 'none']))).message).toMatch(/'none'/);
    expect((await refused(tokens('env:LINEAMENT_TEST_JWT', ['RS256']))).message).toMatch(/HS256/);
    expect((await refused(tokens('http://id.example.org/keys', ['RS256']))).message).toMatch(/https/);
    expect((await refused(tokens('https://', ['RS256']))).message).toMatch(/https/);
  });
});

describe('tokens of a key set elsewhere', () => {
  it('are read with its keys, which are fetched once; while it is away nobody is let in by it', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const answers = { status: 200, count: 0 };
    const server = createServer((_, response) => {
      answers.count++;
      response.writeHead(answers.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'ES256' }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const token = await sign(privateKey, 'ES256', claims(), { kid: '1' });
    const unknown = await sign(privateKey, 'ES256', claims(), { kid: '2' });

    const { authority } = await authorityWith(tokens(url, ['ES256']));
    for (let i = 0; i < 3; i++) expect(await authority.authenticate(token, HERE)).toMatchObject({ id: 'token:ada' });
    await expect(authority.authenticate(unknown, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(answers.count).toBe(1);

    answers.status = 503;
    const other = await authorityWith({ ...tokens(url, ['ES256']), rate: { failures: 1 } });
    for (let i = 0; i < 3; i++) {
      await expect(other.authority.authenticate(token, HERE)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    }
    expect(answers.count).toBe(2);
    expect(other.log.lines.join('\n')).not.toContain(token);
    // Keys of our own need no key set.
    expect(await other.authority.authenticate(other.authority.firstKey, HERE)).toMatchObject({ kind: 'key' });
  });
});
