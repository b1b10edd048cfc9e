import type { CommandContext } from '../command.js';
import { boxJson, round, runOverPhotos } from '../photos.js';
import { table } from '../terminal.js';
import { photoHeading } from './detect.js';

/** `lineament embed`: the vector of each face. */
export async function embed(context: CommandContext): Promise<number> {
  const { terminal } = context;
  return runOverPhotos(
    context,
    { embedding: true },
    {
      photo: (result) => ({
        path: result.path,
        width: result.frame.width,
        height: result.frame.height,
        faces: result.faces.map((face) => ({
          box: boxJson(face),
          score: round(face.score, 4),
          ...(face.embedding && {
            embedding: {
              model: face.embedding.model,
              dims: face.embedding.dims,
              vector: Array.from(face.embedding.vector, (value) => Number(value.toPrecision(9))),
            },
          }),
        })),
      }),
      print(result) {
        terminal.stdout.write(`${photoHeading(result, terminal.style)}\n`);
        if (result.faces.length === 0) return;
        const rows = result.faces.map(({ score, embedding }, index) => [
          `${index + 1}`,
          score.toFixed(3),
          embedding?.model ?? '',
          embedding ? `${embedding.dims}` : '',
          embedding ? `${Array.from(embedding.vector.slice(0, 5), (value) => value.toFixed(4)).join(' ')} …` : '',
        ]);
        const columns = [
          { title: '#', right: true },
          { title: 'score', right: true },
          { title: 'model' },
          { title: 'dimensions', right: true },
          { title: 'vector' },
        ];
        terminal.stdout.write(`${table(columns, rows, terminal.style, '  ')}\n`);
      },
    },
  );
}
