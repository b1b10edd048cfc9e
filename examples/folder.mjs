// A folder of photographs, several in flight: one JSON line for each photograph, in the order of their names.
//
//   node examples/folder.mjs photographs/ > faces.jsonl
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { openEngine } from 'lineament';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node examples/folder.mjs FOLDER');
const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();

// Throughput mode: each photograph keeps to one thread, and the photographs spread over the threads.
const engine = await openEngine({ mode: 'throughput' });

/** Results in order: at most `threads + 1` photographs are being worked on at a time. */
async function* inOrder(items, work) {
  const flight = [];
  for (const item of items) {
    flight.push(work(item));
    if (flight.length > engine.threads) yield await flight.shift();
  }
  while (flight.length > 0) yield await flight.shift();
}

const look = async (name) => {
  try {
    const faces = await engine.detect(path.join(folder, name));
    return { name, faces: faces.map(({ box, score }) => ({ box, score })) };
  } catch (error) {
    // One bad file does not stop the others.
    return { name, error: error.code };
  }
};

for await (const line of inOrder(names, look)) console.log(JSON.stringify(line));

await engine.close();
