// Enrols a person from several photographs into one encrypted, revocable template, and verifies another photograph with it.
//
//   node examples/templates.mjs PROBE PHOTO [PHOTO...]
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LineamentError, openEngine } from 'lineament';
import { readCalibration, similarityAt } from 'lineament/models';
import { similarity } from 'lineament/recognition';
import {
  createKeyringFile,
  decodeTemplate,
  encodeTemplate,
  enrolTemplate,
  ProtectionKey,
  protectEmbedding,
  protectTemplate,
  TemplateCipher,
  templateEmbedding,
  validateTemplate,
} from 'lineament/templates';

const [probe, ...photos] = process.argv.slice(2);
if (!probe || photos.length === 0) throw new Error('Usage: node examples/templates.mjs PROBE PHOTO [PHOTO...]');

const YEAR = 365 * 24 * 3600 * 1000;
const engine = await openEngine();
const folder = await mkdtemp(path.join(tmpdir(), 'templates-'));
try {
  /** The most prominent face of a photograph. */
  const embed = async (photo) => {
    const [face] = await engine.analyze(photo, { embedding: true, maxFaces: 1 });
    if (!face?.embedding) throw new Error(`No face in ${photo}`);
    return face.embedding;
  };
  const samples = await Promise.all(photos.map(async (photo) => ({ embedding: await embed(photo) })));
  const calibration = await readCalibration(samples[0].embedding.model);
  const { template, rejected } = enrolTemplate(samples, {
    // What two in a hundred comparisons of different people reach: a sample below it is somebody else's.
    genuineFloor: similarityAt(calibration, 0.02),
    expiresAt: Date.now() + YEAR,
    consent: 'consent/2026-0001',
  });
  for (const r of rejected)
    console.log(`left out ${photos[r.index]}: ${r.reason}, similarity ${r.similarity.toFixed(3)}`);

  // A real program makes the keyring once, and keeps it apart from the templates.
  const keys = path.join(folder, 'keys.json');
  await createKeyringFile(keys);
  const cipher = await TemplateCipher.open({ file: keys });
  const revocable = await ProtectionKey.fromKeyring(cipher.keyring);
  const stored = path.join(folder, 'person-1.lmts');
  await writeFile(stored, await cipher.seal(encodeTemplate(protectTemplate(template, revocable)), 'person-1'));

  const read = validateTemplate(decodeTemplate(await cipher.open(await readFile(stored), 'person-1')));
  const threshold = similarityAt(calibration, 0.01);
  const score = similarity(templateEmbedding(read), protectEmbedding(await embed(probe), revocable));
  console.log(
    `${score >= threshold ? 'same person' : 'different people'}: similarity ${score.toFixed(3)} to ${read.samples} samples, threshold ${threshold.toFixed(3)}`,
  );
} catch (error) {
  // Samples of different people do not make a template; every error has a stable code.
  if (!(error instanceof LineamentError) || error.code !== 'TEMPLATE_REJECTED') throw error;
  console.log(error.message);
} finally {
  await engine.close();
  await rm(folder, { recursive: true });
}
