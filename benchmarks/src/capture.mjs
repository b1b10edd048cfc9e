// What the way of a video costs: ffmpeg, a pipe, a ring in memory, JavaScript. The same file through `ffmpeg -f null` beside it, in turns.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { haveProduct } from './ours.mjs';
import { PRODUCT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 7);
const FRAMES = 600;
const LIVE_SECONDS = 10;
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))];

/** 20 seconds of 720p at 30 pictures a second, some 6 Mbit/s: a moving test picture with grain. */
function makeClip(file) {
  const source = 'testsrc2=size=1280x720:rate=30,noise=alls=6:allf=t,format=yuv420p';
  const encode = '-c:v libx264 -preset medium -b:v 6M -g 60 -pix_fmt yuv420p'.split(' ');
  execFileSync('ffmpeg', [
    ...['-nostdin', '-loglevel', 'error', '-y', '-f', 'lavfi', '-i', source],
    ...['-frames:v', String(FRAMES), ...encode, file],
  ]);
}

/** Seconds that `ffmpeg -f null` takes, from start to end of the program. */
function decodeOnly(file) {
  const start = performance.now();
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', file, '-an', '-f', 'null', '-']);
  return (performance.now() - start) / 1000;
}

/** Seconds from `openCamera` to the end of the last picture, and processor time of this process, milliseconds. */
async function throughCamera(openCamera, file) {
  const start = performance.now();
  const before = process.cpuUsage();
  const camera = await openCamera({ source: { kind: 'file', path: file, pace: 'fast' } });
  let frames = 0;
  let sum = 0;
  for await (const { data } of camera.frames({ borrow: true })) {
    sum += data[frames % data.length];
    frames++;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  await camera.close();
  if (frames !== FRAMES) throw new Error(`${frames} pictures instead of ${FRAMES} (${sum})`);
  return { seconds, cpu: (user + system) / 1000 };
}

/** Milliseconds from the arrival of a picture's last byte to the body of `for await`, of live 720p at 30 pictures a second. */
async function latencies(openCamera, folder) {
  const fifo = path.join(folder, 'live.fifo');
  execFileSync('mkfifo', [fifo]);
  const size = { width: 1280, height: 720 };
  const camera = await openCamera({ source: { kind: 'raw', path: fifo, ...size, format: 'i420' }, reconnect: false });
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30', '-t', String(LIVE_SECONDS)];
  const writer = spawn(
    'ffmpeg',
    ['-nostdin', '-loglevel', 'error', '-y', ...source, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', fifo],
    { stdio: 'ignore' },
  );
  const times = [];
  try {
    for await (const { timestamp } of camera.frames({ borrow: true })) {
      times.push(performance.timeOrigin + performance.now() - timestamp);
    }
  } catch (error) {
    // The pipe was closed.
    if (error.code !== 'CAMERA_LOST') throw error;
  }
  writer.kill();
  await camera.close();
  return times.slice(5);
}

async function main() {
  if (!haveProduct()) return console.log('capture: skipped, the product is not built');
  if (spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status !== 0) {
    return console.log('capture: skipped, there is no ffmpeg');
  }
  const { openCamera } = await import(pathToFileURL(path.join(path.dirname(PRODUCT), 'capture', 'index.js')).href);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-capture-'));
  try {
    const clip = path.join(folder, 'clip.mp4');
    makeClip(clip);
    const peer = [];
    const ours = [];
    const cpu = [];
    for (let run = -1; run < RUNS; run++) {
      // Who is first changes: a machine that gets warmer, or busier, is so for both.
      const order = run % 2 ? ['peer', 'ours'] : ['ours', 'peer'];
      for (const who of order) {
        if (who === 'peer') {
          const seconds = decodeOnly(clip);
          if (run >= 0) peer.push(seconds);
        } else {
          const { seconds, cpu: ms } = await throughCamera(openCamera, clip);
          if (run >= 0) ours.push(seconds);
          if (run >= 0) cpu.push(ms / FRAMES);
        }
      }
    }
    const late = await latencies(openCamera, folder);
    const ratios = ours.map((seconds, i) => peer[i] / seconds);
    printTable(
      ['', 'pictures/s', 'seconds'],
      [
        ['ffmpeg -f null', (FRAMES / quantile(peer, 0.5)).toFixed(0), quantile(peer, 0.5).toFixed(2)],
        ['camera', (FRAMES / quantile(ours, 0.5)).toFixed(0), quantile(ours, 0.5).toFixed(2)],
      ],
    );
    const note = `${FRAMES} pictures of 720p H.264, median of ${RUNS}`;
    finish('capture', [
      figure('capture.ratio', quantile(ratios, 0.5), '×', {
        issue: 6,
        goal: 0.9,
        better: 'higher',
        peer: 'ffmpeg -f null',
        note: `throughput beside ffmpeg -f null, run by run; ${note}`,
      }),
      figure('capture.throughput', FRAMES / quantile(ours, 0.5), 'pictures/s', { issue: 6, better: 'higher', note }),
      figure('capture.peer', FRAMES / quantile(peer, 0.5), 'pictures/s', {
        issue: 6,
        better: 'higher',
        note: `ffmpeg -f null, ${note}`,
      }),
      figure('capture.cpu', quantile(cpu, 0.5), 'ms', {
        issue: 6,
        note: `processor time of the Node process for a picture; ${note}`,
      }),
      figure('capture.latency.p50', quantile(late, 0.5), 'ms', {
        issue: 6,
        note: `last byte to for await, live 720p, ${late.length} pictures`,
      }),
      figure('capture.latency.p95', quantile(late, 0.95), 'ms', {
        issue: 6,
        note: `last byte to for await, live 720p, ${late.length} pictures`,
      }),
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

await main();
