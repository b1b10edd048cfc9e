/** Which action units 68 points can see, how each is measured, and how far it is to be trusted. */

/** Action units of the Facial Action Coding System that are measured here. */
export const ACTION_UNITS = [
  'AU1',
  'AU2',
  'AU4',
  'AU5',
  'AU6',
  'AU7',
  'AU9',
  'AU10',
  'AU12',
  'AU15',
  'AU17',
  'AU18',
  'AU20',
  'AU24',
  'AU25',
  'AU26',
  'AU27',
  'AU43',
] as const;
export type ActionUnitId = (typeof ACTION_UNITS)[number];

/** What is known of one unit. */
export interface ActionUnitInfo {
  /** Its name in the Facial Action Coding System. */
  readonly name: string;
  /** How it is measured on points turned to the front, relative to the neutral face. */
  readonly measure: string;
  /** `good`: the points move with it. `fair`: they do, and with other units too. `weak`: a hint at best. */
  readonly reliability: 'good' | 'fair' | 'weak';
  /** Whether the sides of the face are measured apart. */
  readonly sided: boolean;
  /** Measure that stands for intensity 5, in centimetres of a mean head (AU24, AU43: a share of the neutral measure). */
  readonly full: number;
  /** Measure below which the intensity is 0: noise of landmarks, with a baseline of the person. */
  readonly floor: number;
  /** The same with the population's baseline, where the difference between neutral faces comes on top. */
  readonly populationFloor: number;
}

/**
 * The table of units. `full` are displacements that strong posed expressions reach; they were chosen for this scale and are
 * not taken from a certified coder. Names and what each unit does: P. Ekman, W. V. Friesen and J. C. Hager, "Facial Action
 * Coding System", 2002.
 */
export const ACTION_UNIT_INFO: Readonly<Record<ActionUnitId, ActionUnitInfo>> = {
  AU1: {
    name: 'Inner brow raiser',
    measure: 'rise of the two inner points of the brow above the corners of the eye',
    reliability: 'good',
    sided: true,
    full: 0.9,
    floor: 0.06,
    populationFloor: 0.35,
  },
  AU2: {
    name: 'Outer brow raiser',
    measure: 'rise of the two outer points of the brow above the corners of the eye',
    reliability: 'good',
    sided: true,
    full: 0.9,
    floor: 0.06,
    populationFloor: 0.35,
  },
  AU4: {
    name: 'Brow lowerer',
    measure: 'fall of the inner half of the brow, and half the narrowing of the distance between the brows',
    reliability: 'fair',
    sided: true,
    full: 0.7,
    floor: 0.06,
    populationFloor: 0.35,
  },
  AU5: {
    name: 'Upper lid raiser',
    measure: 'rise of the upper lid above the corners of the eye',
    reliability: 'fair',
    sided: true,
    full: 0.25,
    floor: 0.04,
    populationFloor: 0.12,
  },
  AU6: {
    name: 'Cheek raiser',
    measure: 'rise of the lower lid while the corners of the mouth are pulled up (the cheek itself has no point)',
    reliability: 'weak',
    sided: true,
    full: 0.25,
    floor: 0.04,
    populationFloor: 0.12,
  },
  AU7: {
    name: 'Lid tightener',
    measure: 'rise of the lower lid while the corners of the mouth are not pulled up',
    reliability: 'weak',
    sided: true,
    full: 0.25,
    floor: 0.04,
    populationFloor: 0.12,
  },
  AU9: {
    name: 'Nose wrinkler',
    measure: 'rise of the wings of the nose towards the eyes (the wrinkles themselves have no point)',
    reliability: 'weak',
    sided: true,
    full: 0.4,
    floor: 0.06,
    populationFloor: 0.25,
  },
  AU10: {
    name: 'Upper lip raiser',
    measure: 'rise of the middle of the upper lip towards the nose, less what a smile lifts it',
    reliability: 'weak',
    sided: true,
    full: 0.5,
    floor: 0.06,
    populationFloor: 0.3,
  },
  AU12: {
    name: 'Lip corner puller',
    measure:
      'rise of the corner of the mouth above the middle of the lips, and half of how far it moves outward with it',
    reliability: 'good',
    sided: true,
    full: 1,
    floor: 0.08,
    populationFloor: 0.3,
  },
  AU15: {
    name: 'Lip corner depressor',
    measure: 'fall of the corner of the mouth below the middle of the lips',
    reliability: 'fair',
    sided: true,
    full: 0.5,
    floor: 0.06,
    populationFloor: 0.25,
  },
  AU17: {
    name: 'Chin raiser',
    measure: 'rise of the lower lip and the chin towards the nose',
    reliability: 'weak',
    sided: false,
    full: 0.5,
    floor: 0.07,
    populationFloor: 0.45,
  },
  AU18: {
    name: 'Lip pucker',
    measure: 'how far the corner of the mouth moves inward, less what an open jaw pulls it in (AU22 looks the same)',
    reliability: 'fair',
    sided: true,
    full: 0.8,
    floor: 0.06,
    populationFloor: 0.35,
  },
  AU20: {
    name: 'Lip stretcher',
    measure: 'how far the corner of the mouth moves outward without rising',
    reliability: 'fair',
    sided: true,
    full: 0.8,
    floor: 0.07,
    populationFloor: 0.35,
  },
  AU24: {
    name: 'Lip presser',
    measure: 'thinning of both lips while the mouth is closed (AU23 and AU28 look the same)',
    reliability: 'weak',
    sided: false,
    full: 0.7,
    floor: 0.12,
    populationFloor: 0.4,
  },
  AU25: {
    name: 'Lips part',
    measure: 'height of the opening between the lips',
    reliability: 'good',
    sided: false,
    full: 1,
    floor: 0.06,
    populationFloor: 0.2,
  },
  AU26: {
    name: 'Jaw drop',
    measure: 'fall of the chin and the lower lip away from the nose, up to 2 cm',
    reliability: 'good',
    sided: false,
    full: 2,
    floor: 0.12,
    populationFloor: 0.5,
  },
  AU27: {
    name: 'Mouth stretch',
    measure: 'fall of the chin and the lower lip beyond 1.8 cm',
    reliability: 'good',
    sided: false,
    full: 2,
    floor: 0,
    populationFloor: 0.3,
  },
  AU43: {
    name: 'Eyes closed',
    measure:
      "loss of the eye aspect ratio of the lids; without lids that of the eyes' landmarks, on which the starter pack's network hardly shows it. AU45 (blink) is the same movement when it is short",
    reliability: 'good',
    sided: true,
    full: 0.7,
    floor: 0.2,
    populationFloor: 0.3,
  },
};

/** Units that 68 points cannot tell, and why: a value for them would be made up. */
export const UNITS_NOT_MEASURED: Readonly<Record<string, string>> = {
  AU8: 'lips towards each other: looks like AU25 going back',
  AU11: 'nasolabial deepener: a fold of the skin, no point lies on it',
  AU13: 'sharp lip puller: cannot be told from AU12',
  AU14: 'dimpler: a dimple in the skin, no point lies on it',
  AU16: 'lower lip depressor: cannot be told from AU25 and AU26',
  AU19: 'tongue show: no point lies on the tongue',
  AU21: 'neck tightener: no point lies on the neck',
  AU22: 'lip funneler: seen from the front like AU18',
  AU23: 'lip tightener: thins the lips as AU24 does; named there',
  AU28: 'lip suck: hides the lips as a strong AU24 does; named there',
  AU29: 'jaw thrust: along the line of sight',
  AU33: 'cheek blow: no point lies on the cheek',
  AU38: 'nostril dilator: below the noise of the points',
  AU44: 'squint: cannot be told from AU7 and a part of AU43',
  AU45: 'blink: a movement in time; the tracker names it',
  AU61: 'gaze: the points do not see the iris',
};

/** Letters of intensity, and nothing where a unit is not there. */
export type FacsGrade = 'A' | 'B' | 'C' | 'D' | 'E';

/**
 * The letter that an intensity is nearest to: A trace (1), B slight (2), C marked (3), D severe (4), E maximum (5); absent
 * below 0.5. The manual defines the letters by appearance, not by displacement, so this is a reading aid, not a coding.
 */
export function facsGrade(intensity: number): FacsGrade | undefined {
  const at = Math.round(Math.min(5, intensity));
  return at >= 1 ? ('ABCDE'[at - 1] as FacsGrade) : undefined;
}
