/** Many engines behind one object: loaded on demand, switched, unloaded when memory is short. */
export { openEngineHost } from './host.js';
export { machineMemory } from './memory.js';
export type * from './types.js';
