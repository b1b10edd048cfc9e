// One-to-many search by itself: vectors are written to a file block by block, which is then searched where it lies, changed and
// saved again. Vectors are made up here; they may come from any network.
//
//   node examples/search.mjs [how many vectors]
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createVectorSnapshot, openVectorIndex } from 'lineament/search';

const count = Number(process.argv[2] ?? 20_000);
const dims = 128;
const made = (n) => new Float32Array(n * dims).map(() => Math.random() - Math.random());
const folder = await mkdtemp(path.join(tmpdir(), 'lineament-search-'));
const file = path.join(folder, 'faces.index');
try {
  // Larger than memory? Only a block of it is ever held. Keys rise; groups are whatever a search may be limited to.
  const snapshot = await createVectorSnapshot(file, { dims, precision: 'exact' });
  let own; // a vector to look for
  for (let first = 0; first < count; first += 5000) {
    const keys = Array.from({ length: Math.min(5000, count - first) }, (_, i) => first + i);
    const vectors = made(keys.length);
    own = vectors.slice(0, dims);
    await snapshot.add(
      keys,
      vectors,
      keys.map((key) => key % 2),
    );
  }
  console.log(`${await snapshot.finish()} vectors in ${((await stat(file)).size / 2 ** 20).toFixed(0)} MiB`);
  await snapshot.close();

  const index = await openVectorIndex(file); // mapped: opening reads keys and groups only
  const [[best, ...others]] = await index.search(own, { k: 5 });
  console.log(`key ${best.key}: similarity ${best.similarity.toFixed(3)}; next ${others[0].similarity.toFixed(3)}`);
  const [odd] = await index.search(own, { groups: [1], threshold: 0.2, limit: 1000 });
  console.log(`in group 1, ${odd.length} above 0.2`);

  await index.remove([best.key]);
  await index.update([count], own, [1]);
  const [[now]] = await index.search(own, { k: 1 });
  console.log(`after a change: key ${now.key}, ${index.size} vectors, revision ${index.revision}`);
  await index.save(file); // a new file takes the old one's name when it is whole
  await index.close();
} finally {
  await rm(folder, { recursive: true });
}
