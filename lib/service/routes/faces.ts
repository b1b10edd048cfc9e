/** What a picture shows: faces, landmarks, measures, quality, surfaces. Nothing is kept. */
import { LineamentError } from '../../errors.js';
import { readExif } from '../../image/index.js';
import type { AnalyzeOptions as EngineAnalyzeOptions } from '../../index.js';
import { encodeGlb } from '../../reconstruction/index.js';
import { atBench, type Bench, eachItem, onPicture } from '../faces/work.js';
import {
  checkPicture,
  LIST,
  missingPicture,
  type Picture,
  pictureRoute,
  readPictures,
  requestOptions,
  uploadsOf,
} from '../images/index.js';
import { batchOf } from '../schemas/common.js';
import { faceJson } from '../schemas/face-json.js';
import {
  AnalyzeOptions,
  DetectOptions,
  Faces,
  MEASURES,
  type Measure,
  MeshOptions,
  SelectOptions,
} from '../schemas/faces.js';
import type { App, RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type Static, type TObject, Type } from '../vendor.js';

type Select = Static<typeof SelectOptions>;

/** What to ask of the engine, from the options of a request. */
type Wants<T> = (options: T) => EngineAnalyzeOptions;

const selected = ({ max_faces, min_face_size }: Select): EngineAnalyzeOptions => ({
  ...(max_faces === undefined ? {} : { maxFaces: max_faces }),
  ...(min_face_size === undefined ? {} : { minFaceSize: min_face_size }),
});

const EVERYTHING: readonly Measure[] = MEASURES.filter((name) => name !== 'embedding');

/** The engine's options for these measures. */
export function measured(names: readonly Measure[]): EngineAnalyzeOptions {
  const has = (name: Measure): boolean => names.includes(name);
  return {
    landmarks: has('landmarks'),
    pose: has('pose'),
    headPose: has('head_pose'),
    statistics: has('statistics'),
    quality: has('quality'),
    geometry: has('geometry'),
    symmetry: has('symmetry'),
    actionUnits: has('action_units'),
    expressionReading: has('expression_reading'),
    embedding: has('embedding'),
    attributes: (['expression', 'age', 'gender'] as const).filter(has),
  };
}

async function look(bench: Bench, picture: Picture, wants: EngineAnalyzeOptions): Promise<Static<typeof Faces>> {
  return onPicture(bench, picture, async (frame, signal) => {
    const faces = await bench.engine.analyze(frame, { ...wants, signal });
    const model = wants.embedding === true ? { model: bench.engine.preset.recognition.model } : {};
    return { width: frame.width, height: frame.height, ...model, faces: faces.map(faceJson) };
  });
}

interface LookRoute<T extends TObject> {
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly options: T;
  readonly wants: Wants<Static<T>>;
}

/** A route for one picture, and one for many. */
function addLook<T extends TObject>(app: App, parts: ServiceParts, given: LookRoute<T>): void {
  const { path, name, summary, description, options, wants } = given;
  const { limits } = parts.config;
  const one = ['image'];
  const single = pictureRoute(parts, { pictures: one, options });
  app.post(
    path,
    {
      preValidation: single.preValidation,
      config: { scope: 'read', kind: name, work: 'normal' },
      schema: { ...single.schema, operationId: name, summary, description, tags: ['faces'], response: { 200: Faces } },
    },
    async (request) => {
      const asked = requestOptions<Static<T>>(request, one);
      const [picture] = await readPictures(request, parts, one);
      return atBench(parts, request, (bench) => look(bench, picture as Picture, wants(asked)));
    },
  );
  const several = pictureRoute(parts, { pictures: [LIST], options });
  app.post(
    `${path}/batch`,
    {
      preValidation: several.preValidation,
      config: { scope: 'read', kind: `${name}_batch`, work: 'low' },
      schema: {
        ...several.schema,
        operationId: `${name}_batch`,
        summary: `${summary}, in many pictures`,
        description: 'A picture that cannot be read has its problem in its place; the others are answered.',
        tags: ['faces'],
        response: { 200: batchOf(`${name[0]?.toUpperCase()}${name.slice(1)}Batch`, Faces) },
      },
    },
    async (request) => {
      const asked = requestOptions<Static<T>>(request, [LIST]);
      const uploads = uploadsOf(request, [LIST], limits);
      if (uploads.length === 0) throw missingPicture(LIST);
      return atBench(
        parts,
        request,
        (bench) =>
          eachItem(uploads, bench.signal, request.id, (upload) =>
            look(bench, checkPicture(upload, limits), wants(asked)),
          ),
        'low',
      );
    },
  );
}

export const faces: RouteGroup = (app, parts) => {
  addLook(app, parts, {
    path: '/api/v1/detect',
    name: 'detect',
    summary: 'Find faces',
    description: 'Boxes, scores and, where asked for, 68 landmarks of every face.',
    options: DetectOptions,
    wants: (options) => ({ ...selected(options), landmarks: options.landmarks === true }),
  });
  addLook(app, parts, {
    path: '/api/v1/analyze',
    name: 'analyze',
    summary: 'Measure faces',
    description: 'Every measure of every face, or those that `include` names.',
    options: AnalyzeOptions,
    wants: (options) => ({ ...selected(options), ...measured(options.include ?? EVERYTHING) }),
  });
  addLook(app, parts, {
    path: '/api/v1/landmarks',
    name: 'landmarks',
    summary: 'Find 68 landmarks',
    description: 'Landmarks and pose of every face.',
    options: SelectOptions,
    wants: (options) => ({ ...selected(options), ...measured(['landmarks', 'pose']) }),
  });
  addLook(app, parts, {
    path: '/api/v1/quality',
    name: 'quality',
    summary: 'Judge pictures of faces',
    description: 'Components of image quality, a unified score, and hints for the person in front of the camera.',
    options: SelectOptions,
    wants: (options) => ({ ...selected(options), ...measured(['quality']) }),
  });
  addMesh(app, parts);
};

/** The most prominent face as a surface. */
function addMesh(app: App, parts: ServiceParts): void {
  const names = ['image'];
  const route = pictureRoute(parts, { pictures: names, options: MeshOptions });
  app.post(
    '/api/v1/mesh',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'mesh', work: 'low' },
      schema: {
        ...route.schema,
        operationId: 'mesh',
        summary: 'Rebuild a face as a surface',
        description:
          'The most prominent face as a textured surface with levels of detail, glTF 2.0 (GLB), metres. The shape is a prior fitted to the picture, not a measurement.',
        tags: ['faces'],
        response: {
          200: {
            description: 'The surface',
            content: { 'model/gltf-binary': { schema: Type.String({ format: 'binary', description: 'A GLB file' }) } },
          },
        },
      },
    },
    async (request, reply) => {
      const options = requestOptions<Static<typeof MeshOptions>>(request, names);
      const [picture] = (await readPictures(request, parts, names)) as readonly [Picture];
      const glb = await atBench(parts, request, (bench) => rebuild(bench, picture, options), 'low');
      return reply
        .header('content-disposition', 'attachment; filename="face.glb"')
        .type('model/gltf-binary')
        .send(glb as unknown as string);
    },
  );
}

async function rebuild(bench: Bench, picture: Picture, options: Static<typeof MeshOptions>): Promise<Buffer> {
  const { levels, triangles, texture, field_of_view: fieldOfView } = options;
  return onPicture(bench, picture, async (frame, signal) => {
    const exif = await readExif(picture.bytes);
    const face = await bench.engine.reconstruct(frame, {
      ...selected(options),
      ...(levels === undefined ? {} : { levels }),
      ...(triangles === undefined ? {} : { triangles }),
      ...(texture === undefined ? {} : { texture }),
      ...(fieldOfView === undefined ? {} : { fieldOfView }),
      ...(exif === undefined ? {} : { exif }),
      signal,
    });
    if (face === undefined) throw new LineamentError('NO_FACE', `'${picture.name}'`);
    const { reconstruction } = face;
    const bytes = await encodeGlb(reconstruction.levels, { scale: reconstruction.depth.scale, signal });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  });
}
