import { invalid } from '../../errors/validate.js';
import type { Region } from '../../image/geometry.js';
import { checkLandmarks } from '../../landmarks/check.js';
import { LID_COUNT } from '../../landmarks/lids.js';
import type { Box, Expression, Point, Pose } from '../../types.js';
import {
  componentScore,
  QUALITY_COMPONENTS,
  QUALITY_NAMES,
  type QualityComponent,
  type QualityComponents,
  type QualityName,
  type QualityPurpose,
  unifiedScore,
} from './components.js';
import { type GreyChip, measureDetail, measureGrid, smoothDetail } from './detail.js';
import { type Guidance, guidanceFor } from './guidance.js';
import { DETAIL_CHIP, FACE_CHIP, innerCentre, intoChip, layoutOf } from './layout.js';
import {
  cellsOf,
  type Illumination,
  isColoured,
  measureBackground,
  measureColour,
  measureExposure,
  measureIllumination,
} from './light.js';
import { learnSkin, measureOcclusion } from './occlusion.js';
import { measureNeutrality, measureShape, otherFaces, type Values } from './shape.js';
import { zonesOf } from './zones.js';

/** Pixels cut out of the picture, and the map that they were cut by (chip to picture). */
export interface QualityChip {
  /** Rows without gaps: 3 bytes (RGB) for `face`, 1 byte (luma) for the grey chips. */
  readonly data: Uint8Array;
  readonly region: Region;
}

/** What the quality of a face is judged by. Coordinates are pixels of the picture. */
export interface QualityInput {
  /** 68 points. */
  readonly landmarks: readonly Point[];
  /** Size of the picture. */
  readonly frame: { readonly width: number; readonly height: number };
  /** Box of the face, needed only beside `others`. */
  readonly box?: Box;
  /** Boxes of the other faces in the picture. */
  readonly others?: readonly Box[];
  readonly pose?: Pose;
  readonly expression?: Expression;
  /** Lids of the eyes, 12 points (`locateLids`); without them the eyes are judged by the 68 points. */
  readonly lids?: readonly Point[] | undefined;
  /** Upright colour chip, 320 × 320, cut by `faceRegion`. */
  readonly face?: QualityChip;
  /** Grey chip of the inner face, 128 × 128, cut by `detailRegion`. */
  readonly detail?: QualityChip;
  /** Grey chip of unscaled pixels, 128 × 128, cut by `nativeRegion`. */
  readonly native?: QualityChip;
}

export interface QualityOptions {
  /** `recognition` when absent. */
  readonly purpose?: QualityPurpose;
  /** The picture is a mirror image; turns left and right in the hints. False when absent. */
  readonly mirrored?: boolean;
}

/** How well a picture of a face serves its purpose. */
export interface FaceQuality {
  /** Unified score, 0–100, whole; see `unifiedScore`. Comparable between faces of which the same components could be measured. */
  readonly score: number;
  readonly components: QualityComponents;
  /** Hints for the person in front of the camera, most important first; empty where nothing is to be mended. */
  readonly guidance: readonly Guidance[];
}

/**
 * Quality of one face from chips, landmarks and what else is known of it; components whose evidence was not given, or does
 * not suffice, are absent (`naturalColour` of a grey picture, `sharpness` of a face of a few pixels, surroundings beyond the
 * picture). Absent altogether where the landmarks are not finite or do not span a face. Throws `INVALID_ARGUMENT` when
 * there are not 68 landmarks or 12 finite lids, the picture has no size, or a chip has the wrong one. Components are named after ISO/IEC
 * 29794-5; no conformance is claimed. Pure function: some 3 ms, no state, safe in any thread.
 */
export function assessQuality(input: QualityInput, options: QualityOptions = {}): FaceQuality | undefined {
  const steps = assessing(input, options);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** The same in steps of a millisecond or two, between which the caller may do something else. */
export function* assessing(
  input: QualityInput,
  options: QualityOptions = {},
): Generator<undefined, FaceQuality | undefined, undefined> {
  const { landmarks, frame, pose, face, detail, native } = input;
  const lids = input.lids && checkLandmarks('lids', input.lids, LID_COUNT);
  if (!Array.isArray(landmarks) || landmarks.length !== 68) throw invalid('landmarks', '68 points', landmarks);
  for (const side of ['width', 'height'] as const) {
    if (!(frame[side] > 0) || !Number.isFinite(frame[side]))
      throw invalid(`frame.${side}`, 'positive number', frame[side]);
  }
  const layout = layoutOf(landmarks);
  if (layout === undefined) return undefined;
  const finite = pose !== undefined && [pose.roll, pose.yaw, pose.pitch].every(Number.isFinite) ? pose : undefined;
  const values: Values = measureShape(layout, frame, finite, lids);
  if (input.box !== undefined && input.others !== undefined) {
    const others = otherFaces(input.box, input.others);
    if (others !== undefined) values.singleFacePresent = others;
  }
  const read = input.expression?.probabilities.neutral;
  const known = read !== undefined && Number.isFinite(read);
  const neutrality = known ? read : measureNeutrality(landmarks, lids);
  if (neutrality !== undefined) values.expressionNeutrality = neutrality;
  if (detail !== undefined) {
    const grey = greyChip('detail', detail, frame);
    const smoothed = smoothDetail(grey);
    yield;
    const [centre] = intoChip(detail.region, [innerCentre(layout)]);
    Object.assign(values, measureDetail(grey, smoothed, centre!, (0.95 * layout.unit) / detail.region[0]));
  }
  yield;
  if (native !== undefined) Object.assign(values, gridValues(native, frame));
  let light: Illumination | undefined;
  if (face !== undefined) {
    checkChip('face', face, FACE_CHIP.size ** 2 * 3);
    const points = intoChip(face.region, layout.points);
    const zones = zonesOf(points, face.region, frame);
    yield;
    const cells = cellsOf(face.data, zones);
    yield;
    Object.assign(values, measureExposure(cells), measureBackground(cells, zones));
    if (isColoured(cells, zones)) Object.assign(values, measureColour(cells, zones));
    light = measureIllumination(cells, zones, points);
    if (light !== undefined) values.illuminationUniformity = light.ratio;
    yield;
    const skin = learnSkin(cells, zones);
    yield;
    if (skin !== undefined) Object.assign(values, measureOcclusion(skin, zones));
  }
  const components = scored(values, {
    eyesOpen: lids === undefined ? 'landmarks' : 'network',
    expressionNeutrality: known ? 'network' : 'landmarks',
  });
  const purpose = options.purpose ?? 'recognition';
  const guidance = guidanceFor(components, {
    purpose,
    mirrored: options.mirrored ?? false,
    ...(light === undefined ? {} : { brighter: light.brighter }),
  });
  return { score: unifiedScore(components, purpose), components, guidance };
}

type Sources = Partial<Record<QualityName, 'network' | 'landmarks'>>;

function scored(values: Values, sources: Sources): QualityComponents {
  const components: Partial<Record<QualityName, QualityComponent>> = {};
  for (const name of QUALITY_NAMES) {
    const value = values[name];
    if (value === undefined || !Number.isFinite(value)) continue;
    const source = sources[name];
    components[name] = {
      value,
      unit: QUALITY_COMPONENTS[name].unit,
      score: componentScore(name, value),
      ...(source && { source }),
    };
  }
  return components;
}

type Size = QualityInput['frame'];

function gridValues(chip: QualityChip, frame: Size): Values {
  return measureGrid(greyChip('native', chip, frame), chip.region[2], chip.region[5]);
}

/** A grey chip with the part of it that shows the picture; its region is scaled and shifted only. */
function greyChip(name: string, chip: QualityChip, frame: Size): GreyChip {
  const size = DETAIL_CHIP.size;
  checkChip(name, chip, size ** 2);
  const [scale, , left, , , top] = chip.region;
  const clamp = (v: number): number => Math.min(size, Math.max(0, v));
  return {
    data: chip.data,
    size,
    inside: {
      x0: clamp(Math.ceil(-left / scale)),
      y0: clamp(Math.ceil(-top / scale)),
      x1: clamp(Math.floor((frame.width - left) / scale)),
      y1: clamp(Math.floor((frame.height - top) / scale)),
    },
  };
}

function checkChip(name: string, { data, region }: QualityChip, length: number): void {
  if (!(data instanceof Uint8Array) || data.length !== length) throw invalid(`${name}.data`, `${length} bytes`, data);
  if (!region.every(Number.isFinite)) throw invalid(`${name}.region`, 'six finite numbers', region);
}
