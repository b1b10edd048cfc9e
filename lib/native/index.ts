export type * from './addon.js';
export { STATISTICS } from './addon.js';
export { cudaLibrary, cudaStatus } from './cuda.js';
export { addonPath, loadAddon } from './load.js';
export { gpuStatus } from './nvml.js';
export { packageFolder, packageRoot, platformName } from './package.js';
export { findRuntimeLibraries, type RuntimeLibrary } from './runtime-library.js';
