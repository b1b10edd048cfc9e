// A face of a photograph in 3D: a GLB file with levels of detail, a page to look at it, and what it measures.
//
//   node examples/mesh.mjs photo.jpg [face.glb]
import { writeFile } from 'node:fs/promises';
import { openEngine } from 'lineament';
import { encodeGlb, faceDistances } from 'lineament/reconstruction';
import { createViewer } from 'lineament/visualization';

const [photo, file = 'face.glb'] = process.argv.slice(2);
const engine = await openEngine();
const face = await engine.reconstruct(photo, { levels: 4 });
if (face === undefined) {
  console.log('No face found');
} else {
  const { levels, depth, canonical } = face.reconstruction;
  const glb = await encodeGlb(levels, { scale: depth.scale });
  await writeFile(file, glb);
  await writeFile(file.replace(/\.glb$/, '.html'), await createViewer({ glb, depth, title: 'A face in 3D' }));
  for (const { mesh, error } of levels)
    console.log(`${mesh.indices.length / 3} triangles, vertices within ${error.toFixed(2)} mm`);
  // The same 468 places on everybody. The network guesses depth from what heads are like: this is no measuring tape.
  for (const { name, millimetres } of faceDistances(canonical).slice(0, 3))
    console.log(`${name}: ${millimetres.toFixed(0)} mm`);
}
await engine.close();
