// A kiosk: frames come faster than they can be looked at, and only the newest counts. There is no queue: a frame that is
// overtaken is aborted, and the event loop stays free all the while.
//
//   node examples/kiosk.mjs photo.jpg [seconds]
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { LineamentError, openEngine } from 'lineament';

const [photo, seconds = '2'] = process.argv.slice(2);
if (!photo) throw new Error('Usage: node examples/kiosk.mjs PHOTOGRAPH [SECONDS]');

const engine = await openEngine({ preset: 'fast' });
// Stands for a camera: the same pixels, again and again. A camera's frames are raw pixels too: no decoding.
const frame = await engine.decode(photo);
await engine.warm({ embedding: true });

const counts = { frames: 0, looked: 0, overtaken: 0, faces: 0 };
let current = new AbortController();

/** Looks at one frame unless a newer one overtakes it. */
async function look(signal) {
  try {
    const faces = await engine.analyze(frame, { embedding: true, maxFaces: 1, signal });
    counts.looked++;
    counts.faces += faces.length;
  } catch (error) {
    if (!(error instanceof LineamentError) || error.code !== 'ABORTED') throw error;
    counts.overtaken++;
  }
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const end = performance.now() + Number(seconds) * 1000;
let busy;
while (performance.now() < end) {
  counts.frames++;
  // Every tenth frame does not wait for the one before it: as when somebody steps in front of the camera.
  if (counts.frames % 10 === 0) current.abort();
  else await busy;
  current = new AbortController();
  busy = look(current.signal);
  await wait(5);
}
await busy;
delay.disable();
await engine.close();

console.log(
  `${counts.frames} frames: ${counts.looked} looked at, ${counts.overtaken} overtaken, ${counts.faces} faces`,
);
console.log(`the event loop waited ${(delay.percentile(99) / 1e6).toFixed(1)} ms at most in 99 of 100 cases`);
