import { type QualityComponents, type QualityName, type QualityPurpose, shortfall } from './components.js';

/**
 * What to tell the person in front of the camera: stable codes and plain English. Left and right are the person's own, so the
 * words are right on a mirrored display too; a text in another language is chosen by its code.
 */
export const GUIDANCE = {
  'come-closer': 'Come closer.',
  'move-back': 'Move back a little.',
  'move-left': 'Move a little to your left.',
  'move-right': 'Move a little to your right.',
  'move-up': 'Move up a little, or lower the camera’s view.',
  'move-down': 'Move down a little, or raise the camera’s view.',
  'turn-left': 'Turn your head a little to the left.',
  'turn-right': 'Turn your head a little to the right.',
  'chin-up': 'Raise your chin a little.',
  'chin-down': 'Lower your chin a little.',
  'tilt-left': 'Tilt your head a little to the left.',
  'tilt-right': 'Tilt your head a little to the right.',
  'hold-still': 'Hold still. If the picture stays blurred, clean the lens.',
  'more-light': 'More light from the front, please.',
  'less-light': 'It is too bright. Step out of the bright light.',
  'light-from-left': 'More light from your left side, please.',
  'light-from-right': 'More light from your right side, please.',
  'more-contrast': 'The picture is flat. Clean the lens and avoid light from behind.',
  'white-light': 'The colours look wrong. Use white light.',
  'less-noise': 'The picture is grainy. More light helps.',
  'less-compression': 'The picture is compressed too much. Use a higher quality.',
  'open-eyes': 'Open your eyes.',
  'uncover-eyes': 'Take off dark glasses and keep hair out of your eyes.',
  'close-mouth': 'Close your mouth.',
  'uncover-mouth': 'Uncover your mouth.',
  'uncover-face': 'Uncover your face.',
  'neutral-expression': 'Relax your face and look neutral.',
  'one-person': 'One person at a time, please.',
  'plain-background': 'Stand in front of a plain background.',
} as const;

export type GuidanceCode = keyof typeof GUIDANCE;

/** One hint. */
export interface Guidance {
  readonly code: GuidanceCode;
  /** Plain English. */
  readonly text: string;
  /** The component that asks for it. */
  readonly component: QualityName;
}

/** What the hints need beside the components. */
export interface GuidanceContext {
  readonly purpose: QualityPurpose;
  /** The frame is a mirror image, as some cameras and all selfie previews deliver it. */
  readonly mirrored: boolean;
  /** Side of the picture where the face is brighter. */
  readonly brighter?: 'left' | 'right';
}

/** Scores below which a component asks for something. */
const ASKS: Readonly<Record<QualityName, number>> = {
  sharpness: 50,
  noise: 55,
  compressionArtifacts: 40,
  illuminationUniformity: 55,
  luminanceMean: 60,
  luminanceVariance: 20,
  underExposurePrevention: 60,
  overExposurePrevention: 10,
  dynamicRange: 60,
  naturalColour: 40,
  interEyeDistance: 35,
  headSize: 30,
  leftwardCrop: 80,
  rightwardCrop: 80,
  marginAbove: 50,
  marginBelow: 50,
  headPoseYaw: 90,
  headPosePitch: 90,
  headPoseRoll: 88,
  singleFacePresent: 70,
  eyesOpen: 35,
  mouthClosed: 50,
  expressionNeutrality: 30,
  eyesVisible: 50,
  mouthOcclusionPrevention: 50,
  faceOcclusionPrevention: 50,
  backgroundUniformity: 40,
};

/** Least number of points by which a component must be able to pull the unified score down for a hint to be worth its words. */
const WORTH = 12;

/** Hints that make others pointless: told the first, the second is not said. */
const COVERS: readonly (readonly [GuidanceCode, GuidanceCode])[] = [
  ['uncover-eyes', 'open-eyes'],
  ['uncover-mouth', 'close-mouth'],
  ['uncover-eyes', 'uncover-face'],
  ['uncover-mouth', 'uncover-face'],
  ['close-mouth', 'neutral-expression'],
  ['open-eyes', 'neutral-expression'],
  ['more-light', 'less-noise'],
  ['more-light', 'more-contrast'],
  ['less-light', 'more-contrast'],
  ['move-back', 'move-left'],
  ['move-back', 'move-right'],
  ['move-back', 'move-up'],
  ['move-back', 'move-down'],
];

/** Hints for a face, the most important first: by how far each pulls the unified score down. At most one for each cause. */
export function guidanceFor(components: QualityComponents, context: GuidanceContext): Guidance[] {
  const asked: { code: GuidanceCode; component: QualityName; weight: number }[] = [];
  for (const [name, component] of Object.entries(components) as [QualityName, { value: number; score: number }][]) {
    const weight = shortfall(name, component.score, context.purpose);
    if (component.score >= ASKS[name] || weight < WORTH) continue;
    const code = codeFor(name, component.value, components, context);
    if (code !== undefined) asked.push({ code, component: name, weight });
  }
  asked.sort((a, b) => b.weight - a.weight);
  const said = new Set(asked.map(({ code }) => code));
  for (const [first, second] of COVERS) if (said.has(first)) said.delete(second);
  const guidance: Guidance[] = [];
  for (const { code, component } of asked) {
    if (said.delete(code)) guidance.push({ code, text: GUIDANCE[code], component });
  }
  return guidance;
}

/** The person's own side for a side of the picture: the other one, unless the picture is a mirror image. */
function own(side: 'left' | 'right', { mirrored }: GuidanceContext): 'left' | 'right' {
  return mirrored ? side : side === 'left' ? 'right' : 'left';
}

function codeFor(
  name: QualityName,
  value: number,
  components: QualityComponents,
  context: GuidanceContext,
): GuidanceCode | undefined {
  const low = (other: QualityName): boolean => (components[other]?.score ?? 100) < ASKS[other];
  switch (name) {
    case 'sharpness':
      return 'hold-still';
    case 'noise':
      return 'less-noise';
    case 'compressionArtifacts':
      return 'less-compression';
    case 'illuminationUniformity': {
      if (context.brighter === undefined) return undefined;
      return own(context.brighter === 'left' ? 'right' : 'left', context) === 'left'
        ? 'light-from-left'
        : 'light-from-right';
    }
    case 'luminanceMean':
      return value < 0.5 ? 'more-light' : 'less-light';
    case 'underExposurePrevention':
      return 'more-light';
    case 'overExposurePrevention':
      return 'less-light';
    case 'luminanceVariance':
      // The score falls on both sides: flat pictures, and hard light, which other hints speak of.
      return value < 1 / 60 ? 'more-contrast' : undefined;
    case 'dynamicRange':
      return 'more-contrast';
    case 'naturalColour':
      return 'white-light';
    case 'interEyeDistance':
      return 'come-closer';
    case 'headSize':
      return value < 0.45 ? 'come-closer' : 'move-back';
    case 'leftwardCrop':
      return low('rightwardCrop') ? 'move-back' : moveTo('right', context);
    case 'rightwardCrop':
      return low('leftwardCrop') ? 'move-back' : moveTo('left', context);
    case 'marginAbove':
      return low('marginBelow') ? 'move-back' : 'move-down';
    case 'marginBelow':
      return low('marginAbove') ? 'move-back' : 'move-up';
    case 'headPoseYaw':
      // Turned towards the picture's right: turn back to its left.
      return own(value > 0 ? 'left' : 'right', context) === 'left' ? 'turn-left' : 'turn-right';
    case 'headPosePitch':
      return value > 0 ? 'chin-down' : 'chin-up';
    case 'headPoseRoll':
      return own(value > 0 ? 'left' : 'right', context) === 'left' ? 'tilt-left' : 'tilt-right';
    case 'singleFacePresent':
      return 'one-person';
    case 'eyesOpen':
      return 'open-eyes';
    case 'mouthClosed':
      return 'close-mouth';
    case 'expressionNeutrality':
      return 'neutral-expression';
    case 'eyesVisible':
      return 'uncover-eyes';
    case 'mouthOcclusionPrevention':
      return 'uncover-mouth';
    case 'faceOcclusionPrevention':
      return 'uncover-face';
    case 'backgroundUniformity':
      return 'plain-background';
  }
}

const moveTo = (side: 'left' | 'right', context: GuidanceContext): GuidanceCode =>
  own(side, context) === 'left' ? 'move-left' : 'move-right';
