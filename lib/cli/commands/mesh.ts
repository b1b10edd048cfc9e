import { stat } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../../errors.js';
import { readExif } from '../../image/index.js';
import type { Engine, ReconstructedFace, ReconstructOptions } from '../../index.js';
import { Runtime } from '../../inference/index.js';
import {
  encodeGlb,
  type FaceDepth,
  type FaceReconstruction,
  faceDistances,
  type PointCloud,
  projectDepth,
  type Texture,
  writeMesh,
} from '../../reconstruction/index.js';
import { createViewer, depthPicture, faceCrop, type MeshReportFace, meshReport } from '../../visualization/index.js';
import type { CommandContext, OptionValues } from '../command.js';
import { makeFolder, writeOutput } from '../overlays.js';
import { boxJson, facesText, type PhotoResult, round, runOverPhotos } from '../photos.js';
import { printable, table } from '../terminal.js';
import { photoHeading } from './detect.js';

interface RebuiltPhoto extends PhotoResult {
  readonly faces: readonly ReconstructedFace[];
}

/** Formats that hold what the command writes. */
const FORMATS = ['glb', 'ply', 'obj', 'stl'] as const;
type Format = (typeof FORMATS)[number];

/** What was written for a face. */
interface Written {
  readonly face: ReconstructedFace;
  readonly files: readonly string[];
}

/** Where the surfaces go: one file, or a folder with a file for each face. */
interface Place {
  readonly format: Format;
  next(photograph: string): string;
}

/** `lineament mesh`: faces as textured surfaces. */
export async function mesh(context: CommandContext): Promise<number> {
  const { options, terminal } = context;
  let place: Place;
  let runtime: Promise<Runtime> | undefined;
  const written: Written[] = [];
  const report: MeshReportFace[] = [];
  const wants = reconstructOptions(options);
  const all = options['all'] === true;
  try {
    return await runOverPhotos<RebuiltPhoto>(
      context,
      {},
      {
        begin: async (photographs) => {
          place = await placeOf(options, photographs, context.arguments[0] ?? 'face');
        },
        look: (engine, file, signal) => rebuild(engine, file, wants, all, signal),
        photo: async ({ path: file, frame, faces }) => {
          written.length = 0;
          for (const face of faces) {
            const target = place.next(file);
            runtime ??= Runtime.open({ threads: 1 });
            const files = await write(await runtime, target, face, frame.width, options);
            written.push({ face, files });
            if (options['report'] !== undefined) {
              const name = faces.length > 1 ? path.basename(target, path.extname(target)) : path.basename(file);
              const { levels, depth } = face.reconstruction;
              // The face alone is kept of the photograph: a run over many needs the memory of their surfaces only.
              const photo = await faceCrop(frame, face.box, 360);
              const about = { ...(photo && { photo }), ...(face.pose && { pose: face.pose }) };
              report.push({ name, mesh: levels[0]!.mesh, depth, facts: factsOf(face.reconstruction), ...about });
            }
          }
          return {
            path: file,
            width: frame.width,
            height: frame.height,
            faces: written.map(({ face, files }) => faceJson(face, files)),
          };
        },
        print: (result) => {
          terminal.stdout.write(`${photoHeading(result, terminal.style)}\n`);
          for (const { face, files } of written) {
            const rows = face.reconstruction.levels.map((level, i) => [
              `${i}`,
              `${level.mesh.indices.length / 3}`,
              `${level.error.toFixed(2)} mm`,
            ]);
            const titles = [{ title: 'level' }, { title: 'triangles', right: true }, { title: 'error', right: true }];
            terminal.stdout.write(`${table(titles, rows, terminal.style, '  ')}\n`);
            for (const [label, value] of factsOf(face.reconstruction)) terminal.stdout.write(`  ${label}: ${value}\n`);
            for (const file of files) terminal.stdout.write(`  ${terminal.style.green(printable(file))}\n`);
          }
        },
      },
      async () => {
        const file = options['report'];
        if (typeof file !== 'string' || report.length === 0) return undefined;
        const facts = [['Faces', facesText(report.length)]] as const;
        await writeOutput(file, await meshReport(report, { facts, signal: context.signal }));
        if (options['json'] !== true) terminal.stdout.write(`${terminal.style.green(printable(file))}\n`);
        return { report: file };
      },
    );
  } finally {
    await (await runtime)?.close();
  }
}

type Wanted = Omit<ReconstructOptions, 'all' | 'signal'>;

function reconstructOptions(options: OptionValues): Wanted {
  const number = (name: string): number | undefined => {
    const value = options[name];
    return typeof value === 'number' ? value : undefined;
  };
  const [levels, triangles, fieldOfView] = [number('lod'), number('triangles'), number('fov')];
  const [maxFaces, minFaceSize] = [number('max-faces'), number('min-size')];
  return {
    ...(levels !== undefined && { levels }),
    ...(triangles !== undefined && { triangles }),
    ...(fieldOfView !== undefined && { fieldOfView }),
    ...(maxFaces !== undefined && { maxFaces }),
    ...(minFaceSize !== undefined && { minFaceSize }),
    ...(options['no-texture'] === true && { texture: false }),
  };
}

async function rebuild(
  engine: Engine,
  file: string,
  wants: Wanted,
  all: boolean,
  signal: AbortSignal,
): Promise<RebuiltPhoto> {
  const begin = performance.now();
  const frame = await engine.decode(file, { signal });
  const decoded = performance.now();
  const most = all ? {} : { maxFaces: 1 };
  const exif = await readExif(file);
  const faces = await engine.reconstruct(frame, { ...wants, ...(exif && { exif }), ...most, all: true, signal });
  return { path: file, frame, faces, decodeMs: decoded - begin, facesMs: performance.now() - decoded };
}

/** Names are those of the photographs; a second one of a name gets a number. */
async function placeOf(options: OptionValues, photographs: number, first: string): Promise<Place> {
  const given = typeof options['output'] === 'string' ? options['output'] : undefined;
  const several = photographs > 1 || options['all'] === true;
  const ending = path
    .extname(given ?? '')
    .slice(1)
    .toLowerCase();
  const named = FORMATS.find((format) => format === ending);
  const asked = options['format'] as Format | undefined;
  const folder = given !== undefined && (given.endsWith(path.sep) || (await isFolder(given)) || (several && !named));
  if (given !== undefined && !folder) {
    if (named === undefined) {
      throw new LineamentError(
        'INVALID_ARGUMENT',
        `${given} ends in none of ${FORMATS.map((f) => `.${f}`).join(', ')}`,
        {
          fix: 'Name a file with one of these endings, or a folder.',
        },
      );
    }
    if (several || (asked !== undefined && asked !== named)) {
      throw new LineamentError('INVALID_ARGUMENT', `${given} is one ${named} file`, {
        fix: several
          ? 'Name a folder for several faces.'
          : `Leave --format out, or name a file that ends in .${asked}.`,
      });
    }
    return { format: named, next: () => given };
  }
  const format = asked ?? 'glb';
  const base = given ?? (several ? '.' : path.dirname(first));
  const used = new Set<string>();
  return {
    format,
    next: (photograph) => {
      const stem = path.parse(photograph).name || 'face';
      let name = stem;
      for (let count = 2; used.has(name); count++) name = `${stem}-${count}`;
      used.add(name);
      return path.join(base, `${name}.${format}`);
    },
  };
}

async function isFolder(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isDirectory() ?? false;
}

/** The surface, and what else was asked for, beside each other. */
async function write(
  runtime: Runtime,
  file: string,
  { reconstruction: { levels, depth } }: ReconstructedFace,
  photographWidth: number,
  options: OptionValues,
): Promise<string[]> {
  const files: string[] = [];
  const isGlb = path.extname(file).toLowerCase() === '.glb';
  await makeFolder(path.dirname(file));
  const beside = (ending: string): string => `${file.slice(0, -path.extname(file).length)}${ending}`;
  const put = async (name: string, data: string | Uint8Array): Promise<void> => {
    await writeOutput(name, data);
    files.push(name);
  };
  const glb = isGlb || options['viewer'] === true ? await encodeGlb(levels, { scale: depth.scale }) : undefined;
  if (isGlb) await put(file, glb!);
  else files.push(...(await writeMesh(runtime, file, levels[0]!.mesh)));
  const cloud = options['cloud'] === true ? await cloudOf(runtime, depth, levels[0]!.mesh.texture) : undefined;
  if (cloud !== undefined) {
    files.push(...(await writeMesh(runtime, beside('.cloud.ply'), cloud)));
  }
  if (options['depth'] === true) await put(beside('.depth.png'), await depthPicture(depth, { legend: true }));
  if (options['viewer'] === true) {
    const title = path.basename(file, path.extname(file));
    const facts: [string, string][] = [['Photograph', `${photographWidth} pixels wide`]];
    await put(beside('.html'), await createViewer({ glb: glb!, depth, ...(cloud && { cloud }), title, facts }));
  }
  return files;
}

function cloudOf(runtime: Runtime, depth: FaceDepth, texture: Texture | undefined): Promise<PointCloud> {
  const frame = texture && ({ ...texture, channels: 3, format: 'rgb' } as const);
  return projectDepth(runtime, depth, { normals: true, ...(frame && { picture: { frame } }) });
}

/** Distances that say at a glance whether a size is plausible. */
const SHOWN: ReadonlySet<string> = new Set(['biocular-width', 'face-height', 'face-width', 'mouth-width']);

function factsOf({ depth, canonical, stages }: FaceReconstruction): [label: string, value: string][] {
  const { source, millimetresPerPixel } = depth.scale;
  return [
    [
      'scale',
      `${millimetresPerPixel?.toFixed(3)} mm for a pixel, from the ${source === 'iris' ? 'irises' : 'distance of the eyes'}`,
    ],
    ...faceDistances(canonical)
      .filter(({ id }) => SHOWN.has(id))
      .map(({ name, millimetres }): [string, string] => [name, `${millimetres.toFixed(0)} mm`]),
    ['rebuilt in', `${stages.total.toFixed(0)} ms`],
  ];
}

function faceJson(face: ReconstructedFace, files: readonly string[]): object {
  const { levels, depth, cameraSource, canonical, stages } = face.reconstruction;
  return {
    box: boxJson(face),
    score: round(face.score, 4),
    files,
    scale: depth.scale,
    camera: { ...depth.camera, source: cameraSource },
    levels: levels.map((level) => ({
      vertices: level.mesh.positions.length / 3,
      triangles: level.mesh.indices.length / 3,
      errorMillimetres: round(level.error, 3),
    })),
    measures: Object.fromEntries(faceDistances(canonical).map(({ id, millimetres }) => [id, round(millimetres)])),
    milliseconds: Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [stage, round(ms, 1)])),
  };
}
