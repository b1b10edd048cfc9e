import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receipt, receiptCovers, verifyReceipt } from '../../../lib/gallery/index.js';
import { type Engine, openEngine } from '../../../lib/index.js';
import { startService, type TestService } from '../../support/service.js';
import { asBody, asForm, asJson, photo, postJson } from './pictures.js';

let service: TestService;
let engine: Engine;

beforeAll(async () => {
  service = await startService({ data: { keepImages: true } });
  engine = await openEngine({ preset: 'fast' });
});
afterAll(async () => {
  await service.close();
  await engine.close();
});

interface Enrolment {
  readonly person: string;
  readonly created: boolean;
  readonly samples: readonly string[];
  readonly conflicts: readonly { readonly person: string }[];
  readonly cached: boolean;
}
interface Identified {
  readonly faces: readonly {
    readonly match?: { readonly person: string; readonly similarity: number };
    readonly candidates: readonly { readonly person: string; readonly similarity: number }[];
  }[];
}
interface Problem {
  readonly code: string;
  readonly detail: string;
}
interface Person {
  readonly id: string;
  readonly name?: string;
  readonly metadata?: unknown;
  readonly samples: readonly { readonly id: string; readonly thumbnail: boolean; readonly quality?: number }[];
}

const vectorOf = async (i: number): Promise<number[]> => Array.from((await engine.embed(photo(i)))?.vector ?? []);

describe('enrolment', () => {
  it('takes pictures in every form, and embeddings', async () => {
    const forms = [
      await asForm<Enrolment>(service, '/api/v1/enrol', { image: photo(1) }, { person: 'form', name: 'Ada' }),
      await asJson<Enrolment>(service, '/api/v1/persons', { images: [photo(2)] }, { person: 'json' }),
      await asBody<Enrolment>(service, '/api/v1/enrol', photo(3), { person: 'body', name: 'Grace' }),
      await asBody<Enrolment>(service, '/api/v1/persons/added/samples', photo(4), {}, 'image/png'),
      await postJson<Enrolment>(service, '/api/v1/enrol', {
        person: 'vector',
        metadata: { team: ['a', 1, null] },
        embeddings: [await vectorOf(5)],
      }),
    ];
    for (const { status, body } of forms) {
      expect(status, JSON.stringify(body)).toBe(201);
      expect(body).toMatchObject({ created: true });
      expect(body.samples).toHaveLength(1);
    }
    expect(forms.map(({ body }) => body.person)).toEqual(['form', 'json', 'body', 'added', 'vector']);
    const made = await asForm<Enrolment>(
      service,
      '/api/v1/enrol',
      { images: [photo(6), photo(6)] },
      { name: 'Nobody' },
    );
    expect(made.body).toMatchObject({ created: true });
    expect(made.body.person).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.body.samples).toHaveLength(2);
    const again = await asForm<Enrolment>(service, '/api/v1/persons/form/samples', { image: photo(1) });
    expect(again.body).toMatchObject({ created: false, cached: true, conflicts: [] });
  });

  it('says whose face it is already', async () => {
    const seen = await asForm<Enrolment>(service, '/api/v1/enrol', { image: photo(1) }, { person: 'other' });
    expect(seen.body.conflicts).toMatchObject([{ person: 'form' }]);
    await service.call('DELETE', '/api/v1/persons/other');
    const refused = await asForm<Problem>(
      service,
      '/api/v1/enrol',
      { image: photo(1) },
      { person: 'other', on_conflict: 'refuse' },
    );
    expect(refused).toMatchObject({ status: 409, body: { code: 'DUPLICATE_ID' } });
    const there = await asForm<Problem>(
      service,
      '/api/v1/enrol',
      { image: photo(1) },
      { person: 'form', on_existing: 'refuse' },
    );
    expect(there).toMatchObject({ status: 409, body: { code: 'DUPLICATE_ID' } });
  });

  it('of many answers each by itself', async () => {
    const answer = await asForm<{ results: (Partial<Enrolment> & { error?: Problem })[] }>(
      service,
      '/api/v1/enrol/batch',
      { images: [photo(2), Buffer.from('GIF89a is all there is'), photo(3)] },
      { persons: 'batch-1,batch-2,batch-3', collection: 'batch' },
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body).toMatchObject({ succeeded: 2, failed: 1 });
    expect(answer.body.results.map(({ person }) => person)).toEqual(['batch-1', undefined, 'batch-3']);
    expect((await service.call('GET', '/api/v1/persons/batch-2')).status).toBe(404);
    const vectors = await postJson(service, '/api/v1/enrol/batch', {
      persons: ['v-1', 'v-2'],
      embeddings: [await vectorOf(4), (await vectorOf(4)).slice(1)],
      collection: 'batch',
    });
    expect(vectors.body).toMatchObject({
      succeeded: 1,
      results: [{ person: 'v-1' }, { error: { code: 'EMBEDDING_MISMATCH', status: 409 } }],
    });
    const fewer = await asForm(service, '/api/v1/enrol/batch', { images: [photo(2), photo(3)] }, { persons: 'a,b,c' });
    expect(fewer).toMatchObject({ status: 400 });
  });

  it('keeps a small picture of the face alone, and nothing of the file', async () => {
    const marked = Buffer.concat([photo(1), Buffer.from('<script>PK\u0003\u0004 a second file')]);
    const { body } = await asForm<Enrolment>(service, '/api/v1/enrol', { image: marked }, { person: 'polyglot' });
    const response = await service.fetch(`/api/v1/samples/${body.samples[0]}/thumbnail`);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.length).toBeLessThan(20_000);
    expect(bytes.includes('<script>')).toBe(false);
    const frame = await engine.decode(bytes);
    expect([frame.width, frame.height]).toEqual([160, 160]);
    await service.call('DELETE', '/api/v1/persons/polyglot');
    expect((await service.call('GET', `/api/v1/samples/${body.samples[0]}/thumbnail`)).status).toBe(404);
  });

  it('needs a consent where the configuration asks for one', async () => {
    await using strict = await startService({ data: { consentRequired: true } });
    const { dims } = await engine.recogniser();
    const embeddings = [Array.from({ length: dims }, (_, i) => Math.sin(i + 1))];
    const without = await postJson<Problem>(strict, '/api/v1/enrol', { person: 'a', embeddings });
    expect(without).toMatchObject({ status: 422, body: { code: 'CONSENT_REQUIRED' } });
    const batch = await postJson<Problem>(strict, '/api/v1/enrol/batch', { persons: ['a'], embeddings });
    expect(batch).toMatchObject({ status: 422, body: { code: 'CONSENT_REQUIRED' } });
    const more = await postJson<Problem>(strict, '/api/v1/persons/a/samples', { embeddings });
    expect(more).toMatchObject({ status: 422, body: { code: 'CONSENT_REQUIRED' } });
    expect((await strict.call('GET', '/api/v1/persons')).body).toMatchObject({ persons: [] });
    const given = await postJson(strict, '/api/v1/enrol', { person: 'a', embeddings, consent: 'form 7' });
    expect(given.status).toBe(201);
    expect((await strict.call('GET', '/api/v1/persons/a')).body).toMatchObject({ samples: [{ consent: 'form 7' }] });
  });
});

describe('identification', () => {
  it('tells who is on a picture, in every form', async () => {
    for (const answer of [
      await asForm<Identified>(service, '/api/v1/identify', { image: photo(2) }, { k: 2 }),
      await asJson<Identified>(service, '/api/v1/identify', { image: photo(2) }, { k: 2 }),
      await asBody<Identified>(service, '/api/v1/identify', photo(2), { k: 2 }),
    ]) {
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      expect(answer.body.faces).toHaveLength((await engine.detect(photo(2))).length);
      expect(answer.body.faces.some(({ match }) => match?.person === 'json')).toBe(true);
      for (const { candidates } of answer.body.faces) expect(candidates.length).toBeLessThanOrEqual(2);
    }
    const probe = { embeddings: [await vectorOf(5), await vectorOf(1)] };
    const known = await postJson<Identified>(service, '/api/v1/identify', probe);
    expect(known.body.faces.map(({ match }) => match?.person)).toEqual(['vector', 'form']);
    const nobody = await postJson<Identified>(service, '/api/v1/identify', { ...probe, threshold: 1, k: 1 });
    expect(nobody.body.faces).toHaveLength(2);
  });

  it('answers each picture of a batch by itself', async () => {
    const answer = await asForm<{ results: (Identified & { error?: Problem })[] }>(
      service,
      '/api/v1/identify/batch',
      { images: [photo(1), Buffer.from('%PDF-1.7')] },
      { max_faces: 1 },
    );
    expect(answer.body).toMatchObject({ succeeded: 1, failed: 1 });
    expect(answer.body.results[0]?.faces[0]?.match?.person).toBe('form');
    expect(answer.body.results[1]?.error).toMatchObject({ code: 'IMAGE_UNSUPPORTED' });
  });

  it('checks whether somebody is who they are said to be', async () => {
    const right = await asForm(service, '/api/v1/persons/form/verify', { image: photo(1) });
    expect(right).toMatchObject({ status: 200, body: { person: 'form', is_match: true, status: 'match' } });
    const wrong = await postJson(service, '/api/v1/persons/vector/verify', { embedding: await vectorOf(1) });
    expect(wrong).toMatchObject({ status: 200, body: { is_match: false, status: 'no_match' } });
    const nobody = await asForm(service, '/api/v1/persons/nobody/verify', { image: photo(1) });
    expect(nobody).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('refuses probes of another model or length', async () => {
    const probe = await vectorOf(1);
    const short = await postJson(service, '/api/v1/identify', { embeddings: [probe.slice(2)] });
    expect(short).toMatchObject({ status: 409, body: { code: 'EMBEDDING_MISMATCH' } });
    const other = await postJson(service, '/api/v1/identify', { embeddings: [probe], model: 'arcface' });
    expect(other).toMatchObject({ status: 409, body: { code: 'EMBEDDING_MISMATCH' } });
    const enrolled = await postJson(service, '/api/v1/enrol', { embeddings: [probe.slice(2)] });
    expect(enrolled).toMatchObject({ status: 409, body: { code: 'EMBEDDING_MISMATCH' } });
    const nowhere = await postJson(service, '/api/v1/identify', { embeddings: [probe], collection: 'nowhere' });
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('persons', () => {
  it('are listed, read, changed and erased with a receipt', async () => {
    const { body: page } = await service.call('GET', '/api/v1/persons?limit=2');
    const { persons, next } = page as { persons: Person[]; next?: string };
    expect(persons).toHaveLength(2);
    const { body: rest } = await service.call('GET', `/api/v1/persons?after=${next}&limit=1000`);
    expect((rest as { persons: Person[] }).persons[0]?.id).not.toBe(persons[1]?.id);
    const { body: read } = await service.call('GET', '/api/v1/persons/vector');
    expect(read).toMatchObject({
      id: 'vector',
      metadata: { team: ['a', 1, null] },
      samples: [{ collection: 'default' }],
    });
    expect(await service.call('PATCH', '/api/v1/persons/vector', { name: 'Vera' })).toMatchObject({
      status: 200,
      body: { name: 'Vera', metadata: { team: ['a', 1, null] } },
    });
    const { body: put } = await service.call('PUT', '/api/v1/persons/vector', { metadata: [1] });
    expect(put).toMatchObject({ metadata: [1] });
    expect(put).not.toHaveProperty('name');
    expect(await service.call('PATCH', '/api/v1/persons/vector', { id: 'form' })).toMatchObject({ status: 409 });
    expect(await service.call('PATCH', '/api/v1/persons/vector', { id: 'moved' })).toMatchObject({ status: 200 });
    expect(await service.call('GET', '/api/v1/persons/vector')).toMatchObject({ status: 404 });
    expect(await service.call('PATCH', '/api/v1/persons/vector', { name: 'x' })).toMatchObject({ status: 404 });
    const probe = { embeddings: [await vectorOf(5)] };
    const before = await postJson<Identified>(service, '/api/v1/identify', probe);
    expect(before.body.faces[0]?.match?.person).toBe('moved');
    const { status, body } = await service.call('DELETE', '/api/v1/persons/moved');
    expect(status).toBe(200);
    const { receipt } = body as { receipt: Receipt };
    const { body: list } = await service.call('GET', '/api/v1/receipts?limit=1');
    const { public_key, receipts } = list as { public_key: string; receipts: Receipt[] };
    expect(verifyReceipt(receipt, public_key)).toBe(true);
    expect(receiptCovers(receipt, 'moved')).toBe(true);
    expect(receipts[0]).toEqual(receipt);
    expect(await postJson(service, '/api/v1/receipts/verify', { receipt, id: 'moved' })).toMatchObject({
      body: { valid: true, covers: true },
    });
    const forged = { ...receipt, erased: { ...receipt.erased, samples: 9 } };
    expect(await postJson(service, '/api/v1/receipts/verify', { receipt: forged })).toMatchObject({
      body: { valid: false },
    });
    const after = await postJson<Identified>(service, '/api/v1/identify', probe);
    expect(after.body.faces[0]?.candidates.map(({ person }) => person)).not.toContain('moved');
    expect(await service.call('DELETE', '/api/v1/persons/moved')).toMatchObject({ status: 404 });
  });

  it('are merged, and samples erased one by one', async () => {
    await postJson(service, '/api/v1/enrol', { person: 'twin', embeddings: [await vectorOf(4)], on_conflict: 'allow' });
    const merged = await postJson<Person>(service, '/api/v1/persons/added/merge', { from: 'twin' });
    expect(merged.body.samples).toHaveLength(2);
    expect(await service.call('GET', '/api/v1/persons/twin')).toMatchObject({ status: 404 });
    const id = merged.body.samples[1]?.id;
    expect(await service.call('DELETE', `/api/v1/samples/${id}`)).toMatchObject({ status: 200, body: { samples: 1 } });
    expect(await postJson(service, '/api/v1/erase', { sample: id })).toMatchObject({ status: 404 });
    const { body } = await service.call('GET', '/api/v1/persons/added/samples');
    expect((body as { samples: unknown[] }).samples).toHaveLength(1);
  });

  it('have ids that are data and nothing else', async () => {
    const embeddings = [await vectorOf(6)];
    const odd = [
      '../../etc/passwd',
      '..\\..\\windows',
      "'; DROP TABLE persons; --",
      '%00',
      'a/b?c#d&e=f',
      '<script>alert(1)</script>',
      '{{7*7}}',
      'ünï¢ødé 人 🙂',
    ];
    for (const person of odd) {
      const made = await postJson<Enrolment>(service, '/api/v1/enrol', {
        person,
        name: person,
        embeddings,
        on_conflict: 'allow',
      });
      expect(made, person).toMatchObject({ status: 201, body: { person } });
      const address = `/api/v1/persons/${encodeURIComponent(person)}`;
      expect(await service.call('GET', address), person).toMatchObject({
        status: 200,
        body: { id: person, name: person },
      });
      expect(await service.call('DELETE', address), person).toMatchObject({ status: 200, body: { persons: 1 } });
    }
    for (const person of ['line\r\nSet-Cookie: a=b', 'nul\u0000', '', 'x'.repeat(256), 7, null, ['a']]) {
      const made = await postJson<Problem>(service, '/api/v1/enrol', { person, embeddings });
      expect(made, String(person)).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
      const named = await postJson<Problem>(service, '/api/v1/enrol', { person: 'n', name: person, embeddings });
      if (person !== 'x'.repeat(256)) expect(named, String(person)).toMatchObject({ status: 400 });
      else await service.call('DELETE', '/api/v1/persons/n');
    }
    const split = await service.fetch('/api/v1/persons/a%0d%0aSet-Cookie:%20x=y');
    expect(split.headers.get('set-cookie')).toBeNull();
    expect([400, 404]).toContain(split.status);
    for (const path of ['/api/v1/persons/..%2f..%2fservice.sqlite', '/api/v1/samples/..%2fgallery/thumbnail']) {
      expect((await service.fetch(path)).status, path).toBe(404);
    }
    expect((await service.call('GET', '/api/v1/persons?after=%27%20OR%201=1')).status).toBe(200);
  });
});

describe('collections', () => {
  it('are made, pinned to the recogniser, searched apart and erased', async () => {
    const { model, dims, hash } = await engine.recogniser();
    const made = await postJson(service, '/api/v1/collections', { name: 'visitors', settings: { days: 7 } });
    expect(made).toMatchObject({ status: 201, body: { name: 'visitors', model, dims, model_hash: hash, samples: 0 } });
    expect(await postJson(service, '/api/v1/collections', { name: 'visitors' })).toMatchObject({ status: 409 });
    await asForm(service, '/api/v1/enrol', { image: photo(5) }, { person: 'guest', collection: 'visitors' });
    const there = await asForm<Identified>(
      service,
      '/api/v1/identify',
      { image: photo(5) },
      { collection: 'visitors', max_faces: 1 },
    );
    expect(there.body.faces[0]?.match?.person).toBe('guest');
    const elsewhere = await asForm<Identified>(service, '/api/v1/identify', { image: photo(5) }, { max_faces: 1 });
    expect(elsewhere.body.faces[0]?.candidates.map(({ person }) => person)).not.toContain('guest');
    const { body } = await service.call('GET', '/api/v1/collections');
    const { collections } = body as { collections: { name: string; model_hash?: string }[] };
    expect(collections.find(({ name }) => name === 'default')?.model_hash).toBe(hash);
    const gone = await service.call('DELETE', '/api/v1/collections/visitors');
    expect(gone).toMatchObject({ status: 200, body: { persons: 1, samples: 1 } });
    expect((await service.call('GET', '/api/v1/collections/visitors')).status).toBe(404);
    const again = await asForm<Enrolment>(
      service,
      '/api/v1/enrol',
      { image: photo(5) },
      { person: 'guest', collection: 'visitors' },
    );
    expect(again.body).toMatchObject({ created: true });
    const { body: anew } = await service.call('GET', '/api/v1/collections/visitors');
    expect(anew).toMatchObject({ model_hash: hash });
  });
});

describe('another recogniser', () => {
  it('finds its own collections, and is refused by those of others', async () => {
    const old = await vectorOf(1);
    const turn = (name: string) => postJson(service, '/api/v1/face-recognition/switch-model', { name });
    expect(await turn('balanced')).toMatchObject({ status: 200 });
    try {
      const statistics = await service.call('GET', '/api/v1/face-recognition/statistics');
      const { dims, preset } = statistics.body as { dims: number; preset: string };
      expect(preset).toBe('balanced');
      expect(dims).not.toBe(old.length);
      const refused = { status: 409, body: { code: 'EMBEDDING_MISMATCH' } };
      expect(await postJson(service, '/api/v1/identify', { embeddings: [old] })).toMatchObject(refused);
      expect(await asForm(service, '/api/v1/identify', { image: photo(1) })).toMatchObject(refused);
      expect(await asForm(service, '/api/v1/enrol', { image: photo(1) }, { person: 'new' })).toMatchObject(refused);
      const own = { collection: 'balanced' };
      const made = await asForm(service, '/api/v1/enrol', { image: photo(1) }, { person: 'new', ...own });
      expect(made).toMatchObject({ status: 201, body: { created: true } });
      const found = await asForm<Identified>(
        service,
        '/api/v1/identify',
        { image: photo(1) },
        { ...own, max_faces: 1 },
      );
      expect(found.body.faces[0]?.match?.person).toBe('new');
    } finally {
      await turn('fast');
    }
    const back = await asForm<Identified>(service, '/api/v1/identify', { image: photo(1) }, { max_faces: 1 });
    expect(back.body.faces[0]?.match?.person).toBe('form');
  });
});

describe('transfer', () => {
  it('moves everybody to another service, who are found there', async () => {
    const response = await service.fetch('/api/v1/export');
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const text = await response.text();
    const lines = text.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toHaveProperty('end');
    await using other = await startService();
    const send = (body: string, query = '') =>
      other.fetch(`/api/v1/import${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      });
    const imported = await send(text);
    const { persons } = (JSON.parse(lines.at(-1) ?? '') as { end: { persons: number } }).end;
    expect(imported.status).toBe(200);
    expect(await imported.json()).toMatchObject({ created: persons });
    const found = await asForm<Identified>(other, '/api/v1/identify', { image: photo(1) }, { max_faces: 1 });
    expect(found.body.faces[0]?.match?.person).toBe('form');
    expect((await send(text)).status).toBe(409);
    expect(await (await send(text, '?on_existing=skip')).json()).toMatchObject({ created: 0, skipped: persons });
    expect((await send(lines.slice(0, 3).join('\n'), '?on_existing=skip')).status).toBe(422);
    const head = { lineament: 'gallery', version: 1, export: 'x', sealed: false, createdAt: 0 };
    for (const wrong of [
      'rm -rf /',
      '{}',
      `${JSON.stringify({ ...head, version: 2 })}\n`,
      `${JSON.stringify({ ...head, sealed: true })}\n{"sealed":"AAAA"}\n`,
      `${JSON.stringify(head)}\n{"person":{"id":"x"}}\n`,
      `${JSON.stringify(head)}\n{"person":{"id":"x"},"samples":[{"collection":"c","template":"AAAA"}]}\n`,
      `${JSON.stringify(head)}\n[]\n`,
    ]) {
      expect((await send(wrong)).status, wrong).toBe(422);
    }
    const json = await postJson(other, '/api/v1/import', { lineament: 'gallery' });
    expect(json).toMatchObject({ status: 415, body: { code: 'MEDIA_UNSUPPORTED' } });
    expect((await other.fetch('/api/v1/export?collection=nowhere')).status).toBe(404);
  });

  it('purges what has expired', async () => {
    const embeddings = [await vectorOf(2)];
    const soon = Date.now() + 1500;
    await postJson(service, '/api/v1/enrol', {
      person: 'short',
      embeddings,
      expires_at: soon,
      on_conflict: 'allow',
    });
    await new Promise((done) => setTimeout(done, soon - Date.now() + 20));
    const purged = await service.call('POST', '/api/v1/purge-expired');
    expect(purged).toMatchObject({ status: 200, body: { persons: 1, samples: 1 } });
    expect(await service.call('POST', '/api/v1/purge-expired')).toMatchObject({ body: { persons: 0, samples: 0 } });
  });
});

describe('the audit trail', () => {
  it('has every change, who made it, and no picture or vector', async () => {
    const { status, body } = await service.call('GET', '/api/v1/audit?limit=1000');
    expect(status).toBe(200);
    const text = JSON.stringify(body);
    for (const action of [
      'person.enrol',
      'person.update',
      'person.merge',
      'person.erase',
      'sample.erase',
      'collection.create',
      'collection.erase',
      'gallery.export',
      'gallery.purge',
    ]) {
      expect(text).toContain(`"${action}"`);
    }
    for (const id of ['form', 'moved', 'twin']) expect(text).not.toContain(`"${id}"`);
    expect(text).not.toContain('vector":[');
    expect(text).not.toContain('base64');
  });
});
