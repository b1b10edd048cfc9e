// Watches a video, a stream, a camera or a folder of photographs and says who comes and goes. Ends with the source, or after some seconds.
//
//   node examples/watch.mjs SOURCE [seconds]
import { setTimeout as wait } from 'node:timers/promises';
import { openPipeline } from 'lineament/pipeline';

const [source, seconds = '10'] = process.argv.slice(2);
if (!source) throw new Error('Usage: node examples/watch.mjs SOURCE [SECONDS]');

const pipeline = await openPipeline({ cameras: [{ source, id: 'camera' }] });
pipeline.on('appeared', ({ track, box }) =>
  console.log(`person ${track} appeared at ${box.map(Math.round).join(', ')}`),
);
pipeline.on('left', ({ track, stayedMs }) =>
  console.log(`person ${track} left after ${(stayedMs / 1000).toFixed(1)} s`),
);

await Promise.race([pipeline.done, wait(Number(seconds) * 1000, undefined, { ref: false })]);
await pipeline.close();

const { cameras, stages } = pipeline.stats();
const [{ taken, source: camera }] = cameras;
console.log(`${taken} frames, ${camera.dropped} dropped`);
console.log(
  `from frame to event: ${stages.event.p50.toFixed(0)} ms in half of the cases, ${stages.event.p95.toFixed(0)} in 95 of 100`,
);
