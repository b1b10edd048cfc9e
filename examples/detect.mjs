// The faces of one photograph. (With TypeScript or Node.js 24, `await using engine = …` closes it by itself.)
//
//   node examples/detect.mjs photo.jpg
import { openEngine } from 'lineament';

const [photo] = process.argv.slice(2);
if (!photo) throw new Error('Usage: node examples/detect.mjs PHOTOGRAPH');

const engine = await openEngine({ preset: 'balanced' });
const faces = await engine.analyze(photo, { landmarks: true, pose: true, attributes: ['age', 'expression'] });

for (const { box, score, pose, age, expression } of faces) {
  const [x, y, width, height] = box.map(Math.round);
  console.log(
    `face at ${x},${y} (${width} × ${height} px), score ${score.toFixed(2)}, ` +
      `turned ${pose?.yaw.toFixed(0)}°, looks ${age?.toFixed(0)} and ${expression?.label}`,
  );
}
if (faces.length === 0) console.log('no face');

await engine.close();
