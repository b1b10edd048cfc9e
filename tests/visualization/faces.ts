import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Face, Point } from '../../lib/types.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One of the sample photographs that the face-api package carries, 1 to 6. */
export function sample(number: number): string {
  return path.join(root, 'node_modules', '@vladmandic', 'face-api', 'demo', `sample${number}.jpg`);
}

/** A face with 68 points spread over the box by hand; drawing does not care whether it is one. */
export function handMadeFace(box: Face['box'], more: Partial<Face> = {}): Face {
  const [x, y, w, h] = box;
  const landmarks = Array.from({ length: 68 }, (_, index): Point => {
    const angle = (index / 68) * Math.PI * 2;
    return [x + w / 2 + Math.cos(angle) * w * 0.4, y + h / 2 + Math.sin(angle) * h * 0.4];
  });
  return { box, score: 0.97, size: Math.min(w, h), landmarks, pose: { roll: 12, yaw: -20, pitch: 5 }, ...more };
}

/** The tags of HTML in order, checked for balance; throws at the first tag that closes what is not open. */
export function openElements(html: string): string[] {
  const empty = new Set(['meta', 'img', 'input', 'br', 'link', 'hr', '!doctype']);
  const open: string[] = [];
  const body = html.replace(/<style>[\s\S]*?<\/style>/g, '');
  for (const match of body.matchAll(/<(\/?)([a-z!][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/gi)) {
    const [, closing, name = '', rest = ''] = match;
    const tag = name.toLowerCase();
    if (empty.has(tag) || rest.endsWith('/')) continue;
    if (!closing) open.push(tag);
    else if (open.pop() !== tag) throw new Error(`</${tag}> closes nothing at ${match.index}`);
  }
  return open;
}
