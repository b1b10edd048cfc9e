// A storage service and a client of it: the faces of one photograph are stored, those of another are looked up among them. The
// service listens on this machine only; elsewhere it wants TLS (node:https) and tokens that nobody guesses.
//
//   node examples/storage.mjs KNOWN.jpg PROBE.jpg [false match rate]
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEngine } from 'lineament';
import { readCalibration, similarityAt } from 'lineament/models';
import { bearerToken, connectStorage, createStorageHandler, openEmbeddedStorage } from 'lineament/storage';
import { enrolTemplate } from 'lineament/templates';

const [known, probe, rate = '0.01'] = process.argv.slice(2);
if (!known || !probe) throw new Error('Usage: node examples/storage.mjs KNOWN PROBE [RATE]');

const folder = await mkdtemp(path.join(tmpdir(), 'storage-'));
const engine = await openEngine();
const embeddings = async (photo) => {
  const faces = await engine.analyze(photo, { embedding: true });
  return faces.flatMap((face) => (face.embedding ? [face.embedding] : []));
};
try {
  const people = await embeddings(known);
  if (people.length === 0) throw new Error(`No face in ${known}`);
  const { model, dims } = people[0];

  // The service: templates in a SQLite file, found by exact search.
  const held = await openEmbeddedStorage({ path: path.join(folder, 'templates.db'), model, dims });
  const token = randomBytes(24).toString('base64url');
  const server = createServer(createStorageHandler(held, { authorize: bearerToken(token) }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  // A client: it repeats what fails on the way, and nothing is stored twice.
  const storage = await connectStorage({ url: `http://127.0.0.1:${server.address().port}`, token });
  const items = people.map((embedding, i) => ({
    id: `face ${i + 1}`,
    template: enrolTemplate([{ embedding }]).template,
  }));
  const { stored } = await storage.storeTemplates(items, { collection: 'visitors' });
  console.log(`${stored} faces stored`);

  const threshold = similarityAt(await readCalibration(model), Number(rate));
  const probes = await embeddings(probe);
  const found = probes.length === 0 ? [] : await storage.findMatchesBatch(probes, { k: 1, threshold });
  for (const [i, [match]] of found.entries()) {
    const who = match
      ? `${match.id} of ${match.collection}, similarity ${match.similarity.toFixed(3)}`
      : 'nobody known';
    console.log(`probe ${i + 1}: ${who}`);
  }

  await storage.close();
  await new Promise((resolve) => server.close(resolve));
  await held.close();
} finally {
  await engine.close();
  await rm(folder, { recursive: true });
}
