/** Templates: what a person is known by. Made, validated, written, sealed and protected; where they lie is the stores' concern. */
export { decodeTemplate, type EncodeOptions, encodeTemplate, type VectorEncoding } from './binary.js';
export { type CipherOptions, sealedKeyId, TemplateCipher } from './cipher.js';
export {
  type EnrolOptions,
  type EnrolResult,
  type EnrolSample,
  enrolTemplate,
  type RejectedSample,
  type SampleReason,
} from './enrol.js';
export { type TemplateJSON, type TemplateJSONOptions, templateFromJSON, templateToJSON } from './json.js';
export type { KeyService, KeyServiceOptions } from './key-service.js';
export { type Keyring, type KeySource, openKeyring } from './keyring.js';
export { createKeyringFile, removeFromKeyringFile, rotateKeyringFile } from './keyring-file.js';
export { type Linkability, measureLinkability } from './linkability.js';
export {
  ProtectionKey,
  type ProtectionScheme,
  protectEmbedding,
  protectTemplate,
  unprotectTemplate,
} from './protect.js';
export {
  type CaptureInfo,
  comparableModel,
  isExpired,
  TEMPLATE_LIMITS,
  type Template,
  type TemplateExtension,
  type TemplateProtection,
  templateEmbedding,
  type ValidateOptions,
  validateTemplate,
} from './template.js';
