/** Templates: what a person is known by. Made, validated, written, sealed and protected; where they lie is the stores' concern. */
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
