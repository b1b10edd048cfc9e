// What a kiosk tells the person in front of it, and why.
//
//   node examples/guidance.mjs photo.jpg
import { openEngine } from 'lineament';

const [photo] = process.argv.slice(2);
if (!photo) throw new Error('Usage: node examples/guidance.mjs PHOTOGRAPH');

const engine = await openEngine({ preset: 'fast' });
try {
  const [face] = await engine.analyze(photo, { quality: true, headPose: true, symmetry: true, maxFaces: 1 });
  if (!face?.quality) console.log('Please step in front of the camera.');
  else {
    const { score, components, guidance } = face.quality;
    console.log(`quality ${score} of 100`);
    for (const { text, component } of guidance.slice(0, 3)) {
      const { value, unit, score: points } = components[component];
      console.log(`- ${text}  (${component}: ${value.toFixed(2)} ${unit}, ${points} of 100)`);
    }
    if (face.headPose) {
      const { yaw, pitch, translation } = face.headPose;
      console.log(`looks ${yaw.toFixed(0)}° aside, ${pitch.toFixed(0)}° up, from ${translation[2].toFixed(0)} cm`);
    }
    if (face.symmetry) console.log(`symmetry ${face.symmetry.score.toFixed(0)} of 100`);
  }
} finally {
  await engine.close();
}
