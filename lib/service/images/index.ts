/** Pictures of requests. */
export { checkPicture, type Picture, type PictureLimits, pictureHash, type Upload } from './picture.js';
export { LIST, missingPicture, readPictures, receivePictures, uploadsOf } from './read.js';
export { binaryBody, pictureRoute, requestOptions } from './route.js';
