/** A face and what can be said of it. */
import { EXPRESSIONS } from '../../types.js';
import { type TSchema, Type } from '../vendor.js';
import { Box, Landmarks, Point, Pose, Probability, SELECT, Words } from './common.js';

/** Names with values of one kind. */
const named = (values: TSchema, description: string) => Type.Object({}, { additionalProperties: values, description });

const ExpressionLabel = Words(
  EXPRESSIONS,
  'What the face shows, as the network was taught to name it; not what the person feels',
);

const probabilities = Type.Object(
  Object.fromEntries(EXPRESSIONS.map((label) => [label, Probability('Probability')])) as Record<
    (typeof EXPRESSIONS)[number],
    ReturnType<typeof Probability>
  >,
  { description: 'Of each label; they add up to 1' },
);

export const Quality = Type.Object(
  {
    score: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: 'Unified score of the picture of the face; 100 is best',
    }),
    components: named(
      Type.Object({
        value: Type.Number({ description: 'As measured' }),
        unit: Type.String({ description: 'Of the value' }),
        score: Type.Integer({ minimum: 0, maximum: 100, description: '100 is best' }),
      }),
      'By name (after ISO/IEC 29794-5); what could not be measured is absent',
    ),
    guidance: Type.Array(
      Type.Object({
        code: Type.String({ description: 'Stable' }),
        text: Type.String({ description: 'Plain English' }),
        component: Type.String({ description: 'The component that asks for it' }),
      }),
      { description: 'Hints for the person in front of the camera, most important first' },
    ),
  },
  { title: 'Quality', description: 'How well the picture of the face serves recognition' },
);

export const Face = Type.Object(
  {
    box: Box,
    score: Probability('Confidence of the detector'),
    landmarks: Type.Optional(Landmarks),
    lids: Type.Optional(
      Type.Array(Point, { description: '12 points of the lids, in the order of landmarks 36 to 47' }),
    ),
    pose: Type.Optional(Pose),
    head_pose: Type.Optional(
      Type.Object(
        {
          roll: Type.Number({ description: 'Degrees, as in pose' }),
          yaw: Type.Number({ description: 'Degrees, as in pose' }),
          pitch: Type.Number({ description: 'Degrees, as in pose' }),
          translation: Type.Array(Type.Number(), {
            minItems: 3,
            maxItems: 3,
            description:
              'Of the head from the camera, centimetres: right, down, away; as large as the mean head is for the person',
          }),
          reprojection_error: Type.Object(
            {
              pixels: Type.Number({ description: 'Root mean square, pixels' }),
              relative: Type.Number({ description: "Over the head's inter-ocular distance" }),
            },
            { description: 'How far landmarks and model lie apart' },
          ),
          confidence: Probability('How far the fit is to be trusted'),
        },
        { description: 'The head in six degrees of freedom' },
      ),
    ),
    size: Type.Optional(Type.Number({ description: 'Shorter side of the box, pixels' })),
    sharpness: Type.Optional(Type.Number({ description: 'Variance of the Laplacian of luma inside the box' })),
    exposure: Type.Optional(
      Type.Object(
        {
          mean: Type.Number({ description: 'Luma, 0–255' }),
          contrast: Type.Number({ description: 'Standard deviation of luma, 0–255' }),
          underexposed: Probability('Share of pixels that are clipped to black'),
          overexposed: Probability('Share of pixels that are clipped to white'),
        },
        { description: 'Brightness of the box' },
      ),
    ),
    quality: Type.Optional(Quality),
    age: Type.Optional(Type.Number({ description: 'Years, expected value' })),
    gender: Type.Optional(
      Type.Object(
        {
          label: Words(['female', 'male'], 'Label'),
          probability: Probability('Of the label, 0.5–1'),
        },
        { description: 'Perceived gender, as the network was taught to name it' },
      ),
    ),
    expression: Type.Optional(
      Type.Object(
        { label: ExpressionLabel, probability: Probability('Of the label'), probabilities },
        { description: 'Of one network' },
      ),
    ),
    expression_reading: Type.Optional(
      Type.Object(
        {
          label: ExpressionLabel,
          probability: Probability('Of the label'),
          probabilities,
          valence: Type.Number({ description: 'Unpleasant −1 to pleasant 1' }),
          arousal: Type.Number({ description: 'Calm −1 to excited 1' }),
          intensity: Type.Number({ description: 'How strongly it is shown, 0–5' }),
        },
        { description: 'Two networks and the action units, joined' },
      ),
    ),
    action_units: Type.Optional(
      Type.Object(
        {
          intensity: named(Type.Number(), 'By unit (AU1, AU2, …), 0–5'),
          baseline: Type.String({ description: 'What they are relative to: `person` or `population`' }),
        },
        { description: 'Action units that landmarks can see' },
      ),
    ),
    geometry: Type.Optional(
      named(
        Type.Number(),
        'Measures by id: lengths over the distance of the outer corners of the eyes, indices in percent, angles in degrees',
      ),
    ),
    symmetry: Type.Optional(
      Type.Object(
        {
          score: Type.Number({ minimum: 0, maximum: 100, description: '100 is a face that is its own mirror image' }),
          asymmetry: Type.Number({ description: 'Percent of the distance of the outer corners of the eyes' }),
          regions: named(Type.Number(), 'Score of brows, eyes, nose, mouth and jaw, 0–100'),
        },
        { description: 'Left and right of the face compared' },
      ),
    ),
    embedding: Type.Optional(
      Type.Array(Type.Number(), { description: 'Of length 1; comparable only with embeddings of the same model' }),
    ),
  },
  { title: 'Face', description: 'A face; what was not asked for, or cannot be said, is absent' },
);

const size = {
  width: Type.Integer({ minimum: 1, description: 'Of the picture as it is shown, pixels' }),
  height: Type.Integer({ minimum: 1, description: 'Of the picture as it is shown, pixels' }),
};

export const Faces = Type.Object(
  {
    ...size,
    model: Type.Optional(Type.String({ description: 'Model of the embeddings, where they were asked for' })),
    faces: Type.Array(Face, { description: 'Best score first; empty where there is none' }),
  },
  { title: 'Faces' },
);

/** What can be asked of a face. */
export const MEASURES = [
  'landmarks',
  'pose',
  'head_pose',
  'statistics',
  'quality',
  'geometry',
  'symmetry',
  'action_units',
  'expression',
  'expression_reading',
  'age',
  'gender',
  'embedding',
] as const;
export type Measure = (typeof MEASURES)[number];

export const DetectOptions = Type.Object(
  {
    ...SELECT,
    landmarks: Type.Optional(
      Type.Boolean({ description: 'Find the 68 landmarks of each face as well; false when absent' }),
    ),
  },
  { additionalProperties: false },
);

export const SelectOptions = Type.Object({ ...SELECT }, { additionalProperties: false });

export const AnalyzeOptions = Type.Object(
  {
    ...SELECT,
    include: Type.Optional(
      Type.Array(Words(MEASURES, 'Measure'), {
        minItems: 1,
        maxItems: 32,
        description: 'What is measured, in a query or form as a,b; everything but `embedding` when absent',
      }),
    ),
  },
  { additionalProperties: false },
);

export const MeshOptions = Type.Object(
  {
    levels: Type.Optional(Type.Integer({ minimum: 1, maximum: 8, description: 'Levels of detail; 4 when absent' })),
    triangles: Type.Optional(
      Type.Integer({
        minimum: 16,
        maximum: 200_000,
        description: 'Most triangles of the finest level; 20 000 when absent',
      }),
    ),
    field_of_view: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 170,
        description: 'Of the camera along the longer side, degrees; from EXIF, or assumed, when absent',
      }),
    ),
    texture: Type.Optional(Type.Boolean({ description: 'Lay the photograph over the surface; true when absent' })),
    min_face_size: SELECT.min_face_size,
  },
  { additionalProperties: false },
);
