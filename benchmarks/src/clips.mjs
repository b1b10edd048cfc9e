// What clips cost: handing pictures to ffmpeg, encoding them, and covering a face. 1280 × 720, a photograph that moves, with noise.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { haveProduct } from './ours.mjs';
import { PRODUCT, ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const SIZE = { width: 1280, height: 720 };
const BYTES = SIZE.width * SIZE.height * 1.5;
const RATE = 15;
const SECONDS = 10;
const RUNS = 5;
const PHOTOGRAPH = path.join(ROOT, 'node_modules/@vladmandic/face-api/demo/sample5.jpg');

const from = (file) => import(pathToFileURL(path.join(path.dirname(PRODUCT), file)).href);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Sixty different pictures, as a camera would give them. */
function pictures() {
  const window = `crop=${SIZE.width}:${SIZE.height}:x='(iw-ow)/2*(1+sin(n/20))':y='(ih-oh)/2*(1+cos(n/31))'`;
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-nostdin', '-loop', '1', '-i', PHOTOGRAPH, '-frames:v', '60'],
      ...['-vf', `scale=1600:-2,${window},noise=alls=5:allf=t`, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'],
    ],
    { maxBuffer: 1 << 30 },
  );
  return Array.from({ length: raw.length / BYTES }, (_, i) => new Uint8Array(raw.subarray(i * BYTES, (i + 1) * BYTES)));
}

/** A camera in memory that had taken these pictures. */
const sourceOf = (frames) => ({
  id: 'bench',
  history: (first, last) => frames.filter(({ timestamp }) => timestamp >= first && timestamp <= last),
  // It has come to its end.
  async *frames() {},
});

async function main() {
  if (!haveProduct()) return console.log('clips: skipped, the product is not built');
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
  } catch {
    return console.log('clips: skipped, there is no ffmpeg');
  }
  const [{ ClipRecorder }, { FfmpegFeed }, { loadAddon }, { Redactor }] = await Promise.all(
    ['pipeline/clips/index.js', 'pipeline/clips/ffmpeg-feed.js', 'native/index.js', 'pipeline/privacy/index.js'].map(
      from,
    ),
  );
  const data = pictures();
  const count = RATE * SECONDS;
  const frames = Array.from({ length: count }, (_, i) => ({
    camera: 'bench',
    sequence: i,
    timestamp: 1_800_000_000_000 + (i * 1000) / RATE,
    data: data[i % data.length],
    ...SIZE,
    channels: 1,
    format: 'i420',
  }));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-clips-bench-'));
  // Adds what each ffmpeg has used of the processor to a file.
  const timed = path.join(folder, 'ffmpeg');
  const used = path.join(folder, 'used');
  fs.writeFileSync(timed, `#!/bin/bash\nffmpeg "$@"; code=$?; times >> ${used}; exit $code\n`, {
    mode: 0o755,
  });
  const times = { feed: [], encode: [], whole: [], child: [], own: [] };
  try {
    for (let run = 0; run < RUNS; run++) {
      const feed = new FfmpegFeed('ffmpeg', [], ['-c', 'copy', '-f', 'null', '-']);
      let start = performance.now();
      for (const [i, frame] of frames.entries()) await feed.write(frame, i * 66_667);
      await feed.finish();
      times.feed.push(performance.now() - start);

      fs.rmSync(used, { force: true });
      const recorder = new ClipRecorder({ folder, ffmpeg: timed });
      const before = process.cpuUsage();
      start = performance.now();
      const clip = await recorder.record({
        source: sourceOf(frames),
        start: frames[0].timestamp,
        end: frames.at(-1).timestamp,
        path: path.join(folder, `${run}.mp4`),
      }).done;
      times.whole.push(performance.now() - start);
      if (clip.pictures !== count) throw new Error(`the clip has ${clip.pictures} pictures`);
      const { user, system } = process.cpuUsage(before);
      times.own.push((user + system) / 1000);
      // Of two lines the second is what the children used.
      const children = fs
        .readFileSync(used, 'utf8')
        .split('\n')
        .filter((_, line) => line % 2 === 1);
      const spent = [...children.join(' ').matchAll(/(\d+)m([\d.]+)s/g)];
      times.child.push(spent.reduce((sum, [, m, s]) => sum + (Number(m) * 60 + Number(s)) * 1000, 0));
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }

  const addon = loadAddon();
  const executor = addon.createExecutor(1);
  const image = { data: new Uint8Array(data[0]), ...SIZE, format: 'i420' };
  const cover = { pixelate: [], blur: [] };
  for (let run = -20; run < 200; run++) {
    for (const method of ['pixelate', 'blur']) {
      const start = performance.now();
      const region = new Float64Array([400, 200, 300, 300]);
      await addon.redact(executor, image, region, { method, shape: 'ellipse', blocks: 8 });
      if (run >= 0) cover[method].push(performance.now() - start);
    }
  }
  await executor.close();
  const redactor = new Redactor({ mode: 'blur-all' });
  const track = {
    id: 1,
    camera: 'bench',
    state: 'confirmed',
    face: [400, 200, 180, 180],
    seen: true,
    velocity: [0, 0],
  };
  const when = { first: frames[0].timestamp, last: frames[0].timestamp, hits: 1 };
  redactor.look({ camera: 'bench', timestamp: frames[0].timestamp, ...SIZE, tracks: [{ ...track, ...when }] });
  const apply = [];
  for (let run = -20; run < 100; run++) {
    const start = performance.now();
    await redactor.apply(frames[0]);
    if (run >= 0) apply.push(performance.now() - start);
  }
  await redactor.close();

  const perSecond = (ms) => (count * 1000) / median(ms);
  const share = (ms) => median(ms) / (SECONDS * 10);
  printTable(
    ['what', 'figure'],
    [
      ['pictures a second into ffmpeg (copied, thrown away)', perSecond(times.feed).toFixed(0)],
      ['pictures a second to a finished clip', perSecond(times.whole).toFixed(0)],
      ['ffmpeg, share of a core for a clip at 15 a second', `${share(times.child).toFixed(1)} %`],
      ['this process, share of a core', `${share(times.own).toFixed(1)} %`],
      ['pixelate a head of 300 × 300', `${median(cover.pixelate).toFixed(3)} ms`],
      ['blur a head of 300 × 300', `${median(cover.blur).toFixed(3)} ms`],
      ['a picture through the redactor (copy, one head)', `${median(apply).toFixed(3)} ms`],
    ],
  );
  const note = `1280 × 720 i420, ${SECONDS} s at ${RATE}/s, libx264 veryfast, 1 thread, median of ${RUNS}`;
  finish('clips', [
    figure('clips.feed', perSecond(times.feed), '1/s', {
      issue: 6,
      better: 'higher',
      note: 'pictures into ffmpeg, copied to null',
    }),
    figure('clips.encode', perSecond(times.whole), '1/s', {
      issue: 6,
      better: 'higher',
      note: `start to finished clip, ${note}`,
    }),
    figure('clips.cpu.ffmpeg', share(times.child), '%', { issue: 6, note: `of one core at camera rate, ${note}` }),
    figure('clips.cpu.own', share(times.own), '%', {
      issue: 6,
      note: `of one core at camera rate, digest included, ${note}`,
    }),
    figure('clips.redact.pixelate', median(cover.pixelate), 'ms', {
      issue: 6,
      goal: 1,
      note: 'a head of 300 × 300 at 720p',
    }),
    figure('clips.redact.blur', median(cover.blur), 'ms', { issue: 6, goal: 1, note: 'a head of 300 × 300 at 720p' }),
    figure('clips.redact.frame', median(apply), 'ms', {
      issue: 6,
      note: 'a 720p picture through the redactor: copy and one head',
    }),
  ]);
}

await main();
