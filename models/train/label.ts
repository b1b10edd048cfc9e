import { detectFaces } from '../../lib/detection/detect.js';
import { PRESETS } from '../../lib/engine/presets.js';
import { decodeImage } from '../../lib/image/decode.js';
import { applyRegion, type Region, squareRegion } from '../../lib/image/geometry.js';
import type { Runtime } from '../../lib/inference/runtime.js';
import { LANDMARKERS, locateLandmarks } from '../../lib/landmarks/locate.js';
import { MIRROR } from '../../lib/landmarks/mirror.js';
import { eyeAngle, POINT_COUNT, turnedBounds } from '../../lib/landmarks/points.js';
import { Networks } from '../../lib/models/network.js';
import { openPack } from '../../lib/models/pack.js';
import { similarity } from '../../lib/recognition/compare.js';
import { embedFaces } from '../../lib/recognition/embed.js';
import type { Box, Embedding, Frame, Point } from '../../lib/types.js';

/** A face that the starter pack's networks found and labelled. */
export interface LabelledFace {
  readonly path: string;
  /** As the detector gave it. */
  readonly box: Box;
  readonly points: readonly Point[];
  /** Spread of the looks that the points are the mean of, over the distance of the outer eye corners. */
  readonly spread: number;
  /** Whose face it is, where that was asked. */
  readonly embedding?: Embedding;
}

export interface LabelledPicture {
  readonly path: string;
  readonly frame: Frame;
  readonly faces: readonly LabelledFace[];
}

/** Looks that one label is the mean of: sides of the square over the extent of the points, and turns in degrees; each mirrored too. */
interface Looks {
  readonly scales: readonly number[];
  readonly turns: readonly number[];
}
const CAREFUL: Looks = { scales: [1.36, 1.45, 1.54], turns: [-6, 0, 6] };
const QUICK: Looks = { scales: [1.45], turns: [0] };

export interface LabelOptions {
  /** Two looks instead of eighteen, and the picture as a whole only. */
  readonly quick: boolean;
  /** Also whose face it is. */
  readonly identify: boolean;
}

/** Faces whose looks disagree more than this are left out: nobody knows where their points are. */
const MOST_SPREAD = 0.05;
const SMALLEST_FACE = 36;

/** Finds and labels the faces of photographs: the most careful detector, and the mean of many looks of the landmark network. */
export class Labeller {
  readonly #networks: Networks;

  private constructor(networks: Networks) {
    this.#networks = networks;
  }

  static async open(runtime: Runtime): Promise<Labeller> {
    return new Labeller(new Networks(runtime, await openPack()));
  }

  async label(path: string, { quick, identify }: LabelOptions): Promise<LabelledPicture> {
    const frame = await decodeImage(path);
    const preset = PRESETS[quick ? 'balanced' : 'accurate'];
    const found = await detectFaces(this.#networks, frame, preset.detection);
    const boxes = found.map(({ box }) => box).filter(([, , w, h]) => Math.min(w, h) >= SMALLEST_FACE);
    if (boxes.length === 0) return { path, frame, faces: [] };
    const rough = await locateLandmarks(this.#networks, frame, boxes, preset.detection.faceScale, preset.landmarks);
    const embeddings = identify ? await embedFaces(this.#networks, frame, rough, PRESETS.balanced.recognition) : [];
    const faces: LabelledFace[] = [];
    for (const [i, box] of boxes.entries()) {
      const { points, spread } = await this.#average(frame, rough[i]!, quick ? QUICK : CAREFUL);
      const embedding = embeddings[i];
      if (spread > MOST_SPREAD) continue;
      faces.push({ path, box, points, spread, ...(embedding === undefined ? {} : { embedding }) });
    }
    return { path, frame, faces };
  }

  async #average(
    frame: Frame,
    rough: readonly Point[],
    { scales, turns }: Looks,
  ): Promise<{ points: Point[]; spread: number }> {
    const network = await this.#networks.get(LANDMARKERS.standard);
    const { width: size } = network.card.input;
    const regions: Region[] = [];
    for (const scale of scales) {
      for (const turn of turns) regions.push(turnedSquare(rough, scale, (turn * Math.PI) / 180, size));
    }
    const values = await network.output(frame, regions, 'landmarks', { mirror: true });
    const looks: Point[][] = [];
    regions.forEach((region, n) => {
      const at = (look: number, i: number): [number, number] => {
        const k = ((2 * n + look) * POINT_COUNT + i) * 2;
        return [values[k]! * size, values[k + 1]! * size];
      };
      const indices = Array.from({ length: POINT_COUNT }, (_, i) => i);
      looks.push(indices.map((i) => applyRegion(region, ...at(0, i))));
      looks.push(
        indices.map((i) => {
          const [u, v] = at(1, MIRROR[i]!);
          return applyRegion(region, size - u, v);
        }),
      );
    });
    return mean(looks);
  }
}

function turnedSquare(points: readonly Point[], scale: number, turn: number, size: number): Region {
  const angle = eyeAngle(points) + turn;
  const { centre, width, height } = turnedBounds(points, angle);
  return squareRegion(centre[0], centre[1], Math.max(width, height) * scale, size, angle);
}

function mean(looks: readonly (readonly Point[])[]): { points: Point[]; spread: number } {
  const points = Array.from({ length: POINT_COUNT }, (_, i): Point => {
    const x = looks.reduce((sum, look) => sum + look[i]![0], 0) / looks.length;
    const y = looks.reduce((sum, look) => sum + look[i]![1], 0) / looks.length;
    return [x, y];
  });
  const eyes = Math.hypot(points[45]![0] - points[36]![0], points[45]![1] - points[36]![1]);
  let sum = 0;
  for (const look of looks) {
    for (const [i, [x, y]] of look.entries()) sum += Math.hypot(x - points[i]![0], y - points[i]![1]);
  }
  return { points, spread: sum / (looks.length * POINT_COUNT) / eyes };
}

/** The pictures without the faces of persons that `others` show; `threshold` is the similarity from which two are one person. */
export function withoutPersons(
  pictures: readonly LabelledPicture[],
  others: readonly LabelledPicture[],
  threshold: number,
): LabelledPicture[] {
  const known = others.flatMap(({ faces }) =>
    faces.flatMap(({ embedding }) => (embedding === undefined ? [] : [embedding])),
  );
  return pictures.map((picture) => ({
    ...picture,
    faces: picture.faces.filter(
      ({ embedding }) => embedding === undefined || !known.some((other) => similarity(other, embedding) >= threshold),
    ),
  }));
}
