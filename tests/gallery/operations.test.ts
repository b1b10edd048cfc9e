import { describe, expect, it } from 'vitest';
import type { Gallery } from '../../lib/gallery/index.js';
import { random } from '../support/random.js';
import { keyring } from './sealed.js';
import { codeOf, Faces, gallery } from './support.js';

/** Everything that a caller can see of all persons. */
async function everything(g: Gallery): Promise<unknown> {
  const { persons } = await g.list({ limit: 1000 });
  return Promise.all(persons.map(({ id }) => g.get(id)));
}

describe('updating', () => {
  it('changes id, name and metadata, and takes that back', async () => {
    const g = await gallery();
    const faces = new Faces(1);
    await g.enrol({ id: 'a', name: 'Ada', metadata: { n: 1 } }, { embedding: faces.face() });
    await g.enrol('taken', { embedding: faces.face() });
    const before = await g.get('a');
    const operation = await g.update('a', { id: 'b', name: null, metadata: { n: 2 } });
    expect(await g.get('a')).toBeUndefined();
    const after = await g.get('b');
    expect(after).toMatchObject({ id: 'b', metadata: { n: 2 } });
    expect(after).not.toHaveProperty('name');
    await g.undo(operation);
    expect(await g.get('a')).toEqual(before);
    expect(await codeOf(g.update('a', { id: 'taken' }))).toBe('DUPLICATE_ID');
    expect(await codeOf(g.update('nobody', { name: 'x' }))).toBe('NOT_FOUND');
    expect(await codeOf(g.update('a', {}))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(g.undo(operation))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(g.undo(999))).toBe('NOT_FOUND');
  });
});

describe.each(['plain', 'sealed'] as const)('merging and splitting (%s)', (kind) => {
  const options = async () => (kind === 'sealed' ? { keys: await keyring() } : {});

  it('makes two persons one, and one two again', async () => {
    const g = await gallery(await options());
    const faces = new Faces(2);
    const face = faces.face();
    await g.enrol({ id: 'a', metadata: { from: 'a' } }, { embedding: face, thumbnail: Uint8Array.of(7) });
    await g.enrol({ id: 'b', name: 'Bea' }, [
      { embedding: faces.like(face), thumbnail: Uint8Array.of(8, 9) },
      { embedding: faces.face() },
    ]);
    const before = await everything(g);
    const operation = await g.merge('a', 'b');
    const merged = await g.get('a');
    expect(merged).toMatchObject({ name: 'Bea', metadata: { from: 'a' }, samples: { length: 3 } });
    expect(await g.thumbnail(merged!.samples[1]!.id)).toEqual(Uint8Array.of(8, 9));
    const gone = g.verify('b', face, { threshold: 0.5 });
    await expect(gone).rejects.toMatchObject({ code: 'NOT_FOUND', fix: expect.stringContaining(`undo(${operation})`) });
    expect((await g.identify(face, { threshold: 0.5 })).candidates).toHaveLength(1);
    await g.undo(operation);
    expect(await everything(g)).toEqual(before);
    for (const { samples } of before as { samples: { id: string }[] }[]) {
      for (const { id } of samples) await g.template(id);
    }
    expect(await g.check()).toMatchObject({ ok: true });
    expect(await codeOf(g.merge('a', 'a'))).toBe('INVALID_ARGUMENT');
  });

  it('gives samples to a new person, and takes them back', async () => {
    const g = await gallery(await options());
    const faces = new Faces(3);
    const [x, y] = [faces.face(), faces.face()];
    const { samples } = await g.enrol('a', [{ embedding: x }, { embedding: y }]);
    const before = await everything(g);
    const { operation, person } = await g.split('a', [samples[1]!], { id: 'b', name: 'Bea' });
    expect(person).toBe('b');
    expect((await g.identify(y, { threshold: 0.5 })).match).toMatchObject({ person: 'b', name: 'Bea' });
    expect((await g.get('a'))?.samples).toHaveLength(1);
    await g.undo(operation);
    expect(await everything(g)).toEqual(before);
    const again = await g.split('a', [samples[1]!]);
    await g.enrol(again.person, { embedding: faces.like(y) });
    await expect(g.undo(again.operation)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Merge'),
    });
    expect(await codeOf(g.split('a', [samples[1]!]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(g.split('a', ['no sample']))).toBe('NOT_FOUND');
    expect(await codeOf(g.split('a', [samples[0]!], { id: again.person }))).toBe('DUPLICATE_ID');
  });

  it('undoes the newest operation on a person first', async () => {
    const g = await gallery(await options());
    const faces = new Faces(4);
    for (const id of ['a', 'b', 'c', 'd']) await g.enrol(id, { embedding: faces.face() });
    const first = await g.merge('a', 'b');
    const elsewhere = await g.merge('c', 'd');
    const second = await g.update('a', { name: 'x' });
    await expect(g.undo(first)).rejects.toMatchObject({ fix: expect.stringContaining(`operation ${second}`) });
    await g.undo(elsewhere);
    await g.undo(second);
    await g.undo(first);
    expect((await g.operations()).map(({ id, undone }) => [id, undone])).toEqual([
      [second, true],
      [elsewhere, true],
      [first, true],
    ]);
    expect((await g.operations({ person: 'd' })).map(({ kind, persons }) => [kind, persons])).toEqual([
      ['merge', ['c', 'd']],
    ]);
  });

  it('says so when the id of a merged person was given to somebody else', async () => {
    const g = await gallery(await options());
    const faces = new Faces(5);
    await g.enrol('a', { embedding: faces.face() });
    await g.enrol('b', { embedding: faces.face() });
    const operation = await g.merge('a', 'b');
    await g.enrol('b', { embedding: faces.face() });
    const before = await everything(g);
    expect(await codeOf(g.undo(operation))).toBe('DUPLICATE_ID');
    expect(await everything(g)).toEqual(before);
    await g.update('b', { id: 'new b' });
    await g.undo(operation);
    expect((await g.list()).persons.map(({ id }) => id)).toEqual(['a', 'b', 'new b']);
  });
});

describe('random operations', () => {
  it.each([11, 12, 13])('undone in reverse leave what was there (seed %i)', async (seed) => {
    const next = random(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
    const g = await gallery(seed === 13 ? { keys: await keyring() } : {});
    const faces = new Faces(seed);
    for (let i = 0; i < 8; i++) {
      await g.enrol(
        { id: `p${i}`, ...(next() < 0.5 ? { name: `n${i}` } : {}) },
        Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({ embedding: faces.face() })),
      );
    }
    const states: unknown[] = [];
    const operations: number[] = [];
    for (let step = 0; step < 40; step++) {
      const state = (await everything(g)) as { id: string; samples: { id: string }[] }[];
      const ids = state.map(({ id }) => id);
      const person = pick(state);
      const what = next();
      let operation: number | undefined;
      if (what < 0.35 && ids.length > 1) {
        operation = await g.merge(person.id, pick(ids.filter((id) => id !== person.id)));
      } else if (what < 0.7 && person.samples.length > 1) {
        const some = person.samples.filter(() => next() < 0.5).map(({ id }) => id);
        if (some.length > 0) operation = (await g.split(person.id, some, { id: `s${step}` })).operation;
      } else if (what < 0.85) {
        operation = await g.update(person.id, next() < 0.3 ? { id: `u${step}` } : { name: `m${step}`, metadata: step });
      } else {
        operation = await g.feedback({ person: person.id, probe: faces.face() });
      }
      if (operation === undefined) continue;
      states.push(state);
      operations.push(operation);
    }
    expect(operations.length).toBeGreaterThan(20);
    const count = (state: unknown): number =>
      (state as { samples: unknown[] }[]).reduce((sum, { samples }) => sum + samples.length, 0);
    expect(count(await everything(g))).toBe(count(states[0]));
    while (operations.length > 0) {
      await g.undo(operations.pop()!);
      expect(await everything(g)).toEqual(states.pop());
    }
    expect(await g.stats()).toMatchObject({ feedback: 0 });
    expect(await g.check()).toMatchObject({ ok: true });
  });
});

describe('feedback', () => {
  it('changes the next decision, and the one after undoing', async () => {
    const g = await gallery();
    const faces = new Faces(30);
    const ada = faces.face();
    // Somebody who looks like Ada, but is not.
    const other = faces.like(ada, 0.75);
    await g.enrol('ada', { embedding: ada });
    await g.enrol('bob', { embedding: faces.face() });
    const probe = faces.like(other, 0.95);
    expect((await g.identify(probe, { threshold: 0.4 })).match?.person).toBe('ada');
    const operation = await g.feedback({ person: 'ada', probe: other });
    const now = await g.identify(probe, { threshold: 0.4 });
    expect(now.match).toBeUndefined();
    expect(now.candidates.map(({ person }) => person)).toEqual(['bob']);
    expect(now.setAside).toMatchObject([{ person: 'ada', feedback: operation }]);
    expect(now.setAside[0]!.nearness).toBeGreaterThan(now.setAside[0]!.similarity);
    expect(await g.verify('ada', probe, { threshold: 0.4 })).toMatchObject({ match: false, feedback: operation });
    // Ada herself is found as ever, and who asks for it gets the plain scores.
    expect((await g.identify(faces.like(ada, 0.9), { threshold: 0.4 })).match?.person).toBe('ada');
    expect((await g.identify(probe, { threshold: 0.4, feedback: false })).match?.person).toBe('ada');
    // Too far from the rejected probe to be the same face.
    expect((await g.identify(probe, { threshold: 0.999 })).setAside).toEqual([]);
    await g.undo(operation);
    expect((await g.identify(probe, { threshold: 0.4 })).match?.person).toBe('ada');
  });

  it('of the very picture that was enrolled counts too: what was said last', async () => {
    const g = await gallery();
    const faces = new Faces(32);
    const face = faces.face();
    await g.enrol('ada', { embedding: face });
    const operation = await g.feedback({ person: 'ada', probe: face });
    expect((await g.identify(face, { threshold: 0.4 })).setAside).toMatchObject([
      { person: 'ada', feedback: operation },
    ]);
    expect(await g.verify('ada', face, { threshold: 0.4 })).toMatchObject({ match: false, feedback: operation });
    await g.enrol('ada', { embedding: face });
    expect((await g.identify(face, { threshold: 0.4 })).match?.person).toBe('ada');
    expect(await g.verify('ada', face, { threshold: 0.4 })).toMatchObject({ match: true });
  });

  it('outlives closing, merging and undoing, and yields to an enrolment of that very face', async () => {
    const first = await gallery();
    const faces = new Faces(31);
    const ada = faces.face();
    const other = faces.like(ada, 0.75);
    const { samples } = await first.enrol('other', { embedding: other });
    await first.enrol('ada', { embedding: ada });
    const operation = await first.feedback({ person: 'ada', sample: samples[0]! });
    expect(await codeOf(first.feedback({ person: 'other', sample: samples[0]! }))).toBe('INVALID_ARGUMENT');
    await first.enrol('eve', { embedding: faces.face() });
    await first.close();
    const g = await gallery({ folder: first.folder });
    const aside = async (): Promise<string[]> =>
      (await g.identify(other, { threshold: 0.4 })).setAside.map(({ person }) => person);
    expect(await aside()).toEqual(['ada']);
    const merge = await g.merge('eve', 'ada');
    expect(await aside()).toEqual(['eve']);
    await g.undo(merge);
    expect(await aside()).toEqual(['ada']);
    await g.enrol('ada', { embedding: other });
    expect(await aside()).toEqual([]);
    await g.undo(operation);
    expect(await g.stats()).toMatchObject({ feedback: 0 });
  });
});
