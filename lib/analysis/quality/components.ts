/**
 * What is measured of a face picture: one row for each component, with its unit, its meaning, how its native value becomes a
 * score and how much it weighs. Names are those of ISO/IEC 29794-5:2025 as its reference implementation OFIQ (BSI) calls
 * them, in camel case. Where the same quantity is measured from the same kind of evidence the mapping is OFIQ's too; where
 * another one had to stand in, the mapping was set by looking at photographs and their degraded copies (`benchmarks/src/quality.mjs`).
 * No conformance to the standard is claimed: neither the landmarks nor the networks are those that it was calibrated with.
 */

/** Logistic step from 0 to 1 around `x0`. */
const sigmoid = (x: number, x0: number, w: number): number => 1 / (1 + Math.exp((x0 - x) / w));

/** Piecewise linear through (x, score) pairs with rising x, constant beyond the ends. */
function ramp(...knots: readonly (readonly [x: number, score: number])[]): (x: number) => number {
  return (x) => {
    const next = knots.findIndex(([k]) => x < k);
    if (next < 0) return knots.at(-1)![1];
    if (next === 0) return knots[0]![1];
    const [x0, s0] = knots[next - 1]!;
    const [x1, s1] = knots[next]!;
    return s0 + ((x - x0) / (x1 - x0)) * (s1 - s0);
  };
}

const cosine2 = (degrees: number): number => 100 * Math.max(0, Math.cos((degrees * Math.PI) / 180)) ** 2;

interface ComponentRule {
  /** Unit of the native value. */
  readonly unit: string;
  /** What the native value is, and what it cannot see. */
  readonly meaning: string;
  /** Native value to 0–100; 100 is best. */
  readonly score: (value: number) => number;
  /** How far the component alone can pull the unified score down, 0–1, for each purpose. */
  readonly importance: { readonly recognition: number; readonly portrait: number };
}

const both = (importance: number): ComponentRule['importance'] => ({ recognition: importance, portrait: importance });

export const QUALITY_COMPONENTS = {
  sharpness: {
    unit: 'px',
    meaning:
      'Blur of the strongest edges of the inner face, as the radius (standard deviation) of a Gaussian, in pixels of the picture; ' +
      'where the eyes are more than 64 px apart, in pixels of the picture reduced to that. Brightness, contrast and (as far as it can be estimated) noise do not enter.',
    score: ramp([1, 100], [1.4, 85], [2, 50], [2.8, 15], [4, 0]),
    importance: both(1),
  },
  noise: {
    unit: 'luma steps',
    meaning:
      'Standard deviation of the grain in the flatter parts of the inner face, 0–255. Not a component of the standard. Skin texture and blocks of strong compression count as grain.',
    score: ramp([2.5, 100], [5, 75], [10, 40], [20, 5], [30, 0]),
    importance: both(0.5),
  },
  compressionArtifacts: {
    unit: 'ratio',
    meaning:
      'Excess of the luma steps across the 8 × 8 grid of JPEG over those inside the blocks: 0 is none, 1 is twice as much. A picture that was resized or shifted after it was compressed shows no grid, and none is seen.',
    score: ramp([0.08, 100], [0.3, 80], [0.8, 50], [2, 10], [4, 0]),
    importance: both(0.3),
  },
  illuminationUniformity: {
    unit: 'ratio',
    meaning:
      'Mean luma of the darker half of the face over that of the brighter one, halves parted by the line from the bridge of the nose to the chin; 1 is even light.',
    score: ramp([0.15, 0], [0.35, 20], [0.6, 55], [0.85, 95], [0.92, 100]),
    importance: both(0.5),
  },
  luminanceMean: {
    unit: 'share of full scale',
    meaning: 'Mean luma of the face, 0–1. Dark and light skin both have their place between 0.25 and 0.75.',
    score: (v: number) => 100 * sigmoid(v, 0.2, 0.05) * (1 - sigmoid(v, 0.8, 0.05)),
    importance: both(0.6),
  },
  luminanceVariance: {
    unit: 'share of full scale squared',
    meaning: 'Variance of the luma of the face: low where the picture is flat, high where light is hard.',
    score: (v: number) => 100 * Math.sin(((60 * v) / (60 * v + 1)) * Math.PI),
    importance: both(0.3),
  },
  underExposurePrevention: {
    unit: 'share',
    meaning: 'Share of the face with a luma of 25 or less, 0–1.',
    score: (v: number) => 120 * (0.832 - sigmoid(v, 0.92, 0.05)),
    importance: both(0.6),
  },
  overExposurePrevention: {
    unit: 'share',
    meaning: 'Share of the face with a luma of 247 or more, 0–1.',
    score: (v: number) => 1 / (v + 0.01),
    importance: both(0.5),
  },
  dynamicRange: {
    unit: 'bit',
    meaning: 'Entropy of the luma of the face, 0–8.',
    score: (v: number) => 12.5 * v,
    importance: both(0.4),
  },
  naturalColour: {
    unit: 'CIELAB units',
    meaning:
      'Distance of the mean skin colour from the range 5 ≤ a* ≤ 25, 5 ≤ b* ≤ 35 that skin of every tone lies in under white light. Absent for grey pictures.',
    score: (v: number) => 200 * (1 - sigmoid(v, 0, 10)),
    importance: { recognition: 0.3, portrait: 0.6 },
  },
  interEyeDistance: {
    unit: 'px',
    meaning:
      'Distance of the centres of the eyes in pixels of the picture, divided by the cosine of the yaw where the pose is known.',
    score: (v: number) => 100 * sigmoid(v, 70, 20),
    importance: both(0.8),
  },
  headSize: {
    unit: 'share of the height of the picture',
    meaning:
      'Distance from the middle of the eyes to the chin over the height of the picture; 0.45 is what a portrait wants.',
    score: (v: number) => 200 * (1 - sigmoid(Math.abs(v - 0.45), 0, 0.05)),
    importance: { recognition: 0, portrait: 0.4 },
  },
  leftwardCrop: {
    unit: 'inter-eye distances',
    meaning: 'From the middle of the eyes to the left edge of the picture.',
    score: (v: number) => 100 * sigmoid(v, 0.9, 0.1),
    importance: both(1),
  },
  rightwardCrop: {
    unit: 'inter-eye distances',
    meaning: 'From the middle of the eyes to the right edge of the picture.',
    score: (v: number) => 100 * sigmoid(v, 0.9, 0.1),
    importance: both(1),
  },
  marginAbove: {
    unit: 'inter-eye distances',
    meaning: 'From the middle of the eyes to the upper edge of the picture.',
    score: (v: number) => 100 * sigmoid(v, 1.4, 0.1),
    importance: { recognition: 0.3, portrait: 1 },
  },
  marginBelow: {
    unit: 'inter-eye distances',
    meaning: 'From the middle of the eyes to the lower edge of the picture.',
    score: (v: number) => 100 * sigmoid(v, 1.8, 0.1),
    importance: { recognition: 0.7, portrait: 1 },
  },
  headPoseYaw: {
    unit: 'degrees',
    meaning: "Turn of the head; > 0 towards the picture's right edge.",
    score: cosine2,
    importance: both(1),
  },
  headPosePitch: {
    unit: 'degrees',
    meaning: 'Nod of the head; > 0 looks up.',
    score: cosine2,
    importance: both(1),
  },
  headPoseRoll: {
    unit: 'degrees',
    meaning:
      'Tilt of the head; > 0 clockwise in the picture. Recognition turns faces upright, a portrait is not turned.',
    score: cosine2,
    importance: { recognition: 0.3, portrait: 1 },
  },
  singleFacePresent: {
    unit: 'ratio',
    meaning: 'Area of the largest other face over that of this one. Absent where the other faces were not given.',
    score: (v: number) => 100 * (1 - v),
    importance: { recognition: 0, portrait: 0.6 },
  },
  eyesOpen: {
    unit: "share of the face's height",
    meaning:
      "Opening of the lids of the eye that is less open, over the distance from the eyes to the chin. Source 'network': from the lids that were given (the face mesh), which follow the eyelids; where the eyes are less than some 30 px apart, narrow eyes may look closed. Source 'landmarks': from the 68 points, and no better than they: the landmark network of the starter pack draws open lids on most closed eyes, and on eyes that look down.",
    score: (v: number) => 100 * sigmoid(v, 0.035, 0.006),
    importance: both(0.4),
  },
  mouthClosed: {
    unit: "share of the face's height",
    meaning: 'Gap between the lips over the distance from the eyes to the chin.',
    score: (v: number) => 100 * (1 - sigmoid(v, 0.2, 0.06)),
    importance: { recognition: 0.2, portrait: 0.7 },
  },
  expressionNeutrality: {
    unit: '0–1',
    meaning:
      "Source 'network': probability of a neutral expression that the expression network gives. Source 'landmarks', where that was not given: exp(−sum / 4) of the intensities (0–5) of the action units of brows, lids and mouth that are measured well or fairly, against the mean neutral face; nobody's face is the mean one, and what moves no landmark (a frown of the skin) is not seen.",
    score: (v: number) => 100 * v,
    importance: { recognition: 0.1, portrait: 0.5 },
  },
  eyesVisible: {
    unit: 'share',
    meaning:
      'For each eye the share of the skin under it that has not the colour and brightness of the rest of the face (dark glasses, hair, a bar), or how far the eye itself has nothing drawn in it (a hand, a reflection), whichever is more; three quarters of the worse eye and a quarter of the other. Clear glasses are seen only by their frames and reflections.',
    score: ramp([0.3, 100], [0.5, 75], [0.8, 20], [0.95, 0]),
    importance: both(0.8),
  },
  mouthOcclusionPrevention: {
    unit: 'share',
    meaning:
      'Share of the lips and of the ring around them that has neither the colour of skin nor of lips, the lesser of both (so that neither paint nor a beard is a cover), or how far no lips are drawn, whichever is more.',
    score: ramp([0.3, 100], [0.5, 75], [0.8, 20], [0.95, 0]),
    importance: both(0.5),
  },
  faceOcclusionPrevention: {
    unit: 'share',
    meaning:
      'Share of the face between brows and chin that differs from its own skin in colour or brightness, after the slope of the light was taken out. Hair, beards, glasses and hard shadows count; a cover of the colour of the skin does not, and where most of the face is covered the cover is taken for the skin.',
    score: ramp([0.15, 100], [0.25, 85], [0.45, 40], [0.7, 0]),
    importance: both(0.6),
  },
  backgroundUniformity: {
    unit: 'luma steps',
    meaning:
      'Mean step of luma from cell to cell (1/15 of the inter-eye distance) around the head, above the shoulders. Long hair and hats reach into it. Absent where too little of the surroundings is in the picture.',
    score: ramp([1, 100], [3, 85], [8, 40], [20, 0]),
    importance: { recognition: 0, portrait: 0.4 },
  },
} as const satisfies Record<string, ComponentRule>;

/** Name of a quality component. */
export type QualityName = keyof typeof QUALITY_COMPONENTS;

/** What the picture is for: matching (default), or a portrait for a document, which asks for more. */
export type QualityPurpose = 'recognition' | 'portrait';

/** One measured component. */
export interface QualityComponent {
  /** As measured; see `QUALITY_COMPONENTS` for its meaning. */
  readonly value: number;
  readonly unit: string;
  /** 0–100, whole; 100 is best. */
  readonly score: number;
  /**
   * What it was measured on, for `eyesOpen` and `expressionNeutrality`, which `network`s tell (lids, probabilities) and the 68
   * `landmarks` stand in for.
   */
  readonly source?: 'network' | 'landmarks';
}

/** Components that could be measured; the others are absent. */
export type QualityComponents = Readonly<Partial<Record<QualityName, QualityComponent>>>;

export const QUALITY_NAMES = Object.keys(QUALITY_COMPONENTS) as readonly QualityName[];

/** Score of a native value of the component, 0–100, whole. */
export function componentScore(name: QualityName, value: number): number {
  return Math.round(Math.min(100, Math.max(0, QUALITY_COMPONENTS[name].score(value))));
}

/** How far down the component alone could pull the unified score: importance × what is missing to 100. */
export function shortfall(name: QualityName, score: number, purpose: QualityPurpose): number {
  return QUALITY_COMPONENTS[name].importance[purpose] * (100 - score);
}

const SOFTNESS = 8;

/**
 * One score from many: a soft minimum. Component i counts as qᵢ = 1 − importanceᵢ·(1 − scoreᵢ/100), and the unified score is
 * 100·(1 + Σ(qᵢ⁻⁸ − 1))^(−1/8). Alone, with all others at 100, a component gives exactly 100·qᵢ; several weaknesses add up a
 * little. It never rises when a component falls, and what is absent does not count. 0–100, whole.
 */
export function unifiedScore(components: QualityComponents, purpose: QualityPurpose): number {
  let sum = 1;
  for (const name of QUALITY_NAMES) {
    const score = components[name]?.score;
    if (score === undefined) continue;
    const q = Math.max(0.01, 1 - shortfall(name, score, purpose) / 100);
    sum += q ** -SOFTNESS - 1;
  }
  return Math.round(100 * sum ** (-1 / SOFTNESS));
}
