import { abortSignal, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import type { MeshFormat, MeshWriting } from '../native/mesh-files.js';
import { checkGeometry, type FileFrame, type Geometry } from './files-check.js';

/** What all encoders take. */
export interface EncodeOptions {
  /** Where the axes point; lengths stay millimetres. */
  readonly frame?: FileFrame;
  /** One line for people; not in XYZ. */
  readonly comment?: string;
  readonly signal?: AbortSignal;
}

/** Checked options, with the defaults of the format. */
export interface Encoding {
  readonly frame: FileFrame;
  readonly comment: string;
  readonly signal: AbortSignal | undefined;
}

export function encoding(options: EncodeOptions, own: readonly string[], frame: FileFrame): Encoding {
  plainObject('options', options, ['frame', 'comment', 'signal', ...own]);
  return {
    frame: oneOf('options.frame', options.frame ?? frame, ['camera', 'y-up']),
    comment: line('options.comment', options.comment ?? ''),
    signal: options.signal === undefined ? undefined : abortSignal('options.signal', options.signal),
  };
}

/** Text without line breaks, which would end the line that it stands in. */
export function line(name: string, text: unknown): string {
  if (typeof text !== 'string' || /[\r\n\0]/.test(text)) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected one line of text for ${name}`);
  }
  return text;
}

export function encode(
  runtime: Runtime,
  format: Exclude<MeshFormat, 'glb'>,
  geometry: Geometry,
  { frame, comment, signal }: Encoding,
  how: Partial<Omit<MeshWriting, 'turned' | 'comment'>> = {},
): Promise<Uint8Array> {
  checkGeometry('mesh', geometry);
  const writing = { ascii: false, material: '', library: '', ...how, turned: frame === 'y-up', comment };
  return cancellable(runtime.addon, signal, (token) =>
    runtime.addon.encodeMesh(runtime.executor, format, geometry, writing, token),
  );
}
