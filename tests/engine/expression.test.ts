import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ActionUnits,
  EMOTION_NETWORK,
  type ExpressionProbabilities,
  measureActionUnits,
  readEmotions,
  readExpression,
} from '../../lib/analysis/expression/index.js';
import { type Engine, type Face, openEngine } from '../../lib/index.js';
import { Runtime } from '../../lib/inference/runtime.js';
import { ShapePredictor } from '../../lib/landmarks/shape-predictor.js';
import { openPack } from '../../lib/models/index.js';
import { Networks } from '../../lib/models/network.js';
import { EXPRESSIONS } from '../../lib/types.js';
import { haveShared, sample, shared } from '../support/samples.js';

const DLIB_MODEL = '/usr/share/dlib/shape_predictor_68_face_landmarks.dat';

let engine: Engine;
let runtime: Runtime;
let networks: Networks;
beforeAll(async () => {
  engine = await openEngine();
  runtime = await Runtime.open();
  networks = new Networks(runtime, await openPack());
});
afterAll(() => Promise.all([engine.close(), runtime.close()]));

interface Read {
  readonly face: Face;
  readonly units: ActionUnits;
  readonly human: ExpressionProbabilities;
}

const known = new Map<string, Promise<Read[]>>();

/** The faces of a photograph with everything that is read of their expression. */
function read(path: string): Promise<Read[]> {
  const before = known.get(path);
  if (before) return before;
  const reading = (async () => {
    const frame = await engine.decode(path);
    const faces = await engine.analyze(frame, { landmarks: true, attributes: ['expression'] });
    const emotions = await readEmotions(
      networks,
      frame,
      faces.map((face) => face.landmarks!),
    );
    return faces.map((face, i) => ({ face, units: measureActionUnits(face.landmarks!)!, human: emotions[i]! }));
  })();
  known.set(path, reading);
  return reading;
}

/** The face whose box holds a point of the picture. */
async function at(path: string, x: number, y: number): Promise<Read> {
  const found = (await read(path)).find(({ face: { box } }) => {
    return x > box[0] && x < box[0] + box[2] && y > box[1] && y < box[1] + box[3];
  });
  expect(found).toBeDefined();
  return found!;
}

const emotions = (name: string): string => shared(`faces/photos/stock-emotions-${name}.jpg`);

describe('on the sample photographs', () => {
  // Looked at: four open smiles, four faces that show nothing or purse their lips.
  const smiling = [
    [1, 1570, 350],
    [3, 1600, 400],
    [4, 1350, 250],
    [6, 750, 430],
  ] as const;
  const still = [
    [3, 680, 430],
    [4, 720, 140],
    [5, 850, 190],
    [6, 1250, 420],
  ] as const;

  it('every open smile pulls the corners of the lips, no still face does', async () => {
    for (const [i, x, y] of smiling) expect((await at(sample(i), x, y)).units.intensity.AU12).toBeGreaterThan(2.5);
    for (const [i, x, y] of still) expect((await at(sample(i), x, y)).units.intensity.AU12).toBeLessThan(1);
  });

  it('networks and action units agree on the open smiles', async () => {
    for (const [i, x, y] of smiling) {
      const { face, human, units } = await at(sample(i), x, y);
      const reading = readExpression({ faceapi: face.expression!.probabilities, human, units });
      expect(reading.label).toBe('happy');
      expect(reading.valence).toBeGreaterThan(0.6);
      expect(reading.agreement.overall).toBeGreaterThan(0.5);
      expect(reading.intensity).toBeGreaterThan(1);
    }
  });

  it("human's network gives probabilities, the same for one face as for a batch", async () => {
    const frame = await engine.decode(sample(5));
    const faces = (await read(sample(5))).map(({ face }) => face.landmarks!);
    expect(faces.length).toBeGreaterThan(3);
    const together = await readEmotions(networks, frame, faces);
    for (const [i, all] of together.entries()) {
      expect(EXPRESSIONS.reduce((sum, label) => sum + all[label], 0)).toBeCloseTo(1, 4);
      const [alone] = await readEmotions(networks, frame, [faces[i]!]);
      for (const label of EXPRESSIONS) expect(alone![label]).toBeCloseTo(all[label], 4);
    }
    expect(new Set(together.map((all) => all.happy.toFixed(3))).size).toBe(together.length);
  });

  it('reads no faces, refuses what is none, and stops when it is told to', async () => {
    const frame = await engine.decode(sample(3));
    expect(await readEmotions(networks, frame, [])).toEqual([]);
    await expect(readEmotions(networks, frame, [[[1, 2]]])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const faces = (await read(sample(3))).map(({ face }) => face.landmarks!);
    await expect(readEmotions(networks, frame, faces, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await networks.get(EMOTION_NETWORK)).card.id).toBe(EMOTION_NETWORK);
  });
});

describe.skipIf(!haveShared('faces/photos'))('on photographs of posed expressions (needs ../shared/faces)', () => {
  const unit = async (name: string, id: keyof ActionUnits['intensity']): Promise<number> => {
    const [largest] = (await read(emotions(name))).toSorted((a, b) => b.face.box[2] - a.face.box[2]);
    return largest!.units.intensity[id];
  };
  const each = (names: readonly string[], id: keyof ActionUnits['intensity']): Promise<number[]> =>
    Promise.all(names.map((name) => unit(name, id)));

  it('laughs pull the corners of the lips more than every face that does not smile', async () => {
    const others = await each(['a-1', 'a-2', 'a-3', 'a-5', 'b-1', 'b-2', 'b-5', 'b-7', 'b-8'], 'AU12');
    for (const laugh of await each(['a-6', 'b-4'], 'AU12')) expect(laugh).toBeGreaterThan(Math.max(...others) + 2);
  });

  it('open mouths show parted lips, closed ones do not', async () => {
    const closed = await each(['a-1', 'a-2', 'a-5', 'a-7', 'b-1', 'b-2'], 'AU25');
    for (const open of await each(['a-4', 'a-6', 'b-3', 'b-4', 'b-5'], 'AU25')) {
      expect(open).toBeGreaterThan(Math.max(...closed) + 2);
    }
    const jaw = await each(['a-1', 'a-4', 'a-5', 'a-7', 'a-8', 'b-2', 'b-4'], 'AU26');
    expect(await unit('a-6', 'AU26')).toBeGreaterThan(Math.max(...jaw) + 1);
  });

  it('lowered brows show on the angry face', async () => {
    const others = await each(['a-1', 'a-3', 'b-1', 'b-5', 'b-6', 'b-7', 'b-8'], 'AU4');
    expect(await unit('b-2', 'AU4')).toBeGreaterThan(Math.max(...others) + 1);
  });

  it.skipIf(!existsSync(DLIB_MODEL))(
    'shut eyes show where the landmarks follow the lids (needs the 68-point model of libdlib-data)',
    async () => {
      await using predictor = await ShapePredictor.open(runtime, DLIB_MODEL);
      const closed = async (name: string): Promise<number> => {
        const frame = await engine.decode(emotions(name));
        const [found] = await read(emotions(name));
        const xs = found!.face.landmarks!.map((p) => p[0]);
        const ys = found!.face.landmarks!.map((p) => p[1]);
        const [x, y] = [Math.min(...xs), Math.min(...ys)];
        const side = Math.max(Math.max(...xs) - x, Math.max(...ys) - y);
        const [points] = await predictor.predict(frame, [[x, y - 0.05 * side, side, side]]);
        return measureActionUnits(points!)!.intensity.AU43;
      };
      for (const name of ['b-1', 'b-4']) expect(await closed(name)).toBeGreaterThan(2);
      for (const name of ['a-1', 'a-3', 'a-6', 'b-2', 'b-5', 'b-6', 'b-7'])
        expect(await closed(name)).toBeLessThan(0.5);
    },
  );
});
