import { numberIn, plainObject, positiveInteger } from '../../errors/validate.js';
import { LineamentError, throwIfAborted } from '../../errors.js';
import { intersectionOverUnion } from '../../image/geometry.js';
import type { Network, Networks } from '../../models/network.js';
import type { Box, Frame } from '../../types.js';
import type { Detection } from '../types.js';

/** Finds whole persons in a picture. Yours may take the place of ours. */
export interface PersonDetector {
  /** Boxes in pixels of the frame, best score first; empty where nobody is. */
  detect(frame: Frame, signal?: AbortSignal): Promise<Detection[]>;
}

export interface PersonDetectorOptions {
  /** Boxes below this score are left out, 0–1. Default 0.25: the tracker takes weak ones only where somebody is expected. */
  readonly minScore?: number;
  /** Most boxes. Default 50. */
  readonly max?: number;
}

/** The object detector that persons are read from: 512 × 512, stretched; rows of x1, y1, x2, y2, score, class. */
const OBJECTS = 'human_centernet';
const ROW = 6;
/** Of two boxes that overlap more, the weaker is dropped: peaks of the same person. */
const SAME = 0.6;

class ObjectPersonDetector implements PersonDetector {
  readonly #network: Network;
  readonly #minScore: number;
  readonly #max: number;

  constructor(network: Network, minScore: number, max: number) {
    this.#network = network;
    this.#minScore = minScore;
    this.#max = max;
  }

  async detect(frame: Frame, signal?: AbortSignal): Promise<Detection[]> {
    throwIfAborted(signal);
    const { width, height } = this.#network.card.input;
    const [sx, sy] = [frame.width / width, frame.height / height];
    const rows = await this.#network.output(frame, [[sx, 0, 0, 0, sy, 0]], 'detections', { signal });
    const found: Detection[] = [];
    for (let at = 0; at + ROW <= rows.length && found.length < this.#max; at += ROW) {
      const [x1, y1, x2, y2, score, kind] = rows.subarray(at, at + ROW);
      if (kind !== PERSON || !(score! >= this.#minScore)) continue;
      const box: Box = [x1! * sx, y1! * sy, (x2! - x1!) * sx, (y2! - y1!) * sy];
      if (!(box[2] > 0 && box[3] > 0) || found.some((f) => intersectionOverUnion(f.box, box) > SAME)) continue;
      found.push({ kind: 'person', box, score: Math.min(1, score!) });
    }
    return found;
  }
}

/** COCO's first class. */
const PERSON = 0;

/**
 * A person detector on the object detector of the model pack (X. Zhou et al., "Objects as points", 2019: CenterNet on MobileNet v3);
 * absent where the pack does not have it, which is so for the published one: tracks are then made of faces alone. Some 80 ms
 * on one core, so it is for every n-th frame. MediaPipe's pose detector, which is in every pack, is made for one person near the camera:
 * on pedestrians of 80 pixels it finds none. Rejects with the codes of `Networks.get` and `INVALID_ARGUMENT`. Thread-safe as networks are.
 */
export async function openPersonDetector(
  networks: Networks,
  options: PersonDetectorOptions = {},
): Promise<PersonDetector | undefined> {
  plainObject('options', options, ['minScore', 'max']);
  const { minScore = 0.25, max = 50 } = options;
  numberIn('minScore', minScore, 0, 1);
  positiveInteger('max', max);
  try {
    return new ObjectPersonDetector(await networks.get(OBJECTS), minScore, max);
  } catch (error) {
    if (error instanceof LineamentError && error.code === 'MODEL_NOT_FOUND') return undefined;
    throw error;
  }
}
