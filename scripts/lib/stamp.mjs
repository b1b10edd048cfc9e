// Skipping work that is up to date: a stamp holds the hash of everything the work was made from.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './run.mjs';

/** All files below the given paths (relative to the root), sorted; `skip` drops those whose relative path it matches. */
export function filesBelow(paths, skip = /(^|\/)(node_modules|\.git)(\/|$)/) {
  const found = [];
  const walk = (relative) => {
    const full = path.join(root, relative);
    if (!existsSync(full) || skip.test(relative)) return;
    if (statSync(full).isDirectory()) for (const name of readdirSync(full)) walk(path.posix.join(relative, name));
    else found.push(relative);
  };
  for (const one of paths) walk(one);
  return found.sort();
}

/** SHA-256 over names and contents of the files, and over the extra words. */
export function hashOf(files, ...words) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  for (const word of words) hash.update(`${word}\0`);
  return hash.digest('hex');
}

/** Is `target` there, and made from what `hash` says? */
export function isFresh(stamp, hash, ...targets) {
  const file = path.join(root, stamp);
  return (
    existsSync(file) &&
    readFileSync(file, 'utf8') === hash &&
    targets.every((target) => existsSync(path.join(root, target)))
  );
}

export function writeStamp(stamp, hash) {
  const file = path.join(root, stamp);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, hash);
}
