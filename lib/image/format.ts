/** File formats that are decoded, told by their first bytes and never by the name of the file. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif';

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** The format of an image file, from its signature; absent where it is none of ours. 12 bytes are enough, AVIF likes 64. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xd8 && c === 0xff) return 'jpeg';
  if (a === 0x89 && ascii(bytes, 1, 7) === 'PNG\r\n\x1a\n') return 'png';
  const head = ascii(bytes, 0, 4);
  if (head === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP') return 'webp';
  if (head === 'GIF8') return 'gif';
  if (head === 'II*\0' || head === 'MM\0*' || head === 'II+\0' || head === 'MM\0+') return 'tiff';
  if (ascii(bytes, 4, 4) === 'ftyp') {
    const size = (((a ?? 0) << 24) | ((b ?? 0) << 16) | ((c ?? 0) << 8) | (d ?? 0)) >>> 0;
    const brands = ascii(bytes, 8, Math.max(0, Math.min(size, bytes.length, 64) - 8));
    if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  }
  return undefined;
}

/** A word on bytes that are no image of ours, for the error message. */
export function describeUnknown(bytes: Uint8Array): string {
  const head = ascii(bytes, 0, 64)
    .replace(/^\ufeff/, '')
    .trimStart();
  if (head.startsWith('<')) return 'the content looks like XML, SVG or HTML';
  if (head.startsWith('%PDF')) return 'the content is a PDF document';
  if (ascii(bytes, 4, 4) === 'ftyp')
    return `the content is a '${ascii(bytes, 8, 4)}' file (HEIC and video are not decoded)`;
  if (head.startsWith('BM')) return 'the content is a BMP file';
  return 'the content is not JPEG, PNG, WebP, GIF, TIFF or AVIF';
}
