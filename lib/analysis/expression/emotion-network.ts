/** Human's emotion network in the starter pack, by the id of its card. */
export const EMOTION_NETWORK = 'human_emotion';
