/** What the page carries: settings and gzipped blocks. */
import type { ViewerSettings } from '../viewer.js';

export function readSettings(): ViewerSettings {
  return JSON.parse(document.getElementById('viewer-settings')?.textContent ?? '{}') as ViewerSettings;
}

/** The bytes of a block; absent where the page has none of this name. */
export async function readBlock(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const element = document.getElementById(`data-${name}`);
  if (element === null) return undefined;
  const text = atob(element.textContent ?? '');
  // The text is needed no more; pages with large clouds give back what it holds.
  element.remove();
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < packed.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Hands the reader a file to keep. */
export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
