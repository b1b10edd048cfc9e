// The event log: how many events a second are acknowledged (each on the disk by then), and how long questions take over a million of them.
// Runs the sources, with tsx. BENCH_EVENTS sets how many, BENCH_FOLDER where (a disk, not a memory file system).
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tsImport } from 'tsx/esm/api';
import { ROOT } from './paths.mjs';
import { figure, finish } from './report.mjs';

const { EventIds, EventLog, EventRules } = await tsImport(
  path.join(ROOT, 'lib', 'pipeline', 'events', 'index.ts'),
  import.meta.url,
);
const EVENTS = Number(process.env.BENCH_EVENTS ?? 1_000_000);
const CAMERAS = 8;
const PERSONS = 2000;
const YEAR = 365 * 86_400_000;
const T0 = 1_780_000_000_000;
const folder = mkdtempSync(path.join(process.env.BENCH_FOLDER ?? tmpdir(), 'lineament-bench-events-'));
const TYPES = ['appeared', 'left', 'recognised', 'expression', 'zone', 'line', 'gesture', 'stranger'];

const ids = new EventIds({ seed: 'bench' });
let state = 1;
const random = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
function made(timestamp) {
  const type = TYPES[random(TYPES.length)];
  const person = random(PERSONS);
  return {
    id: ids.next(timestamp),
    type,
    camera: `camera ${random(CAMERAS)}`,
    timestamp,
    sequence: random(1e6),
    track: random(1e5),
    box: [random(1280), random(720), 80, 100],
    ...(person % 3 > 0 && {
      identity: {
        kind: 'known',
        id: `person ${person}`,
        name: `Name ${person}`,
        similarity: 0.6,
        fmr: 1e-4,
        looks: 5,
        weight: 3.5,
      },
    }),
    ...(type === 'left' && { stayedMs: random(60_000) }),
    ...(type === 'expression' && { expression: 'happy', probability: 0.8 }),
    ...(type === 'zone' && { zone: `zone ${random(10)}`, action: 'entered' }),
    ...(type === 'line' && { line: `line ${random(4)}`, direction: 'forward' }),
    ...(type === 'gesture' && { gesture: 'wave', score: 0.9 }),
    ...(type === 'stranger' && { returning: false }),
  };
}
const quantile = (all, q) => [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(q * all.length))];

const figures = [];
const issue = 6;
try {
  // One event a call, so many callers at once, each waiting for its acknowledgement.
  for (const lanes of [1, 4, 64]) {
    const log = await EventLog.open({ folder: path.join(folder, `lanes-${lanes}`) });
    let count = 0;
    const until = performance.now() + 5000;
    const began = performance.now();
    const times = [];
    const lane = async () => {
      while (performance.now() < until) {
        const start = performance.now();
        await log.append([made(T0 + count++)]);
        times.push(performance.now() - start);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const rate = count / ((performance.now() - began) / 1000);
    await log.close();
    figures.push(
      figure(`events.append-${lanes}`, rate, 'events/s', {
        issue,
        better: 'higher',
        note: `acknowledged, on the disk; ${lanes} at once, one event a call; ${quantile(times, 0.5).toFixed(2)} ms p50, ${quantile(times, 0.95).toFixed(2)} ms p95`,
      }),
    );
  }

  const log = await EventLog.open({ folder: path.join(folder, 'large') });
  let began = performance.now();
  for (let at = 0; at < EVENTS; at += 500) {
    await log.append(
      Array.from({ length: Math.min(500, EVENTS - at) }, (_, i) => made(T0 + ((at + i) / EVENTS) * YEAR)),
    );
  }
  const seconds = (performance.now() - began) / 1000;
  const bytes = statSync(log.path).size;
  figures.push(
    figure('events.append-500', EVENTS / seconds, 'events/s', {
      issue,
      better: 'higher',
      note: `acknowledged, on the disk; 500 a call, one call at a time, ${EVENTS} events; ${Math.round(bytes / EVENTS)} bytes each`,
    }),
  );

  const end = T0 + YEAR;
  const day = 86_400_000;
  const questions = {
    'newest 100': () => log.query(),
    '100 of one camera in a month': () => log.query({ camera: 'camera 3', from: end - 60 * day, to: end - 30 * day }),
    '100 of one person, oldest first': () => log.query({ person: `person ${3 * random(600) + 1}`, order: 'oldest' }),
    '100 of three persons by one camera': () =>
      log.query({ person: ['person 1', 'person 4', 'person 7'], camera: 'camera 1' }),
    '100 of one zone and type before half a year': () =>
      log.query({ zone: 'zone 4', type: 'zone', to: end - 180 * day }),
    'counts of one day by hour': () => log.count({ from: end - 40 * day, to: end - 39 * day, by: ['hour'] }),
    'counts of one person by day': () => log.count({ person: `person ${3 * random(600) + 1}`, by: ['day'] }),
    'counts of a month by day and camera': () =>
      log.count({ from: end - 60 * day, to: end - 30 * day, by: ['day', 'camera'] }),
    'counts of the whole year by day': () => log.count({ by: ['day'] }),
  };
  for (const [name, ask] of Object.entries(questions)) {
    const times = [];
    for (let i = 0; i < (name.includes('year by') ? 5 : 40); i++) {
      const start = performance.now();
      await ask();
      times.push(performance.now() - start);
    }
    figures.push(
      figure(`events.${name.replace(/[^a-z0-9]+/g, '-')}`, quantile(times, 0.5), 'ms', {
        issue,
        note: `${EVENTS} events; p95 ${quantile(times, 0.95).toFixed(2)} ms`,
      }),
    );
  }

  began = performance.now();
  const { events } = await log.runRetention(end, { policy: { eventsDays: 328.5, archiveAfterDays: false } });
  figures.push(
    figure('events.retention', events.count / ((performance.now() - began) / 1000), 'events/s', {
      issue,
      better: 'higher',
      note: `${events.count} of ${EVENTS} deleted, overwritten, in pieces of 2000`,
    }),
  );
  began = performance.now();
  const erased = await log.erase('person 1', { by: 'bench' });
  figures.push(
    figure('events.erase', performance.now() - began, 'ms', {
      issue,
      note: `${erased.events.anonymised} events lose who it was`,
    }),
  );
  await log.close();

  // The rules alone: a frame with four tracks, two zones and two lines.
  const rules = new EventRules('door', {
    zones: [0, 0.5].map((x) => ({
      name: `z${x}`,
      corners: [
        [x, 0.2],
        [x + 0.4, 0.2],
        [x + 0.4, 0.9],
        [x, 0.9],
      ],
    })),
    lines: [0.3, 0.6].map((x) => ({ name: `l${x}`, from: [x, 0], to: [x, 1] })),
  });
  const FRAMES = 20_000;
  began = performance.now();
  let told = 0;
  for (let i = 0; i < FRAMES; i++) {
    const time = T0 + i * 66;
    const tracks = [1, 2, 3, 4].map((id) => {
      const x = 640 + 500 * Math.sin(i / (40 * id));
      return {
        id,
        camera: 'door',
        state: 'confirmed',
        face: [x, 200, 60, 80],
        person: [x - 50, 180, 160, 450],
        seen: true,
        velocity: [0, 0],
        first: T0,
        last: time,
        hits: i,
      };
    });
    told += rules.update({ timestamp: time, sequence: i, width: 1280, height: 720, tracks }).length;
  }
  figures.push(
    figure('events.rules', ((performance.now() - began) * 1000) / FRAMES, 'µs', {
      issue,
      note: `a frame with four tracks, two zones, two lines; ${told} events of ${FRAMES} frames`,
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
finish('events', figures);
