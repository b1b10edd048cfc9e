// A gallery from first to last: enrol people, ask who somebody is, correct the answer, and delete for good, with a receipt.
//
//   node examples/gallery.mjs GALLERY PROBE PHOTO [PHOTO...]      every photograph is a person, named after its file
import { basename, extname } from 'node:path';
import { LineamentError, openEngine } from 'lineament';
import { openGallery, verifyReceipt } from 'lineament/gallery';

const [folder, probe, ...photos] = process.argv.slice(2);
if (!folder || !probe || photos.length === 0) {
  throw new Error('Usage: node examples/gallery.mjs GALLERY PROBE PHOTO [PHOTO...]');
}

const percent = (rate) => `${(rate * 100).toPrecision(2)} %`;
const engine = await openEngine();
// Give `keys: { file: 'gallery.keys' }` to seal what is kept (`lineament gallery new-key gallery.keys` makes one).
const gallery = await openGallery({ folder });
for (const line of gallery.opened.repaired) console.log(`repaired: ${line}`);
try {
  for (const photo of photos) {
    const id = basename(photo, extname(photo));
    const embedding = await engine.embed(photo);
    if (embedding === undefined) {
      console.log(`${id}: no face`);
      continue;
    }
    try {
      const { samples } = await gallery.enrol(
        id,
        { embedding, source: photo, consent: 'example', expiresAt: Date.now() + 365 * 86_400_000 },
        { onExisting: 'refuse' },
      );
      console.log(`${id}: enrolled (${samples.length} sample)`);
    } catch (error) {
      if (!(error instanceof LineamentError) || error.code !== 'DUPLICATE_ID') throw error;
      console.log(`${id}: known already`);
    }
  }

  const face = await engine.embed(probe);
  if (face === undefined) throw new LineamentError('NO_FACE', probe);
  // One search in twenty may name somebody where it should name nobody.
  const { match, candidates, searched } = await gallery.identify(face, { fpir: 0.05 });
  console.log(`compared with ${searched} templates`);
  for (const { person, similarity, fpir, ratesAtMost } of candidates) {
    const rate = fpir === undefined ? '' : `, false positives ${ratesAtMost ? 'at most ' : ''}${percent(fpir)}`;
    console.log(`  ${person}: similarity ${similarity.toFixed(3)}${rate}`);
  }
  console.log(match ? `this is ${match.person}` : 'this is nobody known');

  if (match) {
    const operation = await gallery.feedback({ person: match.person, probe: face });
    const again = await gallery.identify(face, { fpir: 0.05 });
    console.log(
      `told that it is not ${match.person}: ${again.match ? `this is ${again.match.person}` : 'nobody known'}`,
    );
    await gallery.undo(operation);

    const { receipt } = await gallery.delete({ person: match.person });
    const sound = verifyReceipt(receipt, gallery.publicKey);
    console.log(`${match.person} was deleted: ${receipt.erased.vectors} vector, receipt ${sound ? 'signed' : 'wrong'}`);
  }
} finally {
  await gallery.close();
  await engine.close();
}
