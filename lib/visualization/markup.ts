/**
 * Building HTML and SVG from untrusted text: a tagged template that escapes every string put into it. What is not marked
 * as {@link Markup} is text, so a file name can never become an element.
 */

/** Text that is already markup. Only {@link markup} and {@link joinMarkup} make it. */
export class Markup {
  readonly #text: string;

  /** @internal */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What {@link markup} accepts: text and numbers are escaped, arrays joined, absent values left out. */
export type MarkupValue = Markup | string | number | null | undefined | false | readonly MarkupValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Everything but the characters that XML 1.0 allows; lone surrogates are among what it forbids. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

/**
 * Makes text safe inside an element or a quoted attribute of HTML, SVG or XML.
 *
 * @param text any text; characters that XML forbids become U+FFFD
 */
export function escapeMarkup(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function render(value: MarkupValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'string') return escapeMarkup(value);
  return value.map(render).join('');
}

/** Tagged template: the literal parts are markup, every value is escaped unless it is {@link Markup} itself. */
export function markup(parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  let text = parts[0] ?? '';
  for (const [index, value] of values.entries()) text += render(value) + (parts[index + 1] ?? '');
  return new Markup(text);
}

/** Joins pieces of markup with a separator that is escaped like any text. */
export function joinMarkup(pieces: readonly MarkupValue[], separator = ''): Markup {
  return new Markup(pieces.map(render).join(escapeMarkup(separator)));
}

/** A number as short as it can be with at most `digits` decimals; what is not finite becomes 0, which keeps SVG valid. */
export function formatNumber(value: number, digits = 2): string {
  if (!Number.isFinite(value)) return '0';
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '').replace(/^-0$/, '0') : text;
}
