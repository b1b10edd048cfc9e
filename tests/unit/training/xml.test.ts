import { describe, expect, it } from 'vitest';
import { decodeXml, escapeXml, parseXml } from '../../../lib/training/xml.js';

const read = (text: string): string[] =>
  [...parseXml(text, 'f.xml')].map((e) =>
    e.kind === 'open'
      ? `<${e.name}${[...e.attributes].map(([k, v]) => ` ${k}=${v}`).join('')}>${e.line}`
      : `</${e.name}>${e.line}`,
  );

describe('parseXml', () => {
  it('reads elements, attributes, comments, instructions, CDATA and entities', () => {
    const text = `<?xml version='1.0'?>
<?xml-stylesheet type='text/xsl' href='a.xsl'?>
<!-- a <comment> & more -->
<a x="1 &lt; 2" y='&#x41;&#66;&quot;'>
  text <b/><![CDATA[ <not> & a tag ]]>
  <c.d
     z = "3"
  ></c.d>
</a>
`;
    expect(read(text)).toEqual(['<a x=1 < 2 y=AB">4', '<b>5', '</b>5', '<c.d z=3>6', '</c.d>8', '</a>9']);
  });

  it.each([
    ['nothing', '', 1, 'no element'],
    ['text alone', 'hello', 1, 'outside of the root'],
    ['text after the root', '<a/>\n\nmore', 3, 'outside of the root'],
    ['a second root', '<a/>\n<b/>', 2, 'second root'],
    ['a tag that is not closed', '<a>\n<b>\n', 3, 'ends inside <b> of line 2'],
    ['a file cut in a tag', '<a>\n<b x="1', 2, 'ends inside the tag <b>'],
    ['a file cut in a comment', '<a>\n<!-- never', 2, 'a comment that begins here does not end'],
    ['crossed tags', '<a><b>\n</a></b>', 2, '<b> of line 1 is open'],
    ['a closing tag too many', '<a></a>\n</a>', 2, 'nothing is open'],
    ['an attribute without quotes', '<a>\n<b x=1></b></a>', 2, 'malformed'],
    ['an attribute twice', '<a x="1"\n x="2"/>', 1, 'twice'],
    ['a lone ampersand', '<a>\n<b x="a & b"/></a>', 2, 'entity'],
    ['an entity that nobody defined', '<a x="&file;"/>', 1, "'&file;' is not known"],
    ['a character that XML forbids', '<a x="&#0;"/>', 1, 'entity'],
    ['half a surrogate pair', '<a x="&#xd800;"/>', 1, 'entity'],
    ['a document type', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<a>&x;</a>', 1, 'document types'],
    ['a lone bracket', '<a>\n\n< b/></a>', 3, "a '<' that begins no tag"],
    ['a malformed closing tag', '<a></a b>', 1, 'closing tag is malformed'],
  ])('refuses %s and names the line', (_name, text, line, said) => {
    let error: unknown;
    try {
      read(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((error as Error).message).toContain(`f.xml:${line}: `);
    expect((error as Error).message).toContain(said);
  });

  it('refuses elements that lie too deep', () => {
    expect(() => read('<a>'.repeat(1000))).toThrow('deep');
  });

  it('takes time in proportion to the length, also on one line', () => {
    // Quadratic time over a million tags without a line break would take hours, not a moment.
    const text = `<a>${'<b/>'.repeat(300_000)}</a>`;
    let count = 0;
    for (const event of parseXml(text, 'f.xml')) count += event.kind === 'open' ? 1 : 0;
    expect(count).toBe(300_001);
  });
});

describe('decodeXml', () => {
  const latin = Buffer.from("<?xml version='1.0' encoding='ISO-8859-1'?><a n='Müller'/>", 'latin1');

  it('reads the encodings that are declared, and UTF-8 under a header of imglab', () => {
    expect(decodeXml(latin, 'f')).toContain('Müller');
    expect(decodeXml(Buffer.from(latin.toString('latin1'), 'utf8'), 'f')).toContain('Müller');
    expect(decodeXml(Buffer.from('\ufeff<a/>', 'utf8'), 'f')).toBe('<a/>');
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeff<a/>', 'utf16le')],
    ['an unknown encoding', Buffer.from("<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>")],
    ['bytes that are no UTF-8', Buffer.from([0x3c, 0x61, 0xff, 0xfe])],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeXml(bytes, 'f.xml')).toThrow('Save it as UTF-8');
  });
});

describe('escapeXml', () => {
  it('survives a round trip through the parser', () => {
    const text = `<b> & "quotes" 'single'\n\ttab ü 😀`;
    const [event] = [...parseXml(`<a x="${escapeXml(text)}"/>`, 'f')];
    expect(event?.kind === 'open' && event.attributes.get('x')).toBe(text);
    expect(escapeXml('a\u0000\ud800')).toBe('a\ufffd\ufffd');
  });
});
