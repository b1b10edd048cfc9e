/** The detectors of the starter pack, by the ids of their cards. */
export const DETECTORS = {
  ssd: 'faceapi_ssd',
  blaze: 'human_blazeface',
  'short-range': 'mediapipe_face_short',
  tiny: 'faceapi_tiny',
} as const;

export type DetectorName = keyof typeof DETECTORS;

/** The picture is cut into `columns` × `rows` parts of its own shape, which overlap by the share `overlap` of a part. */
export interface Tiling {
  readonly columns: number;
  readonly rows: number;
  readonly overlap: number;
  /** Look at the whole picture as well. */
  readonly whole: boolean;
}

/** How faces are looked for: plain data, a choice of network and numbers. */
export interface DetectionPlan {
  readonly network: DetectorName;
  /**
   * Longer side of the network's input in pixels, where the network takes any size (`ssd`, `tiny`): a multiple of 32. The
   * shorter side follows the picture, rounded up to the next multiple and padded with black.
   */
  readonly longSide?: number;
  readonly tiles?: Tiling;
  /** Boxes below this score are dropped, 0–1. */
  readonly minScore: number;
  /** Of two boxes whose intersection over union exceeds this, the weaker is dropped. */
  readonly iou: number;
  /** Of two boxes whose intersection over the smaller area exceeds this, the weaker is dropped. */
  readonly contained?: number;
  /** Most faces. */
  readonly max: number;
}
