/** The detectors of the starter pack, and of the catalogue (`scrfd_…`), by the ids of their cards. */
export const DETECTORS = {
  ssd: 'faceapi_ssd',
  blaze: 'human_blazeface',
  'short-range': 'mediapipe_face_short',
  tiny: 'faceapi_tiny',
  scrfd_10g: 'insightface_scrfd_10g',
  'scrfd_2.5g': 'insightface_scrfd_2_5g',
  scrfd_500m: 'insightface_scrfd_500m',
} as const;

export type DetectorName = keyof typeof DETECTORS;

/**
 * Longer side of the network's input in pixels, a multiple of 32; the shorter side follows the picture, is rounded up to the
 * next multiple and padded with black. For networks that take any size (`ssd`, `tiny`, `scrfd_…`).
 */
export type LongSide =
  | number
  | {
      /** Input pixels per pixel of the picture, as far as the limits allow. */
      readonly scale: number;
      /** Also for smaller pictures, which are enlarged. */
      readonly least: number;
      /** Also for larger pictures, which are shrunk further. */
      readonly most: number;
    };

/**
 * The picture is also looked at in `columns` × `rows` parts of its own shape, which overlap by the share `overlap` of a
 * part. What touches an edge of a part that is no edge of the picture is dropped: it is seen whole in another part.
 */
export interface Tiling {
  readonly columns: number;
  readonly rows: number;
  readonly overlap: number;
  readonly longSide: number;
  /** How near to the edge counts as touching, as a share of the part's longer side. */
  readonly margin: number;
}

/** What becomes of weak boxes. */
export interface Doubt {
  /** Boxes below this score are weak. */
  readonly below: number;
  /** They stay where the face mesh network gives at least this probability of a face. */
  readonly minPresence: number;
}

/** How faces are looked for: plain data, a choice of network and numbers. */
export interface DetectionPlan {
  readonly network: DetectorName;
  readonly longSide?: LongSide;
  readonly tiles?: Tiling;
  /** Boxes below this score are dropped, 0–1. */
  readonly minScore: number;
  /** Boxes below a second score are asked about: a face mesh network must see a face in them. */
  readonly doubt?: Doubt;
  /** Of two boxes whose intersection over union exceeds this, the weaker is dropped. */
  readonly iou: number;
  /** Of two boxes whose intersection over the smaller area exceeds this, the weaker is dropped. */
  readonly contained?: number;
  /** Most faces. */
  readonly max: number;
  /** Side of the square that holds a whole face, over the longer side of this network's boxes. */
  readonly faceScale: number;
}
