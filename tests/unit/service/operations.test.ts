// Putting right who is who: merges, splits, "not this person", and taking them back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../support/random.js';
import { startService, type TestService } from '../../support/service.js';
import { asBody, asForm, photo, postJson } from './pictures.js';

interface Person {
  readonly id: string;
  readonly name?: string;
  readonly operation: number;
  readonly samples: readonly { readonly id: string }[];
}
interface Operation {
  readonly id: number;
  readonly kind: string;
  readonly persons: readonly string[];
  readonly undone: boolean;
}
interface Identified {
  readonly faces: readonly {
    readonly match?: { readonly person: string };
    readonly set_aside?: readonly { readonly person: string; readonly feedback: number; readonly nearness: number }[];
  }[];
}

let service: TestService;
let dims = 0;
beforeAll(async () => {
  service = await startService();
  const { body } = await service.call('GET', '/api/v1/face-recognition/statistics');
  dims = (body as { dims: number }).dims;
});
afterAll(() => service?.close());

/** Of length 1, and of nobody: those of two seeds have nothing to do with each other. */
function vector(seed: number): number[] {
  const next = random(seed);
  const values = Array.from({ length: dims }, () => next() - 0.5);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
/** As near to one as this cosine says. */
const near = (seed: number, cosine: number): number[] => {
  const other = vector(seed + 1000);
  return vector(seed).map((value, i) => cosine * value + Math.sqrt(1 - cosine ** 2) * (other[i] ?? 0));
};

const enrol = async (person: string, ...seeds: number[]): Promise<readonly string[]> => {
  const { status, body } = await postJson<{ samples: string[] }>(service, '/api/v1/enrol', {
    person,
    embeddings: seeds.map(vector),
    on_conflict: 'allow',
  });
  expect(status).toBe(201);
  return body.samples;
};
const whoIs = async (values: readonly number[]) => {
  const { body } = await postJson<Identified>(service, '/api/v1/identify', { embeddings: [values], threshold: 0.6 });
  return body.faces[0];
};
const operationsOf = async (person: string): Promise<readonly Operation[]> => {
  const { status, body } = await service.call('GET', `/api/v1/operations?person=${person}`);
  expect(status).toBe(200);
  return (body as { operations: Operation[] }).operations;
};
const undo = (id: unknown) => service.call('POST', `/api/v1/operations/${id}/undo`);

describe('a merge', () => {
  it('is an operation that is listed and can be taken back, once', async () => {
    await enrol('ada', 1);
    const [moved] = await enrol('ada-2', 2);
    const merged = await postJson<Person>(service, '/api/v1/persons/ada/merge', { from: 'ada-2' });
    expect(merged).toMatchObject({ status: 200, body: { id: 'ada', operation: expect.any(Number) } });
    expect((await whoIs(vector(2)))?.match?.person).toBe('ada');
    const { operation } = merged.body;
    expect((await operationsOf('ada'))[0]).toMatchObject({
      id: operation,
      kind: 'merge',
      persons: ['ada', 'ada-2'],
      undone: false,
    });
    expect((await undo(operation)).status).toBe(204);
    expect((await whoIs(vector(2)))?.match?.person).toBe('ada-2');
    expect(await service.call('GET', '/api/v1/persons/ada-2')).toMatchObject({ body: { samples: [{ id: moved }] } });
    expect((await operationsOf('ada'))[0]).toMatchObject({ id: operation, undone: true });
    expect(await undo(operation)).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
  });

  it('is taken back after what came later, which is named', async () => {
    await enrol('eve', 3);
    await enrol('eve-2', 4);
    const merged = await postJson<Person>(service, '/api/v1/persons/eve/merge', { from: 'eve-2' });
    const named = await service.call('PATCH', '/api/v1/persons/eve', { name: 'Eve' });
    const { operation } = named.body as Person;
    expect(operation).toBeGreaterThan(merged.body.operation);
    const early = await undo(merged.body.operation);
    expect(early).toMatchObject({ status: 400, body: { fix: `Undo operation ${operation} first.` } });
    expect((await undo(operation)).status).toBe(204);
    expect((await undo(merged.body.operation)).status).toBe(204);
    const { body } = await service.call('GET', '/api/v1/persons/eve');
    expect(body).not.toHaveProperty('name');
  });
});

describe('a split', () => {
  it('makes a new person of some samples, and can be taken back', async () => {
    const [, second] = await enrol('both', 10, 11);
    const split = await postJson<Person>(service, '/api/v1/persons/both/split', {
      samples: [second],
      name: 'Other',
      metadata: { from: 'both' },
    });
    expect(split).toMatchObject({
      status: 201,
      body: { name: 'Other', metadata: { from: 'both' }, samples: [{ id: second }] },
    });
    const { id, operation } = split.body;
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await whoIs(vector(11)))?.match?.person).toBe(id);
    expect((await whoIs(vector(10)))?.match?.person).toBe('both');
    expect((await operationsOf(id))[0]).toMatchObject({ id: operation, kind: 'split', persons: ['both', id] });
    expect((await undo(operation)).status).toBe(204);
    expect((await whoIs(vector(11)))?.match?.person).toBe('both');
    expect((await service.call('GET', `/api/v1/persons/${id}`)).status).toBe(404);
  });

  it('is refused where it makes no sense, and nothing has changed then', async () => {
    const samples = await enrol('whole', 12);
    const [others] = await enrol('another', 13);
    const split = (body: object) => postJson<{ code: string }>(service, '/api/v1/persons/whole/split', body);
    expect(await split({ samples: [others] })).toMatchObject({ status: 400 });
    expect(await split({ samples: ['nothing'] })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await split({ samples: [] })).toMatchObject({ status: 400 });
    expect(await split({ samples, person: 'another' })).toMatchObject({ status: 409, body: { code: 'DUPLICATE_ID' } });
    expect(await split({ samples, persons: 'x' })).toMatchObject({ status: 400 });
    const nobody = await postJson(service, '/api/v1/persons/nobody/split', { samples });
    expect(nobody).toMatchObject({ status: 404 });
    expect((await whoIs(vector(12)))?.match?.person).toBe('whole');
    expect(await operationsOf('whole')).toEqual([]);
  });
});

describe('feedback', () => {
  it('keeps a face from being taken for a person until it is taken back', async () => {
    await enrol('grace', 20);
    const twin = near(20, 0.8);
    expect((await whoIs(twin))?.match?.person).toBe('grace');
    const given = await postJson<{ operation: number }>(service, '/api/v1/persons/grace/feedback', { embedding: twin });
    expect(given).toMatchObject({ status: 201, body: { person: 'grace', operation: expect.any(Number) } });
    const { operation } = given.body;
    const face = await whoIs(twin);
    expect(face?.match).toBeUndefined();
    expect(face?.set_aside).toMatchObject([{ person: 'grace', feedback: operation, nearness: 1 }]);
    const probe = { embedding: twin, threshold: 0.6 };
    const refuted = await postJson(service, '/api/v1/persons/grace/verify', probe);
    expect(refuted.body).toMatchObject({ is_match: false, feedback: operation });
    const herself = await whoIs(vector(20));
    expect(herself?.match?.person).toBe('grace');
    expect(herself).not.toHaveProperty('set_aside');
    expect((await undo(operation)).status).toBe(204);
    expect((await whoIs(twin))?.match?.person).toBe('grace');
    expect((await postJson(service, '/api/v1/persons/grace/verify', probe)).body).not.toHaveProperty('feedback');
  });

  it('is given by a picture in every form, and by a sample of somebody else', async () => {
    const own = await enrol('lin', 21);
    const [others] = await enrol('not-lin', 22);
    const address = '/api/v1/persons/lin/feedback';
    for (const answer of [
      await asForm(service, address, { image: photo(1) }),
      await asBody(service, address, photo(2)),
      await postJson(service, address, { image: photo(3).toString('base64') }),
      await postJson(service, address, { sample: others }),
    ]) {
      expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201, body: { person: 'lin' } });
    }
    expect((await operationsOf('lin')).map(({ kind }) => kind)).toEqual(Array(4).fill('feedback'));
    const wrong = { status: 400, body: { code: 'INVALID_ARGUMENT' } };
    expect(await postJson(service, address, {})).toMatchObject(wrong);
    expect(await postJson(service, address, { sample: others, embedding: vector(1) })).toMatchObject(wrong);
    expect(await asForm(service, address, { image: photo(1) }, { sample: String(others) })).toMatchObject(wrong);
    expect(await postJson(service, address, { sample: own[0] })).toMatchObject({
      status: 400,
      body: { fix: 'Split it from that person instead.' },
    });
    expect(await postJson(service, address, { embedding: [1, 2, 3] })).toMatchObject({ status: 409 });
    const nobody = '/api/v1/persons/nobody/feedback';
    expect(await postJson(service, nobody, { embedding: vector(1) })).toMatchObject({ status: 404 });
    expect(await operationsOf('lin')).toHaveLength(4);
  });
});

describe('operations', () => {
  it('are listed newest first, as many as are asked for, and of who is there', async () => {
    const { body } = await service.call('GET', '/api/v1/operations?limit=3');
    const ids = (body as { operations: Operation[] }).operations.map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect((await service.call('GET', '/api/v1/operations?person=nobody')).status).toBe(404);
    for (const limit of ['0', '1001', 'x']) {
      expect((await service.call('GET', `/api/v1/operations?limit=${limit}`)).status, limit).toBe(400);
    }
  });

  it.each([
    ['999999', 404],
    ['0', 400],
    ['-1', 400],
    ['1.5', 400],
    ['x', 400],
    ['9007199254740993', 400],
  ])('have numbers: %s is answered with %i', async (id, status) => {
    expect((await undo(id)).status).toBe(status);
  });

  it('go with a person who is erased', async () => {
    await enrol('gone', 30);
    await enrol('gone-2', 31);
    const { body } = await postJson<Person>(service, '/api/v1/persons/gone/merge', { from: 'gone-2' });
    await service.call('DELETE', '/api/v1/persons/gone');
    expect(await undo(body.operation)).toMatchObject({ status: 404 });
    const all = await service.call('GET', '/api/v1/operations?limit=1000');
    expect(JSON.stringify(all.body)).not.toContain('gone');
  });

  it('are in the audit trail, by whom they concern', async () => {
    const actionsOf = async (person: string): Promise<string[]> => {
      const { body } = await service.call('GET', `/api/v1/audit?person=${person}`);
      return (body as { entries: { action: string }[] }).entries.map(({ action }) => action);
    };
    expect(await actionsOf('ada')).toContain('person.merge');
    expect(await actionsOf('ada-2')).toContain('person.merged');
    expect(await actionsOf('both')).toContain('person.split');
    expect(await actionsOf('grace')).toContain('person.feedback');
    const { body } = await service.call('GET', '/api/v1/audit?action=operation.undo');
    const { entries } = body as { entries: { detail: { operation: number } }[] };
    expect(entries.length).toBeGreaterThan(3);
    for (const { detail } of entries) expect(detail.operation).toBeGreaterThan(0);
  });

  it('outlive the service', async () => {
    const first = await startService();
    const { key, folder } = first;
    const send = (at: TestService, address: string, body?: object) => at.call('POST', address, body, key);
    await send(first, '/api/v1/enrol', { person: 'one', embeddings: [vector(40)] });
    await send(first, '/api/v1/enrol', { person: 'two', embeddings: [vector(41)] });
    const { body } = await send(first, '/api/v1/persons/one/merge', { from: 'two' });
    await first.service.close();
    const second = await startService({}, { folder });
    try {
      expect((await send(second, `/api/v1/operations/${(body as Person).operation}/undo`)).status).toBe(204);
      expect((await second.fetch('/api/v1/persons/two', { key })).status).toBe(200);
    } finally {
      await second.close();
      await first.close();
    }
  });
});
