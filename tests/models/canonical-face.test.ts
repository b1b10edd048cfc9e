import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  canonicalFace,
  type FaceGeometry,
  parseFaceGeometry,
  writeFaceMesh,
} from '../../models/import/canonical-face.js';
import { packed, readBytes } from '../../models/import/mediapipe.js';
import { modelsFolder, type Pack, readSourceTable } from '../../models/import/pack.js';
import { ProtoWriter } from '../../models/import/protobuf.js';
import { SourceReader, sha256 } from '../../models/import/source.js';
import { codeOf } from './import-support.js';
import { currentPack, packFolder } from './support.js';

const golden = join(modelsFolder, '../../shared/golden/canonical_face.json');
const source = packed('face_mesh', 'geometry_pipeline_metadata_landmarks.binarypb');
let pack: Pack;
let data: Uint8Array;
let face: FaceGeometry;

beforeAll(() => {
  pack = currentPack();
  data = readBytes(new SourceReader(readSourceTable()), source)[0];
  face = parseFaceGeometry(data, 'metadata');
}, 120_000);

const mesh = (vertices: number, indices: readonly number[], kind = 0): Uint8Array =>
  new ProtoWriter()
    .int(1, kind)
    .packedFloats(3, new Array(vertices * 5).fill(0.5))
    .packedInts(4, indices)
    .finish();

describe('the canonical face', () => {
  it('is in the pack, with the same bytes each time', () => {
    const again = canonicalFace.build(new SourceReader(readSourceTable()));
    expect(pack.meshes).toEqual([
      { id: 'face468', file: 'face468.mesh', sha256: sha256(again), bytes: again.byteLength },
    ]);
    expect(sha256(readFileSync(join(packFolder, 'face468.mesh')))).toBe(sha256(again));
  });

  it.skipIf(!existsSync(golden))('is what was read elsewhere (needs ../shared/golden)', () => {
    const known = JSON.parse(readFileSync(golden, 'utf8')) as {
      vertices: number[][];
      uvs: number[][];
      triangles: number[];
      basis: [number, number][];
    };
    expect([...face.positions]).toEqual(known.vertices.flat());
    expect([...face.uvs]).toEqual(known.uvs.flat());
    expect(face.indices).toEqual(known.triangles);
    expect(face.basis.map(({ vertex, weight }) => [vertex, weight])).toEqual(known.basis);
  });

  it('is written in millimetres, turned half around X, without negative zeros', () => {
    const bytes = Buffer.from(writeFaceMesh(face));
    expect(bytes.readFloatLE(24)).toBe(0);
    expect(bytes.readFloatLE(28)).toBeCloseTo(-10 * face.positions[1]!, 4);
    expect(bytes.readFloatLE(32)).toBeCloseTo(-10 * face.positions[2]!, 4);
    for (let i = 0; i < face.positions.length; i++) expect(Object.is(bytes.readFloatLE(24 + 4 * i), -0)).toBe(false);
  });

  it('is refused where its message is cut, empty or out of range', () => {
    const parse = (message: ProtoWriter) => codeOf(() => parseFaceGeometry(message.finish(), 'test'));
    const whole = mesh(3, [0, 1, 2]);
    expect(parse(new ProtoWriter().bytes(1, whole))).toBe('none');
    expect(parse(new ProtoWriter())).toBe('SOURCE_CORRUPT');
    expect(parse(new ProtoWriter().int(1, 1))).toBe('SOURCE_CORRUPT');
    expect(parse(new ProtoWriter().bytes(1, mesh(0, [0, 1, 2])))).toBe('SOURCE_CORRUPT');
    expect(parse(new ProtoWriter().bytes(1, mesh(3, [0, 1])))).toBe('SOURCE_CORRUPT');
    expect(parse(new ProtoWriter().bytes(1, mesh(3, [0, 1, 3])))).toBe('SOURCE_CORRUPT');
    expect(parse(new ProtoWriter().bytes(1, mesh(3, [0, 1, 2], 1)))).toBe('SOURCE_CORRUPT');
    const weight = (id: number, value: number) => new ProtoWriter().int(1, id).float(2, value).finish();
    expect(parse(new ProtoWriter().bytes(1, whole).bytes(2, weight(2, 0.5)))).toBe('none');
    expect(parse(new ProtoWriter().bytes(1, whole).bytes(2, weight(3, 0.5)))).toBe('SOURCE_CORRUPT');
    expect(parse(new ProtoWriter().bytes(1, whole).bytes(2, weight(2, -1)))).toBe('SOURCE_CORRUPT');
    for (let length = 0; length < data.byteLength; length += 997) {
      expect(
        codeOf(() => parseFaceGeometry(data.subarray(0, length), 'cut')),
        `${length}`,
      ).toBe('SOURCE_CORRUPT');
    }
  });
});
