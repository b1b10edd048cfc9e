/** What a face shows: expression, age, gender, as networks were taught to name them. */
export { ATTRIBUTE_NETWORKS, readAgeGender, readExpressions } from './attributes.js';
