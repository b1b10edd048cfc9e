/** Cameras of the service: what is watched, and how it is shown to those who look. */
export { CameraHub, type HubParts } from './hub.js';
export { cameraJson, eventJson, tracksJson } from './messages.js';
export { CameraSession, quietly, Subscription } from './session.js';
export { CLOSE, Wire } from './wire.js';
