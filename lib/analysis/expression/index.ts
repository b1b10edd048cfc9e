/** Expression: action units relative to a neutral face, seven classes of two networks, and both over time. */
export {
  type BaselineFrame,
  type BaselineOptions,
  baselineToJson,
  learnNeutralBaseline,
  type NeutralBaseline,
  type NeutralBaselineJson,
  POPULATION_BASELINE,
  parseBaseline,
} from './baseline.js';
export { EMOTION_NETWORK } from './emotion-network.js';
export {
  EXPRESSION_CIRCLE,
  EXPRESSION_PROTOTYPES,
  type ExpressionAgreement,
  type ExpressionProbabilities,
  type ExpressionPrototype,
  type ExpressionReading,
  type ExpressionSources,
  matchPrototypes,
  readExpression,
} from './emotions.js';
export type { EyeState } from './eyes.js';
export { type ActionUnitOptions, type ActionUnits, measureActionUnits } from './measure.js';
export type { MouthState } from './mouth.js';
export { readEmotions } from './networks.js';
export { eyeAspectRatio, type FaceSide, mouthAspectRatio } from './ratios.js';
export type { Segment as ExpressionSegment } from './segments.js';
export {
  type ActiveExpression,
  type ExpressionEvent,
  type ExpressionInput,
  type ExpressionState,
  ExpressionTracker,
  type ExpressionTrackerOptions,
} from './tracker.js';
export {
  ACTION_UNIT_INFO,
  ACTION_UNITS,
  type ActionUnitId,
  type ActionUnitInfo,
  type FacsGrade,
  facsGrade,
  UNITS_NOT_MEASURED,
} from './units.js';
