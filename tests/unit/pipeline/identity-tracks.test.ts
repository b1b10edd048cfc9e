import { beforeAll, describe, expect, it } from 'vitest';
import { Identities } from '../../../lib/pipeline/identity/index.js';
import type { Embedding } from '../../../lib/types.js';
import { samplePersons, walkBy } from './identity-simulation.js';
import { codeOf, Faces, gallery, START, show, strangersIn, watched } from './identity-support.js';

describe('the identity of a track', () => {
  it('is known after one good look, and nothing more is recognised until it is to be confirmed', async () => {
    const faces = new Faces(21);
    const face = faces.face();
    const all = await watched();
    await all.gallery.enrol({ id: 'ada', name: 'Ada' }, { embedding: face });
    const track = all.identities.track(1, 'door');
    let looks = 0;
    for (let frame = 0; frame < 150; frame++) {
      const timestamp = START + frame * 66;
      if (!track.needsLook(0.8, timestamp)) continue;
      looks++;
      await track.add({ embedding: faces.like(face), weight: 0.8, timestamp });
    }
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada', name: 'Ada', looks: 1 });
    expect(track.identity.similarity).toBeGreaterThan(0.8);
    expect(looks).toBe(1);
    expect(track.needsLook(0.8, START + 10_001)).toBe(true);
    expect(all.identities.stats).toMatchObject({ asked: 151, wanted: 2, looks: 1, searches: 1 });
  });

  it('wants a look that is clearly better, none that is too poor, and none while one is under way', async () => {
    const faces = new Faces(22);
    const face = faces.face();
    const all = await watched();
    await all.gallery.enrol('ada', { embedding: face });
    const track = all.identities.track(1, 'door');
    expect(track.needsLook(0.05, START)).toBe(false);
    expect(track.needsLook(Number.NaN, START)).toBe(false);
    const pending = track.add({ embedding: faces.like(face), weight: 0.4, timestamp: START });
    expect(track.needsLook(0.9, START + 500)).toBe(false);
    await pending;
    expect(track.needsLook(0.45, START + 500)).toBe(false);
    expect(track.needsLook(0.6, START + 500)).toBe(true);
    expect(track.needsLook(0.6, START + 50)).toBe(false);
    // It promised to be good, and was not: the next frames are not even measured.
    expect(track.needsLook(1, START + 1000)).toBe(true);
    expect(track.needsLook(0.3, START + 1000)).toBe(false);
    expect(track.needsLook(1, START + 1066)).toBe(false);
    expect(track.needsLook(1, START + 1500)).toBe(true);
  });

  it('does not flip on one bad look, and follows when the track goes over to somebody else', async () => {
    const faces = new Faces(23);
    const [a, b] = [faces.face(), faces.face()];
    const all = await watched();
    await all.gallery.enrol('ada', { embedding: a });
    await all.gallery.enrol('bea', { embedding: b });
    const track = await show(all, 1, [faces.like(a), faces.like(a), faces.like(b), faces.like(a), faces.like(b)]);
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada' });
    expect(all.changes).toHaveLength(1);
    for (let i = 0; i < 3; i++) {
      await track.add({ embedding: faces.like(b), weight: 0.7, timestamp: START + 20_000 + i * 500 });
    }
    expect(track.identity).toMatchObject({ kind: 'known', id: 'bea' });
    expect(all.changes.at(-1)).toMatchObject({ previous: { id: 'ada' }, identity: { id: 'bea' }, cause: 'look' });
    expect(all.changes).toHaveLength(2);
  });

  it('breeds no strangers from blur', async () => {
    const faces = new Faces(24);
    const all = await watched();
    // Smears have nothing in common with each other.
    for (let t = 0; t < 20; t++) await show(all, t, [faces.face(), faces.face(), faces.face(), faces.face()], 0.2);
    // A face that is seen often, but never well.
    const face = faces.face();
    const track = await show(
      all,
      99,
      Array.from({ length: 12 }, () => faces.like(face, 0.95)),
      0.3,
    );
    expect(track.identity.kind).toBe('undecided');
    expect(all.strangers.size).toBe(0);
  });

  it('is not the same person twice in one picture', async () => {
    const faces = new Faces(25);
    const face = faces.face();
    const all = await watched();
    await all.gallery.enrol('ada', { embedding: face });
    const weak = await show(all, 1, [faces.like(face, 0.8)]);
    expect(weak.identity).toMatchObject({ kind: 'known', id: 'ada' });
    all.identities.track(2, 'door');
    all.identities.seenTogether([1, 2], START + 2000);
    const strong = await show(all, 2, [faces.like(face, 0.98)], 0.9, START + 2000);
    expect(strong.identity).toMatchObject({ kind: 'known', id: 'ada' });
    expect(weak.identity.kind).toBe('undecided');
    expect(all.changes.map(({ track, cause }) => [track, cause])).toEqual([
      [1, 'look'],
      [1, 'conflict'],
      [2, 'look'],
    ]);
    // The weaker one does not become a stranger either: it looks like somebody who is there.
    await show(
      all,
      1,
      Array.from({ length: 5 }, () => faces.like(face, 0.8)),
      0.7,
      START + 5000,
    );
    expect(weak.identity.kind).toBe('undecided');
    expect(all.strangers.size).toBe(0);
    // Once the other is gone, it may be that person.
    await strong.close();
    await show(all, 1, [faces.like(face, 0.8)], 0.9, START + 20_000);
    expect(weak.identity).toMatchObject({ kind: 'known', id: 'ada' });
  });

  it('sorts two out whom the tracker has mixed up', async () => {
    const faces = new Faces(31);
    const [a, b] = [faces.face(), faces.face()];
    const all = await watched();
    await all.gallery.enrol('ada', { embedding: a });
    await all.gallery.enrol('bea', { embedding: b });
    const x = await show(all, 1, [faces.like(a), faces.like(a)]);
    const y = await show(all, 2, [faces.like(b), faces.like(b)]);
    all.identities.seenTogether([1, 2], START + 1000);
    for (let i = 0; i < 5; i++) {
      const timestamp = START + 12_000 + i * 500;
      await x.add({ embedding: faces.like(b), weight: 0.7, timestamp });
      await y.add({ embedding: faces.like(a), weight: 0.7, timestamp });
      expect(x.identity.id === undefined || x.identity.id !== y.identity.id).toBe(true);
    }
    expect([x.identity.id, y.identity.id]).toEqual(['bea', 'ada']);
    expect(all.strangers.size).toBe(0);
  });

  it('sets strangers apart who were in the picture together', async () => {
    const faces = new Faces(26);
    const [a, b] = [faces.face(), faces.face()];
    const all = await watched();
    for (const number of [1, 2]) all.identities.track(number, 'door');
    all.identities.seenTogether([1, 2], START);
    const x = await show(all, 1, [faces.like(a), faces.like(a)]);
    const y = await show(all, 2, [faces.like(b), faces.like(b)]);
    expect(x.identity.id).not.toBe(y.identity.id);
    expect(all.strangers.isApart(x.identity.id!, y.identity.id!)).toBe(true);
  });

  it('is decided anew when somebody is enrolled, without another look', async () => {
    const faces = new Faces(27);
    const face = faces.face();
    const all = await watched();
    await all.gallery.enrol('bea', { embedding: faces.face() });
    const track = await show(all, 1, [faces.like(face)]);
    expect(track.identity.kind).toBe('undecided');
    await all.identities.refresh();
    const before = all.identities.stats.searches;
    await all.identities.refresh();
    expect(all.identities.stats.searches).toBe(before);
    await all.gallery.enrol({ id: 'ada', name: 'Ada' }, { embedding: face });
    await all.identities.refresh();
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada' });
    expect(track.looks).toBe(1);
    await all.gallery.update('ada', { name: 'Ada L.' });
    await all.identities.refresh();
    expect(track.identity.name).toBe('Ada L.');
    expect(all.changes.at(-1)).toMatchObject({ cause: 'renamed', previous: { name: 'Ada' } });
  });

  it('takes back a stranger who turns out to be known', async () => {
    const faces = new Faces(28);
    const face = faces.face();
    const all = await watched();
    await all.gallery.enrol('ada', { embedding: face });
    // Turned away at first: far from the enrolled picture, the track's own looks agree.
    const side = faces.like(face, 0.4);
    const track = await show(all, 1, [faces.like(side, 0.95), faces.like(side, 0.95)]);
    const id = track.identity.id!;
    expect(track.identity.kind).toBe('stranger');
    await show(
      all,
      1,
      Array.from({ length: 4 }, () => faces.like(face, 0.97)),
      0.95,
      START + 10_000,
    );
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada' });
    expect(all.changes.at(-1)).toMatchObject({ previous: { id } });
    expect(all.strangers.size).toBe(0);
    expect(all.strangers.resolve(id)).toBe('ada');
  });

  it('is not whom somebody says it is not, until that is taken back', async () => {
    const faces = new Faces(32);
    const face = faces.face();
    const all = await watched();
    await all.gallery.enrol('ada', { embedding: face });
    const looks = Array.from({ length: 4 }, () => faces.like(face, 0.85));
    const track = await show(all, 1, looks);
    expect(track.identity.id).toBe('ada');
    const operation = await track.reject();
    expect(track.identity.kind).toBe('stranger');
    const first = track.identity.id!;
    await track.reject();
    expect(track.identity.kind).toBe('stranger');
    expect(track.identity.id).not.toBe(first);
    expect(all.strangers.isApart(first, track.identity.id!)).toBe(true);
    await all.gallery.undo(operation);
    expect((await show(all, 2, looks)).identity.id).toBe('ada');
    const nobody = all.identities.track(3, 'door');
    expect(await codeOf(() => nobody.reject())).toBe('NOT_FOUND');
  });

  it('says stranger without an id where none are kept', async () => {
    const faces = new Faces(29);
    const face = faces.face();
    const own = await gallery();
    const identities = new Identities({ gallery: own, match: { threshold: 0.6 } });
    const track = await show({ identities }, 1, [faces.like(face), faces.like(face)]);
    expect(track.identity).toMatchObject({ kind: 'stranger', looks: 2 });
    expect(track.identity.id).toBeUndefined();
    await identities.close();
  });

  it('refuses bad input, other models and calls after the end, and stays usable', async () => {
    const faces = new Faces(30);
    const face = faces.face();
    const all = await watched();
    const track = await show(all, 1, [face]);
    const look = { embedding: face, weight: 0.5, timestamp: START };
    expect(await codeOf(async () => track.add({ ...look, weight: 2 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => track.add({ ...look, timestamp: -1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => track.add({ ...look, embedding: {} as Embedding }))).toBe('INVALID_ARGUMENT');
    const other = new Faces(1, 64, 'other-net').face();
    expect(await codeOf(() => track.add({ ...look, embedding: other }))).toBe('EMBEDDING_MISMATCH');
    const signal = AbortSignal.abort();
    expect(await codeOf(() => track.add(look, { signal }))).toBe('ABORTED');
    await all.gallery.enrol('ada', { embedding: face });
    await track.add({ ...look, embedding: faces.like(face), timestamp: START + 1000 });
    expect(track.identity).toMatchObject({ kind: 'known', id: 'ada' });
    const fresh = all.identities.track(7, 'door');
    expect(await codeOf(() => fresh.add({ ...look, embedding: other }))).toBe('EMBEDDING_MISMATCH');
    await track.close();
    await track.close();
    expect(await codeOf(() => track.add(look))).toBe('CLOSED');
    expect(await codeOf(async () => new Identities({ gallery: all.gallery, mostLooks: 1 }))).toBe('INVALID_ARGUMENT');
    await all.identities.close();
    expect(await codeOf(async () => all.identities.track(9, 'door'))).toBe('CLOSED');
  });
});

describe('persons of the sample photographs, with seeded noise', () => {
  let persons: readonly Embedding[];
  beforeAll(async () => {
    persons = await samplePersons();
  });

  it('are told apart over many tracks, with few looks and fewer errors', async () => {
    expect(persons.length).toBeGreaterThanOrEqual(20);
    const half = Math.floor(persons.length / 2);
    const own = await gallery();
    for (const [i, embedding] of persons.slice(0, half).entries()) await own.enrol(`known-${i}`, { embedding });
    // The calibration of the recogniser says what a match is.
    const strangers = await strangersIn(own, { match: {} });
    const all = await watched({ gallery: own, strangers, match: {} });
    const walks = await walkBy(all.identities, { seed: 7, persons, tracks: 120, session: 0.004, poor: 0.03 });
    const known = walks.filter(({ person }) => person < half);
    const unknown = walks.filter(({ person }) => person >= half);
    const looks = walks.reduce((sum, walk) => sum + walk.looks, 0);
    const frames = walks.reduce((sum, walk) => sum + walk.frames, 0);
    // Not once a frame: one in ten at most.
    expect(looks).toBeLessThan(frames / 10);
    expect(looks / walks.length).toBeLessThan(6);
    const right = known.filter(({ id, person }) => id === `known-${person}`).length;
    expect(right / known.length).toBeGreaterThanOrEqual(0.95);
    expect(unknown.filter(({ kind }) => kind === 'known').length / unknown.length).toBeLessThan(0.1);
    expect(walks.filter(({ kind }) => kind === 'undecided').length / walks.length).toBeLessThan(0.08);
    const distinct = new Set(unknown.map(({ person }) => person)).size;
    // Ids of strangers beyond one for each, for 100 tracks.
    expect((100 * (all.strangers.size - distinct)) / walks.length).toBeLessThan(5);
    const flips = walks.reduce((sum, { ids }) => sum + Math.max(0, ids.length - 1), 0);
    expect((100 * flips) / walks.length).toBeLessThan(6);
    for (const { identity } of all.changes) {
      if (identity.kind === 'known') expect(identity.fmr).toBeLessThanOrEqual(0.0101);
    }
  });
});
