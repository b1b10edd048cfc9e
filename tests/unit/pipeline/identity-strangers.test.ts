import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGallery, verifyReceipt } from '../../../lib/gallery/index.js';
import { type StrangerNotice, Strangers } from '../../../lib/pipeline/identity/index.js';
import type { Embedding } from '../../../lib/types.js';
import { keyring } from '../../gallery/sealed.js';
import { bytesOf, filesWith } from '../../gallery/support.js';
import { codeOf, Faces, gallery, MATCH, newFolder, START, show, strangersIn, watched } from './identity-support.js';

/** A stranger with some looks at a face, as a track founds him. */
async function founded(strangers: Strangers, looks: readonly Embedding[], at = START): Promise<string> {
  const seen = looks.map((embedding, i) => ({ embedding, weight: 0.7, timestamp: at + i, votes: {} }));
  return (await strangers.found(seen, 'door', async () => undefined, undefined)).id;
}

describe('strangers', () => {
  it('have ids that last: across tracks, cameras and restarts', async () => {
    const faces = new Faces(1);
    const face = faces.face();
    const folder = await newFolder();
    const path = join(await newFolder(), 'strangers.db');
    let id: string | undefined;
    for (let restart = 0; restart < 2; restart++) {
      const own = await openGallery({ folder, threads: 1 });
      const strangers = await Strangers.open({ gallery: own, path, match: MATCH });
      const { identities, changes } = await watched({ gallery: own, strangers });
      for (const number of [1, 2]) {
        const track = await show(
          { identities },
          number,
          [faces.like(face), faces.like(face)],
          0.7,
          START + restart * 1e6,
        );
        expect(track.identity.kind).toBe('stranger');
        expect(track.identity.id).toMatch(/^Person_[0-9A-F]{8}$/);
        id ??= track.identity.id;
        expect(track.identity).toMatchObject({ id, name: id });
        await track.close();
      }
      expect(changes.map(({ returning }) => returning)).toEqual(restart === 0 ? [false, true] : [true, true]);
      expect(strangers.size).toBe(1);
      expect(await strangers.get(id!)).toMatchObject({ id, tracks: 2 * (restart + 1), enrolled: false });
      await identities.close();
      await strangers.close();
      await own.close();
    }
  });

  it('are one when two tracks see the same new face at the same time', async () => {
    const faces = new Faces(2);
    const face = faces.face();
    const all = await watched();
    const tracks = await Promise.all(
      Array.from({ length: 8 }, (_, i) => show(all, i, [faces.like(face), faces.like(face), faces.like(face)])),
    );
    expect(new Set(tracks.map(({ identity }) => identity.id)).size).toBe(1);
    expect(all.strangers.size).toBe(1);
    expect(all.identities.stats).toMatchObject({ founded: 1, returned: 7 });
  });

  it('are merged and parted again, and old ids stay good', async () => {
    const faces = new Faces(3);
    const own = await gallery();
    const strangers = await strangersIn(own);
    const notices: StrangerNotice[] = [];
    strangers.on((notice) => notices.push(notice));
    const [a, b, c] = [faces.face(), faces.face(), faces.face()];
    const ids = [
      await founded(strangers, [a]),
      await founded(strangers, [b], START + 9),
      await founded(strangers, [c]),
    ];
    const [x, y, z] = ids as [string, string, string];
    const first = await strangers.merge(x, y);
    const second = await strangers.merge(z, x);
    expect([strangers.resolve(y), strangers.resolve(x)]).toEqual([z, z]);
    expect(await strangers.get(y)).toMatchObject({ id: z, tracks: 3, lastSeen: START + 9 });
    expect(await codeOf(() => strangers.undo(first))).toBe('INVALID_ARGUMENT');
    await strangers.undo(second);
    await strangers.undo(first);
    expect(ids.map((id) => strangers.resolve(id))).toEqual(ids);
    expect(await strangers.get(x)).toMatchObject({ tracks: 1 });
    // Whoever took the merge back knows that they are two.
    expect(strangers.isApart(x, y)).toBe(true);
    expect(notices.map(({ kind }) => kind)).toEqual([
      'founded',
      'founded',
      'founded',
      'merged',
      'merged',
      'parted',
      'parted',
    ]);
    expect((await own.identify(b, MATCH)).match?.person).toBe(y);
    expect((await strangers.operations()).map(({ kind, undone }) => [kind, undone])).toEqual([
      ['merge', true],
      ['merge', true],
    ]);
    expect(await codeOf(() => strangers.merge(x, x))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => strangers.merge(x, 'Person_00000000'))).toBe('NOT_FOUND');
    expect(await codeOf(() => strangers.undo(99))).toBe('NOT_FOUND');
  });

  it('are split by their samples, and clustering does not join them again', async () => {
    const faces = new Faces(4);
    const own = await gallery();
    const strangers = await strangersIn(own);
    const a = faces.face();
    const id = await founded(strangers, [faces.like(a), faces.like(a), faces.like(a)]);
    const { samples } = (await own.get(id))!;
    const { operation, stranger } = await strangers.split(id, [samples[2]!.id]);
    expect(strangers.size).toBe(2);
    expect((await strangers.recluster()).merges).toEqual([]);
    expect((await strangers.recluster()).heldBack).toMatchObject([{ reason: 'apart' }]);
    await strangers.undo(operation);
    expect(strangers.size).toBe(1);
    expect(await strangers.get(stranger)).toBeUndefined();
    expect((await own.get(id))!.samples).toHaveLength(3);
  });

  it('are clustered, each merge an operation, and never across who was seen side by side', async () => {
    const faces = new Faces(5);
    const own = await gallery();
    const strangers = await strangersIn(own);
    const people = Array.from({ length: 12 }, () => faces.face());
    const ids: string[][] = [];
    for (const face of people) {
      const pair: string[] = [];
      for (let i = 0; i < 3; i++) pair.push(await founded(strangers, [faces.like(face), faces.like(face)], START + i));
      ids.push(pair);
    }
    // Of the first, two were in the picture at once: twins.
    await strangers.setApart([[ids[0]![0]!, ids[0]![1]!]], 'together');
    const dry = await strangers.recluster({ dryRun: true });
    expect(dry.persons).toBe(36);
    expect(strangers.size).toBe(36);
    const { merges, heldBack } = await strangers.recluster();
    expect(merges.map(({ into, from }) => [into, from])).toEqual(dry.merges.map(({ into, from }) => [into, from]));
    expect(strangers.size).toBe(13);
    expect(heldBack.some(({ reason }) => reason === 'apart')).toBe(true);
    expect(strangers.resolve(ids[0]![0]!)).not.toBe(strangers.resolve(ids[0]![1]!));
    for (const group of ids.slice(1)) expect(new Set(group.map((id) => strangers.resolve(id))).size).toBe(1);
    for (const { operation } of merges.toReversed()) await strangers.undo(operation!);
    expect(strangers.size).toBe(36);
    // Who was parted by hand is not joined again.
    await strangers.recluster();
    for (const { into, from } of merges) expect(strangers.resolve(from)).not.toBe(strangers.resolve(into));
  });

  it('are founded, merged and erased while clustering goes on', async () => {
    const faces = new Faces(16);
    const own = await gallery();
    const strangers = await strangersIn(own);
    const face = faces.face();
    const twins = [await founded(strangers, [faces.like(face)]), await founded(strangers, [faces.like(face)])];
    const others: string[] = [];
    for (let i = 0; i < 20; i++) others.push(await founded(strangers, [faces.face()]));
    const [clustered, late] = await Promise.all([
      strangers.recluster(),
      founded(strangers, [faces.like(face)]),
      strangers.merge(twins[0]!, others[0]!),
      strangers.erase(others[1]!),
      strangers.setApart([[twins[0]!, twins[1]!]]),
    ]);
    expect(clustered.merges).toEqual([]);
    expect(strangers.size).toBe(21);
    expect(strangers.has(late)).toBe(true);
    const signal = AbortSignal.abort();
    expect(await codeOf(() => strangers.recluster({ signal }))).toBe('ABORTED');
  });

  it('leave the event loop its turns while many are clustered', async () => {
    const faces = new Faces(11);
    const strangers = await strangersIn(await gallery());
    const count = 120;
    for (let i = 0; i < count; i++) {
      const face = faces.face();
      await founded(strangers, [faces.like(face), faces.like(face)], START + i * 1000);
    }
    let ticks = 0;
    let over = false;
    const tick = (): void => {
      ticks++;
      if (!over) setImmediate(tick);
    };
    setImmediate(tick);
    const { persons } = await strangers.recluster({ dryRun: true });
    over = true;
    expect(persons).toBe(count);
    // One at least for each who is looked up.
    expect(ticks).toBeGreaterThan(count);
  });

  it('do not collapse into one when blurred looks resemble everybody', async () => {
    const faces = new Faces(6);
    const own = await gallery();
    const strangers = await strangersIn(own);
    const people = Array.from({ length: 40 }, () => faces.face());
    for (const face of people) await founded(strangers, [face]);
    // One look between everybody and nobody: the mean of all, and some of their own face.
    for (const face of people.slice(0, 6)) {
      const mean = new Float32Array(64);
      for (const one of people) for (let i = 0; i < 64; i++) mean[i]! += one.vector[i]! * (one === face ? 8 : 4);
      const length = Math.hypot(...mean);
      await founded(strangers, [{ ...face, vector: mean.map((x) => x / length) }]);
    }
    const { heldBack } = await strangers.recluster({ match: { threshold: 0.12 } });
    const size = new Map<string, number>();
    for (const { id } of await strangers.list({ limit: 1000 })) size.set(id, (await own.get(id))!.samples.length);
    expect(Math.max(...size.values())).toBeLessThanOrEqual(10);
    expect(heldBack.some(({ reason }) => reason === 'hub' || reason === 'size')).toBe(true);
  });

  it('get names, which can be taken back', async () => {
    const faces = new Faces(7);
    const all = await watched();
    const face = faces.face();
    const track = await show(all, 1, [faces.like(face), faces.like(face)]);
    const id = track.identity.id!;
    const operation = await all.strangers.rename(id, 'Postman');
    expect(track.identity).toMatchObject({ kind: 'stranger', id, name: 'Postman' });
    expect(all.changes.at(-1)).toMatchObject({
      cause: 'renamed',
      identity: { name: 'Postman' },
      previous: { name: id },
    });
    expect((await show(all, 2, [faces.like(face)])).identity).toMatchObject({ id, name: 'Postman' });
    await all.strangers.undo(operation);
    expect(track.identity.name).toBe(id);
    expect(await codeOf(() => all.strangers.rename('Person_00000000', 'x'))).toBe('NOT_FOUND');
  });

  it('become known persons, and strangers again', async () => {
    const faces = new Faces(8);
    const all = await watched();
    const face = faces.face();
    const track = await show(all, 1, [faces.like(face), faces.like(face)]);
    const id = track.identity.id!;
    const enrolment = await all.strangers.enrol(id, { name: 'Ada', consent: 'form 12' });
    expect(enrolment.person).toBe(id);
    await all.identities.refresh();
    expect(track.identity).toMatchObject({ kind: 'known', id, name: 'Ada' });
    expect((await all.gallery.get(id))!.samples.filter(({ consent }) => consent === 'form 12')).toHaveLength(2);
    expect((await show(all, 2, [faces.like(face)])).identity).toMatchObject({ kind: 'known', id, name: 'Ada' });
    expect(all.strangers.size).toBe(0);
    const erasures = await all.strangers.demote(id);
    for (const { receipt } of erasures) expect(verifyReceipt(receipt)).toBe(true);
    await all.identities.refresh();
    expect(track.identity).toMatchObject({ kind: 'stranger', id });
    expect(all.strangers.size).toBe(1);
  });

  it('are taken over by a person who is enrolled already', async () => {
    const faces = new Faces(9);
    const all = await watched();
    const face = faces.face();
    await all.gallery.enrol({ id: 'ada', name: 'Ada' }, { embedding: faces.face() });
    const track = await show(all, 1, [faces.like(face), faces.like(face)]);
    const id = track.identity.id!;
    expect((await all.strangers.enrol(id, { person: 'ada', consent: 'form 1' })).person).toBe('ada');
    await all.identities.refresh();
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada', name: 'Ada' });
    expect(all.strangers.resolve(id)).toBe('ada');
    expect(await codeOf(() => all.strangers.enrol(id, { consent: '' }))).toBe('INVALID_ARGUMENT');
  });

  it('are undecided again when the person is deleted from the gallery', async () => {
    const faces = new Faces(10);
    const all = await watched();
    const face = faces.face();
    await all.gallery.enrol('ada', { embedding: faces.like(face) });
    const track = await show(all, 1, [faces.like(face), faces.like(face)]);
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada' });
    await all.gallery.delete({ person: 'ada' });
    await all.identities.refresh();
    expect(track.identity.id).not.toBe('ada');
    expect(all.changes.at(-1)).toMatchObject({ cause: 'gallery', previous: { id: 'ada' } });
  });

  it('are erased with a receipt, aliases and all, and nothing of them stays in the files', async () => {
    const faces = new Faces(11);
    const folder = await newFolder();
    const place = await newFolder();
    const own = await gallery({ folder });
    const strangers = await strangersIn(own, { path: join(place, 'strangers.db') });
    const [a, b] = [faces.face(), faces.face()];
    const x = await founded(strangers, [a]);
    const y = await founded(strangers, [b]);
    await strangers.merge(x, y);
    const { receipt } = await strangers.erase(y);
    expect(verifyReceipt(receipt)).toBe(true);
    expect(receipt.erased).toMatchObject({ samples: 2, templates: 2 });
    expect(await strangers.get(x)).toBeUndefined();
    expect(await strangers.get(y)).toBeUndefined();
    expect(await filesWith(folder, bytesOf(a.vector), bytesOf(b.vector), Buffer.from(x), Buffer.from(y))).toEqual([]);
    expect(await filesWith(place, Buffer.from(x), Buffer.from(y))).toEqual([]);
    expect(await codeOf(() => strangers.erase(x))).toBe('NOT_FOUND');
  });

  it('are sealed where the gallery is', async () => {
    const faces = new Faces(12);
    const folder = await newFolder();
    const own = await gallery({ folder, keys: await keyring() });
    const place = await newFolder();
    const strangers = await strangersIn(own, { path: join(place, 'strangers.db') });
    const a = faces.face();
    const id = await founded(strangers, [a]);
    expect(await filesWith(folder, bytesOf(a.vector))).toEqual([]);
    expect(await filesWith(place, bytesOf(a.vector))).toEqual([]);
    expect((await own.identify(a, MATCH)).match?.person).toBe(id);
  });

  it('follow what was done to the gallery behind their back', async () => {
    const faces = new Faces(13);
    const own = await gallery();
    const path = join(await newFolder(), 'strangers.db');
    const strangers = await strangersIn(own, { path });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push(await founded(strangers, [faces.face()]));
    const [a, b, c, d] = ids as [string, string, string, string];
    await own.merge(a, b);
    await own.delete({ person: c });
    await own.enrol('Person_FFFFFFFF', { embedding: faces.face() }, { collection: 'strangers' });
    await strangers.sync();
    expect(strangers.resolve(b)).toBe(a);
    expect(await strangers.get(c)).toBeUndefined();
    expect(strangers.has('Person_FFFFFFFF')).toBe(true);
    const [merge] = await strangers.operations();
    await strangers.undo(merge!.operation);
    expect((await strangers.list()).map(({ id }) => id)).toEqual([a, b, d, 'Person_FFFFFFFF'].sort());
  });

  it('are told by when they were seen, page by page', async () => {
    const faces = new Faces(14);
    const strangers = await strangersIn(await gallery());
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await founded(strangers, [faces.face()], START + i * 1000));
    expect(await strangers.list({ inactiveSince: START + 2000 })).toHaveLength(2);
    const first = await strangers.list({ limit: 3 });
    const rest = await strangers.list({ after: first.at(-1)!.id });
    expect([...first, ...rest].map(({ id }) => id)).toEqual(ids.toSorted());
  });

  it('get another id where the dice give one that is taken', async () => {
    const faces = new Faces(15);
    const own = await gallery();
    const rolls = [1, 1, 1, 2, 2, 3].map((n) => Buffer.from([0, 0, 0, n]));
    const strangers = await strangersIn(own, { newId: () => rolls.shift()! });
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await founded(strangers, [faces.face()]));
    expect(ids).toEqual(['Person_00000001', 'Person_00000002', 'Person_00000003']);
  });

  it('refuse bad input', async () => {
    const own = await gallery();
    const path = join(await newFolder(), 'strangers.db');
    expect(await codeOf(() => Strangers.open({ gallery: own, path: '' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => Strangers.open({ gallery: {} as never, path }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => Strangers.open({ gallery: own, path: '/nowhere/at/all.db' }))).toBe('STORE_NOT_FOUND');
    expect(await codeOf(() => Strangers.open({ gallery: own, path: join(own.folder, 'gallery.db') }))).toBe(
      'STORE_CORRUPT',
    );
    const strangers = await strangersIn(own, { path });
    expect(await codeOf(() => strangers.recluster({ mostShare: 2 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => strangers.list({ limit: 0 }))).toBe('INVALID_ARGUMENT');
    await strangers.close();
    expect(await codeOf(() => strangers.list())).toBe('CLOSED');
  });
});
