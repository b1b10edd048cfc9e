/** Cameras: devices, videos, streams, photographs and pipes, as pictures that come by themselves. */
export { Camera } from './camera.js';
export {
  type DeviceChange,
  type DeviceMode,
  deviceChanges,
  listDevices,
  type VideoDevice,
} from './device.js';
export { type Ffmpeg, findFfmpeg } from './ffmpeg.js';
export { type FaceMerits, MERIT_WEIGHTS, rateFace } from './merits.js';
export { openCamera } from './open.js';
export { maskAddresses } from './secrets.js';
export type {
  BestFrame,
  BestFrameOptions,
  CameraFrame,
  CameraNotice,
  CameraOptions,
  CameraSource,
  CameraState,
  CameraStats,
  DepthCameraFrame,
  DeviceControls,
  FrameMerit,
  FramesOptions,
} from './types.js';
