// An engine inside a worker thread. The engine never holds the event loop, so a worker is not needed for that; but an
// application that already has workers may open engines in them, and may end them at any moment.
//
//   node examples/worker.mjs photo.jpg
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openEngine } from 'lineament';

if (isMainThread) {
  const [photo] = process.argv.slice(2);
  if (!photo) throw new Error('Usage: node examples/worker.mjs PHOTOGRAPH');
  const worker = new Worker(new URL(import.meta.url), { workerData: { photo } });
  worker.on('message', ({ faces }) => console.log(`the worker found ${faces.length} faces`));
  worker.on('error', (error) => {
    console.error(error);
    process.exitCode = 1;
  });
} else {
  const engine = await openEngine({ threads: 1 });
  try {
    const faces = await engine.detect(workerData.photo, { landmarks: true });
    parentPort?.postMessage({ faces });
  } finally {
    await engine.close();
  }
}
