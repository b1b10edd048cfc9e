// Runs the service inside this program, and asks it as any other program would: enrols a person, and finds out who is on another photograph.
//
//   node examples/service.mjs NAME PHOTO OTHER_PHOTO
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'lineament/client';
import { openService } from 'lineament/service';

const [name, photo, other] = process.argv.slice(2);
if (!other) throw new Error('Usage: node examples/service.mjs NAME PHOTO OTHER_PHOTO');

const folder = await mkdtemp(path.join(tmpdir(), 'lineament-service-'));
// Port 0 takes a free one. Without `data.folder` it would keep what it learns in the data folder of the user.
const service = await openService({
  config: { server: { port: 0 }, data: { folder }, engine: { preset: 'fast' }, log: { level: 'warn' } },
});
try {
  const client = new Client({ address: service.address, key: service.firstKey });
  const form = { person: 'first', name, image: new Blob([await readFile(photo)]) };
  const { samples } = await client.call('enrol', { form });
  console.log(`${name}: ${samples.length} sample`);

  const { faces } = await client.call('identify', { bytes: await readFile(other), type: 'application/octet-stream' });
  for (const { box, match } of faces) {
    console.log(`face at ${box.slice(0, 2).map(Math.round).join(',')}: ${match?.name ?? 'nobody known'}`);
  }
  const { receipt } = await client.call('delete_person', { path: { id: 'first' } });
  console.log(`erased, receipt ${receipt.id}`);
} finally {
  await service.close();
  await rm(folder, { recursive: true });
}
