import { fault, quoted } from './fault.js';

export interface XmlOpen {
  readonly kind: 'open';
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Line on which the tag begins, counted from 1. */
  readonly line: number;
}

export interface XmlClose {
  readonly kind: 'close';
  readonly name: string;
  readonly line: number;
}

export type XmlEvent = XmlOpen | XmlClose;

const NAME = /[A-Za-z_:][\w:.-]*/y;
const ATTRIBUTE = /\s+([A-Za-z_:][\w:.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /\s*(\/?)>/y;
const DEEPEST = 64;

/**
 * The text of an XML file. UTF-8, US-ASCII and ISO-8859-1 are read; what says ISO-8859-1 but is valid UTF-8 is taken for
 * UTF-8: imglab always writes the former into its header and file names as the system has them. Throws `INVALID_ARGUMENT`.
 */
export function decodeXml(bytes: Uint8Array, file: string): string {
  const [a, b] = bytes;
  if ((a === 0xfe && b === 0xff) || (a === 0xff && b === 0xfe) || a === 0 || b === 0) {
    throw fault(file, 1, 'it is no text in UTF-8 or ISO-8859-1', 'Save it as UTF-8.');
  }
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString('latin1');
  const declared = /^(?:\u00ef\u00bb\u00bf)?<\?xml[^>]*?\bencoding\s*=\s*["']([^"']*)["']/.exec(head)?.[1] ?? 'UTF-8';
  const encoding = declared.toLowerCase();
  const latin = encoding === 'iso-8859-1' || encoding === 'latin1';
  if (!latin && !['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(encoding)) {
    throw fault(file, 1, `the encoding ${quoted(declared)} is not read`, 'Save it as UTF-8.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    if (latin) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    throw fault(file, undefined, 'it is not valid UTF-8', 'Save it as UTF-8.');
  }
}

/**
 * Reads well-formed XML (W3C, "Extensible Markup Language 1.0") tag by tag: elements and their attributes; character data is
 * passed over. The five predefined entities and character references are known and no others: a document type, which could
 * define more or fetch files, is refused. Throws `INVALID_ARGUMENT` with the line.
 */
export function* parseXml(text: string, file: string): Generator<XmlEvent, void, undefined> {
  const open: { name: string; line: number }[] = [];
  let at = 0;
  let line = 1;
  let rootSeen = false;
  let newline = text.indexOf('\n');
  const advance = (to: number): void => {
    for (; newline !== -1 && newline < to; newline = text.indexOf('\n', newline + 1)) line++;
    at = to;
  };
  const skipPast = (end: string, from: number, what: string): void => {
    const found = text.indexOf(end, from);
    if (found < 0) throw fault(file, line, `${what} that begins here does not end`);
    advance(found + end.length);
  };
  while (true) {
    const tag = text.indexOf('<', at);
    const until = tag < 0 ? text.length : tag;
    if (open.length === 0) {
      const between = /[^\s\ufeff]/.exec(text.slice(at, until));
      if (between !== null) {
        advance(at + between.index);
        throw fault(file, line, `text outside of the root element: ${quoted(text.slice(at, until).trim())}`);
      }
    }
    advance(until);
    if (tag < 0) break;
    if (text.startsWith('<!--', at)) skipPast('-->', at + 4, 'a comment');
    else if (text.startsWith('<?', at)) skipPast('?>', at + 2, 'a processing instruction');
    else if (text.startsWith('<![CDATA[', at) && open.length > 0) skipPast(']]>', at + 9, 'a CDATA section');
    else if (text.startsWith('<!', at)) {
      throw fault(file, line, 'document types and declarations are not read', 'Remove the <!DOCTYPE …>.');
    } else if (text[at + 1] === '/') {
      NAME.lastIndex = at + 2;
      const name = NAME.exec(text)?.[0];
      TAG_END.lastIndex = NAME.lastIndex;
      const end = name === undefined ? null : TAG_END.exec(text);
      if (name === undefined || end === null || end[1] !== '') throw fault(file, line, 'a closing tag is malformed');
      const mine = open.pop();
      if (mine?.name !== name) {
        const wanted = mine === undefined ? 'nothing is open' : `<${mine.name}> of line ${mine.line} is open`;
        throw fault(file, line, `</${name}> closes nothing: ${wanted}`);
      }
      yield { kind: 'close', name, line };
      advance(TAG_END.lastIndex);
    } else {
      const begin = line;
      const { name, attributes, closed, end } = readTag(text, at, file, line);
      if (open.length === 0 && rootSeen) throw fault(file, line, `a second root element <${name}>`);
      if (open.length >= DEEPEST) throw fault(file, line, `elements lie more than ${DEEPEST} deep`);
      rootSeen = true;
      yield { kind: 'open', name, attributes, line: begin };
      advance(end);
      if (closed) yield { kind: 'close', name, line };
      else open.push({ name, line: begin });
    }
  }
  const last = open.at(-1);
  if (last !== undefined) throw fault(file, line, `the file ends inside <${last.name}> of line ${last.line}`);
  if (!rootSeen) throw fault(file, line, 'there is no element in it');
}

function readTag(
  text: string,
  at: number,
  file: string,
  line: number,
): { name: string; attributes: Map<string, string>; closed: boolean; end: number } {
  NAME.lastIndex = at + 1;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) throw fault(file, line, "a '<' that begins no tag");
  const attributes = new Map<string, string>();
  let next = NAME.lastIndex;
  for (;;) {
    TAG_END.lastIndex = next;
    const end = TAG_END.exec(text);
    if (end !== null) return { name, attributes, closed: end[1] === '/', end: TAG_END.lastIndex };
    ATTRIBUTE.lastIndex = next;
    const attribute = ATTRIBUTE.exec(text);
    if (attribute === null) {
      const cut = text.indexOf('>', next) < 0;
      throw fault(file, line, cut ? `the file ends inside the tag <${name}>` : `the tag <${name}> is malformed`);
    }
    const [, key = '', double, single = ''] = attribute;
    if (attributes.has(key)) throw fault(file, line, `<${name}> has the attribute ${quoted(key)} twice`);
    attributes.set(key, unescapeXml(double ?? single, file, line));
    next = ATTRIBUTE.lastIndex;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string, file: string, line: number): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]{0,12})(;?)/g, (whole: string, name: string, end: string) => {
    const code = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const value =
      code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16);
    const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
    const allowed = value === 9 || value === 10 || value === 13 || (value >= 32 && value <= 0x10ffff);
    const character =
      known ?? (allowed && !(value >= 0xd800 && value <= 0xdfff) ? String.fromCodePoint(value) : undefined);
    if (end === '' || character === undefined) throw fault(file, line, `the entity ${quoted(whole)} is not known`);
    return character;
  });
}

/** Text made safe for an attribute in quotes; characters that XML forbids become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
