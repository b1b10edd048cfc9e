/** What a face shows: expression, age, gender, as networks were taught to name them. */
export {
  AGE_GENDER_NETWORKS,
  type AgeGenderNetworkName,
  ATTRIBUTE_NETWORKS,
  type AttributePlan,
  EXPRESSION_NETWORKS,
  type ExpressionNetworkName,
  readAgeGender,
  readBoxAgeGender,
  readExpressions,
} from './attributes.js';
