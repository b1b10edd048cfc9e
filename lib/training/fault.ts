import { LineamentError } from '../errors.js';

/** The error for an annotation file that is not what it should be: names the file and, where it is known, the line. */
export function fault(file: string, line: number | undefined, what: string, fix?: string): LineamentError {
  const place = line === undefined ? file : `${file}:${line}`;
  return new LineamentError('INVALID_ARGUMENT', `${place}: ${what}`, fix === undefined ? {} : { fix });
}

/** Text of a file for a message: short, and without anything that could forge a line. */
export function quoted(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 37)}...` : text;
  return `'${short.replace(/\p{Cc}|\p{Cf}/gu, '\ufffd')}'`;
}
